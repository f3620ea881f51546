"""KCS demo scenario 6: an agent reports that two articles say the same, an editor merges them, and takes it back."""

from typing import Any

from kb.article import Article
from kb.audience import Audience
from tests.api.conftest import House

OLDER = "## Issue\nThe light stays red\n\n## Resolution\n1. Hold reset for ten seconds."
NEWER = "## Issue\nRed lamp after the storm\n\n## Resolution\n1. Hold reset for ten seconds.\n2. Wait a minute."
BOTH = NEWER.replace("## Issue\n", "## Issue\nThe light stays red\n\n")


def linked(house: House, article: Article) -> str:
    contact = str(house.post("interactions", {"channel": "chat"}, "candidate").json()["id"])
    event = {"kind": "linked", "interaction_id": contact, "number": article.number, "revision": 1, "type": "resolution"}
    assert house.post("events", {"events": [event]}, "candidate").json() == {"recorded": 1}
    return contact


def reported(house: House, article: Article, other: Article) -> dict[str, Any]:
    sent = {
        "cause": "duplicate", "number": article.number, "revision": 1, "note": f"says what {other.number} says",
        "query": "red light",
    }  # fmt: skip
    response = house.post("flags", sent, "candidate")
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()["case"]
    return found


def test_two_articles_become_one_and_nothing_of_either_is_lost(house: House) -> None:
    older = house.write("The hub's light is red", OLDER, audience=Audience.INTERNAL)
    newer = house.write("Red lamp on the hub", NEWER, audience=Audience.INTERNAL)
    house.settle()
    assert set(house.titles("red light", "candidate")) == {"The hub's light is red", "Red lamp on the hub"}
    contact = linked(house, newer)

    # The agent says so; the case is an editor's work.
    case = reported(house, newer, older)
    assert (case["road"], case["state"]) == ("editor", "open")
    [listed] = house.get("cases", "contributor", number=newer.number).json()["cases"]
    assert listed["id"] == case["id"]

    # The editor sees both texts side by side, and who would be surprised.
    texts = [house.get(f"articles/{each.number}/revisions/1", "contributor").json()["body"] for each in (older, newer)]
    assert texts == [OLDER, NEWER]
    [user] = house.get(f"articles/{newer.number}/users", "publisher").json()["users"]
    assert user["interaction_id"] == contact
    sent = {"other": newer.number, "title": "The hub's light is red", "body": BOTH, "version": 1, "other_version": 1}
    merged = house.post(f"articles/{older.number}/merge", sent, "contributor")
    assert merged.status_code == 200, merged.text
    assert (merged.json()["kept"]["number"], merged.json()["merged"]["confidence"]) == (older.number, "archived")
    house.settle()

    # One answer, the old address leads on, links and histories are still there.
    assert house.titles("red light", "candidate") == ["The hub's light is red"]
    assert house.get(f"articles/{newer.number}", "reader").json()["number"] == older.number
    trail = house.get(f"interactions/{contact}", "candidate").json()["trail"]
    assert [(each["kind"], each["item"]["id"]) for each in trail] == [
        ("linked", newer.id), ("unlinked", newer.id), ("linked", older.id),
    ]  # fmt: skip
    assert len(house.get(f"articles/{newer.number}/revisions", "contributor").json()["revisions"]) == 1
    assert [each["action"] for each in house.get(f"articles/{newer.number}/audit", "contributor").json()["changes"]][-1]

    # It was hasty: one action takes it back.
    version = house.get(f"articles/{newer.number}", "contributor").json()["version"]
    undone = house.post(f"articles/{newer.number}/merge/undo", {"version": version}, "contributor")
    assert undone.status_code == 200, undone.text
    house.settle()
    assert set(house.titles("red light", "candidate")) == {"The hub's light is red", "Red lamp on the hub"}
    assert house.get(f"articles/{older.number}/revisions/1", "contributor").json()["body"] == OLDER
