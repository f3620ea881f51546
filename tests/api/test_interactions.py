from typing import Any

import pytest

from kb.audience import Audience
from tests.api.conftest import House


def opened(house: House, who: str = "candidate", **fields: Any) -> str:
    response = house.post("interactions", {"channel": "phone"} | fields, who)
    assert response.status_code == 200, response.text
    interaction_id: str = response.json()["id"]
    return interaction_id


def record(house: House, who: str, *events: dict[str, Any]) -> Any:
    return house.post("events", {"events": list(events)}, who)


def test_the_trail_tells_what_happened_from_search_to_resolution(house: House) -> None:
    article = house.write("Red light", "Restart the hub.")
    house.settle()
    contact = opened(house, product="hub-6", language="en", subject="customer-1")
    found = house.search("red light", "candidate", context={"interaction_id": contact})
    house.service.search_log.flush()
    seen = {"interaction_id": contact, "number": article.number, "revision": 1, "ordinal": 0}
    seen |= {"search_id": found["search_id"], "position": 1}
    steps = [
        seen | {"kind": "viewed"},
        seen | {"kind": "inserted"},
        seen | {"kind": "linked", "type": "resolution"},
        {"kind": "resolved", "interaction_id": contact},
    ]
    recorded = record(house, "candidate", *steps)
    assert (recorded.status_code, recorded.json()) == (201, {"recorded": 4})
    interaction = house.get(f"interactions/{contact}", "candidate").json()
    assert (interaction["product"], interaction["language"], interaction["opened_by"]) == (
        "hub-6", "en", house.ids["candidate"],
    )  # fmt: skip
    trail = interaction["trail"]
    assert [step["kind"] for step in trail] == ["searched", "viewed", "inserted", "linked", "resolved"]
    assert trail[0]["data"]["query"] == "red light"
    assert trail[1]["item"] == {
        "kind": "article", "id": article.id, "number": article.number, "title": "Red light",
    }  # fmt: skip
    assert (trail[1]["search_id"], trail[1]["position"], trail[1]["revision"]) == (found["search_id"], 1, 1)
    assert (trail[3]["data"], trail[4]["item"]) == ({"type": "resolution"}, None)


def test_a_link_can_be_taken_back(house: House) -> None:
    article = house.write("Red light", "Restart the hub.")
    house.settle()
    contact = opened(house)
    link = {"interaction_id": contact, "number": article.number, "revision": 1}
    record(house, "candidate", link | {"kind": "linked", "type": "resolution"})
    assert house.search("red light")["hits"][0]["resolved_count"] == 1
    record(house, "candidate", link | {"kind": "unlinked"})
    assert house.search("red light")["hits"][0]["resolved_count"] == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "searched"}, "events.0.kind"),
        ({"kind": "shouted"}, "events.0.kind"),
        ({"revision": None}, "events.0.item"),
        ({"revision": 2}, "events.0.revision"),
        ({"position": 0}, "events.0.position"),
        ({"item_kind": "article"}, "events.0.number"),
        ({"number": None, "item_id": "x"}, "events.0.item_id"),
        ({"number": None}, "events.0.item"),
        ({"type": "resolution"}, "events.0.type"),
        ({"kind": "linked"}, "events.0.type"),
        ({"kind": "resolved", "interaction_id": None}, "events.0.interaction_id"),
        ({"mood": "good"}, "events.0.mood"),
    ],
)
def test_an_event_that_makes_no_sense_is_refused_by_name(shared: House, changes: dict[str, Any], field: str) -> None:
    event = {"kind": "viewed", "interaction_id": opened(shared), "number": shared.write().number, "revision": 1}
    assert record(shared, "candidate", event).status_code == 201
    response = record(shared, "candidate", event | changes)
    assert (response.status_code, response.json()["error"]["field"]) == (422, field), response.text


def test_of_several_events_all_are_written_or_none(shared: House) -> None:
    contact, number = opened(shared), shared.write().number
    good = {"kind": "viewed", "interaction_id": contact, "number": number, "revision": 1}
    assert record(shared, "candidate", good, good | {"revision": 9}).status_code == 422
    assert shared.get(f"interactions/{contact}", "candidate").json()["trail"] == []
    assert record(shared, "candidate", good, good).status_code == 201
    assert len(shared.get(f"interactions/{contact}", "candidate").json()["trail"]) == 2


@pytest.mark.parametrize("count", [0, 101])
def test_one_to_a_hundred_events_go_at_once(shared: House, count: int) -> None:
    event = {"kind": "viewed", "number": shared.write().number, "revision": 1}
    assert record(shared, "", *[event] * 100).status_code == 201
    assert record(shared, "", *[event] * count).status_code == 422


