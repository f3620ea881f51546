"""From a changed item to what readers find: its passages in SQL and a row in the outbox, in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from kb.article import Article, Revision
from kb.outbox import Lane
from kb.passage import ItemRef, Kind, Passage
from kb.person import Person
from kb.post import Post
from kb.store import articles, audit, outbox, passages, posts
from kb.store.database import Tx
from kb.text.analyzer import analyze
from kb.text.passages import cut_article, cut_post, indexed_text

Cut = list[tuple[Passage, int]]
"""Passages with their lengths in tokens."""


def save_article(
    tx: Tx,
    by: Person,
    action: str,
    before: Article | None,
    after: Article,
    at: datetime,
    revision: Revision | None = None,
    lane: Lane = Lane.PEOPLE_LEXICAL,
) -> None:
    """Write an article's change with everything that follows from it.

    State, revision, audit entry, passages and outbox rows: all of them or none. `before` is None for a new article.
    """
    if before is None:
        articles.insert(tx, after)
    else:
        articles.update(tx, before, after)
    if revision is not None:
        articles.add_revision(tx, revision)
    old, new = audit.difference(articles.state(before) if before else {}, articles.state(after))
    audit.write(tx, [audit.Change(by.id, action, Kind.ARTICLE, after.id, old, new, at)])
    if after.published is not None:
        item = ItemRef(Kind.ARTICLE, after.id)
        passages.replace(tx, {item: cut_shown(tx, after, at)})
        outbox.add(tx, [item], lane, at)
        for boundary in (after.valid_from, after.valid_until):
            if boundary is not None and boundary > at:
                outbox.add(tx, [item], lane, at, due_at=boundary)


def cut_shown(tx: Tx, article: Article, at: datetime) -> Cut:
    """The passages of what readers are shown of an article at that moment; none when it is not shown."""
    if not article.is_live(at) or article.published is None:
        return []
    return measured(cut_article(article, articles.get_revision(tx, article.id, article.published)))


def save_posts(tx: Tx, new: Sequence[Post], changed: Sequence[Post], cuts: Mapping[ItemRef, Cut], at: datetime) -> None:
    """Write posts of a source, with passages cut beforehand so that the write lock is held briefly."""
    posts.insert(tx, new, at)
    posts.update(tx, changed, at)
    passages.replace(tx, cuts)
    outbox.add(tx, list(cuts), Lane.BULK_LEXICAL, at)


def cut_posts(batch: Sequence[Post]) -> dict[ItemRef, Cut]:
    """The passages of posts."""
    return {ItemRef(Kind.POST, post.id): measured(cut_post(post)) for post in batch}


def remove_posts(tx: Tx, ids: Sequence[str], at: datetime) -> None:
    """Take posts out of the record and, through the outbox, out of the index."""
    items = [ItemRef(Kind.POST, post_id) for post_id in ids]
    posts.delete(tx, ids)
    passages.replace(tx, {item: [] for item in items})
    outbox.add(tx, items, Lane.BULK_LEXICAL, at)


def cut_again(tx: Tx, items: Sequence[ItemRef], at: datetime) -> None:
    """Cut the passages of items anew from the record, after a date has passed or the way of cutting has changed."""
    found_articles = articles.by_ids(tx, [item.id for item in items if item.kind is Kind.ARTICLE])
    found_posts = posts.by_ids(tx, [item.id for item in items if item.kind is Kind.POST])
    cuts: dict[ItemRef, Cut] = {}
    for item in items:
        if item.kind is Kind.ARTICLE:
            article = found_articles.get(item.id)
            cuts[item] = cut_shown(tx, article, at) if article else []
        else:
            post = found_posts.get(item.id)
            cuts[item] = measured(cut_post(post)) if post else []
    passages.replace(tx, cuts)


def measured(cut: Sequence[Passage]) -> Cut:
    """Passages with their lengths in tokens, which BM25's average length is made of."""
    return [(passage, len(analyze(indexed_text(passage)))) for passage in cut]
