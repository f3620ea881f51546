"""The editor's page of an article in a real browser: its history, its use, what can be done, by keyboard alone."""

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
    yield from desk(tmp_path_factory.mktemp("articles"))


def opened(visit: Visit, site: Site, number: str, tab: str = "", who: str = "Ada", **how: object) -> Page:
    """The page of an article, somebody signed in, with a section that is drawn."""
    page = visit(path=f"/editor/article?number={number}{f'&tab={tab}' if tab else ''}", **how)
    sign_in(page, site.library.keys[who])
    expect(page.locator("#head h2")).to_be_visible()
    return page


def told(page: Page, text: str) -> None:
    expect(page.locator("#notice")).to_contain_text(text)
    expect(page.locator("#notice")).to_be_focused()


def test_any_two_revisions_are_compared_and_an_old_one_is_restored_by_keyboard(visit: Visit, site: Site) -> None:
    number = written(site)
    revised(site, number, note="Firmware 4")
    revised(site, number, NEW.replace("thirty", "forty"), size="typo")
    page = opened(visit, site, number)
    page.locator("#tab-text").focus()
    page.keyboard.press("2")
    expect(page.locator("#tab-history")).to_be_focused()
    expect(page).to_have_url(f"{site.url}/editor/article?number={number}&tab=history")
    expect(page.locator("#difference del")).to_have_text("thirty")
    page.locator("#changed-2").press("Enter")
    expect(page.locator("#difference")).to_be_focused()
    expect(page.locator("#difference ins")).to_have_text("thirty")
    expect(page).to_have_url(f"{site.url}/editor/article?number={number}&tab=history&from=1&to=2")
    expect(page.locator(".revisions")).to_contain_text("Firmware 4")
    page.locator("#compare-to").press("End")
    expect(page.locator("#difference ins")).to_have_text("forty")
    page.go_back()
    expect(page.locator("#difference ins")).to_have_text("thirty")
    page.locator("#restore-1").press("Enter")
    expect(page.locator("#restore-size")).to_be_focused()
    page.locator("#restore-publish").press(" ")
    page.locator("#asking-do").press("Enter")
    told(page, "revision 4, which readers see")
    assert ask(site, "GET", f"articles/{number}")["body"].strip() == OLD.strip()
    notes = [each["note"] for each in ask(site, "GET", f"articles/{number}/revisions")["revisions"]]
    assert notes[-1] == "Text of revision 1 restored"


def test_the_last_publish_is_undone_as_one_action(visit: Visit, site: Site) -> None:
    number = written(site)
    revised(site, number)
    page = opened(visit, site, number, "history")
    page.locator("#undo-publish").press("Enter")
    told(page, "readers see revision 1 again")
    expect(page.locator("#undo-publish")).to_have_count(0)
    assert ask(site, "GET", f"articles/{number}")["editing"]["published"] == 1
    page.locator("#publish-2").press("Enter")
    expect(page.locator("#asking-do")).to_be_focused()
    page.keyboard.press("Enter")
    told(page, "Readers now see revision 2.")


def test_still_right_is_one_key_and_moves_the_end(visit: Visit, site: Site) -> None:
    number = written(site, valid_until="2099-03-01T00:00:00Z")
    page = opened(visit, site, number)
    expect(page.locator("#facts")).to_contain_text("never")
    page.locator("#tab-text").focus()
    page.keyboard.press("c")
    told(page, "still right. It now ends on")
    assert ask(site, "GET", f"articles/{number}")["editing"]["confirmed_at"]
    page.locator("#do-expiry").press("Enter")
    expect(page.locator("#set-valid_until")).to_be_focused()
    page.fill("#set-valid_until", "2098-01-02")
    page.keyboard.press("Enter")
    told(page, "Saved.")
    expect(page.locator("#facts")).to_contain_text("2 Jan 2098")
    page.locator("#tab-text").focus()
    page.keyboard.press("?")
    expect(page.locator("#keys-list")).to_contain_text("Still right")
    page.keyboard.press("Escape")
    expect(page.locator("#tab-text")).to_be_focused()


def test_who_was_slower_is_told_what_changed_and_both_changes_stay(visit: Visit, site: Site, watch: Watch) -> None:
    watch.expected = ("409",)
    number = written(site)
    page = opened(visit, site, number)
    page.locator("#do-change").press("Enter")
    expect(page.locator("#set-owner_id")).to_be_focused()
    page.locator("#asking-do").press("Enter")
    expect(page.locator("#asking-error")).to_have_text("Nothing is different yet.")
    page.fill("#set-topic", "broadband/faults")
    ask(site, "PATCH", f"articles/{number}", {"tags": ["lights"], "confidence": "validated"})
    page.locator("#asking-do").press("Enter")
    expect(page.locator("#asking-error")).to_contain_text("Confidence: Validated · Tags: lights")
    expect(page.locator("#set-tags")).to_have_value("lights")
    expect(page.locator("#set-topic")).to_have_value("broadband/faults")
    page.locator("#asking-do").press("Enter")
    told(page, "Saved.")
    found = ask(site, "GET", f"articles/{number}")
    assert (found["topic"], found["tags"], found["confidence"]) == ("broadband/faults", ["lights"], "validated")
    ask(site, "PATCH", f"articles/{number}", {"tags": []})
    page.locator("#do-confirm").press("Enter")
    told(page, "Somebody else has changed this meanwhile")


