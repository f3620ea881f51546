from dataclasses import replace
from datetime import timedelta

import pytest

from kb.audience import Access, Audience
from kb.errors import Conflict
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.post import Post
from kb.store import posts
from kb.store.database import Database
from tests.examples import NOON, a_post

FULL = a_post(
    "full",
    title="為什麼紅燈閃？",
    language=Language.TRADITIONAL,
    audience=Audience.PUBLIC,
    url="https://forum.example/t/1",
    votes=12,
    accepted=True,
    thread="t1",
    topic="broadband",
    products=("hub-6",),
    tags=("燈", "red"),
    revision=3,
)


@pytest.mark.parametrize("each", [a_post(), FULL], ids=["plain", "full"])
def test_a_post_comes_back_as_it_was(db: Database, each: Post) -> None:
    with db.write() as tx:
        posts.insert(tx, [each], NOON)
    with db.read() as tx:
        assert posts.by_ids(tx, [each.id, "nobody"]) == {each.id: each}


def test_a_change_overwrites_that_post_only(db: Database) -> None:
    changed = replace(FULL, body="Better now.", votes=13, accepted=False, revision=4)
    with db.write() as tx:
        posts.insert(tx, [a_post(), FULL], NOON)
        posts.update(tx, [changed], NOON + timedelta(hours=1))
    with db.read() as tx:
        assert posts.by_ids(tx, ["p1", "full"]) == {"p1": a_post(), "full": changed}
        assert posts.changed_since(tx, NOON + timedelta(hours=1)) == ["full"]
        assert posts.known(tx, "forum", ["t/full"]) == {"t/full": ("full", 4, changed.content_hash)}


def test_a_removed_post_is_gone(db: Database) -> None:
    with db.write() as tx:
        posts.insert(tx, [a_post("p1"), a_post("p2")], NOON)
        posts.delete(tx, ["p1", "nobody"])
    with db.read() as tx:
        assert posts.by_ids(tx, ["p1", "p2"]).keys() == {"p2"}


def test_a_key_of_a_source_is_taken_once(db: Database) -> None:
    with db.write() as tx:
        posts.insert(tx, [a_post("p1")], NOON)
    with pytest.raises(Conflict), db.write() as tx:
        posts.insert(tx, [a_post("p2", source_key="t/p1")], NOON)
    with db.write() as tx:
        posts.insert(tx, [a_post("p3", source_key="t/p1", source="elsewhere")], NOON)


def test_sources_do_not_mix(db: Database) -> None:
    with db.write() as tx:
        posts.insert(tx, [a_post("p1"), a_post("p2", source="elsewhere")], NOON)
    with db.read() as tx:
        assert posts.keys_after(tx, "elsewhere", "", 10) == ["t/p2"]
        assert posts.known(tx, "forum", ["t/p1", "t/p2"]).keys() == {"t/p1"}


def test_keys_and_ids_are_walked_in_portions(db: Database) -> None:
    with db.write() as tx:
        posts.insert(tx, [a_post(f"p{n}") for n in (3, 1, 2)], NOON)
    with db.read() as tx:
        assert posts.keys_after(tx, "forum", "", 2) == ["t/p1", "t/p2"]
        assert posts.keys_after(tx, "forum", "t/p2", 2) == ["t/p3"]
        assert posts.ids(tx, "", 2) == ["p1", "p2"]
        assert posts.ids(tx, "p2", 2) == ["p3"]


def test_more_keys_than_a_statement_binds_are_no_trouble(db: Database) -> None:
    many = [f"t/p{n}" for n in range(70_000)]
    with db.write() as tx:
        posts.insert(tx, [a_post("p1")], NOON)
    with db.read() as tx:
        assert posts.known(tx, "forum", many).keys() == {"t/p1"}


def test_nothing_to_do_is_nothing_done(db: Database) -> None:
    with db.write() as tx:
        posts.insert(tx, [], NOON)
        posts.update(tx, [], NOON)
        posts.delete(tx, [])
    with db.read() as tx:
        assert posts.by_ids(tx, []) == {}


def test_a_post_is_trusted_less_than_an_article_and_more_when_accepted(db: Database) -> None:
    with db.write() as tx:
        posts.insert(tx, [a_post(), FULL], NOON)
    with db.read() as tx:
        found = posts.standings(tx, ["p1", "full"], NOON)
    plain, accepted = found[ItemRef(Kind.POST, "p1")], found[ItemRef(Kind.POST, "full")]
    assert plain.trust < accepted.trust < 1
    assert plain.access == Access(Audience.INTERNAL)
    assert (accepted.live, accepted.revision, accepted.url) == (True, 3, FULL.url)
