"""Merging two articles side by side in a real browser: chosen, looked at, merged and taken back by keyboard alone."""

import json
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.web.acting import sign_in
from tests.web.conftest import Site, Watch
from tests.web.hostile import ALL
from tests.web.staffed import NEW, OLD, ask, desk, revised, written

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    yield from desk(tmp_path_factory.mktemp("merging"))


def pair(site: Site, **newer: object) -> tuple[str, str]:
    """The numbers of two articles that say almost the same, the older first."""
    return written(site), written(site, "Amber ring after the update", NEW, **newer)


def beside(visit: Visit, site: Site, one: str, other: str, who: str = "Ada", **how: object) -> Page:
    page = visit(path=f"/editor/merge?number={one}&other={other}", **how)
    sign_in(page, site.library.keys[who])
    return page


def told(page: Page, text: str) -> None:
    expect(page.locator("#notice")).to_contain_text(text)
    expect(page.locator("#notice")).to_be_focused()


def part(page: Page, side: str, text: str) -> str:
    """The id of the button of a paragraph."""
    button = page.locator(f"#{side} .part", has_text=text).locator("button")
    return f"#{button.get_attribute('id')}"


def test_two_articles_become_one_and_two_again_by_keyboard(visit: Visit, site: Site) -> None:
    older, newer = pair(site)
    contact = ask(site, "POST", "interactions", {"channel": "chat"})["id"]
    link = {"kind": "linked", "type": "resolution", "number": newer, "revision": 1, "interaction_id": contact}
    ask(site, "POST", "events", {"events": [link]})
    page = visit(path=f"/editor/article?number={newer}")
    sign_in(page, site.library.keys["Ada"])
    expect(page.locator("#do-merge")).to_be_visible()
    page.locator("#tab-text").focus()
    page.keyboard.press("m")
    expect(page).to_have_url(f"{site.url}/editor/merge?number={newer}")
    page.locator("#query").fill(older)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}/editor/merge?number={newer}&other={older}")
    expect(page.locator("#plan")).to_contain_text(f"{older} is kept")
    expect(page.locator("#plan")).to_contain_text(f"{newer} is archived. Its address leads to {older}.")
    expect(page.locator("#plan")).to_contain_text("1 contact that was linked to it")
    expect(page.locator("#missing")).to_have_text("1 paragraph of the older is not in it. All of the newer is in it.")
    expect(page.locator("#kept .part u")).to_have_text("ten")
    ten = part(page, "kept", "ten seconds")
    page.locator(ten).press("Enter")
    expect(page.locator(ten)).to_be_focused()
    expect(page.locator(ten)).to_have_attribute("aria-pressed", "true")
    page.locator(part(page, "merged", "thirty seconds")).press("Enter")
    expect(page.locator("#body")).to_have_value(OLD)
    page.locator("#take-kept-title").press("Enter")
    expect(page.locator("#title")).to_have_value("Amber ring")
    page.locator("#note").fill("The same")
    page.keyboard.press("Enter")  # is no decision
    page.locator("#merge").press("Enter")
    told(page, "1 linked contact moved")
    assert ask(site, "GET", f"articles/{newer}", who="Carol")["number"] == older
    assert ask(site, "GET", f"articles/{older}")["body"].strip() == OLD.strip()
    page.reload()
    expect(page.locator("#gate")).to_contain_text(f"{newer} is part of {older} now")
    page.locator("#undo").press("Enter")
    told(page, "both are as they were")
    expect(page.locator("#bench")).to_be_visible()
    assert ask(site, "GET", f"articles/{newer}", who="Carol")["number"] == newer


def test_the_other_one_is_chosen_among_what_is_nearest(visit: Visit, site: Site) -> None:
    number, near = (site.library.articles[each].number for each in ("reset-old", "reset"))
    page = visit(path=f"/editor/merge?number={number}")
    sign_in(page, site.library.keys["Ada"])
    page.locator("#gate .choice-line", has_text=near).press("Enter")
    expect(page.locator("#plan")).to_contain_text("is kept")
    page.go_back()
    expect(page.locator("#gate")).to_contain_text("What says the same as")
    page.locator("#query").fill("red light during a planned move")
    page.keyboard.press("Enter")
    expect(page.locator("#picked .choice-line").first).to_be_visible()


def test_both_texts_can_be_edited_before_they_are_merged(visit: Visit, site: Site) -> None:
    older, newer = pair(site)
    page = beside(visit, site, older, newer)
    expect(page.locator("#plan-title")).to_be_visible()
    page.locator("#begin-kept").press("Enter")
    expect(page.locator("#body")).to_have_value(OLD)
    page.locator("#edit-merged").press("Enter")
    expect(page.locator("#merged-own-body")).to_be_focused()
    page.locator("#merged-own-body").fill(f"{NEW}\nCall us if it stays amber.")
    page.locator("#edit-merged").press("Enter")
    expect(page.locator("#edit-merged")).to_be_focused()
    page.locator(part(page, "merged", "Call us")).press("Enter")
    expect(page.locator("#body")).to_have_value(f"{OLD}\nCall us if it stays amber.\n")
    page.locator("#body").press("Control+z")
    expect(page.locator("#body")).to_have_value(OLD)
    page.locator("#merge").press("Enter")
    told(page, "one article now")
    revised(site, older, "Better.")
    page.locator("#undo").press("Enter")
    told(page, f"The text of {older} stays")


