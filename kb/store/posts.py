"""Community posts in SQL."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kb.audience import Access, Audience
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.post import Post
from kb.standing import Standing
from kb.store import interactions
from kb.store.database import Tx, batches
from kb.store.schema import columns, post

# Made once: to put a statement together costs as much as to run it, and every search asks this one.
_STANDING = sa.select(
    post.c.id, post.c.revision, post.c.audience, post.c.title, post.c.created_at, post.c.source, post.c.author,
    post.c.url, post.c.accepted, post.c.products, post.c.tags, post.c.language,
    interactions.resolved_count(Kind.POST, post.c.id).label("resolved"),
).where(post.c.id.in_(sa.bindparam("ids", expanding=True)))  # fmt: skip


def insert(tx: Tx, new: Sequence[Post], at: datetime) -> None:
    """Add posts."""
    if new:
        tx.execute(sa.insert(post), [_row(each, at) for each in new])


def update(tx: Tx, changed: Sequence[Post], at: datetime) -> None:
    """Overwrite posts."""
    if changed:
        rows = [{f"new_{name}": value for name, value in _row(each, at).items()} for each in changed]
        values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in columns(post) if name != "id"}
        tx.execute(sa.update(post).where(post.c.id == sa.bindparam("new_id")).values(values), rows)


def delete(tx: Tx, ids: Sequence[str]) -> None:
    """Remove posts."""
    for batch in batches(ids):
        tx.execute(sa.delete(post).where(post.c.id.in_(batch)))


def by_ids(tx: Tx, ids: Iterable[str]) -> dict[str, Post]:
    """The posts with these ids, as far as they exist."""
    found = {}
    for batch in batches(list(ids)):
        found.update({row.id: _post(row) for row in tx.execute(sa.select(post).where(post.c.id.in_(batch)))})
    return found


def known(tx: Tx, source: str, keys: Sequence[str]) -> dict[str, tuple[str, int, str]]:
    """(id, revision, content hash) of the posts of a source, by their key there, as far as they exist."""
    found = {}
    for batch in batches(keys):
        rows = tx.execute(
            sa.select(post.c.source_key, post.c.id, post.c.revision, post.c.content_hash).where(
                post.c.source == source, post.c.source_key.in_(batch)
            )
        )
        found.update({key: (post_id, number, content) for key, post_id, number, content in rows})
    return found


def at_address(tx: Tx, urls: Sequence[str]) -> list[str]:
    """Ids of the posts that stand at one of these addresses."""
    return list(tx.scalars(sa.select(post.c.id).where(post.c.url.in_(urls), post.c.url != "").order_by(post.c.id)))


def keys_after(tx: Tx, source: str, after: str, limit: int) -> list[str]:
    """The next keys of a source in order, behind `after`."""
    inside = (post.c.source == source) & (post.c.source_key > after)
    return list(tx.scalars(sa.select(post.c.source_key).where(inside).order_by(post.c.source_key).limit(limit)))


def changed_since(tx: Tx, since: datetime) -> list[str]:
    """Ids of posts changed at or after that moment."""
    return list(tx.scalars(sa.select(post.c.id).where(post.c.modified_at >= since)))


def ids(tx: Tx, after: str, limit: int) -> list[str]:
    """The next ids in order, behind `after`."""
    return list(tx.scalars(sa.select(post.c.id).where(post.c.id > after).order_by(post.c.id).limit(limit)))


def standings(tx: Tx, ids: Sequence[str], at: datetime) -> dict[ItemRef, Standing]:
    """Where these posts stand, as far as they exist.

    Trust is deliberately coarse here: an accepted answer is believed more than one that is not, and no post
    reaches the trust of an article of ours.
    """
    found = {}
    for batch in batches(ids):
        for each in map(_standing, tx.execute(_STANDING, {"ids": batch}).all()):
            found[each.item] = each
    return found


def _row(each: Post, at: datetime) -> dict[str, Any]:
    row = {name: getattr(each, name) for name in columns(post) if name != "modified_at"}
    lists = {"products": list(each.products), "tags": list(each.tags)}
    return row | lists | {"language": each.language.value, "audience": each.audience.value, "modified_at": at}


def _standing(row: Any) -> Standing:
    """A row of `_STANDING`, by position: by name takes twice as long."""
    key, revision, audience, title, created_at, source, author, url, accepted, products, tags, language, resolved = row
    return Standing(
        item=ItemRef(Kind.POST, key),
        revision=revision,
        access=Access(Audience(audience)),
        live=True,
        title=title,
        changed_at=created_at,
        source=source,
        author=author,
        url=url,
        trust=0.6 if accepted else 0.3,
        resolved=resolved,
        products=tuple(products),
        tags=tuple(tags),
        language=language,
    )


def _post(row: Any) -> Post:
    fields = {name: value for name, value in row._mapping.items() if name not in ("modified_at", "content_hash")}
    return Post(
        **{
            **fields,
            "language": Language(row.language),
            "audience": Audience(row.audience),
            "products": tuple(row.products),
            "tags": tuple(row.tags),
        }
    )
