"""The dictionary over HTTP: who may change it, what it does to searches, what it would do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kb.audience import Audience
from kb.search.dictionary import Dictionary
from kb.solve import dictionary as managing
from tests.api.conftest import House, opened

NBN = {"terms": ["NBN"], "means": ["national broadband network"], "audience": "public"}


@pytest.fixture(scope="module")
def library(sqlite_template: Path) -> Iterator[House]:
    """Articles that are written once; each test leaves the dictionary empty."""
    with opened(sqlite_template) as house:
        house.write("The national broadband network is down", "Wait until broadband is back.")
        house.write("Paying a bill", "Use the app.")
        house.write("光纤盒亮红灯", "重启光纤盒。")
        house.write("Quokka procedure", "For staff.", audience=Audience.INTERNAL)
        house.settle()
        yield house


@pytest.fixture
def desk(library: House) -> Iterator[House]:
    yield library
    for each in library.get("dictionary", "admin", limit=200).json()["entries"]:
        library.ask("DELETE", f"dictionary/{each['id']}", "admin", params={"changed_at": each["changed_at"]})


def add(house: House, who: str = "publisher", **fields: Any) -> dict[str, Any]:
    response = house.post("dictionary", NBN | fields, who)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def test_an_entry_acts_on_the_next_search_and_says_so(desk: House) -> None:
    before = desk.search("nbn")
    entry = add(desk)
    after = desk.search("nbn")
    assert before["expanded"] == []
    assert after["expanded"] == [{"term": "NBN", "also": ["national broadband network"]}]
    assert after["hits"][0]["title"] == "The national broadband network is down"
    assert after["hits"][0]["passage"]["highlights"] == ["broadband"]
    assert desk.get("suggest", q="nbn is").json()["suggestions"][0]["title"] == "The national broadband network is down"
    assert desk.search('"nbn"')["expanded"] == []
    assert desk.get(f"dictionary/{entry['id']}", "publisher").json() == entry


def test_titles_are_found_by_other_words_while_the_index_is_away(desk: House, monkeypatch: pytest.MonkeyPatch) -> None:
    add(desk)
    monkeypatch.setattr(desk.service.live, "get", desk.service.live.__class__().get)
    found = desk.search("nbn")
    assert found["degraded"] == ["index"]
    assert [hit["title"] for hit in found["hits"]] == ["The national broadband network is down"]
    assert found["expanded"]


def test_only_those_who_tune_see_and_change_it(desk: House) -> None:
    entry = add(desk)
    for who in ("", "customer", "reader", "contributor"):
        asks = [
            desk.get("dictionary", who),
            desk.get("dictionary/export", who),
            desk.get(f"dictionary/{entry['id']}", who),
            desk.post("dictionary", NBN | {"terms": ["other"]}, who),
            desk.post("dictionary/import", {"csv": "terms\na|b\n"}, who),
            desk.post("dictionary/preview", NBN, who),
            desk.ask("PUT", f"dictionary/{entry['id']}", who, json=NBN | {"changed_at": entry["changed_at"]}),
            desk.ask("DELETE", f"dictionary/{entry['id']}", who, params={"changed_at": entry["changed_at"]}),
        ]
        assert {each.status_code for each in asks} == {403}, who
    assert desk.get("dictionary", "publisher").json()["total"] == 1


def test_an_internal_entry_does_nothing_for_a_customer_and_is_not_there_for_a_partner_who_tunes(desk: House) -> None:
    plain = [desk.search("nbn outage", who) for who in ("", "customer", "partner_author")]
    entry = add(desk, audience="internal")
    for who, before in zip(("", "customer", "partner_author"), plain, strict=True):
        after = desk.search("nbn outage", who)
        assert (after["hits"], after["expanded"]) == (before["hits"], [])
        assert desk.get("suggest", who, q="nbn").json() == {"suggestions": []}
    assert desk.search("nbn outage", "reader")["expanded"]
    assert desk.get("dictionary", "partner_author").json() == {"entries": [], "total": 0, "next": None}
    assert desk.get(f"dictionary/{entry['id']}", "partner_author").status_code == 404
    assert desk.post("dictionary/preview", NBN | {"id": entry["id"]}, "partner_author").status_code == 404
    assert (
        desk.post("dictionary", NBN | {"audience": "internal"}, "partner_author").json()["error"]["field"] == "audience"
    )
    assert "NBN" not in desk.get("dictionary/export", "partner_author").text
    # Nor does it stand in the way of the same entry for others.
    assert add(desk, "partner_author", audience="partner")["audience"] == "partner"


def test_nobody_overwrites_what_they_have_not_read(desk: House) -> None:
    entry = add(desk)
    path, read = f"dictionary/{entry['id']}", entry["changed_at"]
    changed = desk.ask("PUT", path, "publisher", json=NBN | {"active": False, "changed_at": read})
    assert changed.status_code == 200
    assert desk.ask("PUT", path, "admin", json=NBN | {"note": "mine", "changed_at": read}).status_code == 409
    assert desk.ask("DELETE", path, "admin", params={"changed_at": read}).status_code == 409
    assert desk.search("nbn")["expanded"] == []  # switched off
    assert desk.ask("DELETE", path, "admin", params={"changed_at": changed.json()["changed_at"]}).status_code == 204
    assert desk.get(path, "admin").status_code == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"terms": []}, "terms"),
        ({"terms": ["NBN"], "means": []}, "terms"),
        ({"terms": ["it"]}, "terms.0"),
        ({"terms": ["NBN", "nbn"]}, "terms.1"),
        ({"terms": ["Wi-Fi", "wifi"]}, "terms.1"),
        ({"terms": ["光猫", "光貓"]}, "terms.1"),
        ({"terms": ["NBN"], "means": ["nbn"]}, "means"),
        ({"terms": ["a|b"]}, "terms.0"),
        ({"terms": ["???"]}, "terms.0"),
        ({"terms": ["x" * 101]}, "terms.0"),
        ({"terms": [f"word{n}" for n in range(21)]}, "terms"),
        ({"note": "x" * 501}, "note"),
        ({"audience": "everybody"}, "audience"),
    ],
)
def test_what_cannot_be_an_entry_is_refused_where_it_is_wrong(desk: House, fields: dict[str, Any], field: str) -> None:
    response = desk.post("dictionary", NBN | fields, "publisher")
    assert (response.status_code, response.json()["error"]["field"]) == (422, field), response.text


def test_the_same_entry_twice_is_a_conflict(desk: House) -> None:
    add(desk)
    assert desk.post("dictionary", NBN | {"terms": ["nbn"]}, "admin").status_code == 409
    assert desk.post("dictionary", NBN | {"audience": "internal"}, "admin").status_code == 201


def test_entries_are_listed_page_by_page_and_searched_in_either_script(desk: House) -> None:
    for n in range(3):
        add(desk, terms=[f"acronym{n}"], note="from the shop" if n else "")
    add(desk, terms=["光貓", "ONT"], means=[])
    first = desk.get("dictionary", "publisher", limit=3).json()
    rest = desk.get("dictionary", "publisher", limit=3, after=first["next"]).json()
    assert (first["total"], len(first["entries"]), len(rest["entries"]), rest["next"]) == (4, 3, 1, None)
    assert [each["terms"][0] for each in first["entries"]] == ["光貓", "acronym2", "acronym1"]
    assert desk.get("dictionary", "publisher", q="光猫").json()["total"] == 1
    assert desk.get("dictionary", "publisher", q="SHOP").json()["total"] == 2
    assert desk.get("dictionary", "publisher", active=False).json()["total"] == 0
    assert desk.get("dictionary", "publisher", after="gone").status_code == 422


def test_what_is_exported_can_be_imported(desk: House) -> None:
    add(desk, note="=SUM(A1)")
    add(desk, terms=["光猫", "ONT"], means=[], active=False)
    file = desk.get("dictionary/export", "publisher")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert "'=SUM(A1)" in file.text
    again = desk.post("dictionary/import", {"csv": file.text}, "publisher").json()
    assert again == {"created": 0, "changed": 0, "unchanged": 2}
    more = file.text.replace(",no,", ",yes,") + "VoIP,voice over ip,internal,yes,\r\n"
    tried = desk.post("dictionary/import", {"csv": more, "dry_run": True}, "publisher").json()
    assert tried == {"created": 1, "changed": 1, "unchanged": 1}
    assert desk.get("dictionary", "publisher").json()["total"] == 2
    assert desk.post("dictionary/import", {"csv": more}, "publisher").json() == tried
    assert desk.get("dictionary", "publisher", active=True).json()["total"] == 3


@pytest.mark.parametrize(
    ("csv", "line"),
    [("terms,means\nNBN,network\nit,thing\n", 3), ("words\nx\n", 1), ("terms\nx|y,z\n", 2), ('terms\n"x', 1), ("", 1)],
)
def test_an_import_is_all_or_none_and_names_the_line(desk: House, csv: str, line: int) -> None:
    response = desk.post("dictionary/import", {"csv": csv}, "publisher")
    assert response.status_code == 422
    assert f"(line {line})" in response.json()["error"]["message"]
    assert desk.get("dictionary", "publisher").json()["total"] == 0


def test_a_preview_shows_what_would_change_and_changes_nothing(desk: House) -> None:
    desk.search("nbn bill", "customer")
    desk.search("paying a bill")
    desk.search("nbn bill secret", "reader")
    desk.settle()
    before = desk.search("nbn bill", "customer")["hits"]
    desk.settle()
    seen = desk.post("dictionary/preview", NBN, "publisher").json()
    assert seen["searches"] >= 3
    assert {each["query"] for each in seen["differences"]} <= {"nbn bill", "nbn bill secret", "nbn", "nbn outage"}
    [one] = [each for each in seen["differences"] if each["query"] == "nbn bill"]
    assert one["tier"] == "customer"
    assert one["hits"][0]["title"] == "The national broadband network is down"
    assert one["hits"][0]["after"] == 1
    assert seen["played"] == seen["touched"]
    assert desk.search("nbn bill", "customer")["hits"] == before
    # A partner is shown neither what staff asked nor what only staff may read.
    asked = {each["query"] for each in desk.post("dictionary/preview", NBN, "partner_author").json()["differences"]}
    assert "nbn bill secret" not in asked
    assert desk.get("dictionary", "publisher").json()["total"] == 0


def test_a_preview_of_a_change_compares_with_what_is_saved(desk: House) -> None:
    desk.search("nbn bill")
    desk.settle()
    entry = add(desk)
    same = desk.post("dictionary/preview", NBN | {"id": entry["id"]}, "publisher").json()
    off = desk.post("dictionary/preview", NBN | {"id": entry["id"], "active": False}, "publisher").json()
    assert (same["touched"], same["differences"]) == (0, [])
    assert off["touched"] > 0


def test_another_process_hears_of_every_change(desk: House) -> None:
    elsewhere = Dictionary()
    managing.follow(desk.service.db, elsewhere)
    assert not managing.follow(desk.service.db, elsewhere)
    entry = add(desk)
    assert managing.follow(desk.service.db, elsewhere)
    desk.ask("DELETE", f"dictionary/{entry['id']}", "admin", params={"changed_at": entry["changed_at"]})
    assert managing.follow(desk.service.db, elsewhere)
