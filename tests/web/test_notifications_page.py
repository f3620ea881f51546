"""What I was told, in a real browser: read, accepted and reopened right there, with the keyboard alone."""

import json
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from kb.case import RevisionCase, State
from kb.solve import casework, telling
from tests.web.acting import sign_in
from tests.web.caseload import Desk, working
from tests.web.conftest import Site, Watch

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with working(tmp_path_factory.mktemp("notifications")) as desk:
        yield desk


@pytest.fixture(scope="module")
def site(desk: Desk) -> Site:
    """The site of this desk instead of the one that all other pages share."""
    return desk.site


@pytest.fixture(autouse=True)
def nothing_new(desk: Desk) -> None:
    """What the tests before were told has been read."""
    for each in desk.people.values():
        if each.is_staff:
            ids = [told.notification.id for told in telling.listing(desk.db, each, unread=True, before=None, limit=200)]
            telling.mark_read(desk.db, each, ids)


@pytest.fixture
def told(visit: Visit, desk: Desk) -> Callable[..., Page]:
    """The page as somebody sees it who has been told something."""

    def _told(who: str = "Cat", **how: object) -> Page:
        page = visit(path="/notifications", **how)
        sign_in(page, desk.key(who))
        expect(page.locator(".told").first).to_be_visible()
        return page

    return _told


Told = Callable[..., Page]


def fixed(desk: Desk, title: str, **more: object) -> RevisionCase:
    article = desk.write(title)
    case = desk.flag("Cat", article, **more)
    desk.fix(article, case)
    return case


def test_a_fix_is_read_in_words_and_accepted_with_one_key(told: Told, desk: Desk) -> None:
    first, second = fixed(desk, "Descale the kettle"), fixed(desk, "Clean the filter")
    page = told()
    new = page.locator(".told.unread")
    expect(new).to_have_count(2)
    expect(new.first.get_by_role("heading", name="Fixed. Is it right now?")).to_be_visible()
    expect(new.first).to_contain_text("Clean the filter")
    expect(new.first.locator("del")).to_have_text("ten")
    expect(new.first.locator("ins")).to_have_text("fifteen")
    page.keyboard.press("j")
    expect(new.first).to_be_focused()
    page.keyboard.press("y")
    expect(new).to_have_count(1)
    expect(new).to_be_focused()
    expect(page.locator("#status")).to_have_text("Accepted. Thank you.")
    expect(page.locator(".told").first).to_contain_text("Closed")
    assert desk.case(second).state is State.CLOSED
    assert desk.case(first).state is State.FIXED
    page.keyboard.press("m")
    expect(new).to_have_count(0)
    expect(page.locator("#all-read")).to_be_hidden()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/editor/case?id={first.id}")
    expect(page.locator("#head h1")).to_have_text("Descale the kettle")


def test_a_fix_that_is_none_is_reopened_with_the_reason_right_there(told: Told, desk: Desk) -> None:
    case = fixed(desk, "Descale the kettle")
    page = told()
    page.keyboard.press("j")
    expect(page.locator(".told.unread")).to_be_focused()
    page.keyboard.press("r")
    expect(page.get_by_label("What is still wrong?")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".why-form .mistake")).to_have_text("Say why, in a few words.")
    page.keyboard.press("Escape")
    expect(page.locator(".told.unread")).to_be_focused()
    page.keyboard.press("r")
    expect(page.get_by_label("What is still wrong?")).to_be_focused()
    page.keyboard.insert_text("The table still says ten")
    page.locator("#interface-language").select_option("zh-Hans")
    expect(page.get_by_label("还有什么问题？")).to_have_value("The table still says ten")
    page.locator("#interface-language").select_option("en")
    page.get_by_label("What is still wrong?").press("Enter")
    expect(page.locator("#status")).to_have_text("Open again. Who looks after it is told.")
    expect(page.locator(".told").first).to_contain_text("Open")
    assert desk.case(case).state is State.OPEN
    step = casework.read(desk.db, desk.people["Cat"], case.id).steps[-1]
    assert (step.person_id, step.text) == (desk.people["Cat"].id, "The table still says ten")


