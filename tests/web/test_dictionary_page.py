"""The dictionary's page in a real browser: written, tried out and saved with the keyboard alone."""

import json
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from kb.audience import Audience
from kb.dictionary import Meaning
from kb.person import SYSTEM
from kb.solve import dictionary
from tests.web.acting import searched, sign_in
from tests.web.conftest import Site, Watch

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


@pytest.fixture(autouse=True)
def empty(site: Site) -> Iterator[None]:
    """A dictionary without entries, before and after."""
    yield
    db = site.service.db
    for each in dictionary.visible(db, SYSTEM):
        dictionary.delete(db, SYSTEM, each.id)
    dictionary.follow(db, site.service.dictionary)


def add(site: Site, *terms: str, means: tuple[str, ...] = ()) -> None:
    dictionary.create(site.service.db, SYSTEM, Meaning(terms, means, Audience.PUBLIC, note="from the shop"))
    dictionary.follow(site.service.db, site.service.dictionary)


def test_an_entry_is_tried_out_and_saved_with_the_keyboard_alone(visit: Visit, site: Site) -> None:
    page = visit()
    sign_in(page, site.library.keys["Ada"])
    searched(page, "cpe light")
    site.service.search_log.flush()
    page.get_by_role("link", name="Dictionary").press("Enter")
    expect(page.locator("#entries")).to_contain_text("No entries yet")
    page.locator("#new").press("Enter")
    expect(page.locator("#terms")).to_be_focused()
    page.keyboard.type("CPE")
    page.locator("#both-ways").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.locator("#means")).to_be_focused()
    page.locator("#preview").press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Write what these words also ask for.")
    expect(page.locator("#means")).to_be_focused()
    page.keyboard.type("thunderstorm")
    page.locator("#preview").press("Enter")
    expect(page.locator("#differences")).to_contain_text("cpe light")
    expect(page.locator("#differences")).to_contain_text("new")
    page.locator("#entry-form [type=submit]").press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator(".entry h2")).to_contain_text("CPE")
    expect(page.locator(".entry button").first).to_be_focused()
    page.locator("#home").press("Enter")
    searched(page, "cpe light")
    expect(page.locator(".summary")).to_contain_text("Also searched for thunderstorm")


def test_somebody_elses_change_is_not_overwritten(visit: Visit, site: Site, watch: Watch) -> None:
    watch.expected = ("409",)
    add(site, "hub", "router")
    page = visit(path="/dictionary")
    sign_in(page, site.library.keys["Ada"])
    page.get_by_role("button", name="Edit: hub, router").click()
    [entry] = dictionary.visible(site.service.db, SYSTEM)
    dictionary.change(site.service.db, SYSTEM, entry.id, Meaning(("hub", "box"), (), Audience.PUBLIC))
    page.fill("#note", "mine")
    page.click("#entry-form [type=submit]")
    expect(page.get_by_role("alert")).to_contain_text("Somebody else has changed")
    page.keyboard.press("Escape")
    page.reload()
    page.get_by_role("button", name="Switch off").click()
    expect(page.locator(".entry")).to_contain_text("switched off")
    page.get_by_role("button", name="Edit").click()
    page.click("#delete")
    expect(page.locator("#delete")).to_have_text("Delete for good?")
    page.click("#delete")
    expect(page.locator("#entries")).to_contain_text("No entries yet")


def test_a_file_is_looked_at_before_it_is_imported(visit: Visit, site: Site, watch: Watch) -> None:
    watch.expected = ("422",)
    page = visit(path="/dictionary")
    sign_in(page, site.library.keys["Ada"])
    page.click("#open-import")

    def choose(text: str) -> None:
        page.set_input_files("#file", {"name": "words.csv", "mimeType": "text/csv", "buffer": text.encode()})

    choose("terms,means\nNBN,network\nit,thing\n")
    expect(page.get_by_role("alert")).to_contain_text("(line 3)")
    expect(page.locator("#import")).to_be_disabled()
    choose("terms,means\nNBN,network\n光猫|ONT,\n")
    expect(page.locator("#import-status")).to_have_text("2 new · 0 changed · 0 there already")
    page.click("#import")
    expect(page.locator(".entry")).to_have_count(2)
    with page.expect_download() as download:
        page.click("#export")
    assert "光猫 | ONT" in download.value.path().read_text("utf-8")


def test_who_may_not_tune_is_told_so_and_not_offered_the_page(visit: Visit, site: Site) -> None:
    page = visit(path="/dictionary")
    expect(page.locator("#entries")).to_contain_text("Please sign in")
    expect(page.locator("#tools")).to_be_hidden()
    sign_in(page, site.library.keys["Carol"])
    expect(page.locator("#entries")).to_contain_text("not for you yet")
    expect(page.get_by_role("link", name="Dictionary")).to_be_hidden()


@pytest.mark.parametrize(
    ("locale", "width", "dark"), [("en-GB", 360, True), ("zh-CN", 1440, False), ("zh-TW", 360, False)]
)
def test_it_is_for_everybody(visit: Visit, site: Site, locale: str, width: int, dark: bool) -> None:
    add(site, "CPE", means=("hub",))
    add(site, "a-very-long-term-without-any-space-that-goes-on-and-on-until-it-is-wider-than-a-phone", "光猫")
    page = visit(path="/dictionary", locale=locale, width=width, dark=dark)
    sign_in(page, site.library.keys["Ada"])

    def check(state: str) -> None:
        found = Axe().run(page).response["violations"]
        told = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        assert not found, f"{state}: {json.dumps(told, ensure_ascii=False, indent=1)}"
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), state

    expect(page.locator(".entry")).to_have_count(2)
    check("list")
    page.locator(".entry button").nth(2).click()
    page.click("#preview")
    expect(page.locator("#differences h3")).to_be_visible()
    check("preview")
