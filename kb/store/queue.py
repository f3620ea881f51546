"""The lines of the editors' queue that are no cases, in SQL: worked out in the background, read with what holds now.

A line is shown only while its reason still holds and only to whoever may read what it is about: both are asked of the
record in the same statement, so that nobody's counts or pages depend on what is not theirs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from kb.audience import Audience, Reader
from kb.passage import ItemRef, Kind
from kb.queue import Line, LineKind, Searched
from kb.store import articles
from kb.store.database import Tx, batches, insert_into
from kb.store.queue_tables import queue_line
from kb.store.schema import article, post, topic

_l = queue_line.c

_KEY = [_l.kind, _l.id, _l.tier]
_WORKED_OUT = ("demand", "item_kind", "item_id", "other_id", "due_at", "words", "data", "basis", "shown", "made_at")


@dataclass(frozen=True, slots=True)
class Sought:
    """Which lines: what is empty or None asks nothing. `text` is folded.

    `at` is now, `stale_since` and `ends_before` the moments by which articles are stale and expiring.
    """

    at: datetime
    stale_since: datetime
    ends_before: datetime
    owner_id: str = ""
    topic: str = ""
    text: str = ""
    overdue: bool = False


class Kept(NamedTuple):
    """What the background keeps of a line, to see what has changed."""

    demand: int
    due_at: datetime | None
    item_id: str | None
    other_id: str | None
    basis: str
    made_at: datetime
    shown: bool


def page(
    tx: Tx, reader: Reader, kind: LineKind, sought: Sought, after: tuple[int, str] | None, limit: int
) -> list[Line]:
    """The lines of one kind that are there for a reader, the most pressing first, behind (demand, id)."""
    found = _there(reader, kind, sought, list(queue_line.columns))
    if after is not None:
        demand, line_id = after
        found = found.where((_l.demand < demand) | ((_l.demand == demand) & (_l.id < line_id)))
    return [_line(row) for row in tx.execute(found.order_by(_l.demand.desc(), _l.id.desc()).limit(limit))]


def count(tx: Tx, reader: Reader, kind: LineKind, sought: Sought, most: int) -> int:
    """How many there are, `most` at most."""
    found = _there(reader, kind, sought, [_l.id]).limit(most)
    return int(tx.execute(sa.select(sa.func.count()).select_from(found.subquery())).scalar() or 0)


def for_reader(
    tx: Tx, reader: Reader, kind: LineKind, line_id: str, sought: Sought, dismissed: bool = False
) -> Line | None:
    """One line as a reader has it, `dismissed` or not yet; None if it is not there for them."""
    found = _there(reader, kind, sought, list(queue_line.columns), dismissed).where(_l.id == line_id)
    row = tx.execute(found.with_for_update(of=queue_line)).first()
    return None if row is None else _line(row)


def set_dismissed(tx: Tx, line: Line, by: str | None, reason: str, at: datetime | None) -> None:
    """Put a line aside, or back with `at` None."""
    same = (_l.kind == line.kind.value) & (_l.id == line.id) & (_l.tier == (line.tier or ""))
    tx.execute(sa.update(queue_line).where(same).values(dismissed_at=at, dismissed_by=by, reason=reason))


def _there(
    reader: Reader, kind: LineKind, sought: Sought, columns: Sequence[Any], dismissed: bool = False
) -> sa.Select[Any]:
    """The lines of a kind that are there for a reader and still have their reason."""
    put_aside = _l.dismissed_at.is_not(None) if dismissed else _l.dismissed_at.is_(None)
    found = sa.select(*columns).where(_l.kind == kind.value, _l.shown.is_(True), put_aside)
    by_tier = kind in (LineKind.SEARCH, LineKind.COMMUNITY)
    if by_tier or not (sought.owner_id or sought.topic):
        # With the kind, what the index in order of demand begins with; the articles of an owner are few and looked up.
        found = found.where(_l.tier == (reader.tier.value if by_tier else ""))
    match kind:
        case LineKind.STALE | LineKind.EXPIRING:
            found = found.join(article, article.c.id == _l.item_id)
            found = found.where(
                articles.may_read(reader), articles.in_use(), _due(kind, sought), *_of(_l.item_id, sought)
            )
        case LineKind.DUPLICATE:
            live = (articles.may_read(reader), articles.is_live(sought.at))
            found = found.where(_article(_l.item_id, *live), _article(_l.other_id, *live))
            if sought.owner_id or sought.topic:
                found = found.where(sa.or_(*(sa.and_(*_of(column, sought)) for column in (_l.item_id, _l.other_id))))
        case LineKind.COMMUNITY:
            tiers = [each.value for each in Audience if each.rank <= reader.tier.rank]
            found = found.join(post, post.c.id == _l.item_id).where(post.c.audience.in_(tiers))
            if sought.topic:
                found = found.where(articles.under(post.c.topic, sought.topic))
        case _:
            pass  # what a tier searched for is for all of that tier
    return found.where(_l.words.contains(sought.text, autoescape=True)) if sought.text else found


def _of(column: sa.ColumnElement[Any], sought: Sought) -> list[sa.ColumnElement[bool]]:
    """That an article is of the owner and topic: asked of the few that are, not of each line."""
    conditions = []
    if sought.owner_id:
        conditions.append(article.c.owner_id == sought.owner_id)
    if sought.topic:
        # By the few paths of the tree, each found by the index: 50,000 topics would be compared one by one otherwise.
        paths = sa.select(topic.c.path).where(articles.under(topic.c.path, sought.topic))
        conditions.append(article.c.topic.in_(paths))
    return [column.in_(sa.select(article.c.id).where(*conditions).correlate(None))] if conditions else []


def _due(kind: LineKind, sought: Sought) -> sa.ColumnElement[bool]:
    if kind is LineKind.STALE:
        return sa.func.coalesce(article.c.confirmed_at, article.c.published_at) < sought.stale_since
    return article.c.valid_until <= (sought.at if sought.overdue else sought.ends_before)


def _article(column: sa.ColumnElement[Any], *conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.select(article.c.id).where(article.c.id == column, *conditions).exists()


def _line(row: Any) -> Line:
    data = row.data or {}
    searched = data.get("searched")
    if searched is not None:
        searched = Searched(**searched | {"last_at": datetime.fromisoformat(searched["last_at"])})
    return Line(
        LineKind(row.kind), row.id, row.demand, Audience(row.tier) if row.tier else None,
        ItemRef(Kind(row.item_kind), row.item_id) if row.item_id else None,
        ItemRef(Kind.ARTICLE, row.other_id) if row.other_id else None,
        row.due_at, row.words, searched, data.get("likeness"), row.basis, row.dismissed_at,
    )  # fmt: skip


def put(tx: Tx, lines: Iterable[Line], at: datetime, shown: bool = True) -> None:
    """Write lines, new ones and those that are there. What somebody put aside stays so while its basis is the same."""
    rows = [_row(each, at, shown) for each in lines]
    new = insert_into(tx, queue_line)
    same = queue_line.c.basis == new.excluded.basis
    values: dict[str, Any] = {name: new.excluded[name] for name in _WORKED_OUT}
    values |= {name: sa.case((same, _l[name]), else_=None) for name in ("dismissed_at", "dismissed_by")}
    values["reason"] = sa.case((same, _l.reason), else_="")
    for batch in batches(rows):
        tx.execute(new.on_conflict_do_update(index_elements=_KEY, set_=values), list(batch))


def kept(tx: Tx, kind: LineKind) -> dict[tuple[str, str], Kept]:
    """What is kept of every line of a kind, by id and tier."""
    wanted = sa.select(_l.id, _l.tier, _l.demand, _l.due_at, _l.item_id, _l.other_id, _l.basis, _l.made_at, _l.shown)
    rows = tx.execute(wanted.where(_l.kind == kind.value))
    return {(row.id, row.tier): Kept(*row[2:]) for row in rows}


def weigh(tx: Tx, kind: LineKind, demands: Mapping[tuple[str, str], int]) -> None:
    """Give lines another demand, by id and tier."""
    rows = [{"an_id": line_id, "a_tier": tier, "new": demand} for (line_id, tier), demand in demands.items()]
    same = (_l.kind == kind.value) & (_l.id == sa.bindparam("an_id")) & (_l.tier == sa.bindparam("a_tier"))
    for batch in batches(rows):
        tx.execute(sa.update(queue_line).where(same).values(demand=sa.bindparam("new")), list(batch))


def remove(tx: Tx, kind: LineKind, keys: Iterable[tuple[str, str]]) -> None:
    """Take lines out, by id and tier."""
    rows = [{"an_id": line_id, "a_tier": tier} for line_id, tier in keys]
    same = (_l.kind == kind.value) & (_l.id == sa.bindparam("an_id")) & (_l.tier == sa.bindparam("a_tier"))
    for batch in batches(rows):
        tx.execute(sa.delete(queue_line).where(same), list(batch))


def pairs_of(tx: Tx, article_id: str) -> dict[str, str]:
    """The other article of each pair that an article is in, by the id of the line."""
    pair = (_l.kind == LineKind.DUPLICATE.value) & ((_l.item_id == article_id) | (_l.other_id == article_id))
    rows = tx.execute(sa.select(_l.id, _l.item_id, _l.other_id).where(pair))
    return {line_id: other if one == article_id else one for line_id, one, other in rows}


def put_aside(tx: Tx, kind: LineKind) -> list[tuple[str, str, datetime]]:
    """Id, tier and time of every line of a kind that somebody has put aside."""
    found = sa.select(_l.id, _l.tier, _l.dismissed_at).where(_l.kind == kind.value, _l.dismissed_at.is_not(None))
    return [(line_id, tier, at) for line_id, tier, at in tx.execute(found)]


def _row(each: Line, at: datetime, shown: bool) -> dict[str, Any]:
    searched = None
    if each.searched is not None:
        kept = {name: getattr(each.searched, name) for name in Searched.__dataclass_fields__}
        searched = kept | {"last_at": each.searched.last_at.isoformat()}
    known = {"searched": searched, "likeness": each.likeness}
    return {
        "kind": each.kind.value, "id": each.id, "tier": each.tier.value if each.tier else "", "demand": each.demand,
        "item_kind": each.item.kind.value if each.item else None, "item_id": each.item.id if each.item else None,
        "other_id": each.other.id if each.other else None, "due_at": each.due_at, "words": each.words,
        "data": {name: value for name, value in known.items() if value is not None}, "basis": each.basis,
        "shown": shown, "made_at": at,
    }  # fmt: skip