def test_a_change_of_somebody_else_is_shown_and_nothing_written_is_lost(visit: Visit, site: Site, watch: Watch) -> None:
    watch.expected = ("409",)
    older, newer = pair(site)
    page = beside(visit, site, newer, older)
    expect(page.locator("#plan-title")).to_be_visible()
    page.locator("#body").fill("What I wrote.")
    revised(site, older, f"{OLD}\nA line of a colleague.\n")
    page.locator("#merge").press("Enter")
    expect(page.locator("#merge-error")).to_contain_text("Somebody else has changed one of the two")
    expect(page.locator("#body")).to_have_value("What I wrote.")
    expect(page.locator("#kept")).to_contain_text("A line of a colleague.")
    page.locator("#merge").press("Enter")
    told(page, "one article now")
    revised(site, older, "And more.")
    ask(site, "PATCH", f"articles/{newer}", {"tags": ["x"]})
    page.locator("#undo").press("Enter")
    told(page, "cannot be undone any more")


def test_what_cannot_be_merged_says_why_and_who_may_not_is_told(visit: Visit, site: Site, watch: Watch) -> None:
    watch.expected = ("404",)
    older, newer = pair(site, audience="customer")
    page = beside(visit, site, older, newer, "Cat")
    expect(page.locator("#gate")).to_contain_text("You may not merge these two")
    page.click("#sign-out")
    expect(page.locator("#gate")).to_contain_text("Please sign in")
    sign_in(page, site.library.keys["Carol"])
    expect(page.locator("#gate")).to_contain_text("not for you yet")
    page.click("#sign-out")
    sign_in(page, site.library.keys["Ada"])
    expect(page.locator("#plan .note")).to_contain_text("the newer article was for fewer readers")
    page.goto(f"/editor/merge?number={older}&other={older}")
    expect(page.locator("#gate")).to_contain_text("It is the same article twice.")
    page.goto(f"/editor/merge?number={older}&other={site.library.articles['red-hans'].number}")
    expect(page.locator("#gate")).to_contain_text("They are in different languages.")
    page.goto(f"/editor/merge?number={older}&other=000-0000")
    expect(page.locator("#gate")).to_contain_text("does not exist, or is not for you")
    ask(site, "POST", f"articles/{newer}/archive", {})
    page.goto(f"/editor/merge?number={older}&other={newer}")
    expect(page.locator("#gate")).to_contain_text(f"{newer} is archived.")


def test_paragraphs_keep_code_and_narrowed_blocks_whole(visit: Visit, site: Site) -> None:
    page = visit()
    text = "One.\n\n```\na\n\nb\n```\n\n::: internal\nc\n\nd\n:::\nTwo\nlines\n"
    cut = "async (text) => (await import('/static/merge-text.js')).paragraphs(text)"
    whole = ["One.", "```\na\n\nb\n```", "::: internal\nc\n\nd\n:::\nTwo\nlines"]
    assert page.evaluate(cut, text) == whole
    take = "async ([text, part, source]) => (await import('/static/merge-text.js')).taken(text, part, source)"
    assert page.evaluate(take, ["A\n\nC\n", "B", "A\n\nB\n"]) == "A\n\nC\n\nB\n"
    assert page.evaluate(take, ["C\n\nD\n", "B", "A\n\nB\n\nC\n"]) == "B\n\nC\n\nD\n"
    assert page.evaluate(take, ["A\n", "B", "B\n"]) == "A\n\nB\n"


def test_hostile_titles_and_texts_run_nothing_beside_each_other(visit: Visit, site: Site) -> None:
    title, text = "<img src=x onerror=pwn()>", "\n\n".join(each for each in ALL[::9] if ":::" not in each)
    older, newer = written(site, title, text, audience="internal"), written(site, "x", "y", audience="internal")
    page = beside(visit, site, older, newer)
    expect(page.locator("#plan-title")).to_be_visible()
    page.evaluate("window.ran = []; window.pwn = () => { window.ran.push('pwn'); }; null")
    for each in ("#take-kept-title", "#take-kept-0"):
        page.locator(each).press("Enter")
        expect(page.locator(each)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#title")).to_have_value(title)
    assert page.evaluate("window.ran") == []
    assert page.locator("#bench img, #bench script").count() == 0


@pytest.mark.parametrize(
    ("locale", "width", "dark"), [("en-GB", 1280, True), ("zh-CN", 390, False), ("zh-TW", 1280, False)]
)
def test_it_is_for_everybody(visit: Visit, site: Site, locale: str, width: int, dark: bool) -> None:
    long = "a-very-long-word-without-any-space-that-goes-on-and-on-until-it-is-wider-than-a-phone"
    older, newer = written(site, long, f"{OLD}\n{long}\n"), written(site, f"New {long}", NEW, audience="customer")
    page = beside(visit, site, older, newer, locale=locale, width=width, dark=dark)

    def check(state: str) -> None:
        found = Axe().run(page).response["violations"]
        said = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        assert not found, f"{state}: {json.dumps(said, ensure_ascii=False, indent=1)}"
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), state

    expect(page.locator("#plan .note")).to_be_visible()
    check("bench")
    if locale != "zh-CN":  # one walk through all of it is enough
        return
    page.locator("#edit-kept").press("Enter")
    expect(page.locator("#kept-own-body")).to_be_focused()
    check("edited")
    page.locator("#merge").press("Enter")
    expect(page.locator("#undo")).to_be_visible()
    check("merged")
    page.goto(f"/editor/merge?number={older}")
    expect(page.locator("#gate h2")).to_be_visible()
    check("to choose")
