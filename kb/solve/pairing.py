"""The lines of the queue for articles that say nearly the same as another.

Each article that was changed asks the index for what is nearest to it: a few searches, however many articles there
are. Texts are compared as the widest circle reads them that may read both, so that a pair tells nobody of more.
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from rapidfuzz import fuzz

from kb.article import Article
from kb.audience import Audience, Reader
from kb.case import LATELY
from kb.passage import ItemRef, Kind, Passage
from kb.person import Person
from kb.query import Filters, Query
from kb.queue import Line, LineKind, duplicate_demand
from kb.solve.duplicates import NEAR
from kb.solve.folding import words
from kb.solve.reuse import Finder
from kb.store import articles, passages, queue, queue_work
from kb.store.database import Database
from kb.text.markdown import plain
from kb.text.script import fold

HALF = 50.0
"""Per cent of equal text from which two articles with one title are the same."""

LOOKED_AT = 10
"""Hits of each search that are compared."""

_LOG = "articles"
_AT_ONCE = 10
_SETTLED = timedelta(seconds=5)  # transactions end in another order than their clocks were read
_ASKED, _READ = 500, 5_000  # characters: what says what a text is about stands first


def follow(db: Database, finder: Finder, at: datetime) -> bool:
    """Look for pairs of the articles that were changed next; False when none is, or the index does not know it yet."""
    with db.read() as tx:
        before = queue_work.place(tx, _LOG)
        changed = queue_work.changed_articles(tx, before, at - _SETTLED, _AT_ONCE)
        if not changed or queue_work.waiting(tx, [article_id for article_id, _ in changed], at):
            return False
    found = {article_id: _pairs(db, finder, article_id, at) for article_id, _ in changed}
    if any(each is None for each in found.values()):
        return False  # the index is away
    with db.write() as tx:
        if not queue_work.advance(tx, _LOG, before, changed[-1][1], at):
            return False
        for article_id, lines in found.items():
            gone = queue.pairs_of(tx, article_id).keys() - {each.id for each in lines or ()}
            queue.remove(tx, LineKind.DUPLICATE, [(line_id, "") for line_id in sorted(gone)])
            queue.put(tx, lines or (), at)
    return True


def weigh(db: Database, at: datetime) -> None:
    """Give every pair the demand that use gives it now."""
    with db.read() as tx:
        kept = queue.kept(tx, LineKind.DUPLICATE)
        items = {
            ItemRef(Kind.ARTICLE, each) for line in kept.values() for each in (line.item_id, line.other_id) if each
        }
        used = queue_work.reuse(tx, at - LATELY, items) if items else {}
    demands = {
        key: demand
        for key, line in kept.items()
        if (demand := duplicate_demand(*(used.get(ItemRef(Kind.ARTICLE, each or ""), 0)
                                         for each in (line.item_id, line.other_id)))) != line.demand
    }  # fmt: skip
    if demands:
        with db.write() as tx:
            queue.weigh(tx, LineKind.DUPLICATE, demands)


def _pairs(db: Database, finder: Finder, article_id: str, at: datetime) -> list[Line] | None:
    """The pairs of one article; none when readers are not shown it, None while there is no index to ask."""
    with db.read() as tx:
        own = articles.get(tx, article_id)
        known = set(queue.pairs_of(tx, article_id).values())
        cut = passages.of_items(tx, [_ref(own)])[_ref(own)]
    if not own.is_live(at) or not cut:
        return []
    near = _near(finder, own, cut, at)
    if near is None:
        return None
    with db.read() as tx:
        others = articles.by_ids(tx, known | near)
        texts = passages.of_items(tx, [_ref(each) for each in others.values()])
        used = queue_work.reuse(tx, at - LATELY, [_ref(own), *map(_ref, others.values())])
    lines = []
    for other in others.values():
        theirs = texts[_ref(other)]
        if not other.is_live(at) or other.language is not own.language or not theirs:
            continue
        likeness = _likeness(own, cut, other, theirs)
        if likeness is not None:
            first, second = sorted((own, other), key=lambda each: (each.created_at, each.id))
            demand = duplicate_demand(used.get(_ref(first), 0), used.get(_ref(second), 0))
            titles = {each.id: passage[0].title for each, passage in ((own, cut), (other, theirs))}
            said = words(*(f"{each.number} {titles[each.id]}" for each in (first, second)))
            lines.append(
                Line(
                    LineKind.DUPLICATE, _id(first, second), demand, item=_ref(first), other=_ref(second), words=said,
                    likeness=round(likeness / 100, 3), basis=f"{first.published}/{second.published}",
                )
            )  # fmt: skip
    return lines


def _near(finder: Finder, own: Article, cut: Sequence[Passage], at: datetime) -> set[str] | None:
    """Ids of the articles that are nearest, for each circle that may read both. Asked for each circle of its own:
    what one may not read must not keep out what one may."""
    found: set[str] = set()
    filters = Filters(kinds=(Kind.ARTICLE,), languages=(own.language,))
    for tier in Audience:
        if tier.rank < own.audience.rank:
            continue
        asks = Person("queue", "queue", tier, groups=own.groups)
        text = f"{cut[0].title} {_text(asks.reader, cut)}".strip()[:_ASKED]
        answer = finder.find(asks, Query(text, filters=filters, limit=LOOKED_AT), at, exact=True)
        if "index" in answer.degraded:
            return None
        standings = [answer.standings[hit.item] for hit in answer.hits]
        found |= {
            each.item.id
            for each in standings
            if each.access.audience.narrowest(own.audience) is tier and each.item.id != own.id
        }
    return found


def _likeness(own: Article, cut: Collection[Passage], other: Article, theirs: Collection[Passage]) -> float | None:
    """Per cent of equal text, if that makes a pair."""
    reader = Reader(own.audience.narrowest(other.audience), own.groups | other.groups)
    one, two = _bare(_text(reader, cut)), _bare(_text(reader, theirs))
    likeness = fuzz.ratio(one, two) if one and two else 0.0
    titles = {_bare(next(iter(each)).title) for each in (cut, theirs)}
    return likeness if likeness >= NEAR or (len(titles) == 1 and likeness >= HALF) else None


def _text(reader: Reader, cut: Collection[Passage]) -> str:
    return plain("\n\n".join(each.text for each in cut if reader.may_read(each.access)))


def _bare(text: str) -> str:
    return " ".join(fold(text[:_READ]).split())


def _ref(article: Article) -> ItemRef:
    return ItemRef(Kind.ARTICLE, article.id)


def _id(first: Article, second: Article) -> str:
    return hashlib.sha256("/".join(sorted((first.id, second.id))).encode()).hexdigest()[:32]
