"""Every secret text holds a canary, every route is asked, and no canary comes out to the public or a customer.

Routes are taken from the application: a new one is asked as its OpenAPI description says, and a page outside of the
description as its path says, with every name there is for what stands in braces. Whoever adds a kind of secret adds it
to `house` below.
"""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Route

from kb import clock
from kb.article import Confidence
from kb.audience import Audience
from kb.dictionary import Meaning
from kb.interaction import Channel
from kb.person import SYSTEM, Role
from kb.product import Product
from kb.solve import dictionary, improve, trail
from kb.solve.access import add_person
from kb.store import people, topics
from kb.topic import Topic
from tests.api.conftest import House, opened

CANARY = "canary"
WHO = ["", "customer"]


def told(what: str) -> str:
    """A secret that says where it was kept, in a text that a search finds."""
    return f"zebra {CANARY}-{what}-7f3"


@pytest.fixture(scope="module")
def named() -> dict[str, list[str]]:
    """What requests can name: numbers and ids of what is secret and of what is not."""
    return {"numbers": [], "ids": []}


@pytest.fixture(scope="module")
def house(sqlite_template: Path, named: dict[str, list[str]]) -> Iterator[House]:
    with opened(sqlite_template) as house:
        fill(house, named)
        house.settle()
        yield house


def fill(house: House, named: dict[str, list[str]]) -> None:
    """Something for everybody, and secrets of every kind."""
    spy, key = add_person(house.service.db, SYSTEM, told("person"), Audience.INTERNAL, roles=[Role.PUBLISHER],
                          groups=[told("group")], label=told("key"))  # fmt: skip
    house.keys["spy"] = key
    with house.service.db.read() as tx:
        spy = people.get(tx, spy.id)
    hidden: dict[str, dict[str, Any]] = {
        "internal": {"audience": Audience.INTERNAL},
        "partner": {"audience": Audience.PARTNER},
        "group": {"groups": frozenset({told("group")})},
        "draft": {"publish": False},
        "archived": {"confidence": Confidence.ARCHIVED},
        "scheduled": {"valid_from": clock.now() + timedelta(days=1)},
        "expired": {"valid_until": clock.now() - timedelta(days=1)},
    }
    for name, fields in hidden.items():
        place = {"topic": f"{CANARY}/{name}", "products": (told(name),), "tags": (told(name),), "note": told("note")}
        each = house.write(told(f"{name}-title"), told(f"{name}-body"), **place | fields)
        named["numbers"].append(each.number)
        named["ids"].append(each.id)
    sections = "\n\n".join(f"::: {to}\n# {told('heading')}\n{told('section')}\n\n[x]: https://{CANARY}.example\n:::"
                           for to in (Audience.PARTNER, Audience.INTERNAL))  # fmt: skip
    shared = house.write("Zebra", f"The zebra eats.\n\n{sections}\n\nSee [x].", superseded_by=named["ids"][0],
                         translation_of=named["ids"][2], owner_id=spy.id, topic="animals")  # fmt: skip
    improve.revise(house.service.db, spy, shared.id, told("draft"), told("draft"), note=told("note"))
    revised = house.write(told("before"), told("before"), audience=Audience.INTERNAL)
    improve.revise(house.service.db, SYSTEM, revised.id, "Zebra again", "Eats.", note=told("note"), publish=True)
    improve.set_state(house.service.db, SYSTEM, revised.id, {"audience": Audience.PUBLIC})
    post = house.write_post(told("post"), told("post"), author=told("author"), url=f"https://{CANARY}.example")
    with house.service.db.write() as tx:
        topics.save_topic(tx, Topic(f"{CANARY}/internal", {"en": told("topic")}))
        topics.save_product(tx, Product(told("internal"), told("product"), (told("model"),), told("description")))
    contact = trail.open_interaction(house.service.db, spy, Channel.PHONE, external_id=told("external"),
                                     subject=told("subject"), product=told("product"))  # fmt: skip
    house.settle()
    house.search(told("query"), "spy", context={"interaction_id": contact.id})
    for audience in (Audience.PARTNER, Audience.INTERNAL):
        word = dictionary.create(
            house.service.db, spy, Meaning(("zebra",), (told("word"),), audience, note=told("note"))
        )
        named["ids"].append(word.id)
    dictionary.follow(house.service.db, house.service.dictionary)
    named["numbers"] += [shared.number, revised.number]
    named["ids"] += [shared.id, revised.id, post.id, contact.id, spy.id]


