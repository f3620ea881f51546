"""Saying what is wrong, and whether it helped, on the page where it is read: by keyboard alone, as everybody."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from kb.audience import Audience
from kb.person import SYSTEM, Role, Scope
from kb.solve import certainty
from kb.solve.access import add_person, issue_key
from tests.web.acting import searched, sign_in
from tests.web.conftest import Site, Watch

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]

STEP = "Wait until the ring is blue."


@pytest.fixture(scope="module")
def people(site: Site) -> dict[str, str]:
    """Keys of two agents, of an editor, and of one who may read and do nothing else."""
    db, roles = site.service.db, {"Ana": Role.CANDIDATE, "Ben": Role.CANDIDATE, "Eve": Role.PUBLISHER}
    keys = {name: add_person(db, SYSTEM, name, Audience.INTERNAL, roles={role})[1] for name, role in roles.items()}
    rex, _ = add_person(db, SYSTEM, "Rex", Audience.INTERNAL, roles={Role.CANDIDATE})
    return keys | {"Rex": issue_key(db, SYSTEM, rex.id, "reads", scopes=frozenset({Scope.READ}))}


@pytest.fixture(autouse=True)
def nothing_to_do(site: Site, people: dict[str, str]) -> Iterator[None]:
    """No case is left open for another test."""
    yield
    for each in cases(site, people["Eve"], state=["open", "in_progress"]):
        answer = asked(site, people["Eve"], "POST", f"cases/{each['id']}/decline", json={"reason": "only a test"})
        assert answer.status_code == 200


def asked(site: Site, key: str, method: str, path: str, **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.request(method, f"{site.url}/api/v1/{path}", headers=headers, **more)


def cases(site: Site, key: str, **where: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = asked(site, key, "GET", "cases", params=where).json()["cases"]
    return found


def case(site: Site, key: str) -> dict[str, Any]:
    (found,) = cases(site, key, state=["open"])
    read: dict[str, Any] = asked(site, key, "GET", f"cases/{found['id']}").json()
    return read


def at_work(visit: Visit, site: Site, key: str, **how: Any) -> Page:
    """Somebody of staff who has searched and stands at the answer about the steady red light."""
    page = visit(**how)
    sign_in(page, key)
    searched(page, "red light")
    hit_of(page, site).focus()
    return page


def hit_of(page: Page, site: Site, name: str = "red") -> Locator:
    return page.locator(f'[data-number="{site.library.articles[name].number}"]')


def select(page: Page, text: str) -> None:
    """Select a text where it stands, as with the mouse."""
    page.evaluate(
        """text => {
          const shown = document.querySelector("main section:not([hidden])");
          const walker = document.createTreeWalker(shown, NodeFilter.SHOW_TEXT);
          for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const at = node.data.indexOf(text);
            if (at >= 0) return getSelection().setBaseAndExtent(node, at, node, at + text.length);
          }
          throw new Error(`${text} is not on the page`);
        }""",
        text,
    )


def test_three_keys_flag_the_hit_that_has_the_focus_and_leave_it_there(
    visit: Visit, site: Site, people: dict[str, str]
) -> None:
    page = at_work(visit, site, people["Ana"])
    page.keyboard.press("f")
    expect(page.get_by_role("dialog")).to_contain_text("Hub 6 shows a steady red light")
    expect(page.get_by_role("radio").first).to_be_focused()
    page.keyboard.press("2")
    expect(page.get_by_label("What is right?")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(hit_of(page, site)).to_be_focused()
    told = page.locator(".hit .flagged")
    expect(told).to_contain_text("Flagged. You are the first. Due ")
    expect(page.locator("#status")).to_contain_text("Flagged.")
    found = case(site, people["Ana"])
    assert told.get_by_role("link").get_attribute("href") == f"/editor/case?id={found['id']}"
    (flag,) = found["flags"]
    assert (found["cause"], found["item_id"], found["revision"]) == ("wrong_fact", site.library.articles["red"].id, 1)
    assert (flag["query"], flag["ordinal"], flag["severe"]) == ("red light", 0, False)
    assert flag["search_id"]


def test_the_selected_words_are_the_quote_and_a_second_agent_folds_into_the_case(
    visit: Visit, site: Site, people: dict[str, str]
) -> None:
    for name, words, note in (("Ana", "ring is blue", ""), ("Ben", STEP, "It is white since firmware 4")):
        page = at_work(visit, site, people[name])
        select(page, words)
        page.keyboard.press("f")
        expect(page.get_by_role("dialog").locator("blockquote")).to_have_text(words)
        page.keyboard.press("2")
        expect(page.locator("#flag-note")).to_be_focused()
        page.keyboard.insert_text(note)
        page.keyboard.press("Enter")
        expect(page.locator(".flagged")).to_be_visible()
    expect(page.locator(".flagged")).to_contain_text("1 other said so too.")
    found = case(site, people["Eve"])
    assert (found["count"], found["quote"]) == (2, STEP)
    assert [each["note"] for each in found["flags"]] == ["", "It is white since firmware 4"]


def test_the_open_article_is_flagged_by_the_same_key_in_the_interaction_that_the_address_names(
    visit: Visit, site: Site, people: dict[str, str]
) -> None:
    contact = asked(site, people["Ana"], "POST", "interactions", json={"channel": "phone"}).json()["id"]
    page = visit(f"interaction={contact}")
    sign_in(page, people["Ana"])
    searched(page, "red light")
    hit_of(page, site).press("Enter")
    expect(page.locator("#article-title")).to_be_focused()
    number = site.library.articles["red"].number
    expect(page.get_by_role("link", name="Edit", exact=True)).to_have_attribute(
        "href", f"/editor/write?number={number}"
    )
    own_page = page.get_by_role("link", name="History and use")
    expect(own_page).to_have_attribute("href", f"/editor/article?number={number}")
    select(page, STEP)
    page.keyboard.press("f")
    expect(page.get_by_role("dialog").locator("blockquote")).to_have_text(STEP)
    page.keyboard.press("5")
    expect(page.get_by_label("The better way, in a line")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Say in a line what is better.")).to_be_visible()
    expect(page.locator("#flag-note")).to_be_focused()
    page.keyboard.insert_text("Hold the pin instead")
    page.keyboard.press("Enter")
    expect(page.locator("#article .flagged")).to_be_visible()
    expect(page.locator("#article-title")).to_be_focused()
    (flag,) = case(site, people["Ana"])["flags"]
    assert (flag["quote"], flag["query"], flag["note"]) == (STEP, "red light", "Hold the pin instead")
    assert flag["interaction_id"] == contact


def test_a_severe_case_warns_staff_wherever_the_item_appears_and_nobody_else(
    visit: Visit, site: Site, people: dict[str, str]
) -> None:
    page = at_work(visit, site, people["Ana"])
    page.keyboard.press("f")
    page.keyboard.press("2")
    page.locator("#flag-severe").press("Space")
    page.locator("#flag-severe").press("Enter")
    expect(page.locator(".flagged")).to_be_visible()
    found = case(site, people["Ana"])
    assert found["severity"] == "severe"
    page.reload()
    warning = page.locator(".hit .open-case")
    expect(warning).to_contain_text("Do not pass this on unchecked.")
    expect(warning).to_contain_text("A fact is wrong or outdated")
    expect(warning.get_by_role("link")).to_have_attribute("href", f"/editor/case?id={found['id']}")
    hit_of(page, site).press("Enter")
    expect(page.locator("#article .open-case")).to_be_visible()
    page.fill("#query", "hub 6 shows")
    expect(page.get_by_role("option", name="severe case open")).to_be_visible()
    public = visit("q=red light")
    expect(hit_of(public, site)).to_be_visible()
    expect(public.locator(".open-case")).to_have_count(0)


def test_n_says_that_nothing_answers_and_needs_no_article(visit: Visit, site: Site, people: dict[str, str]) -> None:
    page = visit("q=may I keep my number abroad&kind=product")
    sign_in(page, people["Ana"])
    expect(page.locator(".state .nothing-answers")).to_be_visible()
    page.locator(".nothing-answers").focus()
    page.keyboard.press("n")
    expect(page.get_by_role("dialog")).to_contain_text("“may I keep my number abroad”")
    expect(page.locator("#flag-note")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".state .flagged")).to_contain_text("Flagged.")
    expect(page.locator(".nothing-answers")).to_be_focused()
    (gap,) = asked(site, people["Eve"], "GET", "gaps").json()["cases"]
    assert (gap["title"], gap["item_id"]) == ("may I keep my number abroad", None)


def test_the_keys_lead_through_the_hits_and_are_told(visit: Visit, site: Site, people: dict[str, str]) -> None:
    page = visit("q=red light")
    sign_in(page, people["Ana"])
    links = page.locator(".hit h3 a")
    expect(page.locator(".hit .flag").first).to_be_visible()
    page.locator("#clear").focus()
    page.keyboard.press("f")
    expect(page.locator("#notice")).to_contain_text("Which one?")
    page.keyboard.press("j")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Flag the hit that has the focus")
    page.keyboard.press("Escape")
    expect(links.nth(0)).to_be_focused()
    page.locator("#query").focus()
    page.keyboard.insert_text("fn?")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_flag_that_cannot_be_sent_keeps_what_was_written(
    visit: Visit, site: Site, people: dict[str, str], watch: Watch
) -> None:
    watch.expected = ("ERR_FAILED",)
    page = at_work(visit, site, people["Ana"])
    page.route("**/api/v1/flags", lambda route: route.abort())
    page.keyboard.press("f")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Choose what is wrong")).to_be_visible()
    page.keyboard.press("3")
    expect(page.locator("#flag-note")).to_be_focused()
    page.keyboard.insert_text("Nobody finds the green plug")
    page.keyboard.press("Enter")
    expect(page.locator("#flag-error")).not_to_be_empty()
    expect(page.locator("#flag-note")).to_have_value("Nobody finds the green plug")
    page.unroute("**/api/v1/flags")
    page.keyboard.press("Enter")
    expect(page.locator(".flagged")).to_be_visible()


def test_who_may_not_flag_sees_nothing_of_it(visit: Visit, site: Site, people: dict[str, str]) -> None:
    page = at_work(visit, site, people["Rex"])
    expect(page.locator(".why").first).to_be_visible()
    page.keyboard.press("f")
    page.keyboard.press("n")
    expect(page.locator(".flag, .foot")).to_have_count(0)
    hit_of(page, site).press("Enter")
    expect(page.get_by_role("link", name="History and use")).to_be_visible()
    expect(page.get_by_role("link", name="Edit", exact=True)).to_have_count(0)
    expect(page.locator(".flag, dialog[open]")).to_have_count(0)


def test_what_a_customer_missed_is_read_in_the_case_that_many_make(
    visit: Visit, site: Site, people: dict[str, str], watch: Watch
) -> None:
    article = site.library.articles["reset"]
    no = {"kind": "not_helpful", "number": article.number, "revision": 1}
    for _ in range(site.service.case_rules.not_helpful - 1):
        contact = asked(site, "", "POST", "interactions", json={"channel": "self_help"}).json()["id"]
        assert asked(site, "", "POST", "events", json={"events": [no | {"interaction_id": contact}]}).status_code == 201
    page = visit(path=f"/?article={article.number}")
    expect(page.locator("#article-title")).to_be_visible()
    assert not [url for url in watch.asked if url.endswith(("/rating.js", "/desk.js", "/flagging.js", "/desk.css"))]
    page.locator(".helped").get_by_role("button", name="No").press("Enter")
    expect(page.get_by_label("What was missing?")).to_be_focused()
    page.keyboard.insert_text("Where is the pin hole?")
    page.keyboard.press("Enter")
    expect(page.locator(".helped")).to_contain_text("Thank you")
    page.get_by_role("button", name="Search again").press("Enter")
    expect(page.locator("#query")).to_be_focused()
    found = case(site, people["Eve"])
    assert (found["cause"], found["count"]) == ("not_helpful", site.service.case_rules.not_helpful)
    assert [each["text"] for each in found["ratings"]["comments"]] == ["Where is the pin hole?"]


def test_a_yes_is_thanked_for_once_and_counts(
    visit: Visit, site: Site, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.expected = ("ERR_FAILED",)
    monkeypatch.setattr(certainty, "judge", lambda evidence, *_: (0.97, evidence is not None))
    page = visit("q=路由器紅燈怎麼辦", locale="zh-CN", width=390)
    card = page.locator(".answer .helped")
    page.route("**/api/v1/events", lambda route: route.abort())
    card.get_by_role("button", name="有帮助", exact=True).press("Enter")
    expect(card.get_by_role("alert")).to_have_text("反馈未能提交，请重试。")
    page.unroute("**/api/v1/events")
    card.get_by_role("button", name="有帮助", exact=True).press("Enter")
    expect(card).to_have_text("感谢您的反馈。")
    expect(card.locator("p")).to_be_focused()
    page.locator(".answer").get_by_role("button", name="打开文章").press("Enter")
    expect(page.locator("#article .helped")).to_have_text("感谢您的反馈。")


@pytest.mark.parametrize(
    ("locale", "width", "dark", "query"),
    [("en-GB", 390, True, "red light"), ("zh-CN", 1280, False, "路由器红灯"), ("zh-TW", 390, False, "數據機紅燈")],
)
def test_it_is_for_everybody(
    visit: Visit, site: Site, people: dict[str, str], locale: str, width: int, dark: bool, query: str
) -> None:
    page = visit(f"q={query}", locale=locale, width=width, dark=dark)

    def check(state: str, part: str = "main") -> None:
        found = Axe().run(page, context=part).response["violations"]
        told = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        assert not found, f"{state}: {json.dumps(told, ensure_ascii=False, indent=1)}"
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), state

    page.locator(".hit [data-number]").first.press("Enter")
    page.locator("#article .helped button").last.press("Enter")
    expect(page.locator("#missing")).to_be_focused()
    check("what was missing", "#article")
    sign_in(page, people["Ana"])
    expect(page.locator("#article .desk")).to_be_visible()
    check("article", "#article")
    page.locator("#article .back").press("Enter")
    page.locator(".hit [data-number]").first.focus()
    page.keyboard.press("f")
    page.keyboard.press("4")
    expect(page.locator("#flag-note")).to_be_focused()
    check("flag", "dialog[open]")
    page.keyboard.press("Enter")
    expect(page.locator(".flagged")).to_be_visible()
    check("flagged")
    page.keyboard.press("n")
    expect(page.get_by_role("dialog")).to_be_visible()
    check("gap", "dialog[open]")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    check("keys", "dialog[open]")
    page.reload()
    expect(page.locator(".hit .open-case").first).to_be_visible()
    check("severe")
