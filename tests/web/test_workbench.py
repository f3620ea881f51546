"""The workbench in a real browser: a search taken apart, judged and compared with the keyboard alone."""

import json
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from kb.person import SYSTEM
from kb.solve import judging
from tests.web.acting import enter_key
from tests.web.conftest import Site, Watch

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


@pytest.fixture(autouse=True)
def judged(site: Site) -> str:
    """One set with two queries, and no other; returns its id."""
    db, articles = site.service.db, site.library.articles
    for each in judging.listing(db, SYSTEM):
        judging.delete(db, SYSTEM, each.set.id)
    tsv = f"red light\t{articles['red'].number}\t3\tpublic\nreset the hub\t{articles['reset'].number}\t2\n"
    return judging.load(db, SYSTEM, "Faults", tsv)[0].id


@pytest.fixture
def open_bench(visit: Visit, site: Site) -> Callable[..., Page]:
    def _open(hash: str = "", **more: object) -> Page:
        page = visit(hash, path="/workbench", **more)
        page.click("#open-sign-in")
        enter_key(page, site.library.keys["Ada"])
        expect(page.locator("#desk")).to_be_visible()
        return page

    return _open


def test_it_is_shut_to_those_who_do_not_tune(visit: Visit, site: Site) -> None:
    page = visit(path="/workbench")
    expect(page.locator("#gate h2")).to_have_text("Sign in to use the workbench")
    page.locator("#gate button").click()
    enter_key(page, site.library.keys["Carol"])
    expect(page.locator("#gate h2")).to_have_text("The workbench is not open to you")
    expect(page.locator("#desk")).to_be_hidden()
    expect(page.locator(".places a[href='/workbench']")).to_be_hidden()


def test_a_search_is_explained_and_judged_with_the_keyboard(
    open_bench: Callable[..., Page], site: Site, judged: str
) -> None:
    page = open_bench()
    page.select_option("#into", judged)
    page.select_option("#as", "public")
    page.focus("#query")
    page.keyboard.type("red light")
    page.keyboard.press("Enter")
    row = page.locator(".row-item", has_text="Hub 6 shows a steady red light").first
    expect(row.locator("button[aria-pressed=true]")).to_have_text("Best answer")
    expect(page.locator(".leg.lexical .row-item").first).to_be_visible()
    expect(page.locator(".leg.dense .row-item").first).to_be_visible()
    assert "Staff" not in page.locator(".columns").inner_text()
    row.locator(".grades button").nth(1).focus()
    page.keyboard.press("Space")
    expect(page.locator("#status")).to_have_text("Judged: Helps")
    expect(row.locator("button[aria-pressed=true]")).to_have_text("Helps")
    page.focus("#number")
    page.keyboard.type(site.library.articles["secret"].number)
    page.keyboard.press("Enter")
    expect(page.locator(".findings .stop")).to_contain_text(
        "It is for “Internal staff”; this audience is “The public”."
    )
    page.reload()
    expect(page.locator(".grades button[aria-pressed=true]").first).to_have_text("Helps")


def test_two_settings_are_compared_and_a_query_leads_back_to_its_explanation(open_bench: Callable[..., Page]) -> None:
    page = open_bench()
    page.focus("#tab-explain")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-compare")).to_be_focused()
    page.select_option("#b-how", "changed")
    page.fill("#b-prior-superseded", "0")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict .lead")).to_be_visible()
    expect(page.locator(".compared tbody tr")).to_have_count(2)
    page.locator(".compared tbody button", has_text="red light").press("Enter")
    expect(page.locator("#query")).to_have_value("red light")
    expect(page.locator("#as")).to_have_value("public")
    expect(page.locator(".columns")).to_be_visible()
    page.go_back()
    expect(page.locator("#panel-compare")).to_be_visible()


def test_sets_are_made_filled_from_a_table_and_deleted(
    open_bench: Callable[..., Page], site: Site, watch: Watch
) -> None:
    watch.expected = ("422",)
    page = open_bench("tab=sets")
    page.get_by_role("button", name="New set").press("Enter")
    page.keyboard.type("Billing")
    page.keyboard.press("Enter")
    expect(page.locator(".sets .link")).to_have_text(["Billing", "Faults"])
    page.get_by_role("button", name="Read a table").click()
    page.fill("#table-name", "Billing")
    page.fill("#table-text", "refund\t000-0000\t1")
    page.get_by_role("button", name="Read", exact=True).click()
    expect(page.locator("#table-error")).to_contain_text("(line 1)")
    page.fill("#table-text", f"refund\t{site.library.articles['plan'].number}\t1")
    page.get_by_role("button", name="Read", exact=True).click()
    page.locator(".sets .link", has_text="Billing").click()
    expect(page.locator("#set-title")).to_be_focused()
    page.locator(".judged button", has_text="Take back").click()
    expect(page.locator(".judged")).to_have_count(0)
    page.locator(".back").click()
    page.get_by_role("button", name="Delete: Billing").click()
    page.locator("#naming-do").click()
    expect(page.locator(".sets .link")).to_have_text(["Faults"])


def test_trouble_is_told_and_can_be_tried_again(open_bench: Callable[..., Page], watch: Watch) -> None:
    watch.expected = ("503",)
    page = open_bench()
    page.route("**/workbench/explain", lambda route: route.fulfill(status=503, json={"error": {
        "code": "unavailable", "message": "away", "field": "", "request_id": "r1"}}))  # fmt: skip
    page.fill("#query", "red light")
    page.keyboard.press("Enter")
    expect(page.locator("#explained .state h2")).to_have_text("That did not work")
    page.unroute("**/workbench/explain")
    page.locator("#explained .state button").click()
    expect(page.locator(".columns")).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "width", "dark"),
    [("en-GB", 1440, False), ("zh-TW", 360, True)],
)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    open_bench: Callable[..., Page], site: Site, judged: str, locale: str, width: int, dark: bool
) -> None:
    axe = Axe()
    page = open_bench(locale=locale, width=width, dark=dark)

    def check(state: str) -> None:
        found = axe.run(page).response["violations"]
        told = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        assert not found, f"{state}: {json.dumps(told, ensure_ascii=False, indent=1)}"
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), state

    check("start")
    page.select_option("#into", judged)
    page.fill("#query", "red light 路由器")
    page.keyboard.press("Enter")
    page.fill("#number", site.library.articles["long"].number)
    page.locator(".why-not button").click()
    expect(page.locator(".findings li").first).to_be_visible()
    check("explained")
    page.click("#tab-compare")
    page.select_option("#b-how", "changed")
    page.check("#b-own")
    page.click("#run")
    expect(page.locator(".verdict")).to_be_visible()
    check("compared")
    page.click("#tab-sets")
    check("sets")
    page.locator("#sets .row button").nth(1).click()
    check("table")
    page.click("#table-cancel")
    page.locator(".sets .link").first.click()
    expect(page.locator(".judged")).to_be_visible()
    check("a set")
