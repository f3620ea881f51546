"""The editors' queue in a real browser: everything with the keyboard alone, nothing moved or overwritten behind it."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from kb.case import RevisionCase, Severity, State
from kb.flag import Cause
from kb.solve import casework
from tests.web.acting import sign_in
from tests.web.conftest import Site, Watch, _is_indexed, serving
from tests.web.desk import Desk
from tests.web.library import fill

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]

BLUE, MINUTES = "Wait until the ring is blue.", "This takes up to four minutes."
UNPLUG, STAYS = "Unplug the hub, wait ten seconds and plug it in again.", "The ring on the hub stays red"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of its own: what waits here is nobody else's."""
    with serving(tmp_path_factory.mktemp("queue"), fill, _is_indexed) as site:
        yield site


@pytest.fixture
def desk(site: Site) -> Iterator[Desk]:
    desk = Desk.at(site)
    desk.clear()
    yield desk
    desk.clear()


def four_cases(desk: Desk) -> list[RevisionCase]:
    """The most pressing first."""
    return [
        desk.flag(BLUE, severe=True),
        desk.flag(MINUTES, "Ada", "Cindy", "Grace"),
        desk.flag(UNPLUG, "Cindy", "Grace"),
        desk.flag(STAYS),
    ]


def lines(page: Page) -> Locator:
    return page.locator(".line")


def line(page: Page, words: str) -> Locator:
    return lines(page).filter(has_text=words)


def opened(visit: Visit, desk: Desk, count: int, hash: str = "", *, who: str = "Ada", **more: Any) -> Page:
    """The queue of somebody who is signed in, with the keyboard on its first line."""
    page = visit(hash, path="/editor", **more)
    sign_in(page, desk.keys[who])
    expect(lines(page)).to_have_count(count)
    page.locator("#query").press("Escape")
    on_line(page, 0)
    return page


def on_line(page: Page, n: int) -> None:
    expect(lines(page).nth(n).locator(".goes")).to_be_focused()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def told(page: Page, words: str) -> None:
    expect(page.locator("#told")).to_contain_text(words)


def query(page: Page) -> str:
    return str(page.evaluate("location.hash"))


def test_cases_are_filtered_selected_assigned_and_given_back_with_the_keyboard_alone(visit: Visit, desk: Desk) -> None:
    made = four_cases(desk)
    desk.miss("cancel fibre", "Ada", "Cindy", "Grace")
    casework.assign(desk.site.service.db, desk.people["Grace"], made[1].id, desk.people["Ada"].id)
    page = opened(visit, desk, 5)
    press(page, "/")
    expect(page.locator("#query")).to_be_focused()
    page.keyboard.insert_text("hub 6")
    press(page, "Enter")
    expect(lines(page)).to_have_count(4)
    on_line(page, 0)
    press(page, "x", "j", "ArrowDown", "Shift+X")
    expect(page.locator("#steps")).to_contain_text("3 selected")
    press(page, "a")
    expect(page.locator("#whom")).to_be_focused()
    page.keyboard.insert_text("gra")
    expect(page.locator("#people [aria-selected=true]")).to_have_text("Grace")
    press(page, "Enter")
    told(page, "3 cases assigned to Grace.")
    expect(page.locator(".whose b", has_text="Grace")).to_have_count(3)
    expect(page.locator("#steps")).to_be_hidden()
    on_line(page, 2)
    press(page, "u")
    told(page, "Undone: 3 lines are as they were.")
    expect(line(page, MINUTES).locator(".whose b")).to_have_text("You")
    expect(page.locator(".whose b", has_text="Nobody")).to_have_count(3)
    ada = desk.people["Ada"].id
    assert [desk.now(each).assignee_id for each in made] == [None, ada, None, None]
    press(page, "u")
    told(page, "There is nothing to undo.")
    press(page, "j", "m")
    told(page, "1 case assigned to Ada.")
    assert desk.now(made[3]).assignee_id == ada