def test_an_archived_article_leads_to_its_successor_and_comes_back(visit: Visit, site: Site) -> None:
    number, other = written(site), site.library.articles["reset"].number
    page = opened(visit, site, number)
    page.locator("#do-archive").press("Enter")
    expect(page.locator("#successor")).to_be_focused()
    page.fill("#successor", "reset the hub with the pin hole")
    page.locator("#successor-find").press("Enter")
    page.locator("#asking .choice-line", has_text=other).press("Enter")
    expect(page.locator("#successor")).to_have_value(other)
    expect(page.locator("#successor")).to_be_focused()
    page.locator("#asking-do").press("Enter")
    told(page, "The article is archived.")
    expect(page.locator("#head")).to_contain_text(f"Its address leads to {other}")
    expect(page.locator("#do-archive")).to_have_count(0)
    assert ask(site, "GET", f"articles/{number}", who="Carol")["number"] == other
    page.locator("#undo").press("Enter")
    told(page, "The article is in use again.")
    found = ask(site, "GET", f"articles/{number}")
    assert (found["confidence"], found["superseded_by"]) == ("not_validated", None)


def test_who_used_it_is_shown_with_what_they_were_given(visit: Visit, site: Site) -> None:
    number = written(site)
    contact = ask(site, "POST", "interactions", {"channel": "chat"}, "Cat")["id"]
    about = {"number": number, "revision": 1, "interaction_id": contact}
    events = [about | {"kind": "inserted"}, about | {"kind": "linked", "type": "resolution"}]
    ask(site, "POST", "events", {"events": events}, "Cat")
    revised(site, number)
    page = opened(visit, site, number, "use")
    expect(page.locator("#panel")).to_contain_text("Contacts that it resolved: 1.")
    expect(page.locator(".sent li").first).to_contain_text("Cat")
    expect(page.locator(".sent li").first).to_contain_text("Chat")
    expect(page.locator(".sent li").first).to_contain_text("Given: revision 1")
    page.locator("#use-by").select_option("role")
    expect(page.locator(".figures tbody")).to_contain_text("Candidates")
    expect(page.locator("#use-by")).to_be_focused()
    expect(page).to_have_url(f"{site.url}/editor/article?number={number}&tab=use&by=role")
    page.get_by_role("link", name="See what changed since").first.press("Enter")
    expect(page.locator("#difference ins")).to_have_text("thirty")


def test_cases_translations_and_every_change_have_their_place(visit: Visit, site: Site) -> None:
    number = written(site)
    flag = {"cause": "wrong_fact", "number": number, "revision": 1, "quote": "Wait ten seconds.", "severe": True}
    case = ask(site, "POST", "flags", flag, "Cat")["case"]["id"]
    chinese = written(site, "琥珀色光环", "等待十秒。", language="zh-Hans", translation_of=number)
    revised(site, number)
    page = opened(visit, site, number, "cases")
    expect(page.locator(f'#panel a[href="/editor/case?id={case}"]')).to_have_text("Wrong or outdated")
    expect(page.locator("#panel")).to_contain_text("1 person says so")
    expect(page.locator("#head .note")).to_contain_text("A severe case about this article is open")
    page.locator("#tab-cases").press("ArrowRight")
    expect(page.locator("#tab-translations")).to_be_focused()
    expect(page.locator("#panel")).to_contain_text("1 edit behind")
    expect(page.locator(f'#panel a[href="/editor/write?number={chinese}"]')).to_be_visible()
    ask(site, "PATCH", f"articles/{number}", {"confidence": "validated"}, "Cora")
    page.locator("#tab-changes").press("Enter")
    last = page.locator(".audit > li").first
    expect(last).to_contain_text("Cora")
    expect(last.locator("del")).to_have_text("Not validated yet")
    expect(last.locator("ins")).to_have_text("Validated")
    expect(page.locator(".audit > li").last).to_contain_text("Created")
    expect(page.locator("#contributors")).to_contain_text("Ada 2 revisions")


def test_a_coach_ticks_what_the_author_then_sees(visit: Visit, site: Site) -> None:
    number = written(site, who="Cat", audience="internal")
    page = opened(visit, site, number, "checklist", "Cora")
    expect(page.locator(".checks .failed").first).to_be_visible()
    page.locator("input[name=correct][value=true]").press(" ")
    page.fill("#remark", "Which hub?")
    page.locator("#save-checklist").press("Enter")
    told(page, "Saved.")
    page = opened(visit, site, number, "checklist", "Cat")
    expect(page.locator("#panel")).to_contain_text("Which hub?")
    expect(page.locator("#panel")).to_contain_text("It is correct: Yes")
    page = opened(visit, site, number, "checklist")
    expect(page.locator("#tab-checklist")).to_be_hidden()
    expect(page.locator("#tab-text")).to_have_attribute("aria-selected", "true")


