"""KCS demo scenario 4: with a customer on the line an agent flags what is wrong; an editor fixes it, the agent says
that it is right now. Who may fix it fixes it at once. By keyboard alone, in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.scenarios.conftest import asked
from tests.web.acting import searched, sign_in
from tests.web.conftest import Site, Watch

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]
State = Callable[[Page, str], None]

WRONG, RIGHT = "Wait until the ring is blue.", "Wait until the ring is white."


def at_the_article(page: Page, site: Site) -> None:
    searched(page, "red light")
    page.locator(f'[data-number="{site.library.articles["red"].number}"]').press("Enter")
    expect(page.locator("#article-title")).to_be_focused()


def selected(page: Page, text: str) -> None:
    page.evaluate(
        """text => {
          const walker = document.createTreeWalker(document.querySelector("#article"), NodeFilter.SHOW_TEXT);
          for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const at = node.data.indexOf(text);
            if (at >= 0) return getSelection().setBaseAndExtent(node, at, node, at + text.length);
          }
          throw new Error(`${text} is not on the page`);
        }""",
        text,
    )


def rewritten(page: Page, old: str, new: str) -> None:
    """Change a sentence in the editor where it stands, and publish."""
    body = page.locator("#body")
    body.focus()
    at = body.input_value().index(old)
    body.evaluate("(field, [from, to]) => field.setSelectionRange(from, to)", [at, at + len(old)])
    page.keyboard.insert_text(new)
    expect(page.locator("#how")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#ask")).to_be_visible()
    expect(page.get_by_role("button", name="Publish", exact=True)).to_be_focused()


def test_a_flag_leads_to_a_fix_that_the_agent_accepts(visit: Visit, site: Site, watch: Watch, state: State) -> None:
    number = site.library.articles["red"].number
    contact = asked(site, "Cindy", "POST", "interactions", {"channel": "phone", "subject": "customer-7781"})["id"]

    # The agent searches while the customer talks, reads, and knows better.
    agent = visit(f"interaction={contact}")
    sign_in(agent, site.library.keys["Cindy"])
    at_the_article(agent, site)
    state(agent, "1 the agent reads")
    selected(agent, WRONG)
    agent.keyboard.press("f")
    expect(agent.get_by_role("dialog").locator("blockquote")).to_have_text(WRONG)
    agent.keyboard.press("2")
    expect(agent.locator("#flag-note")).to_be_focused()
    agent.keyboard.insert_text("It is white since firmware 4")
    state(agent, "2 the agent flags")
    agent.keyboard.press("Enter")
    expect(agent.locator(".flagged")).to_contain_text("Flagged.")
    linked = {"kind": "linked", "interaction_id": contact, "number": number, "revision": 1, "type": "resolution"}
    asked(site, "Cindy", "POST", "events", {"events": [linked, {"kind": "resolved", "interaction_id": contact}]})

    # The editor opens the queue, the case, and writes the fix.
    editor = visit(path="/editor")
    sign_in(editor, site.library.keys["Pia"])
    line = editor.locator(".line").filter(has_text=WRONG)
    expect(line).to_be_visible()
    state(editor, "3 the queue")
    line.locator(".goes").press("Enter")
    expect(editor.locator("#flags")).to_contain_text("It is white since firmware 4")
    state(editor, "4 the case")
    editor.keyboard.press("w")
    expect(editor.locator("#desk")).to_be_visible()
    expect(editor.locator("#body")).not_to_have_value("")
    rewritten(editor, WRONG, RIGHT)
    state(editor, "5 the fix")
    editor.keyboard.press("Enter")
    expect(editor.locator("#done")).to_contain_text("Published")
    state(editor, "6 published")

    # The flagged query finds the new text, and the case shows the proof.
    case = asked(site, "Pia", "GET", "cases", number=number)["cases"][0]
    assert case["state"] == "fixed"
    editor.goto(f"/editor/case?id={case['id']}")
    expect(editor.locator("#proof ins").first).to_be_visible()
    expect(editor.locator("#proof")).to_contain_text("red light", timeout=30_000)
    state(editor, "7 the proof")

    # The agent is told what changed, in words, and accepts with one key.
    agent.goto("/notifications")
    told = agent.locator(".told.unread").first
    expect(told.locator("ins")).to_contain_text("white")
    expect(told.locator("del")).to_contain_text("blue")
    state(agent, "8 the agent is told")
    told.focus()
    agent.keyboard.press("y")
    expect(agent.locator("#status")).not_to_be_empty()
    expect(agent.locator(".told.unread")).to_have_count(0)
    closed = asked(site, "Pia", "GET", f"cases/{case['id']}")
    assert (closed["state"], closed["count"]) == ("closed", 1)
    assert closed["turn_around_s"] > 0
    [flag] = closed["flags"]
    assert (flag["interaction_id"], flag["query"]) == (contact, "red light")
    agent.goto("/#q=red light")
    expect(agent.locator(".hit").filter(has_text="steady red light")).to_contain_text("the ring is white")


def test_who_may_fix_it_fixes_it_at_once(visit: Visit, site: Site, state: State) -> None:
    sent = {
        "title": "Booking an engineer", "language": "en", "audience": "internal", "publish": True, "body":
        "## Issue\n\nAn engineer has to come.\n\n## Resolution\n\n1. Book a visit in Beacon within two days.",
    }  # fmt: skip
    number = asked(site, "Connor", "POST", "articles", sent)["number"]
    page = visit()
    sign_in(page, site.library.keys["Connor"])
    page.goto(f"/#article={number}")
    expect(page.locator("#article-title")).to_be_visible()
    page.get_by_role("link", name="Edit", exact=True).press("Enter")
    expect(page.locator("#desk")).to_be_visible()
    expect(page.locator("#body")).not_to_have_value("")
    rewritten(page, "two days", "three days")
    page.keyboard.press("Enter")
    expect(page.locator("#done")).to_contain_text("Published")
    state(page, "fixed at once")
    assert "three days" in asked(site, "Cindy", "GET", f"articles/{number}")["body"]
    changes = asked(site, "Pia", "GET", f"articles/{number}/revisions")["revisions"]
    assert [each["published"] for each in changes] == [False, True]
