"""The outbox: rows that say which item the index has to look at again. See `kb.outbox`."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kb.outbox import Backlog, Job, Lane
from kb.passage import ItemRef, Kind
from kb.store.database import Tx, batches
from kb.store.schema import outbox

LEASE = timedelta(seconds=120)
"""How long a claimed row stays with its indexer. After that it is taken for dead and the row is served again."""

BACKOFF_LIMIT = timedelta(minutes=5)

SKEW = timedelta(hours=1)
"""How far clocks may disagree, or be set back, without anybody noticing. More than that `astray` finds."""

_AT_ONCE = outbox.c.due_at == outbox.c.created_at


def add(tx: Tx, items: Iterable[ItemRef], lane: Lane, at: datetime, due_at: datetime | None = None) -> None:
    """Ask the index to look at these items, at once or at a later moment."""
    rows = [
        {
            "kind": item.kind,
            "item_id": item.id,
            "lane": lane,
            "created_at": at,
            "due_at": due_at or at,
            "attempts": 0,
            "error": "",
        }
        for item in items
    ]
    if rows:
        tx.execute(sa.insert(outbox), rows)


def claim(tx: Tx, lane: Lane, limit: int, at: datetime) -> list[Job]:
    """Take up to `limit` due rows of a lane, oldest first, and hold them for `LEASE`.

    Workers on PostgreSQL skip each other's rows; SQLite has one writer at a time anyway.
    """
    due = _due(lane, at).limit(limit).with_for_update(skip_locked=True)
    jobs = [
        Job(r.id, ItemRef(Kind(r.kind), r.item_id), Lane(r.lane), r.created_at, r.attempts) for r in tx.execute(due)
    ]
    for batch in batches(jobs):
        tx.execute(sa.update(outbox).where(outbox.c.id.in_([job.id for job in batch])).values(leased_until=at + LEASE))
    return jobs


def _due(lane: Lane, at: datetime) -> sa.Select[Any]:
    """What may be claimed. A row that was due at once is, whatever the clock says that wrote it or reads it now.

    A lease further away than `LEASE` was made by another clock and is void. The outer bound keeps the look short where
    many rows wait for dates to come.
    """
    free = outbox.c.leased_until.is_(None) | (outbox.c.leased_until <= at) | (outbox.c.leased_until > at + LEASE)
    due = (outbox.c.due_at <= at) | _AT_ONCE
    found = sa.select(outbox).where(outbox.c.lane == lane, outbox.c.due_at <= at + SKEW, due, free)
    return found.order_by(outbox.c.due_at, outbox.c.id)


def done(tx: Tx, jobs: Sequence[Job]) -> None:
    """Forget rows whose work is safely on the index's disk."""
    for batch in batches(jobs):
        tx.execute(sa.delete(outbox).where(outbox.c.id.in_([job.id for job in batch])))


def fail(tx: Tx, jobs: Sequence[Job], error: str, at: datetime, limit: timedelta = BACKOFF_LIMIT) -> None:
    """Put rows back, to be tried again after 1, 2, 4, ... seconds, at most `limit`."""
    for job in jobs:
        delay = min(timedelta(seconds=2.0 ** min(job.attempts, 16)), limit)
        tx.execute(
            sa.update(outbox)
            .where(outbox.c.id == job.id)
            .values(attempts=job.attempts + 1, error=error[:2000], due_at=at + delay, leased_until=None)
        )


def put_back(tx: Tx, jobs: Sequence[Job]) -> None:
    """Give up the leases of rows whose turn has not come: nobody tried them."""
    for batch in batches(jobs):
        tx.execute(sa.update(outbox).where(outbox.c.id.in_([job.id for job in batch])).values(leased_until=None))


def astray(tx: Tx, at: datetime) -> list[int]:
    """Rows that wait longer than any ever should, since a clock was set back."""
    late = _AT_ONCE & (outbox.c.due_at > at + SKEW)
    failed = (outbox.c.attempts > 0) & (outbox.c.due_at > at + BACKOFF_LIMIT)
    return list(tx.scalars(sa.select(outbox.c.id).where(late | failed)))


def make_due(tx: Tx, ids: Sequence[int], at: datetime) -> None:
    """Serve these rows now."""
    for batch in batches(ids):
        tx.execute(sa.update(outbox).where(outbox.c.id.in_(batch)).values(created_at=at, due_at=at))


def in_flight(tx: Tx, items: Sequence[ItemRef], at: datetime) -> set[ItemRef]:
    """Those of the items that the index has not caught up with. A date to come does not count."""
    found: set[ItemRef] = set()
    due = (outbox.c.due_at <= at) | _AT_ONCE | (outbox.c.attempts > 0)
    for kind in {item.kind for item in items}:
        for ids in batches(sorted({item.id for item in items if item.kind is kind})):
            of_these = (outbox.c.kind == kind.value) & outbox.c.item_id.in_(ids)
            found.update(
                ItemRef(kind, item_id) for item_id in tx.scalars(sa.select(outbox.c.item_id).where(of_these, due))
            )
    return found


def replayed(tx: Tx) -> list[int]:
    """Rows of the bulk that an index built from now on holds anyway.

    Not those of people, whose vectors come first, and none with a date, on which passages may have to be cut anew.
    """
    return list(tx.scalars(sa.select(outbox.c.id).where(outbox.c.lane == Lane.BULK_LEXICAL, _AT_ONCE)))


def drop(tx: Tx, ids: Sequence[int]) -> set[ItemRef]:
    """Forget rows; returns the items they were about."""
    rows = tx.execute(sa.select(outbox.c.kind, outbox.c.item_id).where(outbox.c.id.in_(ids))).all()
    tx.execute(sa.delete(outbox).where(outbox.c.id.in_(ids)))
    return {ItemRef(Kind(kind), item_id) for kind, item_id in rows}


def release(tx: Tx) -> int:
    """Give up all leases, for an indexer that is alone and starts after a crash. Returns how many there were."""
    return tx.execute(sa.update(outbox).where(outbox.c.leased_until.is_not(None)).values(leased_until=None)).rowcount


def waits(tx: Tx, at: datetime, lanes: Iterable[Lane] = Lane) -> set[Lane]:
    """Those of the lanes that have work right now."""
    # One look per lane stops at the first row; a DISTINCT would read a backlog of 100,000 rows at every poll.
    return {lane for lane in lanes if tx.execute(_due(lane, at).limit(1)).first()}


def late_s(tx: Tx, at: datetime) -> float:
    """For how many seconds the row that has been due for longest has waited for somebody to take it up."""
    first = [tx.execute(_due(lane, at).limit(1)).first() for lane in Lane]
    return max(((at - row.due_at).total_seconds() for row in first if row), default=0.0)


def backlog(tx: Tx, at: datetime) -> list[Backlog]:
    """What waits, by lane. Rows due in the future (a start or end date of an article) do not count as waiting."""
    failed = sa.func.sum(sa.case((outbox.c.attempts > 0, 1), else_=0))
    rows = {
        r.lane: r
        for r in tx.execute(
            sa.select(
                outbox.c.lane,
                sa.func.count().label("waiting"),
                failed.label("failed"),
                sa.func.min(outbox.c.created_at).label("oldest"),
            )
            .where((outbox.c.due_at <= at) | _AT_ONCE | (outbox.c.attempts > 0))
            .group_by(outbox.c.lane)
        )
    }
    return [
        Backlog(lane, rows[lane].waiting, int(rows[lane].failed), max(0.0, (at - rows[lane].oldest).total_seconds()))
        if lane in rows
        else Backlog(lane, 0, 0, 0.0)
        for lane in Lane
    ]