def test_only_what_the_rights_allow_is_offered(visit: Visit, site: Site, watch: Watch) -> None:
    watch.expected = ("404",)
    number = written(site)
    page = visit(path=f"/editor/article?number={number}")
    expect(page.locator("#gate")).to_contain_text("Please sign in")
    sign_in(page, site.library.keys["Cat"])
    expect(page.locator("#do-edit")).to_be_visible()
    for action in ("confirm", "change", "merge", "archive"):
        expect(page.locator(f"#do-{action}")).to_have_count(0)
    page.click("#sign-out")
    expect(page.locator("#sheet")).to_be_hidden()
    sign_in(page, site.library.keys["Carol"])
    expect(page.locator("#gate")).to_contain_text("not for you yet")
    page.click("#sign-out")
    expect(page.locator("#open-sign-in")).to_be_visible()
    page.goto("/editor/article?number=000-0000")
    sign_in(page, site.library.keys["Ada"])
    expect(page.locator("#gate")).to_contain_text("does not exist, or is not for you")
    page.goto("/editor/article")
    expect(page.locator("#gate")).to_contain_text("Which article?")
    page.locator("#query").fill("zzzz qqqq")
    page.keyboard.press("Enter")
    expect(page.locator("#picked")).not_to_be_empty()
    page.locator("#query").fill(number)
    page.keyboard.press("Enter")
    expect(page.locator("#head h2")).to_have_text("Amber ring")
    page.context.set_offline(True)
    watch.expected = ("404", "ERR_INTERNET_DISCONNECTED")
    page.locator("#tab-use").press("Enter")
    expect(page.locator("#panel")).to_contain_text("You are offline")
    page.context.set_offline(False)
    expect(page.locator("#panel")).to_contain_text("Nobody has used it in this time.")


def test_hostile_titles_and_texts_run_nothing_in_a_difference(visit: Visit, site: Site) -> None:
    title, text = "<img src=x onerror=pwn()>", "\n\n".join(each for each in ALL[::9] if ":::" not in each)
    number = written(site, "Before", "Nothing yet.", audience="internal")
    revised(site, number, text, title=title, note="<script>pwn()</script>")
    page = opened(visit, site, number, "history")
    page.evaluate("window.ran = []; window.pwn = () => { window.ran.push('pwn'); }; null")
    expect(page.locator("#difference ins").first).to_contain_text("<img src=x")
    expect(page.locator(".revisions")).to_contain_text("<script>pwn()</script>")
    page.locator("#tab-text").press("Enter")
    expect(page.locator("#panel .prose")).to_be_visible()
    assert page.evaluate("window.ran") == []
    assert page.locator("#difference img, .revisions img, #head img").count() == 0


@pytest.mark.parametrize(
    ("locale", "width", "dark"), [("en-GB", 1280, False), ("zh-CN", 390, True), ("zh-TW", 390, False)]
)
def test_it_is_for_everybody(visit: Visit, site: Site, locale: str, width: int, dark: bool) -> None:
    long = "a-very-long-word-without-any-space-that-goes-on-and-on-until-it-is-wider-than-a-phone"
    number = written(site, f"Amber ring {long}", f"{OLD}\n{long}", who="Cora", tags=[long])
    revised(site, number, f"{NEW}\n{long}\n{long}", who="Cora")
    flag = {"cause": "wrong_fact", "number": number, "revision": 2, "quote": long, "severe": True}
    ask(site, "POST", "flags", flag)
    contact = ask(site, "POST", "interactions", {"channel": "phone"})["id"]
    sent = {"kind": "viewed", "number": number, "revision": 1, "interaction_id": contact}
    ask(site, "POST", "events", {"events": [sent]})
    page = opened(visit, site, number, "history", "Cora", locale=locale, width=width, dark=dark)

    def check(state: str) -> None:
        found = Axe().run(page).response["violations"]
        said = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        assert not found, f"{state}: {json.dumps(said, ensure_ascii=False, indent=1)}"
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), state

    tabs = {
        "history": "#difference", "text": ".prose", "use": ".figures", "cases": ".cases",
        "translations": ".plain", "changes": ".audit", "checklist": ".checklist",
    }  # fmt: skip
    for tab in tabs if locale == "zh-CN" else ("history", "text", "use"):
        shows = tabs[tab]
        page.locator(f"#tab-{tab}").press("Enter")
        expect(page.locator(f"#panel {shows}")).to_be_visible()
        check(tab)
    page.locator("#do-change").press("Enter")
    expect(page.locator("#asking")).to_be_visible()
    check("dialog")
