"""Interactions and their trail in SQL. The trail is append-only: there is no function that changes it."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kb.errors import NotFound
from kb.interaction import Channel, Continuation, Event, EventKind, Interaction, LinkType
from kb.passage import Kind
from kb.store.database import Tx, batches
from kb.store.schema import columns, event, interaction


def insert(tx: Tx, new: Interaction) -> None:
    """Add an interaction."""
    tx.execute(sa.insert(interaction).values(**{name: getattr(new, name) for name in columns(interaction)}))


def get(tx: Tx, interaction_id: str) -> Interaction:
    """The interaction with that id; raises NotFound."""
    row = tx.execute(sa.select(interaction).where(interaction.c.id == interaction_id)).first()
    if row is None:
        raise NotFound(f"no interaction {interaction_id}")
    return _interaction(row)


def by_external_id(tx: Tx, external_id: str) -> Interaction | None:
    """The latest interaction that a host desktop calls by that id."""
    row = tx.execute(
        sa.select(interaction)
        .where(interaction.c.external_id == external_id, interaction.c.external_id != "")
        .order_by(interaction.c.opened_at.desc())
    ).first()
    return None if row is None else _interaction(row)


def append(tx: Tx, events: Sequence[Event]) -> None:
    """Add events to the trail."""
    if events:
        tx.execute(sa.insert(event), [_row(each) for each in events])


def trail(tx: Tx, interaction_id: str) -> list[Event]:
    """The events of one interaction, oldest first."""
    rows = tx.execute(sa.select(event).where(event.c.interaction_id == interaction_id).order_by(event.c.at, event.c.id))
    return [_event(row) for row in rows]


def recent(tx: Tx, kind: EventKind, limit: int = 100) -> list[Event]:
    """The latest events of one kind, newest first."""
    rows = tx.execute(sa.select(event).where(event.c.kind == kind).order_by(event.c.id.desc()).limit(limit))
    return [_event(row) for row in rows]


def links(tx: Tx, interaction_id: str) -> dict[tuple[Kind, str], Event]:
    """The content linked to an interaction now: the last link of each item, unless it was unlinked since."""
    current: dict[tuple[Kind, str], Event] = {}
    for each in trail(tx, interaction_id):
        if each.item_kind is None or each.item_id is None:
            continue
        if each.kind is EventKind.LINKED:
            current[each.item_kind, each.item_id] = each
        elif each.kind is EventKind.UNLINKED:
            current.pop((each.item_kind, each.item_id), None)
    return current


def resolved_counts(tx: Tx, kind: Kind, ids: Sequence[str]) -> dict[str, int]:
    """How many interactions each item resolved now, by the same rule as `links`: the last word on it counts."""
    counts: dict[str, int] = {}
    later = event.alias()
    overruled = sa.select(later.c.id).where(
        later.c.interaction_id == event.c.interaction_id,
        later.c.item_kind == event.c.item_kind,
        later.c.item_id == event.c.item_id,
        later.c.kind.in_([EventKind.LINKED, EventKind.UNLINKED]),
        sa.tuple_(later.c.at, later.c.id) > sa.tuple_(event.c.at, event.c.id),
    )
    for batch in batches(ids):
        rows = tx.execute(
            sa.select(event.c.item_id, sa.func.count())
            .where(
                event.c.item_kind == kind,
                event.c.item_id.in_(batch),
                event.c.kind == EventKind.LINKED,
                event.c.interaction_id.is_not(None),
                event.c.data["type"].as_string() == LinkType.RESOLUTION,
                ~overruled.exists(),
            )
            .group_by(event.c.item_id)
        )
        counts.update({item_id: count for item_id, count in rows})
    return counts


def _row(each: Event) -> dict[str, Any]:
    return {name: getattr(each, name) for name in columns(event) if name != "id"}


def _event(row: Any) -> Event:
    fields: dict[str, Any] = dict(row._mapping)
    fields["kind"] = EventKind(row.kind)
    fields["item_kind"] = None if row.item_kind is None else Kind(row.item_kind)
    return Event(**fields)


def _interaction(row: Any) -> Interaction:
    fields: dict[str, Any] = dict(row._mapping)
    fields["channel"] = Channel(row.channel)
    fields["continuation"] = None if row.continuation is None else Continuation(row.continuation)
    return Interaction(**fields)
