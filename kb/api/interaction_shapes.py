"""Interactions and their events, as they go over the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from kb.api.shapes import MANY, Id, Name, Number, Shape, Short, Text, example
from kb.interaction import LONGEST_COMMENT, Channel, Continuation, EventKind, LinkType
from kb.language import Language
from kb.passage import Kind

_ID = "3d0e8f6a5b7c4d1e9f2a1b0c3d4e5f60"
_INTERACTION = {
    "id": _ID, "channel": "phone", "opened_at": "2026-03-14T12:00:00Z", "opened_by": "5b1e6a0c9d2f4f7b8c3d4e5f6a7b8c9d",
    "external_id": "call-20260314-0042", "subject": "customer-7781", "product": "hub-6", "language": "en",
    "continues": None, "continuation": None,
}  # fmt: skip


class InteractionIn(Shape):
    """A customer contact that begins."""

    model_config = example(
        {"channel": "phone", "external_id": "call-20260314-0042", "subject": "customer-7781", "product": "hub-6"}
    )

    channel: Channel
    external_id: Annotated[Short, Field(description="The host desktop's id; for staff.")] = ""
    subject: Annotated[Short, Field(description="An opaque reference to the customer.")] = ""
    product: Name | Literal[""] = ""
    language: Language | None = None
    continues: Annotated[Id | None, Field(description="The interaction that this one goes on with.")] = None
    continuation: Annotated[Continuation | None, Field(description="Why; with `continues` and only then.")] = None


class InteractionOut(Shape):
    """One customer contact."""

    model_config = example(_INTERACTION)

    id: str
    channel: Channel
    opened_at: datetime
    opened_by: str
    external_id: str
    subject: str
    product: str
    language: Language | None
    continues: str | None
    continuation: Continuation | None


class EventItemOut(Shape):
    """What an event was about. Number and title are null for what you may not read."""

    kind: Kind
    id: str
    number: str | None
    title: str | None


class EventOut(Shape):
    """One step of a trail. `data` holds what only some kinds have: a query, the type of a link, a comment."""

    kind: EventKind
    at: datetime
    person_id: str
    search_id: str | None
    position: int | None
    item: EventItemOut | None
    revision: int | None
    ordinal: int | None
    data: dict[str, Any]


class TrailOut(InteractionOut):
    """An interaction with what happened in it, oldest first. Searches are written within a second."""

    model_config = example(_INTERACTION | {"trail": [{
        "kind": "linked", "at": "2026-03-14T12:03:10Z", "person_id": "5b1e6a0c9d2f4f7b8c3d4e5f6a7b8c9d",
        "search_id": "0b8f5c1e7d4a4f0e9a4c7f1d2b3a6c55", "position": 1,
        "item": {"kind": "article", "id": "9f3c2b7a1d5e4c6f8a0b1c2d3e4f5a6b", "number": "482-9175",
                 "title": "The hub's light is red"},
        "revision": 3, "ordinal": 0, "data": {"type": "resolution"},
    }]})  # fmt: skip

    trail: list[EventOut]


class EventIn(Shape):
    """Something that happened. What it was about is named by `number`, or by `item_kind` and `item_id`."""

    kind: Annotated[EventKind, Field(description="Any but `searched`, which the search itself writes.")]
    interaction_id: Id | None = None
    search_id: Annotated[Id | None, Field(description="The search that led here.")] = None
    position: Annotated[int | None, Field(ge=1, le=MANY, description="The place of the hit in it, from 1.")] = None
    number: Number | None = None
    item_kind: Kind | None = None
    item_id: Id | None = None
    revision: Annotated[int | None, Field(ge=1, le=MANY, description="The revision that was seen.")] = None
    ordinal: Annotated[int | None, Field(ge=0, le=MANY, description="The passage of it.")] = None
    comment: Annotated[
        Text,
        Field(
            max_length=LONGEST_COMMENT,
            description="With `helpful` or `not_helpful`: what helped, or was missing. It may follow in an event of "
            "its own; else an item is rated once in an interaction (409).",
        ),
    ] = ""
    type: Annotated[LinkType | None, Field(description="Of a link: did it resolve the contact?")] = None
    acknowledged_case: Annotated[
        Id | None,
        Field(
            description="The `open_case` of what is copied, inserted or linked; 409 with the code `open_case` without."
        ),
    ] = None


class EventsIn(Shape):
    """Up to 100 events, in order."""

    model_config = example({"events": [
        {"kind": "viewed", "interaction_id": _ID, "search_id": "0b8f5c1e7d4a4f0e9a4c7f1d2b3a6c55", "position": 1,
         "number": "482-9175", "revision": 3, "ordinal": 0},
        {"kind": "linked", "interaction_id": _ID, "number": "482-9175", "revision": 3, "type": "resolution"},
        {"kind": "resolved", "interaction_id": _ID},
    ]})  # fmt: skip

    events: Annotated[tuple[EventIn, ...], Field(min_length=1, max_length=100)]


class RecordedOut(Shape):
    """How many events are now on the trail."""

    model_config = example({"recorded": 3})

    recorded: int
