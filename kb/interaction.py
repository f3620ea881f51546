"""Interactions and their trail.

An interaction is one customer contact on any channel. What happens in it is written to one append-only trail;
assist, handoff, recall, deflection, evidence and reports all read that trail. The search log is the trail's
`searched` events.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from kb.passage import Kind


class Channel(StrEnum):
    """Where the contact takes place."""

    PHONE = "phone"
    CHAT = "chat"
    EMAIL = "email"
    SELF_HELP = "self_help"
    SOCIAL = "social"
    SHOP = "shop"
    OTHER = "other"


class Continuation(StrEnum):
    """Why an interaction continues an earlier one."""

    HANDOFF = "handoff"
    CALL_BACK = "call_back"
    CAME_BACK = "came_back"


@dataclass(frozen=True, slots=True)
class Interaction:
    """One customer contact. `external_id` is the host desktop's id, `subject` an opaque customer reference."""

    id: str
    channel: Channel
    opened_at: datetime
    opened_by: str
    external_id: str = ""
    subject: str = ""
    product: str = ""
    language: str = ""
    continues: str | None = None
    continuation: Continuation | None = None


class EventKind(StrEnum):
    """What can happen in an interaction."""

    SEARCHED = "searched"
    VIEWED = "viewed"
    COPIED = "copied"
    INSERTED = "inserted"
    LINKED = "linked"
    UNLINKED = "unlinked"
    HELPFUL = "helpful"
    NOT_HELPFUL = "not_helpful"
    RESOLVED = "resolved"
    HANDED_OFF = "handed_off"
    CAME_BACK = "came_back"


RATINGS = (EventKind.HELPFUL, EventKind.NOT_HELPFUL)
"""What anybody may say of an item (KCS: everyone can rate or comment)."""

LONGEST_COMMENT = 500
"""Characters of what somebody adds to a rating: a line or two, not a letter."""


class LinkType(StrEnum):
    """Why content was linked: it solved the contact, or it was read along the way (KCS RE-02)."""

    RESOLUTION = "resolution"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Event:
    """One step of a trail, tied to the exact revision and passage it was about.

    `search_id` is the id of the search that led here and `position` the 1-based place of the hit in it.
    `data` holds what only some kinds have: a search's query and hits, a link's type, a rating's `comment`.
    """

    kind: EventKind
    at: datetime
    person_id: str
    interaction_id: str | None = None
    search_id: str | None = None
    position: int | None = None
    item_kind: Kind | None = None
    item_id: str | None = None
    revision: int | None = None
    ordinal: int | None = None
    data: dict[str, object] = field(default_factory=dict)
    id: int | None = None
