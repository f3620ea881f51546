"""KCS demo scenario 2: customers help themselves, say that an article did not help and what was missing; an editor
works on what they said, and the next customer is helped. In a real browser, by keyboard alone, in two languages."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.scenarios.conftest import asked
from tests.scenarios.test_04_internal_fix import rewritten
from tests.web.acting import searched, sign_in
from tests.web.conftest import Site

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]
State = Callable[[Page, str], None]

STEP = "Still red? Check the fibre box"
BETTER = "Still red after four minutes? Hold the pin of the fibre box for five seconds, then check it"


def unhelped(page: Page, site: Site, comment: str, state: State | None = None) -> None:
    """A customer searches, reads, and is not helped."""
    searched(page, "red light")
    page.locator(f'[data-number="{site.library.articles["red"].number}"]').press("Enter")
    expect(page.locator("#article-title")).to_be_focused()
    if state:
        state(page, "1 a customer reads")
    page.locator("#article .helped").get_by_role("button", name="No").press("Enter")
    expect(page.locator("#missing")).to_be_focused()
    page.keyboard.insert_text(comment)
    if state:
        state(page, "2 what was missing")
    page.keyboard.press("Enter")
    expect(page.locator("#article .helped")).to_contain_text("Thank you")


def test_what_customers_miss_is_put_right(visit: Visit, site: Site, state: State) -> None:
    number = site.library.articles["red"].number

    # One voice is heard, two make a case (as this centre has set it).
    unhelped(visit(), site, "It went red again after the four minutes", state)
    assert asked(site, "Pia", "GET", "cases", number=number)["cases"] == []
    unhelped(visit(width=390), site, "Which fibre box?")
    [case] = asked(site, "Pia", "GET", "cases", number=number)["cases"]
    assert case["cause"] == "not_helpful"

    # The editor finds it in the queue, reads what was missing, takes it and writes it.
    editor = visit(path="/editor")
    sign_in(editor, site.library.keys["Pia"])
    line = editor.locator(".line").filter(has_text="steady red light")
    expect(line).to_be_visible()
    line.locator(".goes").press("Enter")
    expect(editor.locator("#case")).to_contain_text("It went red again after the four minutes")
    expect(editor.locator("#case")).to_contain_text("Which fibre box?")
    state(editor, "3 the case of those who were not helped")
    editor.keyboard.press("t")
    expect(editor.locator("#facts")).to_contain_text("You")
    editor.keyboard.press("w")
    expect(editor.locator("#desk")).to_be_visible()
    expect(editor.locator("#body")).not_to_have_value("")
    rewritten(editor, STEP, BETTER)
    editor.keyboard.press("Enter")
    expect(editor.locator("#done")).to_contain_text("Published")
    state(editor, "4 published")
    fixed = asked(site, "Pia", "GET", f"cases/{case['id']}")
    assert (fixed["state"], fixed["fixed_revision"]) == ("fixed", 2)

    # The next customer reads the new text, on a phone, in the dark, and is helped.
    next_one = visit(width=390, dark=True)
    searched(next_one, "red light")
    next_one.locator(f'[data-number="{number}"]').press("Enter")
    expect(next_one.locator("#article")).to_contain_text("Hold the pin of the fibre box")
    next_one.locator("#article .helped").get_by_role("button", name="Yes").press("Enter")
    expect(next_one.locator("#article .helped")).to_contain_text("Thank you")
    state(next_one, "5 the next customer is helped")

    # The editor says that it is done; what readers said since stands with the case.
    editor.goto(f"/editor/case?id={case['id']}")
    expect(editor.locator("#actions")).to_be_visible()
    editor.keyboard.press("y")
    expect(editor.locator("#actions [data-key=y]")).to_have_count(0)
    expect(editor.locator("#history .step").last).to_contain_text("You")
    assert asked(site, "Pia", "GET", f"cases/{case['id']}")["state"] == "closed"
    state(editor, "6 closed")


def test_a_customer_says_so_in_chinese(visit: Visit, site: Site, state: State) -> None:
    page = visit(locale="zh-CN", width=390)
    searched(page, "路由器红灯")
    page.locator("[data-number]").first.press("Enter")
    expect(page.locator("#article-title")).to_be_focused()
    page.locator("#article .helped button").last.press("Enter")
    expect(page.locator("#missing")).to_be_focused()
    page.keyboard.insert_text("光纤盒在哪里？")
    state(page, "a customer in Chinese")
    page.keyboard.press("Enter")
    expect(page.locator("#article .helped")).to_contain_text("感谢您的反馈")
