"""Screenshots of the editor in several states."""
import sys, pytest
from tests.web.test_writing_page import *
from tests.web.conftest import *

def test_shots(visit, desk):
    number = desk.article()
    case = desk.flagged(number)
    out = "/tmp/h5/shots/write"
    for name, how in {"light": {"width": 1280}, "dark-zh": {"width": 1280, "dark": True, "locale": "zh-CN"}, "phone": {"width": 390}, "phone-dark-zh": {"width": 390, "dark": True, "locale": "zh-CN"}}.items():
        page = opened(visit, desk, f"number={number}&case={case}", **how) if how["width"] > 1000 else visit(path=f"/editor/write?number={number}&case={case}", **how)
        if how["width"] < 1000:
            page.click("#open-sign-in"); enter_key(page, desk.keys["Edna"]); expect(page.locator("#desk")).to_be_visible()
        page.screenshot(path=f"{out}/{name}.png", full_page=True)
        if how["width"] > 1000:
            page.fill("#body", BODY.replace("ten seconds", "fifteen seconds").replace("## Environment\n\nHub 6, any plan.\n\n", ""))
            for tab in ("changes", "checklist", "similar", "case"):
                page.click(f"#tab-{tab}")
                expect(page.locator(f"#panel-{tab} > div > *").first).to_be_visible()
                page.screenshot(path=f"{out}/{name}-{tab}.png")
            page.click("#keys"); page.screenshot(path=f"{out}/{name}-keys.png"); page.keyboard.press("Escape")
            page.click("#publish"); expect(page.locator("#ask")).to_be_visible(); page.screenshot(path=f"{out}/{name}-publish.png"); page.keyboard.press("Escape")
        else:
            page.click("#side-look"); expect(page.locator("#shown article")).to_be_visible(); page.screenshot(path=f"{out}/{name}-look.png")