def test_a_line_says_what_where_how_many_how_pressing_and_whose(visit: Visit, desk: Desk) -> None:
    desk.make_late(desk.flag(BLUE, "Cindy", "Grace", severe=True))
    desk.search("esim swap abroad", people=9)
    desk.miss("my hub sings at night")
    desk.expire("plan")
    page = opened(visit, desk, 4)
    for words in ("Case", "Wrong or outdated", "Severe", BLUE, "2 people", "2 days late", "Nobody", "Owner: "):
        expect(lines(page).nth(0)).to_contain_text(words)
    expect(line(page, "esim swap abroad")).to_contain_text("9 people18 searches")
    expect(line(page, "Expiring")).to_contain_text("ends in 3 days")
    for n, open_, write in (
        (0, "/editor/case?id=", "/editor/write?number="),
        (1, "/#q=esim+swap+abroad", "/editor/write?title=esim+swap+abroad"),
        (2, "/editor/case?id=", "/editor/write?title=my+hub+sings+at+night&case="),
        (3, "/editor/article?number=", "/editor/write?number="),
    ):
        expect(lines(page).nth(n).locator("h2 a")).to_have_attribute("href", re.compile("^" + re.escape(open_)))
        expect(lines(page).nth(n).locator(".write")).to_have_attribute("href", re.compile("^" + re.escape(write)))


def test_enter_and_e_follow_the_lines_links(visit: Visit, desk: Desk) -> None:
    case = desk.flag(BLUE)
    page = opened(visit, desk, 1)
    number = desk.site.library.articles["red"].number
    page.route("**/editor/*", lambda route: route.fulfill(body="there", content_type="text/plain"))
    press(page, "Enter")
    expect(page).to_have_url(f"{desk.site.url}/editor/case?id={case.id}")
    page.go_back()
    on_line(page, 0)
    press(page, "e")
    expect(page).to_have_url(f"{desk.site.url}/editor/write?number={number}&case={case.id}")


def test_the_address_holds_view_and_filters_so_that_links_and_back_work(visit: Visit, desk: Desk) -> None:
    made = four_cases(desk)
    desk.make_late(made[3])
    desk.miss("cancel fibre")
    page = opened(visit, desk, 2, "kind=case&q=ring")
    expect(page.locator("#kind-case")).to_have_attribute("aria-current", "page")
    expect(page.locator("#kind-gap .amount")).to_have_text("0")
    page.locator("#unfilter").press("Enter")
    expect(lines(page)).to_have_count(5)
    expect(page.locator("#kind-every")).to_be_focused()
    expect(page.locator("#kind-gap .amount")).to_have_text("1")
    expect(page.locator("#query")).to_have_value("")
    page.locator("#view-overdue").press("Enter")
    expect(lines(page)).to_have_count(1)
    expect(page.locator("#view-overdue")).to_be_focused()
    page.locator("#filter-severity").select_option("severe")
    expect(page.locator("#queue")).to_contain_text("Nothing here")
    assert query(page) == "#view=overdue&severity=severe"
    page.go_back()
    expect(lines(page)).to_have_count(1)
    page.go_back()
    expect(lines(page)).to_have_count(5)
    page.go_back()
    expect(lines(page)).to_have_count(2)
    expect(page.locator("#query")).to_have_value("ring")
    page.locator("#view-mine").press("Enter")
    expect(page.locator("#queue")).to_contain_text("Nothing here")
    casework.assign(desk.site.service.db, desk.people["Ada"], made[0].id, desk.people["Ada"].id)
    page.reload()
    expect(lines(page)).to_have_count(1)
    assert query(page) == "#view=mine&kind=case&q=ring"


def test_what_somebody_else_changed_is_named_stays_selected_and_can_be_tried_again(visit: Visit, desk: Desk) -> None:
    first, second, *_ = four_cases(desk)
    page = opened(visit, desk, 4)
    casework.weigh(desk.site.service.db, desk.people["Grace"], second.id, Severity.LOW)
    press(page, "x", "j", "x", "d")
    expect(page.locator("#text")).to_be_focused()
    press(page, "Control+Enter")
    expect(page.get_by_role("alert")).to_have_text("Write a few words.")
    page.keyboard.insert_text("It is right")
    press(page, "Control+Enter")
    told(page, "1 case declined.")
    told(page, "1 line was left as it is:")
    expect(page.locator("#told li")).to_contain_text("somebody else has changed it meanwhile")
    expect(page.locator("#steps")).to_contain_text("1 selected")
    expect(lines(page)).to_have_count(3)
    expect(line(page, "Low")).to_have_count(1)
    assert (desk.now(first).state, desk.now(second).state) == (State.DECLINED, State.OPEN)
    press(page, "d")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.insert_text("It is right")
    press(page, "Control+Enter")
    expect(lines(page)).to_have_count(2)
    on_line(page, 0)
    assert desk.now(second).reason == "It is right"
    press(page, "u")
    told(page, "Undone: 1 line is as it was.")
    expect(lines(page)).to_have_count(3)
    assert (desk.now(first).state, desk.now(second).state) == (State.DECLINED, State.OPEN)


