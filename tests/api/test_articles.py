from typing import Any

import pytest

from kb.audience import Audience
from kb.person import SYSTEM
from kb.solve import improve
from tests.api.conftest import House

NEW = {
    "title": "Red light", "body": "Restart the hub.\n\n::: internal\nCode 4711.\n:::", "language": "en",
    "audience": "public", "topic": "broadband/faults", "products": ["hub-6"], "tags": ["lights"],
}  # fmt: skip


def created(house: House, who: str = "publisher", **fields: Any) -> dict[str, Any]:
    response = house.post("articles", NEW | {"publish": True} | fields, who)
    assert response.status_code == 201, response.text
    article: dict[str, Any] = response.json()
    return article


def test_an_article_is_created_with_its_address_and_version(shared: House) -> None:
    response = shared.post("articles", NEW | {"publish": True, "confidence": "validated"}, "publisher")
    article = response.json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"/api/v1/articles/{article['number']}"
    assert response.headers["ETag"] == '"1"'
    assert (article["live"], article["confidence"], article["topic"]) == (True, "validated", "broadband/faults")
    assert shared.get(response.headers["Location"]).json()["title"] == "Red light"


@pytest.mark.parametrize(
    ("who", "fields", "status"),
    [
        ("candidate", {}, 201),
        ("", {}, 403),
        ("customer", {}, 403),
        ("reader", {}, 403),
        ("candidate", {"confidence": "validated"}, 403),
        ("contributor", {"confidence": "validated"}, 201),
        ("contributor", {"publish": True}, 403),
        ("publisher", {"publish": True}, 201),
        ("contributor", {"publish": True, "audience": "internal"}, 201),
        ("contributor", {"governance": "compliance"}, 403),
        ("publisher", {"governance": "compliance"}, 201),
        ("contributor", {"groups": ["fraud-team"]}, 403),
        ("publisher", {"groups": ["fraud-team"]}, 201),
        ("partner_author", {"audience": "internal"}, 403),
        ("partner_author", {"audience": "partner"}, 201),
    ],
)
def test_who_may_write_what(shared: House, who: str, fields: dict[str, Any], status: int) -> None:
    assert shared.post("articles", NEW | fields, who).status_code == status


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"audience": None}, "audience"),
        ({"title": "   "}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"body": "::: internal\nnever closed"}, "body"),
        ({"body": "::: everybody\nx\n:::"}, "body"),
        ({"language": "fr"}, "language"),
        ({"topic": "Not A Path"}, "topic"),
        ({"owner_id": "nobody"}, "owner_id"),
        ({"superseded_by": "000-0000"}, "superseded_by"),
        ({"valid_from": "2026-01-01T00:00:00"}, "valid_from"),
        ({"valid_from": "2026-02-01T00:00:00Z", "valid_until": "2026-01-01T00:00:00Z"}, "valid_until"),
        ({"colour": "red"}, "colour"),
        ({"number": "482-9175"}, "number"),
    ],
)
def test_what_cannot_be_accepted_is_refused_by_name(shared: House, fields: dict[str, Any], field: str) -> None:
    assert shared.post("articles", NEW, "publisher").status_code == 201
    response = shared.post("articles", NEW | fields, "publisher")
    assert (response.status_code, response.json()["error"]["field"]) == (422, field), response.text


def test_an_article_without_an_audience_is_refused_not_made_public(shared: House) -> None:
    response = shared.post("articles", {key: NEW[key] for key in NEW if key != "audience"}, "publisher")
    assert (response.status_code, response.json()["error"]["field"]) == (422, "audience")


def test_readers_get_the_text_trimmed_and_staff_what_to_edit(shared: House) -> None:
    number = created(shared)["number"]
    public = shared.get(f"articles/{number}").json()
    inside = shared.get(f"articles/{number}", "reader").json()
    source = shared.get(f"articles/{number}/revisions/1", "candidate").json()
    trimmed = shared.get(f"articles/{number}/revisions/1", "partner_author").json()
    assert "4711" not in public["body"] + public["html"]
    assert "4711" in inside["body"]
    assert ":::" not in public["body"] + inside["body"] + inside["html"]
    assert source["body"] == NEW["body"]
    assert "4711" not in trimmed["body"] + trimmed["html"]


