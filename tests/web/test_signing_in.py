"""Signing in to the page, staying, leaving, and what happens when the session ends by itself."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from kb.bootstrap import openid_provider
from kb.settings import Settings
from tests import provider as openid
from tests.provider import Provider
from tests.web.acting import enter_key, enter_password, searched, sign_in
from tests.web.conftest import Site, Watch
from tests.web.library import PASSWORD

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]
FOR_STAFF = ".why"


def test_a_key_is_given_once_and_only_the_cookie_stays(visit: Visit, site: Site) -> None:
    page = visit("q=red light")
    secret = site.library.keys["Ada"]
    sign_in(page, secret)
    expect(page.locator(FOR_STAFF).first).to_be_visible()
    assert secret not in page.url
    assert secret not in page.content()
    assert page.locator("#key").input_value() == ""
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    [cookie] = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("kb_session", True, "Lax")
    assert secret not in cookie["value"]
    page.reload()
    expect(page.locator("#person")).to_contain_text("Ada")
    expect(page.locator(FOR_STAFF).first).to_be_visible()


def test_signing_in_with_a_password_takes_the_keyboard_alone(visit: Visit) -> None:
    page = visit()
    page.locator("#open-sign-in").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#login")).to_be_focused()
    page.keyboard.type("ADA")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#person")).to_contain_text("Ada")
    expect(page.locator("#query")).to_be_focused()
    expect(page.locator("#status")).to_have_text("Signed in as Ada")
    assert page.locator("#password").input_value() == ""


@pytest.mark.parametrize("how", ["key", "password"])
def test_what_is_not_accepted_says_so_and_changes_nothing(visit: Visit, watch: Watch, how: str) -> None:
    watch.expected = ("401",)
    page = visit()
    page.click("#open-sign-in")
    if how == "key":
        enter_key(page, "kb_wrong")
        expect(page.get_by_role("alert")).to_contain_text("not accepted")
    else:
        enter_password(page, "somebody", "wrong")
        expect(page.get_by_role("alert")).to_contain_text("do not match")
        expect(page.locator("#password")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#open-sign-in")).to_be_focused()


def test_too_many_attempts_say_how_long_to_wait(visit: Visit, watch: Watch) -> None:
    watch.expected = ("401", "429")
    page = visit()
    page.click("#open-sign-in")
    for _ in range(12):  # from the fifth on each waits twice as long: one of them comes too soon on any machine
        with page.expect_response("**/api/v1/session") as answer:
            enter_password(page, "nobody here", "wrong")
        if answer.value.status == 429:
            break
    expect(page.get_by_role("alert")).to_contain_text("try again in")


def test_a_session_that_ends_by_itself_asks_again_and_keeps_what_was_typed(
    visit: Visit, site: Site, watch: Watch
) -> None:
    watch.expected = ("401",)
    page = visit("q=red light")
    sign_in(page, site.library.keys["Ada"])
    expect(page.locator(FOR_STAFF).first).to_be_visible()
    [cookie] = page.context.cookies()
    page.context.clear_cookies()
    page.context.add_cookies([cookie | {"value": "over"}])
    page.fill("#query", "light red")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Your session has ended")
    expect(page.locator("#query")).to_have_value("light red")
    expect(page.locator(".hit").first).to_be_visible()
    assert "staffcredit" not in page.content()
    enter_password(page, "ada", PASSWORD)
    expect(page.locator(FOR_STAFF).first).to_be_visible()
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#query")).to_have_value("light red")


def test_a_session_that_ended_overnight_is_said_when_the_page_is_opened(visit: Visit, site: Site, watch: Watch) -> None:
    watch.expected = ("401",)
    page = visit("q=red light")
    expect(page.locator(".hit").first).to_be_visible()  # else its own first look would be the one that is told
    page.context.add_cookies([{"name": "kb_session", "value": "over", "url": site.url}])
    page.reload()
    expect(page.locator("#notice")).to_contain_text("Your session has ended")
    expect(page.locator("#open-sign-in")).to_be_visible()
    expect(page.locator(".hit").first).to_be_visible()
    page.reload()
    expect(page.locator("#notice")).to_be_hidden()


def test_signing_out_in_one_window_is_noticed_in_the_other(visit: Visit, site: Site, watch: Watch) -> None:
    watch.expected = ("401",)
    page = visit("q=red light")
    sign_in(page, site.library.keys["Ada"])
    other = page.context.new_page()
    other.goto("/#q=red light")
    expect(other.locator(FOR_STAFF).first).to_be_visible()
    page.click("#sign-out")
    expect(page.locator("#status")).to_have_text("Signed out")
    other.locator("#query").press_sequentially("s")
    expect(other.get_by_role("dialog")).to_contain_text("Your session has ended")
    assert "staffcredit" not in other.content()


def test_signing_in_as_somebody_else_in_one_window_changes_the_other(visit: Visit, site: Site, watch: Watch) -> None:
    watch.expected = ("403",)
    page = visit("q=red light")
    sign_in(page, site.library.keys["Ada"])
    other = page.context.new_page()
    other.goto("/")
    other.click("#sign-out")
    sign_in(other, site.library.keys["Carol"])
    page.fill("#query", "light red")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text("You are now signed in as Carol")
    expect(page.locator("#person")).to_contain_text("customer")
    expect(page.locator(".hit").first).to_be_visible()
    assert page.locator(FOR_STAFF).count() == 0


def test_leaving_works_even_when_the_session_is_over(visit: Visit, site: Site, watch: Watch) -> None:
    watch.expected = ("401",)
    page = visit()
    sign_in(page, site.library.keys["Ada"])
    page.context.clear_cookies()
    page.click("#sign-out")
    expect(page.locator("#open-sign-in")).to_be_visible()
    expect(page.get_by_role("dialog")).to_be_hidden()


@pytest.fixture
def provider(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """The site with a provider for its staff."""
    with openid.running() as each:
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            oidc_issuer=each.url,
            oidc_client_id=openid.CLIENT,
            oidc_client_secret=openid.SECRET,
            oidc_roles={"kb-editors": {"tier": "internal", "roles": ["publisher"]}},
        )
        service = site.service
        monkeypatch.setattr(service, "provider", openid_provider(settings, service.db, service.sign_in))
        yield each


def test_the_company_account_leads_back_to_where_one_was(visit: Visit, watch: Watch, provider: Provider) -> None:
    watch.also = (provider.url,)
    page = visit("q=red light", locale="zh-TW")
    page.click("#open-sign-in")
    page.click("#provider")
    expect(page.locator("#person")).to_contain_text("Ada")
    assert page.url.endswith("/#q=red+light") or page.url.endswith("/#q=red%20light")
    expect(page.locator(FOR_STAFF).first).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
    assert not any("red" in path for path in provider.asked)


@pytest.mark.parametrize(("trouble", "told"), [("away", "cannot be reached"), ("nothing", "does not open anything")])
def test_a_company_account_that_does_not_work_says_why(
    visit: Visit, watch: Watch, provider: Provider, trouble: str, told: str
) -> None:
    watch.also = (provider.url,)
    provider.broken = trouble == "away"
    provider.claims["groups"] = []
    page = visit("q=red light")
    page.click("#open-sign-in")
    page.click("#provider")
    expect(page.locator("#notice")).to_contain_text(told)
    expect(page.locator(".hit").first).to_be_visible()
    assert "sign_in" not in page.url
    searched(page, "light red")
