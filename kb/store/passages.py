"""The passages of what readers see now, and the vectors of their texts.

Derived from articles and posts in the transaction that changes them. An answer is cut from here,
never from the index, which holds no text.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from kb.audience import Access, Audience
from kb.language import Language
from kb.passage import ItemRef, Kind, Passage, PassageRef
from kb.store.database import Tx, batches, insert_missing
from kb.store.schema import passage, vector

# Made once: to put a statement together costs as much as to run it, and every search asks this one.
_SHOWN = sa.select(
    passage.c.kind, passage.c.item_id, passage.c.revision, passage.c.ordinal, passage.c.title, passage.c.heading,
    passage.c.text, passage.c.language, passage.c.audience, passage.c.groups, passage.c.field, passage.c.environment,
    passage.c.topic, passage.c.products, passage.c.tags, passage.c.confidence, passage.c.source,
)  # fmt: skip
_KEY = (passage.c.kind, passage.c.item_id, passage.c.revision, passage.c.ordinal)


def replace(tx: Tx, items: Mapping[ItemRef, Sequence[tuple[Passage, int]]]) -> None:
    """Make exactly these the passages of each item; each comes with its length in tokens. Texts no passage
    holds any longer lose their vectors."""
    gone = _hashes(tx, items)
    for batch in batches(list(items)):
        tx.execute(sa.delete(passage).where(_is_item(batch)))
    rows = [_row(each, length) for passages in items.values() for each, length in passages]
    if rows:
        tx.execute(sa.insert(passage), rows)
    _forget_vectors(tx, gone - {row["hash"] for row in rows})


def of_items(tx: Tx, items: Sequence[ItemRef]) -> dict[ItemRef, list[Passage]]:
    """All passages of each item, in document order; an item without any is present and empty."""
    found: dict[ItemRef, list[Passage]] = {item: [] for item in items}
    for batch in batches(items):
        rows = tx.execute(_SHOWN.where(_is_item(batch)).order_by(passage.c.kind, passage.c.item_id, passage.c.ordinal))
        for row in rows.all():
            each = _passage(row)
            found[each.ref.item].append(each)
    return found


def get(tx: Tx, refs: Sequence[PassageRef]) -> dict[PassageRef, Passage]:
    """The passages with these references, as far as they are still current."""
    found = {}
    for batch in batches(refs):
        rows = tx.execute(_of_refs(len(batch)), _named(batch))
        found.update({each.ref: each for each in map(_passage, rows.all())})
    return found


@functools.cache
def _of_refs(number: int) -> sa.Select[Any]:
    """The statement for so many passages; `_named` gives its parameters.

    One condition for each, since SQLite reads the whole table to compare tuples (`(kind, item_id, ...) IN (VALUES
    ...)`). Thirty passages of 100,000 take .20 ms; found by their items and then by a text made of the key .56.
    """
    keys = [sa.and_(*(column == sa.bindparam(f"{column.name}{n}") for column in _KEY)) for n in range(max(number, 1))]
    return _SHOWN.where(sa.or_(*keys))


def _named(refs: Sequence[PassageRef]) -> dict[str, str | int]:
    return {
        f"{column.name}{n}": value
        for n, ref in enumerate(refs)
        for column, value in zip(_KEY, (ref.kind.value, *ref[1:]), strict=True)
    }


def page(tx: Tx, after: ItemRef | None, limit: int) -> list[ItemRef]:
    """The next items that have passages, in order, for walking through all of them."""
    key = sa.tuple_(passage.c.kind, passage.c.item_id)
    query = (
        sa.select(passage.c.kind, passage.c.item_id).distinct().order_by(passage.c.kind, passage.c.item_id).limit(limit)
    )
    if after is not None:
        query = query.where(key > sa.tuple_(sa.literal(after.kind.value), sa.literal(after.id)))
    return [ItemRef(Kind(kind), item_id) for kind, item_id in tx.execute(query)]


def holding(tx: Tx, needles: Sequence[Sequence[str]], least: int, limit: int) -> list[tuple[ItemRef, str]]:
    """Passages in which at least so many of the needles stand, letter case aside, with what they say.

    A needle is one text or another. It reads the whole table: a tenth of a second for 50,000 passages.
    """
    stands = [sa.or_(*(passage.c.text.icontains(text, autoescape=True) for text in needle)) for needle in needles]
    count = sum((sa.case((each, 1), else_=0) for each in stands), start=sa.literal(0))
    wanted = sa.and_(*stands) if least == len(needles) else count >= least
    rows = tx.execute(
        sa.select(passage.c.kind, passage.c.item_id, passage.c.text)
        .where(wanted)
        .order_by(count.desc(), *_KEY)
        .limit(limit)
    )
    return [(ItemRef(Kind(kind), item_id), text) for kind, item_id, text in rows]


def count(tx: Tx) -> int:
    """How many passages there are."""
    return tx.scalar(sa.select(sa.func.count()).select_from(passage)) or 0


def average_lengths(tx: Tx) -> dict[str, float]:
    """Tokens a passage, on average, over what each reader tier may read; tiers without passages are absent.

    Text restricted to groups does not count: it must not move what others see.
    """
    rows = tx.execute(
        sa.select(passage.c.audience, sa.func.count(), sa.func.sum(passage.c.length))
        .where(passage.c.restricted.is_(False))
        .group_by(passage.c.audience)
    ).all()
    averages = {}
    for tier in Audience:
        inside = [(n, total) for audience, n, total in rows if Audience(audience).rank <= tier.rank]
        if passages := sum(n for n, _ in inside):
            averages[tier.value] = float(sum(total for _, total in inside)) / passages
    return averages


def vectors(tx: Tx, encoder: str, hashes: Iterable[str]) -> dict[str, np.ndarray]:
    """The kept vectors of these texts, float32, by passage hash."""
    found = {}
    for batch in batches(sorted(set(hashes))):
        rows = tx.execute(
            sa.select(vector.c.hash, vector.c.vector).where(vector.c.encoder == encoder, vector.c.hash.in_(batch))
        )
        found.update({key: np.frombuffer(data, dtype="<f4") for key, data in rows})
    return found


def keep_vectors(tx: Tx, encoder: str, vectors_by_hash: Mapping[str, np.ndarray]) -> None:
    """Keep vectors of texts that are (still) in use, so that nobody encodes them again."""
    hashes = sorted(vectors_by_hash)
    have = vectors(tx, encoder, hashes)
    used: set[str] = set()
    for batch in batches(hashes):
        # A passage that somebody is deleting right now counts as gone, and one that is locked here cannot go before
        # its vector stands where the deletion looks for it: no vector outlives its text.
        in_use = sa.select(passage.c.hash).where(passage.c.hash.in_(batch))
        used.update(tx.scalars(in_use.with_for_update(read=True, key_share=True, skip_locked=True)))
    rows = [
        {"encoder": encoder, "hash": key, "vector": np.asarray(vectors_by_hash[key], dtype="<f4").tobytes()}
        for key in hashes
        if key in used and key not in have
    ]
    insert_missing(tx, vector, rows)


def forget_other_vectors(tx: Tx, encoder: str) -> int:
    """Drop the vectors of every encoder but this one. Returns how many."""
    return tx.execute(sa.delete(vector).where(vector.c.encoder != encoder)).rowcount


def _hashes(tx: Tx, items: Iterable[ItemRef]) -> set[str]:
    found: set[str] = set()
    for batch in batches(list(items)):
        found.update(tx.scalars(sa.select(passage.c.hash).where(_is_item(batch))))
    return found


def _forget_vectors(tx: Tx, hashes: set[str]) -> None:
    for batch in batches(sorted(hashes)):
        used = set(tx.scalars(sa.select(passage.c.hash).where(passage.c.hash.in_(batch))))
        unused = [key for key in batch if key not in used]
        if unused:
            tx.execute(sa.delete(vector).where(vector.c.hash.in_(unused)))


def _is_item(items: Sequence[ItemRef]) -> sa.ColumnElement[bool]:
    by_kind: dict[Kind, list[str]] = {}
    for item in items:
        by_kind.setdefault(item.kind, []).append(item.id)
    return sa.or_(
        sa.false(),
        *((passage.c.kind == kind.value) & passage.c.item_id.in_(ids) for kind, ids in by_kind.items()),
    )


def _row(each: Passage, length: int) -> dict[str, Any]:
    return {
        "kind": each.ref.kind.value,
        "item_id": each.ref.item_id,
        "revision": each.ref.revision,
        "ordinal": each.ref.ordinal,
        "hash": each.hash,
        "title": each.title,
        "heading": list(each.heading),
        "field": each.field,
        "environment": each.environment,
        "text": each.text,
        "language": each.language.value,
        "audience": each.access.audience.value,
        "groups": sorted(each.access.groups),
        "restricted": bool(each.access.groups),
        "topic": each.topic,
        "products": list(each.products),
        "tags": list(each.tags),
        "confidence": each.confidence,
        "source": each.source,
        "length": length,
    }


def _passage(row: Any) -> Passage:
    """A row of `_SHOWN`, by position: by name takes twice as long."""
    (
        kind, item_id, revision, ordinal, title, heading, text, language, audience, groups, field, environment,
        topic, products, tags, confidence, source,
    ) = row  # fmt: skip
    return Passage(
        PassageRef(Kind(kind), item_id, revision, ordinal), title, tuple(heading), text, Language(language),
        Access(Audience(audience), frozenset(groups)), field, environment, topic, tuple(products), tuple(tags),
        confidence, source,
    )  # fmt: skip
