"""The page for everybody: axe in every language, theme and width; narrow phones; no motion; high contrast."""

import json
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.web.acting import searched, sign_in
from tests.web.conftest import Site

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]

SAYS = {"en-GB": ("en", "red light"), "zh-CN": ("zh-Hans", "路由器红灯"), "zh-TW": ("zh-Hant", "數據機紅燈")}


def test_there_is_no_motion_for_those_who_want_none(visit: Visit) -> None:
    page = visit(reduced_motion="reduce")
    page.route("**/api/v1/search", lambda route: None)
    page.fill("#query", "red light")
    page.keyboard.press("Enter")
    expect(page.locator("#results.busy")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("locale", SAYS)
def test_nothing_scrolls_sideways_on_a_narrow_phone(visit: Visit, site: Site, locale: str) -> None:
    page = visit(f"q={SAYS[locale][1]}", locale=locale, width=360)

    def fits() -> bool:
        return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))

    expect(page.locator(".hit").first).to_be_visible()
    assert fits()
    sign_in(page, site.library.keys["Ada"])
    expect(page.locator(".why").first).to_be_visible()
    assert fits()
    searched(page, "thunderstorm")
    assert fits()
    page.goto(f"/#article={site.library.articles['red'].number}")
    expect(page.locator("#article .scroll")).to_be_visible()
    assert fits()
    assert page.locator("#article .scroll").evaluate("element => element.scrollWidth > element.clientWidth")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("locale", SAYS)
def test_axe_finds_nothing(visit: Visit, site: Site, locale: str, width: int, dark: bool) -> None:
    axe = Axe()
    page = visit(locale=locale, width=width, dark=dark)

    def check(state: str) -> None:
        found = axe.run(page).response["violations"]
        told = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        assert not found, f"{state}: {json.dumps(told, ensure_ascii=False, indent=1)}"

    expect(page.locator("html")).to_have_attribute("lang", SAYS[locale][0])
    check("start")
    page.locator("#query").press_sequentially(SAYS[locale][1][:3])
    expect(page.get_by_role("listbox")).to_be_visible()
    page.keyboard.press("ArrowDown")
    check("suggestions")
    sign_in(page, site.library.keys["Ada"])
    searched(page, SAYS[locale][1])
    page.locator(".why summary").first.click()
    check("answers")
    page.goto(f"/#article={site.library.articles['red'].number}")
    expect(page.locator("#article-title")).to_be_visible()
    check("article")
    page.click("#open-account")
    expect(page.locator("#sessions li").first).to_be_visible()
    check("account")
    page.click("#account-close")
    page.click("#sign-out")
    page.click("#open-sign-in")
    check("dialog for a key")
    page.click("#other-way")
    check("dialog for a password")


def test_axe_finds_nothing_in_high_contrast(visit: Visit) -> None:
    page = visit("q=red light", contrast="more")
    expect(page.locator(".hit").first).to_be_visible()
    assert not Axe().run(page).response["violations"]
    page.emulate_media(forced_colors="active")
    assert not Axe().run(page).response["violations"]
