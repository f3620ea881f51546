"""The page of a revision case in a real browser: looked at, worked on with the keyboard alone, proved and closed."""

import json
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from kb import clock
from kb.case import RevisionCase, State
from kb.flag import Cause
from kb.interaction import Channel, Event, EventKind
from kb.passage import Kind
from kb.solve import casework, merging, trail
from tests.web.acting import sign_in
from tests.web.caseload import FIFTEEN, TEN, Desk, working
from tests.web.conftest import Site, Watch

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with working(tmp_path_factory.mktemp("cases")) as desk:
        yield desk


@pytest.fixture(scope="module")
def site(desk: Desk) -> Site:
    """The site of this desk instead of the one that all other pages share."""
    return desk.site


@pytest.fixture
def shown(visit: Visit, desk: Desk) -> Callable[..., Page]:
    """A case as somebody sees it."""

    def _shown(case: RevisionCase, who: str = "Ada", **how: object) -> Page:
        page = visit(path=f"/editor/case?id={case.id}", **how)
        sign_in(page, desk.key(who))
        expect(page.locator("#head h1")).to_be_visible()
        return page

    return _shown


Shown = Callable[..., Page]


def state(page: Page, words: str) -> None:
    expect(page.locator("#head .mark-of").first).to_have_text(words)


def sent(page: Page, text: str) -> None:
    """Write into the dialog and send it."""
    expect(page.locator("#step textarea")).to_be_focused()
    page.keyboard.insert_text(text)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#step")).to_be_hidden()


