"""What people do on the page, for the tests."""

from playwright.sync_api import Locator, Page, expect

from tests.web.conftest import Watch


def sign_in(page: Page, secret: str) -> None:
    page.click("#open-sign-in")
    enter_key(page, secret)
    expect(page.locator("#sign-out")).to_be_visible()


def enter_key(page: Page, secret: str) -> None:
    if not page.locator("#key").is_visible():
        page.click("#other-way")
    page.fill("#key", secret)
    page.keyboard.press("Enter")


def enter_password(page: Page, login: str, password: str) -> None:
    if not page.locator("#login").is_visible():
        page.click("#other-way")
    page.fill("#login", login)
    page.fill("#password", password)
    page.keyboard.press("Enter")


def searched(page: Page, text: str) -> None:
    page.fill("#query", text)
    page.keyboard.press("Enter")
    expect(page.locator(".hit").first).to_be_visible()


def offered(page: Page) -> Locator:
    return page.locator("#suggestions [role=option]")


def suggestions_asked(watch: Watch) -> list[str]:
    return [url for url in watch.asked if "/api/v1/suggest" in url]
