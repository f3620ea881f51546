"""One's account on the page: a new password, the sessions in other browsers, leaving everywhere."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from kb.audience import Audience
from kb.person import SYSTEM
from kb.solve.access import add_person, person_for
from kb.solve.passwords import set_password
from tests.web.acting import enter_password, sign_in
from tests.web.conftest import Site, Watch
from tests.web.library import PASSWORD

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]
NEW = "eight grey herons wait"


@pytest.fixture
def ada(visit: Visit, site: Site) -> Iterator[Page]:
    """Somebody signed in with her password, which is the same again afterwards."""
    page = visit("q=red light")
    signed_in(page)
    yield page
    db = site.service.db
    set_password(db, SYSTEM, person_for(db, site.library.keys["Ada"]).id, "ada", PASSWORD)
    site.service.sign_in.unlock(SYSTEM, "ada")


def signed_in(page: Page, password: str = PASSWORD) -> None:
    page.click("#open-sign-in")
    enter_password(page, "ada", password)
    expect(page.locator("#sign-out")).to_be_visible()


def fill(page: Page, current: str, new: str) -> None:
    page.fill("#current-password", current)
    page.fill("#new-password", new)
    page.keyboard.press("Enter")


def test_the_account_takes_the_keyboard_alone(ada: Page, visit: Visit) -> None:
    ada.locator("#open-account").focus()
    ada.keyboard.press("Enter")
    expect(ada.locator("#current-password")).to_be_focused()
    ada.keyboard.type(PASSWORD)
    ada.keyboard.press("Tab")
    ada.keyboard.type(NEW)
    ada.keyboard.press("Enter")
    expect(ada.locator("#account-status")).to_contain_text("Your password is changed")
    expect(ada.locator("#account-close")).to_be_focused()
    ada.keyboard.press("/")
    ada.keyboard.press("Escape")
    expect(ada.get_by_role("dialog")).to_be_hidden()
    expect(ada.locator("#open-account")).to_be_focused()
    assert ada.locator("#new-password").input_value() == ""
    ada.reload()
    expect(ada.locator("#person")).to_contain_text("Ada")
    signed_in(visit(), NEW)


def test_what_is_wrong_with_a_new_password_is_said_where_it_is(ada: Page, watch: Watch) -> None:
    watch.expected = ("422", "429")
    ada.click("#open-account")
    fill(ada, PASSWORD, "passwordpassword")
    expect(ada.get_by_role("alert")).to_contain_text("too easy to guess")
    expect(ada.locator("#new-password")).to_be_focused()
    for _ in range(5):
        with ada.expect_response("**/session/password"):
            fill(ada, "something else", NEW)
    expect(ada.get_by_role("alert")).to_contain_text("not your current password")
    expect(ada.locator("#current-password")).to_be_focused()
    fill(ada, PASSWORD, NEW)
    expect(ada.get_by_role("alert")).to_contain_text("try again in 1 second")


def test_what_is_typed_is_hidden_until_somebody_wants_to_see_it(ada: Page) -> None:
    ada.click("#open-account")
    kinds = [ada.locator(f"#{each}-password").get_attribute("type") for each in ("current", "new")]
    ada.check("#show-password")
    expect(ada.locator("#new-password")).to_have_attribute("type", "text")
    ada.keyboard.press("Escape")
    ada.click("#open-account")
    expect(ada.locator("#new-password")).to_have_attribute("type", "password")
    assert kinds == ["password", "password"]


def test_a_session_in_another_browser_is_seen_and_ended(ada: Page, visit: Visit, watch: Watch) -> None:
    watch.expected = ("401",)
    other = visit("q=red light")
    signed_in(other)
    other.click("#open-account")
    lines = other.locator("#sessions li")
    expect(lines.first).to_contain_text("This browser")
    before = lines.count()
    assert before >= 2
    other.locator("#sessions button").first.press("Enter")
    expect(other.locator("#account-status")).to_have_text("Signed out there")
    expect(lines).to_have_count(before - 1)
    ada.fill("#query", "light red")
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("dialog")).to_contain_text("Your session has ended")


def test_leaving_everywhere_leaves_here_too(ada: Page) -> None:
    ada.click("#open-account")
    ada.click("#leave-everywhere")
    expect(ada.locator("#open-sign-in")).to_be_focused()
    expect(ada.get_by_role("dialog")).to_be_hidden()
    expect(ada.locator("#status")).to_have_text("Signed out")


def test_who_came_with_a_key_and_has_no_password_is_offered_none(visit: Visit, site: Site) -> None:
    _, key = add_person(site.service.db, SYSTEM, "Grace", Audience.INTERNAL)
    page = visit()
    sign_in(page, key)
    page.click("#open-account")
    expect(page.locator("#sessions li").first).to_contain_text("This browser")
    expect(page.locator("#change")).to_be_hidden()