def test_the_secrets_are_there_to_be_found(house: House) -> None:
    found = {hit["title"] for hit in house.search("zebra", "spy", limit=50)["hits"]}
    assert told("group-title") in found
    assert CANARY in house.get("articles", "spy", limit=100).text


@pytest.mark.parametrize("who", WHO)
def test_no_canary_comes_out_of_any_route(house: House, named: dict[str, list[str]], who: str) -> None:
    asked = set()
    for method, path, request in requests(house, named):
        response = house.ask(method, path, who, **request)
        sung = f"{response.headers}{response.text}"
        # A number or an id that was asked for may come back; a canary was never sent.
        assert CANARY not in sung.lower(), f"{method} {path} {request}: {sung[:2000]}"
        asked.add(path)
    assert len(asked) > 60


@pytest.mark.parametrize("who", WHO)
def test_no_canary_comes_out_while_the_index_is_away(house: House, who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.service.live, "get", house.service.live.__class__().get)
    found = house.search("zebra", who, limit=50)
    assert found["degraded"] == ["index"]
    assert {hit["title"] for hit in found["hits"]} == {"Zebra", "Zebra again"}
    assert CANARY not in str(found)


def requests(house: House, named: dict[str, list[str]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation of the description, every other route, and questions that secrets would answer."""
    app: Any = house.client.app
    described = app.openapi()["paths"]
    for path, methods in described.items():
        for method, operation in methods.items():
            for filled, query in itertools.product(_paths(path, named), _queries(operation)):
                yield method.upper(), filled, {"params": query} | _body(operation)
    for route in _routes(app.routes):
        if route.path not in described:
            for filled, method in itertools.product(_paths(route.path, named), sorted(route.methods or {"GET"})):
                yield method, filled, {"follow_redirects": False}
    yield from _questions(named)


def _questions(named: dict[str, list[str]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for text in ("zebra", "zeb", "eats", "See", *named["numbers"]):
        yield "POST", "/api/v1/search", {"json": {"query": text, "limit": 50}}
        yield "GET", "/api/v1/suggest", {"params": {"q": text, "limit": 20}}
    for item in named["ids"]:
        event = {"kind": "viewed", "item_kind": "article", "item_id": item, "revision": 1}
        yield "POST", "/api/v1/events", {"json": {"events": [event]}}


def _routes(routes: list[BaseRoute]) -> Iterator[Route | APIRoute]:
    """All routes with a path, also those of routers that were included."""
    for route in routes:
        inner = getattr(getattr(route, "original_router", route), "routes", None)
        if inner:
            yield from _routes(inner)
        elif isinstance(route, Route | APIRoute):
            yield route


def _paths(path: str, named: dict[str, list[str]]) -> list[str]:
    """A path with every combination of names in its braces."""
    filled = [path]
    while any("{" in each for each in filled):
        filled = [each.replace("{" + slot + "}", value, 1)
                  for each in filled for slot in [each.partition("{")[2].partition("}")[0]]
                  for value in _values(slot, named)]  # fmt: skip
    return filled


def _values(slot: str, named: dict[str, list[str]]) -> list[str]:
    if slot == "revision":
        return ["1", "2"]
    return named["numbers"] if slot == "number" else [*named["ids"], named["numbers"][0]]


def _queries(operation: dict[str, Any]) -> list[dict[str, str]]:
    """No parameters but those needed, and each of the others with something to find."""
    given = {each["name"]: each for each in operation.get("parameters", ()) if each["in"] == "query"}
    known = {"q": "zebra", "from": "1", "to": "2", "limit": "20", "topic": "animals"}
    needed = {name: known.get(name, "1") for name, each in given.items() if each.get("required")}
    return [needed, *({**needed, name: known[name]} for name in given if name in known and name not in needed)]


def _body(operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return {}
    return (
        {"json": content["application/json"].get("example", {})} if "application/json" in content else {"content": b"?"}
    )