def test_a_refusal_and_a_question_come_with_what_was_said(told: Told, desk: Desk) -> None:
    declined, asked = desk.flag("Cat", desk.write("Tea")), desk.flag("Cat", desk.write("Coffee"))
    casework.decline(desk.db, desk.people["Ada"], declined.id, "Ten is right for tea")
    casework.comment(desk.db, desk.people["Ada"], asked.id, "Which kettle?")
    page = told()
    expect(page.locator(".told", has_text="outdated: Tea").first).to_contain_text("Ten is right for tea")
    expect(page.locator(".told", has_text="outdated: Coffee").first).to_contain_text("Ada: Which kettle?")
    expect(page.locator(".told.unread").get_by_role("button", name="That is right now")).to_have_count(0)


def test_new_ones_stand_first_and_all_can_be_read_at_once(told: Told, desk: Desk) -> None:
    for n in range(23):
        case = desk.flag("Dan", desk.write(f"Kettle {n}"))
        casework.decline(desk.db, desk.people["Ada"], case.id, "It is right as it is")
    page = told("Dan")
    new = page.locator(".told.unread")
    expect(new).to_have_count(20)
    page.get_by_role("button", name="Show more").press("Enter")
    expect(new).to_have_count(23)
    expect(new.nth(20)).to_be_focused()
    page.keyboard.press("Shift+M")
    expect(page.locator("#status")).to_have_text("All marked as read")
    expect(page.locator("#list")).to_contain_text("Nothing new.")
    expect(page.locator("#list h2").last).to_have_text("Earlier")
    expect(new).to_have_count(0)
    expect(page.locator(".told")).to_have_count(20)


def test_who_comes_too_late_sees_the_case_as_it_is_now(told: Told, desk: Desk, watch: Watch) -> None:
    watch.expected = ("409",)
    case = fixed(desk, "Descale the kettle")
    page = told()
    casework.reopen(desk.db, desk.people["Ada"], case.id, "Not yet")
    page.keyboard.press("j")
    expect(page.locator(".told.unread")).to_be_focused()
    page.keyboard.press("y")
    expect(page.locator("#notice")).to_contain_text("Somebody was faster")
    expect(page.locator(".told.unread").first).to_be_focused()
    expect(page.locator(".told.unread").get_by_role("button", name="That is right now")).to_have_count(0)


def test_every_other_state_says_what_it_is(visit: Visit, desk: Desk, watch: Watch) -> None:
    watch.expected = ("503",)
    page = visit(path="/notifications")
    expect(page.locator("#list")).to_contain_text("Please sign in")
    away = json.dumps({"error": {"code": "unavailable", "message": "away"}})
    page.route("**/api/v1/notifications?*", lambda route: route.fulfill(status=503, body=away))
    sign_in(page, desk.key("Ben"))
    expect(page.locator("#list")).to_contain_text("Part of the service is away for now")
    page.unroute("**/api/v1/notifications?*")
    page.get_by_role("button", name="Try again").press("Enter")
    expect(page.locator("#list")).to_contain_text("Nothing yet")
    page.click("#sign-out")
    expect(page.locator("#list")).to_contain_text("Please sign in")
    page.route("**/api/v1/notifications?*", lambda route: None)
    sign_in(page, desk.key("Ben"))
    expect(page.locator("#list .skeleton").first).to_be_visible()
    page.click("#sign-out")
    sign_in(page, desk.key("Carol"))
    expect(page.locator("#list")).to_contain_text("This page is not for you yet")


@pytest.mark.parametrize(
    ("locale", "dark", "width", "words"),
    [
        ("en-GB", True, 1280, "Fixed. Is it right now?"),
        ("zh-CN", False, 390, "已修订，问题解决了吗？"),
        ("zh-TW", True, 390, "已修訂，問題解決了嗎？"),
    ],
)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    told: Told, desk: Desk, locale: str, dark: bool, width: int, words: str
) -> None:
    fixed(desk, "A_title_that_is_far_too_long_for_a_phone_" + "x" * 60)
    page = told(locale=locale, dark=dark, width=width)
    expect(page.locator(".told.unread")).to_contain_text(words)
    expect(page.locator(".told.unread ins")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(page.locator(".why-form input")).to_be_focused()
    found = Axe().run(page).response["violations"]
    assert not found, json.dumps([(each["id"], [node["html"] for node in each["nodes"]]) for each in found])
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