def test_a_case_is_worked_on_with_the_keyboard_alone(shown: Shown, desk: Desk) -> None:
    case = desk.flag("Cat", desk.write(), note="The maker says fifteen")
    page = shown(case)
    state(page, "Open")
    page.keyboard.press("t")
    expect(page.get_by_role("button", name="Give it back")).to_be_focused()
    state(page, "In progress")
    page.keyboard.press("a")
    expect(page.get_by_role("combobox", name="To whom")).to_be_focused()
    page.keyboard.insert_text("be")
    expect(page.locator("#step-people li")).to_have_text("Ben")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#step-people")).to_be_hidden()
    page.locator("#step-send").press("Enter")
    expect(page.locator("#facts")).to_contain_text("Working on itBen")
    expect(page.get_by_role("button", name="Assign")).to_be_focused()
    page.keyboard.press("s")
    expect(page.get_by_role("button", name="Normal")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#facts")).to_contain_text("SeveritySevere")
    expect(page.get_by_role("button", name="Severity")).to_be_focused()
    page.keyboard.press("c")
    expect(page.locator("#comment")).to_be_focused()
    page.keyboard.insert_text("Which model?")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#history .comment")).to_contain_text("You said")
    expect(page.locator("#comment")).to_have_value("")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    sent(page, "Ten is right for this model")
    state(page, "Declined")
    expect(page.locator("#head")).to_contain_text("Declined: Ten is right for this model")
    expect(page.locator("#head")).to_be_focused()
    page.keyboard.press("r")
    sent(page, "The manual says fifteen")
    state(page, "In progress")
    page.keyboard.press("?")
    expect(page.locator("#keys dl")).to_contain_text("Write the fix")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    expect(page.get_by_role("link", name="Write the fix")).to_have_attribute(
        "href", f"/editor/write?number={case.label}&case={case.id}"
    )


def test_a_fix_is_proved_shown_and_accepted(shown: Shown, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    article = desk.write()
    case = desk.flag("Cat", article, query="descale kettle vinegar")
    monkeypatch.setattr(desk.site.service.prover, "step", lambda: 0)
    desk.fix(article, case)
    page = shown(case, "Cat")
    state(page, "Fixed, to be accepted")
    expect(page.locator("#proof")).to_contain_text("The search does not know the new text yet")
    expect(page.locator("#proof .changes")).to_have_text(f"{TEN.replace('**', '')}".replace("ten", "tenfifteen"))
    monkeypatch.undo()
    replayed = page.locator(".replayed")
    expect(replayed).to_contain_text("Search: descale kettle vinegar", timeout=30_000)
    expect(replayed.locator(".side").first).to_contain_text("wait for ten minutes")
    expect(replayed.locator(".side").last).to_contain_text("wait for fifteen minutes")
    expect(replayed.locator(".side").last).to_contain_text("hit 1")
    expect(replayed.get_by_role("link")).to_have_attribute("href", "/#q=descale+kettle+vinegar")
    page.keyboard.press("y")
    state(page, "Closed")
    expect(page.locator("#facts")).to_contain_text("Took")
    expect(page.locator("#head")).to_be_focused()
    assert desk.case(case).state is State.CLOSED


def test_what_somebody_else_did_meanwhile_is_told_and_nothing_that_was_typed_is_lost(
    shown: Shown, desk: Desk, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.expected = ("409",)
    monkeypatch.setattr(desk.site.service.prover, "step", lambda: 0)  # which would be one more thing that happens
    article = desk.write()
    case = desk.flag("Cat", article)
    page = shown(case)
    page.fill("#comment", "Half a thought")
    page.get_by_role("button", name="Decline").press("Enter")
    page.fill("#step textarea", "Ten is right")
    desk.fix(article, case)
    page.locator("#step-send").press("Enter")
    expect(page.locator("#step-error")).to_contain_text("Meanwhile: kb itself published a fix")
    expect(page.locator("#step textarea")).to_have_value("Ten is right")
    state(page, "Fixed, to be accepted")
    page.locator("#step-send").press("Enter")
    expect(page.locator("#step-error")).to_contain_text("as it stands: Fixed, to be accepted")
    page.keyboard.press("Escape")
    expect(page.locator("#head")).to_be_focused()
    expect(page.locator("#comment")).to_have_value("Half a thought")
    casework.accept(desk.db, desk.people["Cat"], case.id)
    page.keyboard.press("r")
    sent(page, "Still ten in the table")
    state(page, "Open")
    desk.flag("Dan", article, quote="Never boil the vinegar")
    casework.assign(desk.db, desk.people["Ben"], case.id, desk.people["Ben"].id)
    page.keyboard.press("t")
    expect(page.get_by_role("alert").first).to_contain_text("Meanwhile: Ben took it")


def test_the_flagged_passage_is_shown_as_it_was_and_as_it_is_today(shown: Shown, desk: Desk) -> None:
    article = desk.write()
    case = desk.flag("Cat", article, note="<img src=x onerror=alert(1)>", severe=True)
    desk.flag("Dan", article)
    page = shown(case)
    expect(page.locator("#wrong")).to_contain_text("It still says so")
    assert (
        "".join(page.locator("#wrong mark").all_inner_texts())
        == "Fill the kettle with vinegar, wait for ten minutes and rinse it twice."
    )
    expect(page.locator("#flags")).to_contain_text("<img src=x onerror=alert(1)>")
    expect(page.locator("#flags")).to_contain_text("somebody comes to harm")
    expect(page.locator("#flags-title")).to_have_text("2 flags")
    expect(page.locator("#history li").nth(1)).to_contain_text("Dan and 1 more flagged it")
    desk.fix(article, body=FIFTEEN)
    page.reload()
    expect(page.locator("#wrong del")).to_have_text("ten")
    expect(page.locator("#wrong ins")).to_have_text("fifteen")
    expect(page.locator("#wrong blockquote")).to_contain_text("ten minutes")
    desk.fix(article, body="Buy a new one.")
    page.reload()
    expect(page.locator("#wrong")).to_contain_text("This passage is no longer in the article.")
    expect(page.locator("#wrong mark").first).to_be_visible()


def test_what_nothing_answers_leads_to_a_new_article_with_what_was_asked(shown: Shown, desk: Desk) -> None:
    case = desk.flag("Cat", None, cause=Cause.NOTHING_ANSWERS, query="kettle sings & whistles")
    page = shown(case)
    expect(page.locator("#head h1")).to_have_text("Nothing answers “kettle sings & whistles”")
    write = page.get_by_role("link", name="Write an article")
    expect(write).to_have_attribute("href", f"/editor/write?title=kettle+sings+%26+whistles&case={case.id}")
    filled = desk.write("Stop the kettle", fixes=case)
    page.reload()
    state(page, "Fixed, to be accepted")
    expect(page.get_by_role("link", name=f"Article {filled.number}")).to_be_visible()
    again = page.locator("#wrong").get_by_role("link")
    expect(again).to_have_attribute("href", "/#q=kettle+sings+%26+whistles")


def test_who_received_what_was_wrong_is_listed_for_those_who_may_know(shown: Shown, desk: Desk) -> None:
    article = desk.write()
    case = desk.flag("Cat", article)
    agent = desk.people["Cat"]
    contact = trail.open_interaction(desk.db, agent, Channel.CHAT, external_id="chat-42", subject="customer-7")
    event = Event(EventKind.INSERTED, clock.now(), agent.id, contact.id, item_kind=Kind.ARTICLE, item_id=article.id,
                  revision=1)  # fmt: skip
    trail.record(desk.db, agent, [event])
    desk.fix(article, case, meaning=True)
    page = shown(case)
    expect(page.locator("#recall tbody tr")).to_have_count(1)
    expect(page.locator("#recall tbody")).to_contain_text("chat-42")
    expect(page.locator("#recall tbody")).to_contain_text("Cat")
    for name, kind in (("CSV", "csv"), ("JSONL", "jsonl")):
        with page.expect_download() as download:
            page.get_by_role("link", name=f"Download {name}").click()
        assert download.value.suggested_filename == f"recall.{kind}"
        assert "customer-7" in download.value.path().read_text("utf-8")
    page = shown(case, "Ben")
    expect(page.locator("#proof h2")).to_be_visible()
    expect(page.locator("#recall")).to_be_empty()


def test_who_flagged_answers_and_who_did_not_only_reads(shown: Shown, desk: Desk) -> None:
    article = desk.write()
    case = desk.flag("Cat", article)
    page = shown(case, "Cat")
    expect(page.locator("#actions > *")).to_have_count(0)
    expect(page.locator("#comment-form")).to_be_visible()
    desk.fix(article, case)
    page = shown(case, "Dan")
    expect(page.locator("#actions > *")).to_have_count(0)
    expect(page.locator("#comment-form")).to_be_hidden()


def test_a_case_that_went_along_with_a_merge_says_so(shown: Shown, desk: Desk) -> None:
    older, newer = desk.write(body="Rinse it."), desk.write()
    case = desk.flag("Cat", newer)
    merging.merge(desk.db, desk.people["Ada"], older.id, newer.id, {older.id: 1, newer.id: 1})
    page = shown(case)
    expect(page.get_by_role("link", name=f"Article {older.number}")).to_be_visible()
    expect(page.locator("#history")).to_contain_text(f"with article {newer.number} when it was merged")
    expect(page.locator("#flags")).to_contain_text("in an article that was merged into this one")
    expect(page.locator("#wrong")).to_contain_text("It still says so")


def test_every_other_state_says_what_it_is(visit: Visit, desk: Desk, watch: Watch) -> None:
    watch.expected = ("404", "503")
    case = desk.flag("Cat", desk.write())
    page = visit(path=f"/editor/case?id={case.id}")
    expect(page.locator("#gate")).to_contain_text("Please sign in")
    page.route(
        "**/api/v1/cases/*",
        lambda route: route.fulfill(status=503, json={"error": {"code": "unavailable", "message": "away"}}),
    )
    sign_in(page, desk.key("Ada"))
    expect(page.locator("#gate")).to_contain_text("Part of the service is away for now")
    page.unroute("**/api/v1/cases/*")
    page.get_by_role("button", name="Try again").press("Enter")
    expect(page.locator("#head h1")).to_be_visible()
    expect(page.locator("#gate")).to_be_empty()
    page.click("#sign-out")
    expect(page.locator("#case")).to_be_hidden()
    expect(page.locator("#gate")).to_contain_text("Please sign in")
    sign_in(page, desk.key("Carol"))
    expect(page.locator("#gate")).to_contain_text("This page is not for you yet")
    page = visit(path="/editor/case?id=nothing")
    sign_in(page, desk.key("Ada"))
    expect(page.locator("#gate")).to_contain_text("No such case")
    page.goto("/editor/case")
    expect(page.locator("#gate")).to_contain_text("Which case?")


def test_while_the_case_is_on_its_way_there_is_an_outline(visit: Visit, desk: Desk) -> None:
    page = visit(path=f"/editor/case?id={desk.flag('Cat', desk.write()).id}")
    page.route("**/api/v1/cases/*", lambda route: None)
    sign_in(page, desk.key("Ada"))
    expect(page.locator("#gate .skeleton").first).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "dark", "width", "words"),
    [
        ("en-GB", False, 1280, "Fixed, to be accepted"),
        ("zh-CN", True, 390, "已修订，待确认"),
        ("zh-TW", False, 390, "已修訂，待確認"),
    ],
)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    visit: Visit, desk: Desk, locale: str, dark: bool, width: int, words: str
) -> None:
    axe = Axe()
    article = desk.write("A title with_a_word_that_is_far_too_long_for_a_phone_" + "x" * 60)
    done, to_do = (
        desk.flag("Cat", article, query="kettle", note="word " * 300),
        desk.flag("Dan", desk.write(), severe=True),
    )
    desk.fix(article, done, meaning=True)
    page = visit(path=f"/editor/case?id={done.id}", locale=locale, dark=dark, width=width)

    def check(what: str) -> None:
        found = axe.run(page).response["violations"]
        told = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        assert not found, f"{what}: {json.dumps(told, ensure_ascii=False, indent=1)}"
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), what

    check("signed out")
    sign_in(page, desk.key("Ada"))
    state(page, words)
    expect(page.locator("#recall h2")).to_be_visible()
    check("fixed")
    page.goto(f"/editor/case?id={to_do.id}")
    expect(page.locator("#actions > *")).to_have_count(5)
    check("to do")
    for key in ("d", "s", "a", "?"):
        page.keyboard.press(key)
        expect(page.locator("dialog[open]")).to_be_visible()
        check(f"dialog of {key}")
        page.keyboard.press("Escape")
        if page.locator("dialog[open]").count():  # the list of people takes the first one
            page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
