from datetime import timedelta

from kb.passage import ItemRef, Kind
from kb.store import articles, content, posts
from kb.store.database import Database
from tests.examples import NOON, a_post, an_article

ARTICLE = ItemRef(Kind.ARTICLE, "same")
POST = ItemRef(Kind.POST, "same")


def test_every_kind_stands_through_one_door(db: Database) -> None:
    with db.write() as tx:
        articles.insert(tx, an_article("same"))
        posts.insert(tx, [a_post("same")], NOON)
    asked = [ARTICLE, POST, ItemRef(Kind.POST, "nobody"), ItemRef(Kind.PRODUCT, "no store yet")]
    with db.read() as tx:
        found = content.standings(tx, asked, NOON)
        assert content.standings(tx, [], NOON) == {}
    assert found.keys() == {ARTICLE, POST}
    assert all(item == standing.item for item, standing in found.items())


def test_what_changed_is_told_with_an_overlap_for_late_commits(db: Database) -> None:
    with db.write() as tx:
        articles.insert(tx, an_article("same", modified_at=NOON - timedelta(seconds=30)))
        articles.insert(tx, an_article("old", modified_at=NOON - timedelta(seconds=90)))
        posts.insert(tx, [a_post("same")], NOON)
    with db.read() as tx:
        assert set(content.changed_since(tx, NOON)) == {ARTICLE, POST}
        assert content.changed_since(tx, NOON, overlap=timedelta()) == [POST]