def test_who_cannot_see_all_of_a_text_edits_their_part_of_it(shared: House) -> None:
    number = created(shared)["number"]
    source = shared.get(f"articles/{number}/revisions/1", "partner_author").json()
    assert "4711" not in source["body"]
    text = {"title": "Red light", "body": source["body"] + "\n\nCall us.", "version": 1}
    assert shared.post(f"articles/{number}/revisions", text, "partner_author").status_code == 201
    mine, whole = (
        shared.get(f"articles/{number}/revisions/2", who).json()["body"] for who in ("partner_author", "candidate")
    )
    assert mine == text["body"]
    assert "4711" in whole
    assert "Call us." in whole


def test_readers_get_an_entity_tag_of_what_they_see_and_no_version(house: House) -> None:
    made = house.write("Red light", "Restart.")

    def tag(who: str) -> tuple[str, object]:
        response = house.get(f"articles/{made.number}", who)
        return response.headers["ETag"], response.json()["version"]

    before = tag("customer")
    assert (before[1], tag("candidate")) == (None, ('"1"', 1))
    improve.revise(house.service.db, SYSTEM, made.id, "Red light", "A draft.")
    assert (tag("customer"), tag("candidate")) == (before, ('"2"', 2))
    improve.publish(house.service.db, SYSTEM, made.id, 2)
    assert tag("customer") != before


def test_only_writers_learn_who_exists(house: House) -> None:
    made = house.write("Red light", "Restart.")
    for owner in (house.ids["publisher"], "0" * 32):
        refused = house.ask("PATCH", f"articles/{made.number}", "customer", json={"owner_id": owner})
        assert refused.status_code == 403


def test_a_revision_is_a_draft_until_it_is_published(house: House) -> None:
    number = created(house)["number"]
    text = {"title": "Red light", "body": "Call us.", "note": "they moved", "version": 1}
    revised = house.post(f"articles/{number}/revisions", text, "publisher")
    assert (revised.status_code, revised.headers["ETag"]) == (201, '"2"')
    assert (revised.json()["editing"]["latest"], revised.json()["editing"]["published"]) == (2, 1)
    assert "Restart" in house.get(f"articles/{number}").json()["body"]
    published = house.post(f"articles/{number}/publish", {"revision": 2, "version": 2}, "publisher")
    assert published.status_code == 200
    assert house.get(f"articles/{number}").json()["body"] == "Call us."
    undone = house.post(f"articles/{number}/publish", {"revision": 1}, "publisher")
    assert (undone.status_code, house.get(f"articles/{number}").json()["revision"]) == (200, 1)


def test_two_people_who_edit_the_same_version_do_not_overwrite_each_other(shared: House) -> None:
    number = created(shared)["number"]
    text = {"title": "Red light", "body": "Call us.", "publish": True}
    tag = shared.get(f"articles/{number}", "publisher").headers["ETag"]
    path = f"articles/{number}/revisions"
    first = shared.post(path, text, "publisher", headers={"If-Match": tag})
    second = shared.post(path, text, "publisher", headers={"If-Match": tag})
    assert (first.status_code, second.status_code) == (201, 409)
    assert second.json()["error"]["code"] == "conflict"
    again = shared.post(path, text, "publisher", headers={"If-Match": first.headers["ETag"]})
    assert again.status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/publish", {"revision": 1}),
        ("POST", "/archive", {}),
        ("PATCH", "", {"tags": ["x"]}),
        ("POST", "/revisions", {"title": "T", "body": "B"}),
    ],
)
def test_a_stale_version_is_a_conflict_wherever_it_is_said(
    shared: House, method: str, path: str, body: dict[str, Any]
) -> None:
    number = created(shared)["number"]
    shared.ask("PATCH", f"articles/{number}", "publisher", json={"tags": ["new"]})

    def attempt(sent: dict[str, Any], tag: str = "") -> int:
        headers = {"If-Match": tag} if tag else {}
        status: int = shared.ask(
            method, f"articles/{number}{path}", "publisher", json=body | sent, headers=headers
        ).status_code
        return status

    assert attempt({"version": 1}) == attempt({}, '"1"') == 409
    assert attempt({"version": 2}, '"1"') == attempt({}, '"abc"') == 422
    assert attempt({"version": 2}) in (200, 201)


def test_a_revision_has_to_say_what_it_was_made_from(shared: House) -> None:
    number = created(shared)["number"]
    response = shared.post(f"articles/{number}/revisions", {"title": "T", "body": "B"}, "publisher")
    assert (response.status_code, response.json()["error"]["field"]) == (422, "version")


