"""The editor in a real browser: written, looked at, saved and published; nothing is lost."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from kb.article import Draft
from kb.audience import Audience
from kb.language import Language
from kb.person import EVERYTHING, SYSTEM, Role
from kb.solve import improve
from kb.solve.access import add_person
from tests.pictures import png
from tests.web.acting import enter_key, sign_in
from tests.web.conftest import Site, Watch
from tests.web.hostile import ALL
from tests.web.test_hostile import BATCH, SEEN, STRANGE, one_line, templates

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]
BODY = """\
## Issue

The ring stays red after the storm.

## Environment

Hub 6, any plan.

## Resolution

1. Hold reset for ten seconds.
2. Wait until it is blue.

::: internal
Desk only: code X5-200.
:::
"""


@dataclass
class Desk:
    """Those who write, and how they ask the service without a page."""

    site: Site
    keys: dict[str, str]
    ids: dict[str, str]

    def ask(self, method: str, path: str, body: object = None, who: str = "Edna") -> Any:
        headers = {"Authorization": f"Bearer {self.keys[who]}"}
        response = httpx.request(method, f"{self.site.url}/api/v1/{path}", json=body, headers=headers)
        assert response.status_code < 300, response.text
        return response.json()

    def article(self, title: str = "The ring stays red", body: str = BODY, **state: Any) -> str:
        known: dict[str, Any] = {"language": Language.ENGLISH, "audience": Audience.PUBLIC, "template": "standard"}
        return improve.create(self.site.service.db, SYSTEM, Draft(title, body, **(known | state))).number

    def flagged(self, number: str) -> str:
        sent = {"cause": "wrong_fact", "number": number, "revision": 1, "quote": "Hold reset for ten seconds.",
                "note": "Since firmware 4 it takes fifteen"}  # fmt: skip
        case: str = self.ask("POST", "flags", sent)["case"]["id"]
        return case

    def read(self, number: str) -> Any:
        return self.ask("GET", f"articles/{number}")

    def revise(self, number: str, body: str, who: str = "Otto", **more: Any) -> Any:
        version = self.read(number)["version"]
        sent = {"title": "The ring stays red", "body": body, "version": version} | more
        return self.ask("POST", f"articles/{number}/revisions", sent, who)


@pytest.fixture(scope="module")
def desk(site: Site) -> Desk:
    made = Desk(site, {}, {})
    for name, roles in (("Edna", {Role.PUBLISHER}), ("Otto", {Role.PUBLISHER}), ("Cleo", {Role.CANDIDATE})):
        person, made.keys[name] = add_person(
            site.service.db, SYSTEM, name, Audience.INTERNAL, roles=roles, scopes=EVERYTHING
        )
        made.ids[name] = person.id
    return made


@pytest.fixture(autouse=True)
def patient(watch: Watch) -> None:
    """A busy machine may refuse what is beside the text, which is asked for again with the next word."""
    watch.expected = ("503",)


def opened(visit: Visit, desk: Desk, query: str, who: str = "Edna", **how: Any) -> Page:
    page = visit(path=f"/editor/write?{query}", **how)
    page.click("#open-sign-in")
    enter_key(page, desk.keys[who])
    expect(page.locator("#desk")).to_be_visible()
    expect(page.locator("#shown article")).to_be_visible()
    return page


def begun(visit: Visit, desk: Desk, title: str, case: str = "", warned: bool = False) -> Page:
    """A new article, like which there is none unless the test is about that."""
    page = visit(path=f"/editor/write?template=standard&case={case}")
    if not warned:
        page.route("**/drafts/similar", lambda route: route.fulfill(json={"found": [], "degraded": []}))
    page.click("#open-sign-in")
    enter_key(page, desk.keys["Edna"])
    expect(page.locator("#desk")).to_be_visible()
    page.fill("#title", title)
    return page


def published(page: Page) -> None:
    page.keyboard.press("Control+Enter")
    expect(page.locator("#ask")).to_be_visible()
    expect(page.get_by_role("button", name="Publish", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#done")).to_contain_text("Published")


def test_an_article_is_written_and_published_with_the_keyboard_alone(visit: Visit, desk: Desk) -> None:
    page = begun(visit, desk, "Port forwarding on a fresh hub")
    page.locator("#body").focus()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("## Issue\n\nMy game cannot connect.\n\n## Resolution\n\n1. Open the hub.")
    page.keyboard.press("Enter")
    page.keyboard.insert_text("Choose ")
    page.keyboard.press("Control+B")
    page.keyboard.insert_text("Ports")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.insert_text("Type 443.")
    expect(page.locator("#body")).to_have_value(
        "## Issue\n\nMy game cannot connect.\n\n## Resolution\n\n1. Open the hub.\n2. Choose **Ports**\n   3. Type 443."
    )
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#body")).to_have_value(
        "## Issue\n\nMy game cannot connect.\n\n## Resolution\n\n1. Open the hub.\n2. Choose **Ports**\n3. Type 443.\n"
    )
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.locator("#body")).not_to_be_focused()
    page.keyboard.press("Control+S")
    expect(page.locator("#audience")).to_be_focused()
    expect(page.locator("#notice")).to_contain_text("choose an audience")
    page.keyboard.type("Cust")
    page.keyboard.press("Control+S")
    expect(page.locator("#how")).to_contain_text("The draft is saved")
    number = page.url.partition("number=")[2]
    assert desk.read(number)["editing"]["published"] is None
    published(page)
    expect(page.locator("#done")).to_be_focused()
    found = desk.read(number)
    assert (found["editing"]["published"], found["audience"], found["editing"]["template"]) == (
        1,
        "customer",
        "standard",
    )
    page.get_by_role("button", name="Undo publish").press("Enter")
    expect(page.locator("#done")).to_contain_text("it is a draft again")
    expect(page.locator("#done")).to_be_focused()
    assert desk.read(number)["editing"]["published"] is None


def test_what_the_toolbar_does_can_be_undone_and_reached_by_arrows(visit: Visit, desk: Desk) -> None:
    page = begun(visit, desk, "Toolbar")
    body = page.locator("#body")
    body.fill("one\ntwo")
    body.press("Control+A")
    page.locator("#tool-bold").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#tool-bullets")).to_be_focused()
    page.keyboard.press("Enter")
    expect(body).to_have_value("- one\n- two")
    expect(body).to_be_focused()
    page.keyboard.press("Control+Z")
    expect(body).to_have_value("one\ntwo")
    page.keyboard.press("Control+A")
    page.locator("#tool-internal").click()
    expect(body).to_have_value("::: internal\none\ntwo\n:::")
    body.fill("see the guide")
    body.evaluate("(area) => area.setSelectionRange(8, 13)")
    page.keyboard.press("Control+K")
    page.keyboard.insert_text("https://help.example.test")
    expect(body).to_have_value("see the [guide](https://help.example.test)")
    body.press("Escape")
    page.locator("#keys").press("Enter")
    expect(page.locator("#ask")).to_contain_text("save a draft")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#ask")).to_contain_text("save a draft")


def test_a_preview_shows_what_a_customer_reads_and_the_checklist_leads_to_what_is_missing(
    visit: Visit, desk: Desk
) -> None:
    page = opened(visit, desk, f"number={desk.article()}")
    page.select_option("#as", "internal")
    expect(page.locator("#shown")).to_contain_text("X5-200")
    page.select_option("#as", "customer")
    expect(page.locator("#shown")).to_contain_text("kept from this audience: 1")
    expect(page.locator("#shown")).not_to_contain_text("X5-200")
    page.select_option("#audience", "internal")
    expect(page.locator("#shown")).to_contain_text("“Customers” would not")
    page.fill("#body", "## Issue\n\nRed.\n\n::: internal\nTwice")
    expect(page.locator("#shown")).to_contain_text("line 5")
    page.locator("#shown").get_by_role("button", name="Go there").press("Enter")
    expect(page.locator("#body")).to_be_focused()
    page.fill("#body", "## Issue\n\nThe ring is red after a storm.")
    page.click("#tab-checklist")
    expect(page.locator("#checked")).to_contain_text("Resolution is required")
    expect(page.locator("#checklist-count")).not_to_be_empty()
    page.get_by_role("button", name="Go there: Resolution is required").press("Enter")
    expect(page.locator("#body")).to_be_focused()
    page.keyboard.insert_text("Hold reset.")
    expect(page.locator("#body")).to_have_value(
        "## Issue\n\nThe ring is red after a storm.\n\n## Resolution\n\nHold reset."
    )
    expect(page.locator("#checked")).not_to_contain_text("is required")


def test_publishing_a_fix_resolves_its_case_and_undo_opens_it_again(visit: Visit, desk: Desk) -> None:
    number = desk.article()
    case = desk.flagged(number)
    page = opened(visit, desk, f"number={number}&case={case}")
    page.click("#tab-case")
    expect(page.locator("#about")).to_contain_text("Since firmware 4 it takes fifteen")
    page.fill("#body", BODY.replace("ten", "fifteen"))
    page.click("#tab-changes")
    expect(page.locator("#changed ins")).to_have_text("fifteen")
    page.get_by_label("Its meaning").check()
    published(page)
    read = desk.ask("GET", f"cases/{case}")
    assert (read["state"], read["changes_meaning"]) == ("fixed", True), "asked once, counted for both"
    assert desk.ask("GET", f"articles/{number}/revisions")["revisions"][-1]["size"] == "meaning"
    expect(page.locator("#done").get_by_role("link", name="See the proof")).to_have_attribute(
        "href", f"/editor/case?id={case}"
    )
    page.get_by_role("button", name="Undo publish").click()
    expect(page.locator("#done")).to_contain_text("readers see revision 1 again")
    assert desk.ask("GET", f"cases/{case}")["state"] == "open"
    assert "ten seconds" in desk.read(number)["body"]
    expect(page.locator("#body")).to_have_value(BODY.replace("ten", "fifteen"))


def test_state_and_text_reach_readers_together(visit: Visit, desk: Desk) -> None:
    number = desk.article("A password for the desk", audience=Audience.INTERNAL)
    page = opened(visit, desk, f"number={number}")
    page.fill("#body", BODY.replace("Desk only: code X5-200.", "Nothing."))
    page.select_option("#audience", "public")
    page.fill("#tags", "storm，lights")
    page.click("#save")
    expect(page.locator("#how")).to_contain_text("Not saved yet")
    expect(page.locator("#status")).to_contain_text("The state changes when you publish")
    found = desk.read(number)
    assert (found["audience"], found["editing"]["latest"], found["editing"]["published"]) == ("internal", 2, 1)
    published(page)
    found = desk.read(number)
    assert (found["audience"], found["tags"], found["editing"]["published"]) == ("public", ["storm", "lights"], 2)
    page.get_by_role("button", name="Undo publish").click()
    expect(page.locator("#done")).to_contain_text("Taken back")
    found = desk.read(number)
    assert (found["audience"], found["tags"], found["editing"]["published"]) == ("internal", [], 1)


def test_a_conflict_is_merged_by_hand_before_it_is_saved(visit: Visit, desk: Desk, watch: Watch) -> None:
    watch.expected += ("409",)
    number = desk.article()
    page = opened(visit, desk, f"number={number}")
    page.fill("#body", BODY.replace("ten seconds", "fifteen seconds"))
    page.fill("#tags", "mine")
    desk.revise(
        number,
        BODY.replace("ten seconds", "twenty seconds").replace("blue.", "blue again."),
        state={"tags": ["theirs"]},
    )
    published_by_somebody = desk.read(number)["version"]
    page.keyboard.press("Control+S")
    dialog = page.locator("#ask")
    expect(dialog).to_contain_text("Otto saved another text")
    take = page.get_by_role("button", name="Take over into the editor")
    expect(take).to_be_disabled()
    expect(dialog.locator("input").first).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(dialog.get_by_label("Mine").first).to_be_checked()
    expect(dialog.locator(".merged")).to_contain_text("fifteen seconds")
    expect(dialog).to_contain_text("Choices left: 1")
    dialog.locator("fieldset").nth(1).get_by_label("Theirs").check()
    expect(take).to_be_enabled()
    assert desk.read(number)["version"] == published_by_somebody, "nothing is saved before somebody looked"
    take.press("Enter")
    merged = BODY.replace("ten seconds", "fifteen seconds").replace("blue.", "blue again.")
    expect(page.locator("#body")).to_have_value(merged)
    expect(page.locator("#tags")).to_have_value("theirs")
    expect(page.locator("#body")).to_be_focused()
    page.keyboard.press("Control+S")
    expect(page.locator("#how")).to_contain_text("The draft is saved")
    assert desk.ask("GET", f"articles/{number}/revisions/3")["body"].strip() == merged.strip()


def test_what_was_not_saved_is_offered_again_and_gone_after_signing_out(visit: Visit, desk: Desk) -> None:
    number = desk.article()
    page = opened(visit, desk, f"number={number}")
    page.fill("#body", BODY.replace("ten", "fifteen"))
    page.reload()
    dialog = page.locator("#ask")
    expect(dialog).to_contain_text("Text that you had not saved")
    expect(dialog.locator("ins")).to_have_text("fifteen")
    page.keyboard.press("Enter")
    expect(page.locator("#body")).to_have_value(BODY.replace("ten", "fifteen"))
    expect(page.locator("#how")).to_contain_text("Not saved yet")
    page.keyboard.press("Control+S")
    expect(page.locator("#how")).to_contain_text("The draft is saved")
    page.reload()
    expect(page.locator("#shown article")).to_be_visible()
    expect(dialog).to_be_hidden()
    page.fill("#title", "Another title")
    page.click("#sign-out")
    expect(dialog).to_contain_text("Sign out with unsaved text?")
    page.get_by_role("button", name="Stay").press("Enter")
    expect(page.locator("#title")).to_have_value("Another title")
    page.click("#sign-out")
    dialog.get_by_role("button", name="Sign out").click()
    expect(page.locator("#gate")).to_contain_text("Please sign in")
    assert page.evaluate("JSON.stringify(localStorage)") == "{}"
    expect(page.locator("#title")).to_have_value("")


def test_a_session_that_ends_takes_no_text_with_it(visit: Visit, desk: Desk, watch: Watch) -> None:
    watch.expected += ("401", "403")
    number = desk.article()
    page = opened(visit, desk, f"number={number}")
    page.fill("#body", "## Issue\n\nMine.")
    page.context.clear_cookies()
    page.keyboard.press("Control+S")
    expect(page.locator("#sign-in")).to_be_visible()
    expect(page.locator("#body")).to_have_value("")
    enter_key(page, desk.keys["Otto"])
    expect(page.locator("#shown article")).to_be_visible()
    expect(page.locator("#ask")).to_be_hidden()
    expect(page.locator("#body")).to_have_value(BODY)
    page.context.clear_cookies()
    page.reload()
    page.click("#open-sign-in")
    enter_key(page, desk.keys["Edna"])
    expect(page.locator("#ask")).to_contain_text("Text that you had not saved")
    page.keyboard.press("Enter")
    expect(page.locator("#body")).to_have_value("## Issue\n\nMine.")


def test_leaving_with_unsaved_text_asks(visit: Visit, desk: Desk) -> None:
    page = opened(visit, desk, f"number={desk.article()}")
    page.locator("#body").click()
    page.keyboard.insert_text("More. ")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    with page.expect_event("dialog"):
        page.close(run_before_unload=True)
    expect(page.locator("#how")).to_contain_text("Not saved yet")
    assert asked == ["beforeunload"]


def test_a_save_that_fails_keeps_everything_and_says_why(visit: Visit, desk: Desk, watch: Watch) -> None:
    watch.expected += ("503", "403")
    number = desk.article()
    page = opened(visit, desk, f"number={number}", who="Cleo")
    page.fill("#body", BODY.replace("ten", "fifteen"))
    refuse = {"error": {"code": "unavailable", "message": "busy", "field": "", "request_id": "x"}}
    page.route("**/revisions", lambda route: route.fulfill(status=503, json=refuse))
    page.keyboard.press("Control+S")
    expect(page.locator("#notice")).to_contain_text("It was not saved. Your text is still here.")
    page.unroute("**/revisions")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Publish", exact=True).press("Enter")
    expect(page.locator("#notice")).to_contain_text("a right that you do not have")
    expect(page.locator("#body")).to_have_value(BODY.replace("ten", "fifteen"))
    page.keyboard.press("Control+S")
    expect(page.locator("#how")).to_contain_text("The draft is saved")
    assert desk.read(number)["editing"]["latest"] == 2


PASTE = """([area, bytes, type, name]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
  area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }));
}"""


def paste(page: Page, content: bytes, media_type: str, name: str) -> None:
    area = page.locator("#body").element_handle()
    page.evaluate(PASTE, [area, list(content), media_type, name])


def test_a_screenshot_is_pasted_and_what_it_shows_is_typed_at_once(visit: Visit, desk: Desk, watch: Watch) -> None:
    watch.expected += ("422",)
    number = desk.article()
    page = opened(visit, desk, f"number={number}")
    page.fill("#body", "## Issue\n\nSee\n\n## Resolution\n\n")
    page.locator("#body").press("Control+End")
    paste(page, png(40, 20), "image/png", "image.png")
    expect(page.locator("#body")).to_have_value(
        re.compile(r"!\[what the picture shows\]\(files/[0-9a-f]{64}\.png#40x20\)$")
    )
    page.keyboard.insert_text("the red ring")
    expect(page.locator("#body")).to_have_value(re.compile(r"!\[the red ring\]\(files/"))
    shown = page.locator("#shown img")
    expect(shown).to_have_attribute("alt", "the red ring")
    expect(shown).to_have_js_property("naturalWidth", 40)
    paste(page, b"not a picture", "text/plain", "notes.txt")
    expect(page.locator("#files")).to_contain_text("notes.txt was not sent")
    page.locator("#files button").press("Enter")
    paste(page, b"\x89PNG broken", "image/png", "broken.png")
    expect(page.locator("#files")).to_contain_text("broken.png was not taken")
    page.locator("#files button").press("Enter")
    expect(page.locator("#files li")).to_have_count(0)
    expect(page.locator("#body")).to_be_focused()


def test_a_picture_in_a_new_article_saves_it_first(visit: Visit, desk: Desk) -> None:
    page = begun(visit, desk, "A picture in an article that is new")
    page.select_option("#audience", "internal")
    page.set_input_files("#choose", {"name": "ring.png", "mimeType": "image/png", "buffer": png(8, 8)})
    expect(page.locator("#body")).to_have_value(re.compile(r"files/[0-9a-f]{64}\.png#8x8"))
    assert "number=" in page.url


def test_a_duplicate_is_warned_of_and_can_be_added_to(visit: Visit, desk: Desk) -> None:
    number = desk.article("A ring that flashes purple twice")
    page = begun(visit, desk, "A ring that flashes purple twice", warned=True)
    expect(page.locator("#similar-count")).not_to_be_empty()
    page.click("#tab-similar")
    expect(page.locator("#near").get_by_role("link").first).to_contain_text("flashes purple")
    page.fill("#body", "## Issue\n\nPurple.\n\n## Resolution\n\nWait.")
    page.select_option("#audience", "public")
    page.keyboard.press("Control+S")
    expect(page.locator("#ask")).to_contain_text("has the same title")
    expect(page.get_by_role("button", name="Back to the text")).to_be_focused()
    page.get_by_role("button", name=f"Add my text to {number}").press("Enter")
    page.wait_for_url(f"**/editor/write?number={number}")
    expect(page.locator("#ask ins").first).to_contain_text("Purple.")
    page.keyboard.press("Enter")
    expect(page.locator("#body")).to_have_value(
        re.compile(r"Desk only[\s\S]*### A ring that flashes purple twice[\s\S]*Purple")
    )
    page.goto("/editor/write?template=standard&title=A+ring+that+flashes+purple+twice")
    expect(page.locator("#title")).to_have_value("A ring that flashes purple twice")
    page.select_option("#audience", "internal")
    page.keyboard.press("Control+S")
    page.get_by_role("button", name="Save it all the same").click()
    expect(page.locator("#how")).to_contain_text("The draft is saved")


def test_a_gap_is_filled_in_the_customers_words(visit: Visit, desk: Desk) -> None:
    asked = {"cause": "nothing_answers", "query": "吹风机能不能带上飞机 hairdryer on board"}
    case = desk.ask("POST", "flags", asked)["case"]["id"]
    page = begun(visit, desk, "Hairdryers on board", case)
    expect(page.locator("#body")).to_have_value(re.compile(r"## Issue\n\n吹风机能不能带上飞机 hairdryer on board\n"))
    expect(page.locator("#fixes input")).to_be_checked()
    page.fill("#body", "## Issue\n\nHairdryer?\n\n## Resolution\n\nYes.")
    page.select_option("#audience", "public")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Publish", exact=True).press("Enter")
    expect(page.locator("#done")).to_contain_text("Published")
    assert desk.ask("GET", f"cases/{case}")["state"] == "fixed"


def test_a_translation_says_that_it_follows_its_original(visit: Visit, desk: Desk) -> None:
    original = desk.article()
    desk.revise(original, BODY.replace("ten", "fifteen"), publish=True)
    linked = desk.read(original)["id"]
    number = desk.article(
        "红灯", "## 问题\n\n红灯。\n\n## 解决方法\n\n重置。", language=Language.SIMPLIFIED, translation_of=linked
    )
    page = opened(visit, desk, f"number={number}")
    page.get_by_label("It says what its original").check()
    page.locator("#body").press("Control+End")
    page.keyboard.insert_text("按住十五秒。")
    page.keyboard.press("Control+S")
    expect(page.locator("#how")).to_contain_text("The draft is saved")
    found = desk.ask("GET", f"articles/{number}/translations")["translations"]
    assert [each["translates"] for each in found] == [None, 2]


def test_who_may_not_write_is_told_so(visit: Visit, site: Site, desk: Desk, watch: Watch) -> None:
    watch.expected += ("404",)
    page = visit(path="/editor/write?number=482-9175")
    expect(page.locator("#gate")).to_contain_text("Please sign in to write")
    sign_in(page, site.library.keys["Carol"])
    expect(page.locator("#gate")).to_contain_text("not for you yet")
    page.click("#sign-out")
    sign_in(page, desk.keys["Edna"])
    expect(page.locator("#gate")).to_contain_text("does not exist, or is not for you")
    expect(page.locator("#desk")).to_be_hidden()


def test_hostile_text_stays_text_in_editor_preview_difference_and_what_is_restored(
    visit: Visit, desk: Desk, watch: Watch
) -> None:
    watch.expected += ("404",)  # a picture of ours that is not there
    number = desk.article()
    page = opened(visit, desk, f"number={number}")
    page.add_init_script(SEEN + STRANGE)
    page.reload()
    expect(page.locator("#shown article")).to_be_visible()

    page.select_option("#as", "internal")  # shown all of it, wherever markers are not well formed

    def check(root: str) -> None:
        assert page.evaluate("seen") == []
        assert page.evaluate("(root) => strange(root)", root) == []

    for start in range(0, len(ALL), BATCH):
        vectors = ALL[start : start + BATCH]
        texts = [text for vector in vectors for text in (vector, *templates(vector)[6:18:4])]
        title = f"s{start:03d} {one_line(vectors[0])}"[:300]
        page.fill("#title", title)
        page.fill("#body", "\n\n".join(texts))
        page.click("#tab-preview")
        expect(page.locator("#shown article h2").first).to_contain_text(f"s{start:03d}")
        check("#shown")
        page.click("#tab-changes")
        expect(page.locator("#changed ins").first).to_contain_text(f"s{start:03d}")
        check("#changed")
    page.reload()
    expect(page.locator("#ask .kept")).to_be_visible()
    check("#ask-content")
    assert page.evaluate("seen") == [], "and what asked for elsewhere is counted by the watch"


@pytest.mark.parametrize(
    ("locale", "width", "dark", "contrast"),
    [
        ("en-GB", 390, True, None),
        ("zh-CN", 1280, False, None),
        ("zh-TW", 390, False, "more"),
        ("en-GB", 1280, True, None),
    ],
)
def test_it_is_for_everybody(
    visit: Visit, desk: Desk, locale: str, width: int, dark: bool, contrast: str | None
) -> None:
    number = desk.article("a-very-long-title-without-any-space-that-goes-on-until-it-is-wider-than-a-phone-can-show-it")
    case = desk.flagged(number)
    page = visit(
        path=f"/editor/write?number={number}&case={case}", locale=locale, width=width, dark=dark, contrast=contrast
    )
    page.click("#open-sign-in")
    enter_key(page, desk.keys["Edna"])
    expect(page.locator("#desk")).to_be_visible()

    def check(state: str) -> None:
        found = Axe().run(page).response["violations"]
        told = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        assert not found, f"{state}: {json.dumps(told, ensure_ascii=False, indent=1)}"
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), state

    check("text")
    page.fill("#body", BODY.replace("ten", "fifteen").replace("## Environment", "### Environment"))
    if width < 960:
        page.click("#side-look")
        expect(page.locator("#writing")).to_be_hidden()
    for tab in ("preview", "changes", "checklist", "case"):
        page.click(f"#tab-{tab}")
        expect(page.locator(f"#panel-{tab} > div > *").first).to_be_visible()
        check(tab)
    page.click("#publish")
    expect(page.locator("#ask button").first).to_be_visible()
    check("publish")
