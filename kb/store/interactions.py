"""Interactions and their trail in SQL. The trail is append-only: there is no function that changes it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from kb.errors import NotFound
from kb.interaction import RATINGS, Channel, Continuation, Event, EventKind, Interaction, LinkType
from kb.passage import ItemRef, Kind
from kb.store.database import Tx, batches, insert_into
from kb.store.schema import columns, event, interaction, link


def insert(tx: Tx, new: Interaction) -> None:
    """Add an interaction."""
    tx.execute(sa.insert(interaction).values(**{name: getattr(new, name) for name in columns(interaction)}))


def get(tx: Tx, interaction_id: str, to_add: bool = False) -> Interaction:
    """The interaction with that id; raises NotFound. If something is `to_add` once, others who want to add it wait."""
    wanted = sa.select(interaction).where(interaction.c.id == interaction_id)
    row = tx.execute(wanted.with_for_update() if to_add else wanted).first()
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
    _remember_links(tx, [each for each in events if each.kind in (EventKind.LINKED, EventKind.UNLINKED)])


def trail(tx: Tx, interaction_id: str) -> list[Event]:
    """The events of one interaction, oldest first."""
    rows = tx.execute(sa.select(event).where(event.c.interaction_id == interaction_id).order_by(event.c.at, event.c.id))
    return [as_event(row) for row in rows]


def recent(tx: Tx, kind: EventKind, limit: int = 100) -> list[Event]:
    """The latest events of one kind, newest first."""
    rows = tx.execute(sa.select(event).where(event.c.kind == kind).order_by(event.c.id.desc()).limit(limit))
    return [as_event(row) for row in rows]


def search(tx: Tx, search_id: str) -> Event | None:
    """The `searched` event of a search, if it has been logged."""
    found = sa.select(event).where(event.c.search_id == search_id, event.c.kind == EventKind.SEARCHED)
    row = tx.execute(found.limit(1)).first()
    return None if row is None else as_event(row)


RECEIVED = (EventKind.VIEWED, EventKind.COPIED, EventKind.INSERTED, EventKind.LINKED)
"""The events by which somebody received what an item says."""


def received(
    tx: Tx, revisions: Mapping[ItemRef, Collection[int]], before: int | None, limit: int | None
) -> list[tuple[Any, ...]]:
    """Who received these revisions of these items, the latest first, older than event `before`.

    (event id, time, kind, person, interaction, its channel, external id and subject, revision, ordinal)
    """
    of_them = [
        (event.c.item_kind == item.kind.value) & (event.c.item_id == item.id) & event.c.revision.in_(sorted(numbers))
        for item, numbers in revisions.items()
    ]
    about = event.c.kind.in_([each.value for each in RECEIVED]) & sa.or_(sa.false(), *of_them)
    found = (
        sa.select(
            event.c.id, event.c.at, event.c.kind, event.c.person_id, event.c.interaction_id, interaction.c.channel,
            interaction.c.external_id, interaction.c.subject, event.c.revision, event.c.ordinal,
        )
        .outerjoin(interaction, interaction.c.id == event.c.interaction_id)
        .where(about)
    )  # fmt: skip
    if before is not None:
        found = found.where(event.c.id < before)
    return [
        (
            row.id, row.at, EventKind(row.kind), row.person_id, row.interaction_id,
            Channel(row.channel) if row.channel else None, row.external_id or "", row.subject or "",
            row.revision, row.ordinal,
        )
        for row in tx.execute(found.order_by(event.c.id.desc()).limit(limit))
    ]  # fmt: skip


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


def resolved_count(kind: Kind, item_id: sa.ColumnElement[str]) -> sa.ScalarSelect[int]:
    """How many interactions an item resolved now, by the same rule as `links`: a column for a query about items."""
    resolves = (link.c.item_kind == kind.value) & (link.c.item_id == item_id) & (link.c.type == LinkType.RESOLUTION)
    return sa.select(sa.func.count()).select_from(link).where(resolves).scalar_subquery()


def resolved_searches(tx: Tx, limit: int) -> list[tuple[str, ItemRef]]:
    """What was searched in interactions that an item resolved, with that item: the latest so many, newest first."""
    rows = tx.execute(
        sa.select(event.c.data, link.c.item_kind, link.c.item_id)
        .join(link, link.c.interaction_id == event.c.interaction_id)
        .where(event.c.kind == EventKind.SEARCHED, link.c.type == LinkType.RESOLUTION)
        .order_by(event.c.id.desc())
        .limit(limit)
    )
    return [(str(data.get("query", "")), ItemRef(Kind(kind), item_id)) for data, kind, item_id in rows]


def linked_to(tx: Tx, item: ItemRef) -> list[tuple[str, LinkType]]:
    """The interactions that an item is linked to now, and why."""
    here = (link.c.item_kind == item.kind.value) & (link.c.item_id == item.id) & (link.c.type != "")
    rows = tx.execute(sa.select(link.c.interaction_id, link.c.type).where(here).order_by(link.c.interaction_id))
    return [(interaction_id, LinkType(type_)) for interaction_id, type_ in rows]


def about(tx: Tx, item: ItemRef, kinds: Collection[EventKind], since: datetime) -> list[Event]:
    """What happened with an item since then, of these kinds, newest first."""
    here = (event.c.item_kind == item.kind.value) & (event.c.item_id == item.id) & (event.c.at >= since)
    of_kind = event.c.kind.in_(sorted(kinds))
    rows = tx.execute(sa.select(event).where(here, of_kind).order_by(event.c.at.desc(), event.c.id.desc()))
    return [as_event(row) for row in rows]


def rated(tx: Tx, interaction_id: str, person_id: str, item: ItemRef) -> list[Event]:
    """How somebody rated an item in an interaction, oldest first."""
    mine = (event.c.interaction_id == interaction_id) & (event.c.person_id == person_id)
    rows = tx.execute(sa.select(event).where(mine, _rates(item)).order_by(event.c.id))
    return [as_event(row) for row in rows]


def voices(tx: Tx, item: ItemRef, since: datetime, until: datetime) -> dict[EventKind, int]:
    """How many different people (interactions, where they are known) rated an item either way in that time."""
    who = sa.func.coalesce(event.c.interaction_id, event.c.person_id)
    counted = sa.select(event.c.kind, sa.func.count(who.distinct())).where(
        _rates(item), event.c.at.between(since, until)
    )
    found = {EventKind(kind): n for kind, n in tx.execute(counted.group_by(event.c.kind))}
    return {kind: found.get(kind, 0) for kind in RATINGS}


def comments(tx: Tx, item: ItemRef, since: datetime, until: datetime, limit: int) -> list[Event]:
    """The ratings of an item in that time to which something was added, the latest first."""
    said = event.c.data["comment"].as_string().is_not(None) & event.c.at.between(since, until)
    rows = tx.execute(sa.select(event).where(_rates(item), said).order_by(event.c.id.desc()).limit(limit))
    return [as_event(row) for row in rows]


def _rates(item: ItemRef) -> sa.ColumnElement[bool]:
    about = (event.c.item_kind == item.kind.value) & (event.c.item_id == item.id)
    return about & event.c.kind.in_([each.value for each in RATINGS])


def channels(tx: Tx, interaction_ids: Collection[str]) -> dict[str, Channel]:
    """The channel of each of these interactions."""
    found: dict[str, Channel] = {}
    for batch in batches(sorted(interaction_ids)):
        rows = tx.execute(sa.select(interaction.c.id, interaction.c.channel).where(interaction.c.id.in_(batch)))
        found |= {row.id: Channel(row.channel) for row in rows}
    return found


def use(
    tx: Tx, item: ItemRef, kinds: Collection[EventKind], since: datetime
) -> list[tuple[date, EventKind, LinkType | None, str, int]]:
    """How often an item was used since then, oldest first: (day in UTC, kind, type of a link, person, times).

    Links that a merge has moved count where they were made.
    """
    here = (event.c.item_kind == item.kind.value) & (event.c.item_id == item.id) & (event.c.at >= since)
    here &= event.c.kind.in_(sorted(kinds)) & event.c.data["merge"].as_string().is_(None)
    day = sa.func.date(event.c.at, type_=sa.Date).label("day")
    type_of = event.c.data["type"].as_string().label("type")
    by = ("day", "kind", "type", "person_id")  # names: PostgreSQL takes the same expression with parameters for two
    found = sa.select(day, event.c.kind, type_of, event.c.person_id, sa.func.count()).where(here)
    rows = tx.execute(found.group_by(*by).order_by(*by))
    return [
        (day, EventKind(kind), LinkType(type_) if type_ else None, person_id, times)
        for day, kind, type_, person_id, times in rows
    ]


def _remember_links(tx: Tx, events: Sequence[Event]) -> None:
    rows = [
        {
            "interaction_id": each.interaction_id,
            "item_kind": each.item_kind,
            "item_id": each.item_id,
            "type": each.data.get("type", "") if each.kind is EventKind.LINKED else "",
            "at": each.at,
        }
        for each in events
        if each.interaction_id and each.item_kind and each.item_id
    ]
    # In order of time, as `trail` has it: what is written late about an earlier moment changes nothing.
    if rows:
        new = insert_into(tx, link)
        tx.execute(
            new.on_conflict_do_update(
                index_elements=list(link.primary_key),
                set_={"type": new.excluded.type, "at": new.excluded.at},
                where=new.excluded.at >= link.c.at,
            ),
            rows,
        )


def _row(each: Event) -> dict[str, Any]:
    return {name: getattr(each, name) for name in columns(event) if name != "id"}


def as_event(row: Any) -> Event:
    """A row of the trail as the noun."""
    fields: dict[str, Any] = dict(row._mapping)
    fields["kind"] = EventKind(row.kind)
    fields["item_kind"] = None if row.item_kind is None else Kind(row.item_kind)
    return Event(**fields)


def _interaction(row: Any) -> Interaction:
    fields: dict[str, Any] = dict(row._mapping)
    fields["channel"] = Channel(row.channel)
    fields["continuation"] = None if row.continuation is None else Continuation(row.continuation)
    return Interaction(**fields)