def test_state_changes_are_just_what_was_sent(shared: House) -> None:
    article = created(shared)
    assert article.pop("warnings") == []
    sent = {"confidence": "validated", "groups": ["fraud-team"], "owner_id": shared.ids["candidate"]}
    changed = shared.ask("PATCH", f"articles/{article['number']}", "publisher", json=sent).json()
    expected = article["editing"] | {"groups": ["fraud-team"], "owner_id": shared.ids["candidate"]}
    expected["modified_at"] = changed["editing"]["modified_at"]
    assert changed == article | {"confidence": "validated", "version": 2, "editing": expected}


@pytest.mark.parametrize("sent", [{}, {"version": 1}, {"audience": None}, {"title": "T"}, {"confidence": "sure"}])
def test_a_state_change_of_nothing_or_of_something_else_is_refused(shared: House, sent: dict[str, Any]) -> None:
    number = created(shared)["number"]
    assert shared.ask("PATCH", f"articles/{number}", "publisher", json={"tags": []}).status_code == 200
    assert shared.ask("PATCH", f"articles/{number}", "publisher", json=sent).status_code == 422


def test_an_archived_article_points_to_its_successor(house: House) -> None:
    old, new = created(house)["number"], created(house)["number"]
    archived = house.post(f"articles/{old}/archive", {"superseded_by": new}, "publisher").json()
    assert (archived["confidence"], archived["live"], archived["superseded_by"]) == ("archived", False, new)
    found = house.get(f"articles/{old}").json()
    assert (found["number"], found["moved_to"]) == (new, new), "readers are given what took its place"
    found = house.get(f"articles/{old}", "candidate").json()
    assert (found["number"], found["moved_to"]) == (old, new)
    back = house.ask("PATCH", f"articles/{old}", "publisher", json={"confidence": "validated", "superseded_by": None})
    assert (back.json()["live"], back.json()["superseded_by"]) == (True, None)


def test_a_number_is_understood_as_people_say_it(shared: House) -> None:
    number = created(shared)["number"]
    for spoken in (number.replace("-", ""), f"KB {number}", f"kb%20{number.replace('-', '%20')}"):
        assert shared.get(f"articles/{spoken}").json()["number"] == number
    swapped = number[1] + number[0] + number[2:] if number[0] != number[1] else "999-9999"
    assert shared.get(f"articles/{swapped}").status_code == 404


def test_lists_come_in_pages_that_miss_nothing_and_repeat_nothing(house: House) -> None:
    numbers = sorted(house.write(f"Article {n}", "Text.").number for n in range(7))
    house.write("Hidden", "Text.", audience=Audience.INTERNAL)
    seen: list[str] = []
    after = ""
    while True:
        page = house.get("articles", limit=3, after=after).json()
        seen += [each["number"] for each in page["articles"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert seen == numbers


def test_lists_are_narrowed_by_state(house: House) -> None:
    created(house, title="One", confidence="validated", topic="broadband/faults")
    created(house, title="Two", audience="internal", topic="broadband")
    created(house, title="Three", language="zh-Hant", topic="broadband-new", governance="compliance")
    created(house, title="Four", publish=False, topic="tv")

    def titles(**query: Any) -> set[str]:
        return {each["title"] for each in house.get("articles", "publisher", **query).json()["articles"]}

    assert titles() == {"One", "Two", "Three", "Four"}
    assert titles(confidence="validated") == {"One"}
    assert titles(audience=["internal", "partner"]) == {"Two"}
    assert titles(language="zh-Hant") == titles(governance="compliance") == {"Three"}
    assert titles(topic="broadband") == {"One", "Two"}
    assert titles(published="false") == {"Four"}
    assert titles(published="true", confidence=["not_validated"], topic="broadband") == {"Two"}


@pytest.mark.parametrize("field", ["superseded_by", "translation_of"])
def test_an_article_does_not_lead_to_itself(shared: House, field: str) -> None:
    one, other = created(shared)["number"], created(shared)["number"]
    assert shared.ask("PATCH", f"articles/{one}", "publisher", json={field: other}).json()[field] == other
    response = shared.ask("PATCH", f"articles/{one}", "publisher", json={field: one})
    assert (response.status_code, response.json()["error"]["field"]) == (422, field)
