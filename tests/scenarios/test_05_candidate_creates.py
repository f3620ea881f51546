"""KCS demo scenario 5: a Candidate solves something new, looks for duplicates, writes it down and links it."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.conftest import House


@dataclass(frozen=True, slots=True)
class Story:
    """What the customer says, what the Candidate writes, and what a colleague asks the next day."""

    language: str
    words: str
    title: str
    body: str
    again: str
    later: str


ENGLISH = Story(
    "en",
    "doorbell rings by itself at night",
    "The doorbell rings by itself",
    "## Issue\nMy doorbell rings by itself at night\n\n## Resolution\n1. Open the **battery** lid.\n2. Dry the spring.",
    "Doorbell rings by itself at night",
    "doorbell rings at night",
)
CHINESE = Story(
    "zh-Hans",
    "门铃半夜自己响",
    "门铃会自己响起",
    "## 问题\n门铃半夜自己响\n\n## 解决方法\n1. 打开**电池**盖。\n2. 擦干弹簧。",
    "門鈴半夜自己響",
    "門鈴自己響",  # typed in the other script
)


@pytest.fixture(params=[ENGLISH, CHINESE], ids=lambda story: story.language)
def story(request: pytest.FixtureRequest) -> Story:
    found: Story = request.param
    return found


def opened(house: House, who: str) -> str:
    return str(house.post("interactions", {"channel": "phone", "subject": "customer-7781"}, who).json()["id"])


def same(house: House, title: str, body: str) -> list[tuple[str, str]]:
    """What says nearly the same, and how that was seen; that a search finds something is no sign yet."""
    found = house.post("drafts/similar", {"title": title, "body": body}, "candidate").json()["found"]
    return [(each["number"], each["reason"]) for each in found if each["reason"] != "same_question"]


def created(house: House, story: Story, who: str, **more: Any) -> Any:
    sent = {
        "title": story.title, "body": story.body, "language": story.language, "audience": "internal",
        "template": "standard", "publish": True,
    }  # fmt: skip
    return house.post("articles", sent | more, who)


def test_a_candidate_writes_while_solving_and_the_next_one_finds_it(house: House, story: Story) -> None:
    house.write("Red light", "Restart the hub.")
    house.settle()
    contact = opened(house, "candidate")

    # The customer's words are searched once, and stand in the trail for whoever comes after.
    searched = house.search(story.words, "candidate", context={"interaction_id": contact})
    assert story.title not in [hit["title"] for hit in searched["hits"]]
    house.settle()
    trail = house.get(f"interactions/{contact}", "candidate").json()["trail"]
    assert [each["data"]["query"] for each in trail if each["kind"] == "searched"] == [story.words]

    # Written in the template that is offered, looked up once more before it is saved.
    outline = house.get("templates/standard/outline", "candidate", language=story.language).json()["body"]
    assert story.body.splitlines()[0] in outline.splitlines()
    assert same(house, story.title, story.body) == []
    checked = {"title": story.title, "body": story.body, "template": "standard"}
    assert house.post("drafts/check", checked, "candidate").json()["warnings"] == []
    assert created(house, story, "candidate", confidence="validated").status_code == 403, "not theirs to say"
    assert created(house, story, "candidate", audience="customer").status_code == 403, "nor for customers yet"
    article = created(house, story, "candidate").json()
    assert (article["confidence"], article["audience"]) == ("not_validated", "internal")
    assert all(mark in house.get(f"articles/{article['number']}", "candidate").json()["html"]
               for mark in ("<ol>", "<strong>"))  # fmt: skip

    # Linked to the contact it solved: in a structure, with the very revision.
    linked = {"kind": "linked", "interaction_id": contact, "number": article["number"], "revision": 1,
              "type": "resolution"}  # fmt: skip
    events = [linked, {"kind": "resolved", "interaction_id": contact}]
    assert house.post("events", {"events": events}, "candidate").json() == {"recorded": 2}
    last = house.get(f"interactions/{contact}", "candidate").json()["trail"][-2]
    assert (last["kind"], last["item"]["number"], last["revision"], last["data"]["type"]) == (
        "linked", article["number"], 1, "resolution",
    )  # fmt: skip

    # A colleague finds it, whichever script they type; who begins to write the same is shown it. Customers see nothing.
    house.settle()
    assert article["number"] in [hit["number"] for hit in house.search(story.later, "reader")["hits"]]
    assert same(house, story.again, story.body) == [(article["number"], "near_text")]
    assert story.title not in house.titles(story.later, "customer")
    assert house.get(f"articles/{article['number']}", "customer").status_code == 404

    # Reuse is review: a Publisher validates it and opens it to customers.
    state = {"confidence": "validated", "audience": "customer", "version": article["version"]}
    assert house.ask("PATCH", f"articles/{article['number']}", "publisher", json=state).status_code == 200
    house.settle()
    assert story.title in house.titles(story.later, "customer")
    changes = house.get(f"articles/{article['number']}/audit", "publisher").json()["changes"]
    assert {"confidence", "audience"} <= {name for each in changes for name in each["after"]}
