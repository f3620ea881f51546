"""Who sees what, on every surface: one house, the same articles, everybody asks."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from kb import clock
from kb.article import Article, Confidence
from kb.audience import Audience
from tests.api.conftest import House, opened

LIVE = {
    "": {"public"},
    "customer": {"public", "customer"},
    "partner": {"public", "customer", "partner"},
    "reader": {"public", "customer", "partner", "internal"},
    "candidate": {"public", "customer", "partner", "internal"},
    "contributor": {"public", "customer", "partner", "internal"},
    "publisher": {"public", "customer", "partner", "internal", "fraud"},
    "partner_author": {"public", "customer", "partner"},
}
"""What each person finds. Anonymous is the public; `reader` is internal without a role."""

NOT_LIVE = {"draft", "archived", "tomorrow"}
"""Public, but shown to staff alone."""

STAFF = {"candidate", "contributor", "publisher", "partner_author"}


@pytest.fixture(scope="module")
def articles() -> dict[str, Article]:
    return {}


@pytest.fixture(scope="module")
def house(sqlite_template: Path, articles: dict[str, Article]) -> Iterator[House]:
    with opened(sqlite_template) as house:
        fields: dict[str, dict[str, object]] = {
            "public": {},
            "customer": {"audience": Audience.CUSTOMER},
            "partner": {"audience": Audience.PARTNER},
            "internal": {"audience": Audience.INTERNAL},
            "fraud": {"groups": frozenset({"fraud-team"})},
            "draft": {"publish": False},
            "archived": {"confidence": Confidence.ARCHIVED},
            "tomorrow": {"valid_from": clock.now() + timedelta(days=1)},
        }
        for name, more in fields.items():
            body = f"The zebra of {name} eats grass.\n\n::: internal\nThe okapi of {name} sleeps.\n:::"
            place = {"topic": f"animals/{name}", "products": (f"feed-{name}",)}
            articles[name] = house.write(f"Zebra {name}", body, **place, **more)  # type: ignore[arg-type]
        house.settle()
        yield house


def searched(house: House, who: str, articles: dict[str, Article]) -> set[str]:
    return {title.split()[1] for title in house.titles("zebra", who, limit=50)}


def suggested(house: House, who: str, articles: dict[str, Article]) -> set[str]:
    found = house.get("suggest", who, q="zeb", limit=20).json()["suggestions"]
    return {each["title"].split()[1] for each in found}


def by_topic(house: House, who: str, articles: dict[str, Article]) -> set[str]:
    topics = {each["path"]: each["articles"] for each in house.get("topics", who).json()["topics"]}
    below = {path.split("/")[1] for path in topics if "/" in path}
    assert topics.get("animals", 0) == len(below), "the count is of what this reader finds"
    return below


def by_product(house: House, who: str, articles: dict[str, Article]) -> set[str]:
    return {each["key"].removeprefix("feed-") for each in house.get("products", who).json()["products"]}


def by_number(house: House, who: str, articles: dict[str, Article]) -> set[str]:
    return {name for name, each in articles.items() if house.titles(each.number, who)[:1] == [f"Zebra {name}"]}


@pytest.mark.parametrize("who", LIVE)
@pytest.mark.parametrize("surface", [searched, suggested, by_topic, by_product, by_number])
def test_everybody_finds_exactly_what_is_live_and_theirs(
    house: House, articles: dict[str, Article], surface: Callable[..., set[str]], who: str
) -> None:
    assert surface(house, who, articles) == LIVE[who]


def listed(house: House, who: str, articles: dict[str, Article]) -> set[str]:
    return {each["title"].split()[1] for each in house.get("articles", who, limit=200).json()["articles"]}


def listed_by_state(house: House, who: str, articles: dict[str, Article]) -> set[str]:
    pages = [house.get("articles", who, published=flag).json()["articles"] for flag in ("true", "false")]
    return {each["title"].split()[1] for page in pages for each in page}


def read(house: House, who: str, articles: dict[str, Article]) -> set[str]:
    return {name for name, each in articles.items() if house.get(f"articles/{each.number}", who).status_code == 200}


def reported(house: House, who: str, articles: dict[str, Article]) -> set[str]:
    def report(article: Article) -> int:
        item = {"item_kind": "article", "item_id": article.id, "revision": 1}
        status: int = house.post("events", {"events": [{"kind": "viewed", **item}]}, who).status_code
        return status

    return {name for name, each in articles.items() if report(each) == 201}


@pytest.mark.parametrize("who", LIVE)
@pytest.mark.parametrize("surface", [listed, listed_by_state, read, reported])
def test_staff_also_see_what_is_not_live_and_nobody_else_does(
    house: House, articles: dict[str, Article], surface: Callable[..., set[str]], who: str
) -> None:
    assert surface(house, who, articles) == LIVE[who] | (NOT_LIVE if who in STAFF else set())


@pytest.mark.parametrize("path", ["revisions", "revisions/1", "diff?from=1&to=1", "audit"])
@pytest.mark.parametrize("who", LIVE)
def test_history_is_for_staff_and_of_what_they_may_read(
    house: House, articles: dict[str, Article], who: str, path: str
) -> None:
    for name, article in articles.items():
        status = house.get(f"articles/{article.number}/{path}", who).status_code
        if name not in LIVE[who] | (NOT_LIVE if who in STAFF else set()):
            assert status == 404, name
        else:
            assert status == (200 if who in STAFF else 403), name


@pytest.mark.parametrize("who", LIVE)
def test_narrowed_blocks_reach_only_those_they_are_for(house: House, articles: dict[str, Article], who: str) -> None:
    inside = who in {"reader", "candidate", "contributor", "publisher"}
    assert ("okapi" in house.get(f"articles/{articles['public'].number}", who).text) == inside
    hits = house.search("okapi of public", who)["hits"]
    assert any("okapi" in hit["passage"]["text"] for hit in hits) == inside
    if who in STAFF:
        for path in ("revisions/1", "diff?from=1&to=1"):
            assert ("okapi" in house.get(f"articles/{articles['public'].number}/{path}", who).text) == inside


@pytest.mark.parametrize("hidden", ["internal", "fraud", "draft", "archived", "tomorrow"])
def test_what_is_hidden_looks_exactly_like_what_does_not_exist(
    house: House, articles: dict[str, Article], hidden: str
) -> None:
    number, missing = articles[hidden].number, "000-0000"
    item = {"item_kind": "article", "revision": 1}

    def replies(number: str, item_id: str) -> list[tuple[int, bytes]]:
        known = {"X-Request-ID": "same"}
        asked = [house.ask("GET", f"articles/{number}{path}", "customer", headers=known) for path in ("", "/revisions")]
        told = {"events": [{"kind": "viewed", **item, "item_id": item_id}]}
        asked += [
            house.post("events", told, "customer", headers=known),
            house.post(f"articles/{number}/publish", {"revision": 1}, "customer", headers=known),
            house.post(f"articles/{number}/archive", {}, "customer", headers=known),
        ]
        return [(each.status_code, each.content) for each in asked]

    assert {status for status, _ in replies(number, articles[hidden].id)} == {404}
    assert replies(number, articles[hidden].id) == replies(missing, "0" * 32)


@pytest.mark.parametrize("who", LIVE)
def test_scores_and_the_inside_of_an_article_are_for_staff(
    house: House, articles: dict[str, Article], who: str
) -> None:
    hit = house.search("zebra public", who, limit=1)["hits"][0]
    article = house.get(f"articles/{articles['public'].number}", who).json()
    assert (hit["score"] is not None, bool(hit["why"])) == ((True, True) if who in STAFF else (False, False))
    assert (article["editing"] is not None) == (who in STAFF)


def test_links_lead_only_to_what_the_reader_may_see(house: House, articles: dict[str, Article]) -> None:
    old = house.write("Giraffe old", "Eats leaves.", superseded_by=articles["internal"].id)
    seen = {who: house.get(f"articles/{old.number}", who).json()["superseded_by"] for who in ("customer", "reader")}
    assert seen == {"customer": None, "reader": articles["internal"].number}
