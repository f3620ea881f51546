"""Interactions and what happens in them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from kb import clock
from kb.api.bodies import Route
from kb.api.errors import refusals
from kb.api.interaction_shapes import (
    EventIn,
    EventItemOut,
    EventOut,
    EventsIn,
    InteractionIn,
    InteractionOut,
    RecordedOut,
    TrailOut,
)
from kb.api.parts import Parts, Running
from kb.api.people import Me, opens
from kb.api.queries import no_query
from kb.api.shapes import Id
from kb.errors import Invalid
from kb.interaction import Event, EventKind, Interaction
from kb.passage import ItemRef, Kind
from kb.person import Person, Scope
from kb.solve import rating, reading, trail
from kb.standing import Standing

router = APIRouter(
    prefix="/api/v1", tags=["interactions"], dependencies=[Depends(no_query), opens(Scope.INTERACT)], route_class=Route
)


@router.post("/interactions", summary="Begin", responses=refusals(403, 404, 409, 413))
def open_interaction(asked: InteractionIn, me: Me, parts: Parts) -> InteractionOut:
    """Begin an interaction, or get the one that is open under the same `external_id`."""
    opened = trail.open_interaction(
        parts.db,
        me,
        asked.channel,
        external_id=asked.external_id,
        subject=asked.subject,
        product=asked.product,
        language=asked.language or "",
        continues=asked.continues,
        continuation=asked.continuation,
    )
    return InteractionOut(**_fields(opened))


@router.get("/interactions/{interaction_id}", summary="Read", responses=refusals(404))
def read_interaction(
    interaction_id: Annotated[Id, Path(examples=["3d0e8f6a5b7c4d1e9f2a1b0c3d4e5f60"])],
    me: Me,
    parts: Parts,
) -> TrailOut:
    """An interaction with its trail: for staff all of it, for others their own and what they did themselves."""
    interaction, events, standings = trail.read_trail(parts.db, me, interaction_id)
    return TrailOut(**_fields(interaction), trail=[_event(each, standings) for each in events])


@router.post("/events", status_code=201, summary="Record", responses=refusals(403, 404, 409, 413))
def record_events(asked: EventsIn, me: Me, parts: Parts) -> RecordedOut:
    """Write what happened to the trail: all of it or nothing, and before this answers. What has a severe case open is
    copied, inserted or linked only by who names it in `acknowledged_case` (409, `open_case`). Anybody may rate what
    they read (`helpful`, `not_helpful`), once in an interaction; many who say that it did not help make a case."""
    events = [_noun(parts, me, each, f"events.{place}") for place, each in enumerate(asked.events)]
    trail.record(parts.db, me, events, parts.case_rules)
    return RecordedOut(recorded=len(events))


def _fields(interaction: Interaction) -> dict[str, object]:
    return asdict(interaction) | {"language": interaction.language or None}


def _noun(parts: Running, me: Person, sent: EventIn, field: str) -> Event:
    if sent.number is not None and (sent.item_kind or sent.item_id):
        raise Invalid("name it by number, or by item_kind and item_id, not by both", f"{field}.number")
    if (sent.item_kind is None) != (sent.item_id is None):
        raise Invalid("item_kind and item_id go together", f"{field}.item_id")
    if sent.type is not None and sent.kind is not EventKind.LINKED:
        raise Invalid("only a link has a type", f"{field}.type")
    item_kind, item_id = sent.item_kind, sent.item_id
    if sent.number is not None:
        item_kind, item_id = Kind.ARTICLE, reading.find(parts.db, me, sent.number).id
    return Event(
        kind=sent.kind,
        at=clock.now(),
        person_id=me.id,
        interaction_id=sent.interaction_id,
        search_id=sent.search_id,
        position=sent.position,
        item_kind=item_kind,
        item_id=item_id,
        revision=sent.revision,
        ordinal=sent.ordinal,
        data=_data(sent),
    )


def _data(sent: EventIn) -> dict[str, object]:
    data: dict[str, object] = {"type": sent.type.value} if sent.type else {}
    data |= {rating.COMMENT: sent.comment} if sent.comment else {}
    return data | ({trail.ACKNOWLEDGED: sent.acknowledged_case} if sent.acknowledged_case else {})


def _event(event: Event, standings: Mapping[ItemRef, Standing]) -> EventOut:
    item = trail.about(event)
    return EventOut(
        kind=event.kind,
        at=event.at,
        person_id=event.person_id,
        search_id=event.search_id,
        position=event.position,
        item=_item_out(item, standings.get(item)) if item else None,
        revision=event.revision,
        ordinal=event.ordinal,
        data=event.data,
    )


def _item_out(item: ItemRef, standing: Standing | None) -> EventItemOut:
    number, title = (standing.label or None, standing.title) if standing else (None, None)
    return EventItemOut(kind=item.kind, id=item.id, number=number, title=title)
