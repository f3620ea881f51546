"""Reading besides searching: one article, lists of them, and what there is to browse by.

Everything is trimmed to the person who reads; `kb.solve.seeing` says what that leaves.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from kb import clock
from kb.article import Article
from kb.case import OpenCase
from kb.passage import ItemRef, Kind
from kb.person import Person
from kb.product import Product
from kb.solve import seeing
from kb.store import articles, cases, topics
from kb.store.database import Database
from kb.text.markdown import narrow
from kb.topic import Topic


def find(db: Database, by: Person, number: str) -> Article:
    """The article with that number as people write or say it, if it is there for `by`; raises NotFound."""
    with db.read() as tx:
        return seeing.article(tx, by, number, clock.now())


@dataclass(frozen=True, slots=True)
class Read:
    """An article as a reader may see it: title and Markdown, trimmed.

    `moved_to` is the number of the article that took the place of the one that was asked for; what readers get then is
    that article.
    """

    article: Article
    title: str
    body: str
    moved_to: str | None = None


def read_article(db: Database, by: Person, number: str) -> Read:
    """An article as this reader may see it, or the one that took its place. Raises NotFound."""
    with db.read() as tx:
        article, moved_to = seeing.article_or_successor(tx, by, number, clock.now())
        revision = articles.get_revision(tx, article.id, article.published or article.latest)
    return Read(article, revision.title, narrow(revision.body, by.reader.tier), moved_to)


def listing(
    db: Database,
    by: Person,
    *,
    having: Mapping[str, Collection[str]],
    topic: str = "",
    published: bool | None = None,
    after: str = "",
    limit: int = 50,
) -> list[tuple[Article, str]]:
    """Articles that are there for `by`, each with its title, in order of number behind `after`.

    `having` maps state fields to the values any of which will do; `topic` counts with all topics below it.
    """
    at = clock.now()
    with db.read() as tx:
        found = articles.readable(
            tx,
            by.reader,
            live_at=None if by.is_staff else at,
            having=having,
            topic=topic,
            published=published,
            after=after,
            limit=limit,
        )
        items = {ItemRef(Kind.ARTICLE, each.id): each for each in found}
        standings = seeing.standings(tx, by, items, at)
    return [(each, standings[item].title) for item, each in items.items() if item in standings]


def title_of(db: Database, article: Article) -> str:
    """What an article is called: the title readers see, or that of its draft."""
    with db.read() as tx:
        return articles.get_revision(tx, article.id, article.published or article.latest).title


def numbers(db: Database, by: Person, ids: Iterable[str | None]) -> dict[str, str]:
    """See `seeing.numbers`."""
    with db.read() as tx:
        return seeing.numbers(tx, by, ids, clock.now())


def open_cases(db: Database, ids: Iterable[str]) -> dict[str, OpenCase]:
    """The severe case that is to do about each of these articles that has one, by the article's id."""
    items = [ItemRef(Kind.ARTICLE, each) for each in ids]
    with db.read() as tx:
        return {item.id: warning for item, warning in cases.severe(tx, items).items()}


def browse_topics(db: Database, by: Person) -> list[tuple[Topic, int]]:
    """The topics that hold something live for this reader, parents first, each counted with all below it."""
    with db.read() as tx:
        tree = topics.all_topics(tx)
        placed = articles.placed(tx, by.reader, clock.now())
    counts = Counter(above for path, _ in placed for above in _with_parents(path))
    return [(each, counts[each.path]) for each in tree if each.path in counts]


def browse_products(db: Database, by: Person) -> list[tuple[Product, int]]:
    """The products that something live for this reader is about, by key, each counted."""
    with db.read() as tx:
        known = {each.key: each for each in topics.all_products(tx)}
        placed = articles.placed(tx, by.reader, clock.now())
    counts = Counter(key for _, products in placed for key in products)
    return [(known.get(key, Product(key, key)), counts[key]) for key in sorted(counts)]


def _with_parents(path: str) -> list[str]:
    return list(accumulate(path.split("/"), "{}/{}".format)) if path else []