def test_undo_leaves_what_somebody_else_did_meanwhile(visit: Visit, desk: Desk) -> None:
    first, second, *_ = four_cases(desk)
    page = opened(visit, desk, 4)
    press(page, "x", "Shift+ArrowDown", "s")
    expect(page.locator("[name=severity][value=severe]")).to_be_focused()
    press(page, "ArrowDown", "ArrowDown", "Enter")
    told(page, "2 cases set to: Low.")
    casework.weigh(desk.site.service.db, desk.people["Grace"], second.id, Severity.SEVERE)
    press(page, "u")
    told(page, "Undone: 1 line is as it was.")
    expect(page.locator("#told li")).to_contain_text("somebody else has changed it meanwhile")
    assert [desk.now(each).severity for each in (first, second)] == [Severity.SEVERE, Severity.SEVERE]


def test_other_kinds_are_dismissed_restored_and_confirmed(visit: Visit, desk: Desk) -> None:
    desk.search("esim swap abroad", people=9)
    desk.expire("plan")
    page = opened(visit, desk, 2)
    press(page, "x", "j", "x", "m")
    told(page, "Only cases and gaps can be assigned.")
    press(page, "d")
    expect(page.locator("#saying-help")).to_contain_text("It comes back when there is more to it")
    page.keyboard.insert_text("Not ours")
    press(page, "Control+Enter")
    told(page, "1 line dismissed.")
    expect(page.locator("#told li")).to_contain_text("An article that is due is confirmed, edited or archived.")
    expect(lines(page)).to_have_count(1)
    press(page, "u")
    expect(lines(page)).to_have_count(2)
    press(page, "Escape", "j", "y")
    expect(page.locator("#sure")).to_contain_text("This cannot be undone.")
    expect(page.locator("#sure-do")).to_be_focused()
    press(page, "Escape")
    expect(lines(page)).to_have_count(2)
    press(page, "y")
    expect(page.locator("#sure-do")).to_be_focused()
    press(page, "Enter")
    told(page, "1 article confirmed. This cannot be undone.")
    expect(lines(page)).to_have_count(1)
    on_line(page, 0)


def test_a_comment_reaches_the_case_and_is_not_offered_to_be_undone(visit: Visit, desk: Desk) -> None:
    case = desk.flag(BLUE)
    page = opened(visit, desk, 1)
    press(page, "c")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.insert_text("Which firmware?")
    press(page, "Control+Enter")
    told(page, "Comment sent to 1 case. This cannot be undone.")
    steps = casework.read(desk.site.service.db, desk.people["Ada"], case.id).steps
    assert "Which firmware?" in [each.text for each in steps]


def test_news_wait_behind_a_button_and_nothing_moves(visit: Visit, desk: Desk) -> None:
    first, *_ = four_cases(desk)
    page = opened(visit, desk, 4, "view=unassigned")
    press(page, "j", "x")
    desk.flag("Check the fibre box", "Ada", severe=True, cause=Cause.INTERNAL_SHOWN)
    casework.assign(desk.site.service.db, desk.people["Grace"], first.id, desk.people["Grace"].id)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#news")).to_have_text("1 new: show")
    expect(lines(page).nth(0)).to_contain_text("No longer in this view")
    expect(lines(page).nth(0).locator(".whose b")).to_have_text("Nobody")
    expect(lines(page)).to_have_count(4)
    expect(page.locator("#steps")).to_contain_text("1 selected")
    on_line(page, 1)
    page.locator("#news").press("Enter")
    expect(lines(page)).to_have_count(4)
    expect(lines(page).nth(0)).to_contain_text("Internal text shown outside")
    on_line(page, 0)


def test_hundreds_of_lines_come_in_pages_and_a_reload_keeps_the_place(visit: Visit, desk: Desk) -> None:
    for n in range(60):
        desk.miss(f"query number {n}")
    page = opened(visit, desk, 50)
    page.get_by_role("button", name="Show more").press("Enter")
    expect(lines(page)).to_have_count(60)
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)
    on_line(page, 50)
    press(page, "j", "j")
    on_line(page, 52)
    here = lines(page).nth(52).get_attribute("data-key")
    page.reload()
    expect(lines(page)).to_have_count(60)
    on_line(page, 52)
    assert lines(page).nth(52).get_attribute("data-key") == here
    page.locator("#pick-all").press("Space")
    expect(page.locator("#steps")).to_contain_text("60 selected")
    lines(page).first.locator(".goes").focus()
    press(page, "m")
    told(page, "60 cases assigned to Ada.")
    page.get_by_role("button", name="Undo").press("Enter")
    told(page, "Undone: 60 lines are as they were.")


