"""From a changed item to what readers find: its passages in SQL and a row in the outbox, in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from kb.article import Article, Revision
from kb.errors import Invalid
from kb.file import Named, references
from kb.outbox import Lane
from kb.passage import ItemRef, Kind, Passage
from kb.person import Person
from kb.post import Post
from kb.solve import announcing
from kb.store import articles, audit, files, outbox, passages, posts
from kb.store.database import Tx
from kb.text.analyzer import analyze
from kb.text.passages import cut_article, cut_post, indexed_text
from kb.text.withholding import source_for

Cut = list[tuple[Passage, int]]
"""Passages with their lengths in tokens."""

UNUSED_FOR = timedelta(days=1)
"""How long a file may wait to be named in a text before the next revision sweeps it away."""


def save_article(
    tx: Tx,
    by: Person,
    action: str,
    before: Article | None,
    after: Article,
    at: datetime,
    cut: Cut,
    revision: Revision | None = None,
    brought: Sequence[Named] = (),
    lane: Lane = Lane.PEOPLE_LEXICAL,
) -> None:
    """Write an article's change with everything that follows from it.

    State, revision, files, audit entry, passages and outbox rows: all of them or none. `before` is None for a new
    article; `cut` is what `cut_shown` gives for `after`, made beforehand so that the write lock is held briefly.
    """
    if before is None:
        articles.insert(tx, after)
    else:
        articles.update(tx, before, after)
    if revision is not None:
        articles.add_revision(tx, revision)
        _settle_files(tx, by, revision, brought, at)
    old, new = audit.difference(articles.state(before) if before else {}, articles.state(after))
    audit.write(tx, [audit.Change(by.id, action, Kind.ARTICLE, after.id, old, new, at)])
    announcing.article_changed(tx, before, after, at)
    if after.published is not None or (before is not None and before.published is not None):
        item = ItemRef(Kind.ARTICLE, after.id)
        passages.replace(tx, {item: cut})
        outbox.add(tx, [item], lane, at)
        for boundary in (after.valid_from, after.valid_until):
            if boundary is not None and boundary > at:
                outbox.add(tx, [item], lane, at, due_at=boundary)


def _settle_files(tx: Tx, by: Person, revision: Revision, brought: Sequence[Named], at: datetime) -> None:
    """Attach what came with a revision, make sure that it names nothing else, and forget what none ever named."""
    for each in brought:
        files.keep(tx, each.file, at)
        files.attach(tx, revision.article_id, each.file.hash, each.name, by.id, at)
    named = references(revision.body)
    if missing := named - {each.hash for each in files.attached(tx, revision.article_id)}:
        sent = source_for(revision.body, by.tier)  # its lines, not those of the blocks that were put back
        place = min((sent.find(digest) for digest in missing if digest in sent), default=0)
        message = "this article has no such file; add it to the article first, then name it in the text"
        raise Invalid(message, "body", sent.count("\n", 0, place) + 1)
    files.detach(tx, revision.article_id, files.unused(tx, revision.article_id, at - UNUSED_FOR))


def cut_shown(article: Article, shown: Revision | None, at: datetime) -> Cut:
    """The passages of an article whose published revision is `shown`; none when readers are not shown it then."""
    return measured(cut_article(article, shown)) if shown is not None and article.is_live(at) else []


def shown_revision(tx: Tx, article: Article) -> Revision | None:
    """The revision that readers see, if there is one."""
    return articles.get_revision(tx, article.id, article.published) if article.published is not None else None


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
            cuts[item] = cut_shown(article, shown_revision(tx, article), at) if article else []
        else:
            post = found_posts.get(item.id)
            cuts[item] = measured(cut_post(post)) if post else []
    passages.replace(tx, cuts)


def measured(cut: Sequence[Passage]) -> Cut:
    """Passages with their lengths in tokens, which BM25's average length is made of."""
    return [(passage, len(analyze(indexed_text(passage)))) for passage in cut]