def test_what_resolved_a_contact_is_for_staff_to_say(shared: House) -> None:
    contact, number = opened(shared, "customer"), shared.write().number
    event = {"kind": "viewed", "interaction_id": contact, "number": number, "revision": 1}
    assert record(shared, "customer", event).status_code == 201
    link = event | {"kind": "linked", "type": "resolution"}
    assert record(shared, "customer", link).status_code == 403
    assert record(shared, "candidate", link).status_code == 201


def test_an_interaction_is_for_who_opened_it_and_for_staff(shared: House) -> None:
    contact = opened(shared, "customer")
    statuses = {who: shared.get(f"interactions/{contact}", who).status_code for who in ("customer", "candidate")}
    others = {who: shared.get(f"interactions/{contact}", who).status_code for who in ("", "partner", "reader")}
    assert statuses == {"customer": 200, "candidate": 200}
    assert others == {"": 404, "partner": 404, "reader": 404}
    told = {"kind": "resolved", "interaction_id": contact}
    assert record(shared, "customer", told).status_code == 201
    assert record(shared, "partner", told).status_code == 404
    search = {"query": "red", "context": {"interaction_id": contact}}
    assert shared.post("search", search, "customer").status_code == 200
    assert shared.post("search", search, "partner").status_code == 404


def test_a_customer_does_not_read_what_the_agent_looked_at(shared: House) -> None:
    contact = opened(shared, "customer")
    secret = shared.write("Fraud signs", "Watch for this.", audience=Audience.INTERNAL)
    seen = {"kind": "viewed", "interaction_id": contact, "number": secret.number, "revision": 1}
    assert record(shared, "candidate", seen).status_code == 201
    assert record(shared, "customer", seen | {"number": shared.write().number}).status_code == 201
    assert len(shared.get(f"interactions/{contact}", "candidate").json()["trail"]) == 2
    mine = shared.get(f"interactions/{contact}", "customer")
    assert [step["person_id"] for step in mine.json()["trail"]] == [shared.ids["customer"]]
    assert secret.id not in mine.text


def test_an_event_about_what_somebody_may_not_read_is_not_in_their_trail(shared: House) -> None:
    contact = opened(shared)
    fraud = shared.write("Fraud team only", "Text.", groups=frozenset({"fraud-team"}))
    seen = {"kind": "viewed", "interaction_id": contact, "number": fraud.number, "revision": 1}
    assert record(shared, "publisher", seen).status_code == 201
    shared.settle()
    assert shared.titles("fraud team only", "publisher", context={"interaction_id": contact})
    shared.settle()
    whole, part = (shared.get(f"interactions/{contact}", who).json()["trail"] for who in ("publisher", "candidate"))
    assert [step["kind"] for step in whole] == ["viewed", "searched"]
    assert whole[0]["item"]["title"] == "Fraud team only"
    assert fraud.id in [item_id for _, item_id, *_ in whole[1]["data"]["shown"]]
    assert [step["kind"] for step in part] == ["searched"]
    assert fraud.id not in str(part)


def test_which_passages_a_colleague_saw_is_for_who_may_read_them_all(shared: House) -> None:
    contact = opened(shared)
    article = shared.write("Penguin", "Swims.\n\n::: internal\nBites.\n:::")
    shared.settle()
    shared.search("penguin bites", "publisher", context={"interaction_id": contact})
    seen = {"kind": "viewed", "interaction_id": contact, "number": article.number, "revision": 1, "ordinal": 1}
    assert record(shared, "publisher", seen).status_code == 201
    shared.settle()
    inside, partner = (
        {step["kind"]: step for step in shared.get(f"interactions/{contact}", who).json()["trail"]}
        for who in ("candidate", "partner_author")
    )
    assert (inside["viewed"]["ordinal"], partner["viewed"]["ordinal"]) == (1, None)
    assert ("shown" in inside["searched"]["data"], "shown" in partner["searched"]["data"]) == (True, False)


def test_the_host_desktop_may_open_the_same_contact_twice(shared: House) -> None:
    first = opened(shared, external_id="call-1", product="hub-6")
    assert opened(shared, external_id="call-1", product="hub-6") == first
    other = shared.post("interactions", {"channel": "chat", "external_id": "call-1"}, "candidate")
    assert other.status_code == 409
    assert shared.post("interactions", {"channel": "phone", "external_id": "call-1"}, "customer").status_code == 403


def test_an_interaction_may_continue_another_and_says_why(shared: House) -> None:
    first = opened(shared, "customer")
    second = opened(shared, "candidate", continues=first, continuation="handoff")
    found = shared.get(f"interactions/{second}", "candidate").json()
    assert (found["continues"], found["continuation"]) == (first, "handoff")
    without = shared.post("interactions", {"channel": "chat", "continues": first}, "candidate")
    assert (without.status_code, without.json()["error"]["field"]) == (422, "continuation")
    foreign = {"channel": "chat", "continues": first, "continuation": "came_back"}
    assert shared.post("interactions", foreign, "customer").status_code == 200
    assert shared.post("interactions", foreign, "partner").status_code == 404
