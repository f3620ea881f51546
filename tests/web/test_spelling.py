"""What the page makes of a slip of the finger."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.web.acting import searched
from tests.web.conftest import Site

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


@pytest.fixture(autouse=True)
def _words_are_counted(site: Site) -> None:
    site.service.wording.settle()


def test_a_slip_is_corrected_and_what_was_typed_is_one_key_away(visit: Visit) -> None:
    page = visit()
    searched(page, "thundrestorm")
    line = page.locator(".corrected")
    expect(line).to_contain_text("Showing answers for “thunderstorm”.")
    expect(page.locator("#status")).to_contain_text("thunderstorm")
    expect(page.locator(".hit").first).to_contain_text("Thunderstorm step 1")
    line.get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(line).to_have_count(0)
    expect(page).to_have_url(re.compile("q=thundrestorm.*exact=1"))
    expect(page.locator("#query")).to_have_value("thundrestorm")
    expect(page.locator("#query")).to_be_focused()
    page.go_back()
    expect(line).to_be_visible()
    searched(page, "red light")
    expect(line).to_have_count(0)
    assert "exact" not in page.url


def test_what_is_not_sure_is_offered(visit: Visit) -> None:
    page = visit("q=thunderstarm")
    offer = page.get_by_role("link", name="Did you mean “thunderstorm”?")
    offer.click()
    expect(page.locator("#query")).to_have_value("thunderstorm")
    expect(page.locator(".corrected")).to_have_count(0)


def test_a_wrong_character_is_corrected_in_the_script_it_was_typed_in(visit: Visit) -> None:
    page = visit("q=數據機紙示燈", locale="zh-TW")
    expect(page.locator(".corrected")).to_contain_text("以下是「數據機指示燈」的搜尋結果。")
    expect(page.get_by_role("link", name="仍然搜尋「數據機紙示燈」")).to_be_visible()
