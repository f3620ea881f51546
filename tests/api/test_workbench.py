"""The workbench over HTTP: what it answers, and to whom."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kb.article import Article
from kb.audience import Audience
from kb.interaction import EventKind
from kb.store import interactions
from tests.api.conftest import House, opened
from tests.api.test_errors import problem

COACH = "publisher"


@pytest.fixture(scope="module")
def articles() -> dict[str, Article]:
    return {}


@pytest.fixture(scope="module")
def house(sqlite_template: Path, articles: dict[str, Article]) -> Iterator[House]:
    with opened(sqlite_template) as house:
        articles["red"] = house.write("Red light", "Restart the hub.\n\n::: internal\nBeacon.\n:::")
        articles["blue"] = house.write("Blue light", "All is well. " * 60)
        articles["staff"] = house.write("Staff light", "Beacon again.", audience=Audience.INTERNAL)
        articles["fraud"] = house.write("Fraud light", "Look.", groups=frozenset({"fraud-team"}))
        house.write_post("Light", "Mine is red.", audience=Audience.PUBLIC)
        house.settle()
        yield house


def ask(house: House, path: str, body: object = None, who: str = COACH, method: str = "") -> Any:
    method = method or ("POST" if body is not None else "GET")
    return house.ask(method, f"workbench/{path}", who, json=body)


def good(response: Any) -> Any:
    assert response.status_code < 300, response.text
    return response.json() if response.content else None


def made(house: House, name: str) -> str:
    return str(good(ask(house, "sets", {"name": name}))["id"])


def test_only_those_who_tune_may_use_it_and_sets_are_for_internal_staff(house: House) -> None:
    described = house.get("/api/v1/openapi.json").json()["paths"]
    for path, methods in described.items():
        if "/workbench/" in path:
            for method, operation in methods.items():
                content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
                for who in ("", "customer", "reader", "candidate", "contributor"):
                    response = house.ask(method.upper(), path.format(set_id="x"), who, json=content.get("example"))
                    assert (response.status_code, problem(response)["code"]) == (403, "not_allowed"), (who, path)
    assert good(ask(house, "settings", who="partner_author"))["audiences"] == ["public", "customer", "partner"]
    assert problem(ask(house, "sets", who="partner_author"))["code"] == "not_allowed"


def test_a_search_is_explained_leg_by_leg_and_is_the_one_that_people_get(house: House) -> None:
    found = good(ask(house, "explain", {"query": "red light", "context": {"language": "en"}}))
    hits = house.search("red light", COACH, context={"language": "en"})["hits"]
    shown = [row for row in found["rows"] if row["place"]]
    assert [row["item"]["title"] for row in shown] == [hit["title"] for hit in hits]
    assert [row["why"] for row in shown] == [hit["why"] for hit in hits]
    assert found["asked"] == ["lexical", "dense"]
    assert 0 < found["weight"] < 1
    assert {row["place"] for row in found["legs"]["lexical"]} == set(range(1, len(found["legs"]["lexical"]) + 1))
    blue = next(row for row in shown if row["item"]["title"] == "Blue light")
    assert len(blue["passage"]["text"]) < 400
    assert blue["passage"]["text"].endswith(" …")


def test_as_an_audience_one_sees_what_it_sees(house: House) -> None:
    public = good(ask(house, "explain", {"query": "beacon light", "audience": "public"}))
    text = str(public)
    assert "Red light" in text
    assert "Beacon" not in text
    assert "Fraud" not in text
    assert "Fraud light" in str(good(ask(house, "explain", {"query": "fraud light"})))
    team = {"query": "fraud light", "audience": "internal", "groups": ["fraud-team"]}
    assert "Fraud light" in str(good(ask(house, "explain", team)))
    refused = ask(house, "explain", {"query": "light", "audience": "internal"}, "partner_author")
    assert problem(refused)["code"] == "not_allowed"
    other = ask(house, "explain", {"query": "light", "audience": "internal", "groups": ["vault"]})
    assert problem(other)["message"] == problem(refused)["message"]


def test_why_an_article_is_not_found_is_told_in_findings(house: House, articles: dict[str, Article]) -> None:
    body = {"query": "beacon", "audience": "public", "number": articles["staff"].number}
    found = good(ask(house, "explain", body))
    assert found["about"]["title"] == "Staff light"
    assert found["findings"] == [
        {"name": "audience", "verdict": "stop", "values": {"needs": "internal", "has": "public"}}
    ]
    hidden = good(ask(house, "explain", body, "partner_author"))
    nothing = good(ask(house, "explain", body | {"number": "482-9175"}, "partner_author"))
    same = ("about", "findings")
    assert {key: hidden[key] for key in same} == {key: nothing[key] for key in same}
    post = good(ask(house, "explain", {"query": "mine", "item": {"kind": "post", "id": "p1"}}))
    assert post["findings"][-1]["name"] == "shown"
    both = ask(house, "explain", body | {"item": {"kind": "post", "id": "p1"}})
    assert problem(both)["field"] == "item"


def test_hits_are_judged_in_place_and_taken_back(house: House, articles: dict[str, Article]) -> None:
    set_id = made(house, "In place")
    item = {"kind": "article", "id": articles["red"].id}
    judgement = {"query": "red light", "audience": "public", "item": item, "grade": 3}
    good(ask(house, f"sets/{set_id}/judgements", judgement, method="PUT"))
    asked = {"query": "Red  light", "audience": "public", "set_id": set_id}
    rows = good(ask(house, "explain", asked))["rows"]
    assert {row["item"]["title"]: row["grade"] for row in rows} == {"Red light": 3, "Blue light": None, "Light": None}
    read = good(ask(house, f"sets/{set_id}"))
    assert [(each["text"], each["audience"]) for each in read["queries"]] == [("red light", "public")]
    assert read["queries"][0]["judgements"][0]["item"]["number"] == articles["red"].number
    good(ask(house, f"sets/{set_id}/judgements", judgement | {"grade": None}, method="PUT"))
    assert good(ask(house, f"sets/{set_id}"))["queries"] == []


def test_a_set_is_renamed_filled_from_a_table_and_deleted(house: House, articles: dict[str, Article]) -> None:
    set_id = made(house, "First")
    assert problem(ask(house, "sets", {"name": " First "}))["code"] == "conflict"
    assert good(ask(house, f"sets/{set_id}", {"name": "Second"}, method="PUT")) == {"name": "Second"}
    tsv = f"red\t{articles['red'].number}\t3\tpublic\nmine\tpost/p1\t2\n"
    assert good(ask(house, "sets/table", {"name": "Second", "tsv": tsv})) == {
        "id": set_id, "name": "Second", "judgements": 2,
    }  # fmt: skip
    refused = ask(house, "sets/table", {"name": "Third", "tsv": f"{tsv}light\t{articles['fraud'].number}\n"})
    assert problem(refused)["field"] == "tsv"
    assert "(line 3)" in problem(refused)["message"]
    assert [each["name"] for each in good(ask(house, "sets"))["sets"] if each["queries"] == 2] == ["Second"]
    good(ask(house, f"sets/{set_id}", method="DELETE"))
    assert ask(house, f"sets/{set_id}").status_code == 404


def test_two_settings_are_compared_and_the_difference_weighed(house: House, articles: dict[str, Article]) -> None:
    set_id = made(house, "Compared")
    for text, name in (("red light", "red"), ("all is well", "blue")):
        body = {"query": text, "audience": "public", "item": {"kind": "article", "id": articles[name].id}, "grade": 2}
        good(ask(house, f"sets/{set_id}/judgements", body, method="PUT"))
    words = {"weights": {"base": 0, "slope": 0, "least": 0, "most": 0, "exact": 0}, "priors": {"age": 0}}
    found = good(ask(house, "compare", {"set_id": set_id, "a": {}, "b": words}))
    assert (found["next"], found["total"]) == (None, 2)
    assert [each["b"]["ndcg"] for each in found["queries"]] == [1.0, 1.0]
    pairs = {side: [each[side]["ndcg"] for each in found["queries"]] for side in "ab"}
    difference = good(ask(house, "significance", pairs))
    assert difference["wins"] + difference["losses"] + difference["ties"] == 2
    assert problem(ask(house, "significance", {"a": [1], "b": [1, 0]}))["field"] == "b"
    unknown = ask(house, "compare", {"set_id": set_id, "a": {"priors": {"moon": 1}}, "b": {}})
    assert problem(unknown)["field"] == "priors"
    house.settle()
    with house.service.db.read() as tx:
        assert "all is well" not in {each.data["query"] for each in interactions.recent(tx, EventKind.SEARCHED)}


def test_the_settings_that_can_be_tried_are_named(house: House) -> None:
    found = good(ask(house, "settings"))
    assert found["groups"] == ["fraud-team"]
    assert "confidence" in found["priors"]
    assert found["weights"].keys() == {"base", "slope", "least", "most", "exact"}