def test_everything_is_told_that_keeps_the_list_away(visit: Visit, desk: Desk, watch: Watch) -> None:
    watch.expected = ("503", "ERR_INTERNET_DISCONNECTED")
    page = visit(path="/editor")
    expect(page.locator("#queue")).to_contain_text("Sign in to see the queue")
    expect(page.locator("#where")).to_be_hidden()
    sign_in(page, desk.keys["Carol"])
    expect(page.locator("#queue")).to_contain_text("The queue is not open to you")
    page.click("#sign-out")
    sign_in(page, desk.keys["Ada"])
    expect(page.locator("#queue")).to_contain_text("Nothing waits")
    page.route("**/api/v1/queue?*", lambda route: route.fulfill(status=503, body="{}"))
    page.locator("#view-mine").press("Enter")
    expect(page.locator("#queue")).to_contain_text("That did not work")
    page.unroute("**/api/v1/queue?*")
    page.get_by_role("button", name="Try again").press("Enter")
    expect(page.locator("#queue")).to_contain_text("Nothing here")
    page.context.set_offline(True)
    page.locator("#view-overdue").press("Enter")
    expect(page.locator("#queue")).to_contain_text("You are offline")
    page.context.set_offline(False)
    expect(page.locator("#queue")).to_contain_text("Nothing here")
    page.get_by_role("link", name="Show everything").press("Enter")
    expect(page.locator("#queue")).to_contain_text("Nothing waits")
    expect(page.locator("#queue")).to_be_focused()


def test_who_only_flags_reads_the_queue_and_is_offered_no_steps(visit: Visit, desk: Desk) -> None:
    desk.flag(BLUE)
    page = opened(visit, desk, 1, who="Cindy")
    expect(page.locator(".pick")).to_have_count(0)
    expect(page.locator("#all")).to_be_hidden()
    press(page, "x", "a", "m", "d", "u", "?")
    expect(page.locator("#keys")).to_contain_text("next line")
    expect(page.locator("#keys")).not_to_contain_text("assign")
    expect(page.locator("#dock")).to_be_hidden()


def test_the_bell_rings_for_staff_and_costs_the_public_nothing(visit: Visit, desk: Desk, watch: Watch) -> None:
    page = visit()
    expect(page.locator("#bell")).to_be_hidden()
    assert not [url for url in watch.asked if "notifications" in url or "bell.js" in url]
    case = desk.flag(BLUE)
    casework.assign(desk.site.service.db, desk.people["Ada"], case.id, desk.people["Grace"].id)
    sign_in(page, desk.keys["Grace"])
    expect(page.get_by_role("link", name=re.compile(r"Notifications: \d+ unread"))).to_be_visible()
    expect(page.get_by_role("link", name="Editor")).to_have_attribute("href", "/editor")
    page.click("#sign-out")
    expect(page.locator("#bell")).to_be_hidden()


@pytest.mark.parametrize(
    ("locale", "width", "dark"),
    [("zh-CN", 1280, True), ("zh-TW", 390, False)],
)
def test_it_is_for_everybody(visit: Visit, desk: Desk, locale: str, width: int, dark: bool) -> None:
    four_cases(desk)
    desk.flag("Thunderstorm step 1", article="long", cause=Cause.INTERNAL_SHOWN)
    desk.miss("a-very-long-query-without-any-space-that-goes-on-and-on-until-it-is-wider-than-a-phone 路由器")
    desk.search("esim swap abroad", people=9)
    desk.expire("plan")
    page = opened(visit, desk, 8, locale=locale, width=width, dark=dark)

    def check(state: str) -> None:
        found = Axe().run(page).response["violations"]
        said = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        assert not found, f"{state}: {json.dumps(said, ensure_ascii=False, indent=1)}"
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), state

    press(page, "x", "j", "x")
    expect(page.locator("#steps")).to_be_visible()
    check("list")
    if width < 400:
        small = "[...document.querySelectorAll('#dock button, .write, .pick, .tabs a, .kinds a, .narrow select')]"
        sizes = page.evaluate(f"{small}.map((each) => each.getBoundingClientRect().height)")
        assert min(sizes) >= 44
    for key, dialog in (("a", "#assigning"), ("s", "#weighing"), ("d", "#saying"), ("?", "#keys")):
        press(page, key)
        expect(page.locator(dialog)).to_be_visible()
        check(dialog)
        press(page, "Escape")
        expect(page.locator(dialog)).to_be_hidden()
    press(page, "m")
    expect(page.locator("#told")).to_be_visible()
    check("told")
