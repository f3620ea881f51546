"""Webhooks and what waits to be delivered, in SQL."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kb.audience import Audience
from kb.errors import Conflict, NotFound
from kb.store.database import Tx, batches
from kb.store.schema import columns
from kb.store.webhook_tables import delivery, webhook
from kb.webhook import LEASE, Delivery, Event, Outcome, State, Webhook

SUBJECT = "webhook"
"""What audit entries call a webhook."""

_d = delivery.c
_ALL = sa.select(webhook).order_by(webhook.c.created_at, webhook.c.id)  # made once: every change asks it


def insert(tx: Tx, new: Webhook) -> None:
    """Add a webhook."""
    tx.execute(sa.insert(webhook).values(_row(new)))


def get(tx: Tx, webhook_id: str) -> Webhook:
    """The webhook with that id; raises NotFound."""
    row = tx.execute(sa.select(webhook).where(webhook.c.id == webhook_id)).first()
    if row is None:
        raise NotFound(f"no webhook {webhook_id}")
    return _webhook(row)


def every(tx: Tx) -> list[Webhook]:
    """All webhooks, the oldest first."""
    return [_webhook(row) for row in tx.execute(_ALL)]


def update(tx: Tx, before: Webhook, after: Webhook) -> None:
    """Write a changed webhook; raises Conflict if somebody else wrote it since `before` was read."""
    same = (webhook.c.id == before.id) & (webhook.c.version == before.version)
    if tx.execute(sa.update(webhook).where(same).values(_row(after))).rowcount != 1:
        raise Conflict("somebody else changed the webhook: read it again and repeat your change")


def delete(tx: Tx, webhook_id: str) -> None:
    """Take a webhook out, with all that waits for it."""
    tx.execute(sa.delete(delivery).where(_d.webhook_id == webhook_id))
    tx.execute(sa.delete(webhook).where(webhook.c.id == webhook_id))


def add(tx: Tx, new: Iterable[Delivery]) -> None:
    """Ask for deliveries; their ids are given here."""
    rows = [{name: getattr(each, name) for name in columns(delivery) if name not in ("id", "leased_until")}
            | {"event": each.event.value, "outcome": each.outcome.value} for each in new]  # fmt: skip
    if rows:
        tx.execute(sa.insert(delivery), rows)


def is_due(tx: Tx, at: datetime) -> bool:
    """Whether anything can be delivered right now."""
    return tx.execute(_due(at).limit(1)).first() is not None


def claim(tx: Tx, limit: int, at: datetime) -> list[Delivery]:
    """Take up to `limit` deliveries, the oldest first, and hold them for `LEASE`; of each key only the first.

    Processes on PostgreSQL skip each other's rows; SQLite has one writer at a time anyway.
    """
    found = [_delivery(row) for row in tx.execute(_due(at).limit(limit).with_for_update(skip_locked=True, of=delivery))]
    ids = [each.id for each in found]
    tx.execute(sa.update(delivery).where(_d.id.in_(ids)).values(leased_until=at + LEASE))
    return found


def _due(at: datetime) -> sa.Select[Any]:
    """What may be claimed. A lease further away than `LEASE` was made by a clock that has been set, and is void."""
    older = delivery.alias()
    first = ~(
        sa.select(older.c.id)
        .where(older.c.webhook_id == _d.webhook_id, older.c.outcome == Outcome.WAITING.value)
        .where(older.c.key == _d.key, older.c.id < _d.id)
        .exists()
    )
    free = _d.leased_until.is_(None) | (_d.leased_until <= at) | (_d.leased_until > at + LEASE)
    due = (_d.due_at <= at) | (_d.due_at == _d.created_at)  # at once, whatever the clock says
    active = sa.select(webhook.c.id).where(webhook.c.state == State.ACTIVE.value)
    waiting = (_d.outcome == Outcome.WAITING.value) & due & _d.webhook_id.in_(active)
    return sa.select(delivery).where(waiting, free, first).order_by(_d.id)


def done(tx: Tx, each: Delivery, outcome: Outcome, status: int | None, error: str, at: datetime) -> None:
    """Say how a delivery ended."""
    values = {"outcome": outcome.value, "status": status, "error": error[:500], "done_at": at, "leased_until": None}
    tx.execute(sa.update(delivery).where(_d.id == each.id).values(**values, attempts=each.attempts + 1))


def put_off(tx: Tx, each: Delivery, status: int | None, error: str, due_at: datetime) -> None:
    """Try a delivery again later."""
    values = {"status": status, "error": error[:500], "due_at": due_at, "leased_until": None}
    tx.execute(sa.update(delivery).where(_d.id == each.id).values(**values, attempts=each.attempts + 1))


def put_back(tx: Tx, ids: Sequence[int], due_at: datetime) -> None:
    """Give up the leases of deliveries that nobody tried."""
    for batch in batches(ids):
        tx.execute(sa.update(delivery).where(_d.id.in_(batch)).values(leased_until=None, due_at=due_at))


def replay(tx: Tx, webhook_id: str, at: datetime, ids: Collection[int] = (), since: datetime | None = None) -> int:
    """Ask again for what was delivered or given up: these, or all that happened since. Returns how many."""
    ended = (_d.webhook_id == webhook_id) & (_d.outcome != Outcome.WAITING.value)
    which = _d.id.in_(sorted(ids)) if since is None else _d.created_at >= since
    values = {"outcome": Outcome.WAITING.value, "asked_at": at, "due_at": at, "attempts": 0, "done_at": None}
    return tx.execute(sa.update(delivery).where(ended, which).values(**values)).rowcount


def deliveries(
    tx: Tx, webhook_id: str, outcome: Outcome | None = None, before: int | None = None, limit: int = 50
) -> list[Delivery]:
    """The deliveries of a webhook, the latest first, older than id `before`."""
    found = sa.select(delivery).where(_d.webhook_id == webhook_id)
    if outcome is not None:
        found = found.where(_d.outcome == outcome.value)
    if before is not None:
        found = found.where(_d.id < before)
    return [_delivery(row) for row in tx.execute(found.order_by(_d.id.desc()).limit(limit))]


def forget(tx: Tx, before: datetime) -> int:
    """Drop what ended before then. Returns how many."""
    old = (_d.outcome != Outcome.WAITING.value) & (_d.done_at < before)
    return tx.execute(sa.delete(delivery).where(old)).rowcount


def backlog(tx: Tx, at: datetime) -> tuple[dict[Outcome, int], timedelta]:
    """How many wait and have failed, and for how long the oldest has waited."""
    asked = sa.select(_d.outcome, sa.func.count(), sa.func.min(_d.asked_at)).where(
        _d.outcome.in_([Outcome.WAITING.value, Outcome.FAILED.value])
    )
    counts, oldest = {Outcome.WAITING: 0, Outcome.FAILED: 0}, at
    for outcome, count, first in tx.execute(asked.group_by(_d.outcome)):
        counts[Outcome(outcome)] = count
        oldest = first if outcome == Outcome.WAITING else oldest
    return counts, max(at - oldest, timedelta())


def _row(each: Webhook) -> dict[str, Any]:
    row = {name: getattr(each, name) for name in columns(webhook)}
    return row | {"audience": each.audience.value, "state": each.state.value, "events": sorted(each.events)}


def _webhook(row: Any) -> Webhook:
    events = frozenset(Event(event) for event in row.events)
    return Webhook(**{**row._mapping, "audience": Audience(row.audience), "state": State(row.state), "events": events})


def _delivery(row: Any) -> Delivery:
    fields = {name: value for name, value in row._mapping.items() if name != "leased_until"}
    return Delivery(**fields | {"event": Event(row.event), "outcome": Outcome(row.outcome)})
