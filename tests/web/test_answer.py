"""The answer above the hits, as people meet it."""

import pytest
from playwright.sync_api import expect

from kb.solve import certainty
from tests.web.conftest import Visit


def test_a_certain_answer_stands_first_marked_and_opens_its_article(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certainty, "judge", lambda evidence, *_: (0.97, evidence is not None))
    page = visit("q=路由器紅燈怎麼辦", locale="zh-CN", width=360)
    card = page.locator(".answer")
    expect(card.locator("blockquote")).to_contain_text("等待十秒")
    expect(card.locator("mark").first).to_have_text("路由器")
    expect(page.locator(".uncertain")).to_have_count(0)
    expect(card).not_to_contain_text("0.97")
    expect(card).not_to_contain_text("97 %")
    card.get_by_role("button", name="打开文章").click()
    expect(page.locator("#article-title")).to_be_visible()


def test_where_nothing_is_certain_a_line_says_so(visit: Visit) -> None:
    page = visit("q=red light")
    expect(page.locator(".uncertain")).to_be_visible()
    expect(page.locator(".answer")).to_have_count(0)
