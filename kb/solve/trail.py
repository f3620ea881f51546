"""The trail: interactions, what happened in them, and the log of searches.

Flags, links and edits are written before the answer. Searches are many and cheap to lose: they are written
in groups, off the request path.
"""

import contextlib
import logging
import queue
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kb import clock
from kb.audience import Audience
from kb.case import Rules
from kb.errors import Conflict, Invalid, KbError, NotAllowed, NotFound, Unacknowledged
from kb.interaction import RATINGS, Channel, Continuation, Event, EventKind, Interaction, LinkType
from kb.passage import ItemRef, Kind
from kb.person import Person, Right
from kb.solve import rating, seeing, unhelpful
from kb.standing import Standing
from kb.store import articles, interactions, ledger
from kb.store.database import Database, Tx

log = logging.getLogger(__name__)

ABOUT_AN_ITEM = frozenset({
    EventKind.VIEWED, EventKind.COPIED, EventKind.INSERTED, EventKind.LINKED, EventKind.UNLINKED, *RATINGS,
})  # fmt: skip
BY_STAFF = frozenset({EventKind.LINKED, EventKind.UNLINKED})
IN_AN_INTERACTION = frozenset({EventKind.LINKED, EventKind.UNLINKED, EventKind.RESOLVED})
PASSED_ON = frozenset({EventKind.COPIED, EventKind.INSERTED, EventKind.LINKED})
ACKNOWLEDGED = "acknowledged_case"
"""In the data of an event: the severe case that was open, and that who passed the item on knew of."""
_NO_RULES = Rules()
WRITTEN_BY_KB = frozenset({EventKind.SEARCHED})
_LATER_S = 2.0
_SHOWN = "shown"  # the hits of a search in the data of its event: [kind, id, revision, ordinal]


def open_interaction(
    db: Database,
    by: Person,
    channel: Channel,
    *,
    external_id: str = "",
    subject: str = "",
    product: str = "",
    language: str = "",
    continues: str | None = None,
    continuation: Continuation | None = None,
) -> Interaction:
    """Begin an interaction, or return the one the host desktop already opened under that `external_id`.

    Raises Invalid when it continues another without saying why, NotFound when that other one is not there for `by`,
    NotAllowed for a host desktop's id from anybody but staff, who could otherwise try which ids exist, and Conflict
    when it is open already as something else.
    """
    if external_id:
        by.require(Right.TRAIL)
    if (continues is None) != (continuation is None):
        raise Invalid("an interaction that continues another says why (and only then)", "continuation")
    with db.write() as tx:
        known = interactions.by_external_id(tx, external_id) if external_id else None
        if continues is not None:
            own_interaction(interactions.get(tx, continues), by)
        new = Interaction(
            id=uuid.uuid4().hex,
            channel=channel,
            opened_at=clock.now(),
            opened_by=by.id,
            external_id=external_id,
            subject=subject,
            product=product,
            language=language,
            continues=continues,
            continuation=continuation,
        )
        if known is not None:
            if replace(new, id=known.id, opened_at=known.opened_at, opened_by=known.opened_by) != known:
                raise Conflict(f"{external_id} is open already, as interaction {known.id} with other particulars")
            return known
        interactions.insert(tx, new)
        return new


def read_trail(
    db: Database, by: Person, interaction_id: str
) -> tuple[Interaction, list[Event], dict[ItemRef, Standing]]:
    """An interaction and its events, oldest first; NotFound for somebody who may not see it.

    Who may not read trails sees their own events only: what staff searched for is not the customer's to read. Who
    may sees those of others without what is not there for them. Also returns the standings of what is.
    """
    with db.read() as tx:
        interaction = own_interaction(interactions.get(tx, interaction_id), by)
        events = interactions.trail(tx, interaction_id)
        events = [each for each in events if by.may(Right.TRAIL) or each.person_id == by.id]
        items = {item for each in events for item in (about(each), *map(_item_of, _hits_shown(each))) if item}
        seen = seeing.standings(tx, by, sorted(items), clock.now())
    return interaction, [each for event in events if (each := _as_seen_by(by, event, seen))], seen


def about(event: Event) -> ItemRef | None:
    """The item an event was about, if it was about one."""
    return ItemRef(event.item_kind, event.item_id) if event.item_kind and event.item_id else None


def _as_seen_by(by: Person, event: Event, seen: Mapping[ItemRef, Standing]) -> Event | None:
    """An event as far as it is for `by`, if it is at all. What somebody did themselves they see whole.

    Passages have no standing of their own: which of them others were shown is for those who may read every section.
    """
    item = about(event)
    if event.person_id == by.id:
        return event
    if item is not None and item not in seen:
        return None
    if rating.COMMENT in event.data and not rating.may_read(by, event):
        event = rating.without_comment(event)
    if by.tier is not Audience.INTERNAL:
        return replace(event, ordinal=None, data={name: each for name, each in event.data.items() if name != _SHOWN})
    if _SHOWN not in event.data:
        return event
    shown = [hit for hit in _hits_shown(event) if _item_of(hit) in seen]
    return replace(event, data=event.data | {_SHOWN: shown})


def _hits_shown(event: Event) -> Sequence[Sequence[Any]]:
    found = event.data.get(_SHOWN, [])
    return found if isinstance(found, list) else []


def _item_of(hit: Sequence[Any]) -> ItemRef:
    return ItemRef(Kind(hit[0]), hit[1])


def record(db: Database, by: Person, events: Sequence[Event], rules: Rules = _NO_RULES) -> None:
    """Append events to the trail, all or none, before returning. Raises Invalid or NotFound for a bad one.

    Staff who copy, insert or link something with a severe case open say so with the event, by its id; Unacknowledged
    otherwise. Who rates an item twice in one interaction gets Conflict. Where enough people say that something does not
    help, a case is opened.
    """
    at = clock.now()
    with db.write() as tx:
        for place, event in enumerate(events):
            _check(tx, by, event, f"events.{place}")
        rating.check(tx, by, events)
        interactions.append(tx, [replace(rating.kept(tx, by, each), person_id=by.id, at=at) for each in events])
        if not by.is_staff:
            said = [about(each) for each in events if each.kind is EventKind.NOT_HELPFUL]
            unhelpful.heard(tx, [each for each in said if each], rules, at)


def _check(tx: Tx, by: Person, event: Event, field: str) -> None:
    if event.kind in WRITTEN_BY_KB:
        raise Invalid(f"{event.kind} events are written by the search itself", f"{field}.kind")
    if event.interaction_id is not None:
        own_interaction(interactions.get(tx, event.interaction_id, to_add=event.kind in RATINGS), by)
    elif event.kind in IN_AN_INTERACTION:
        raise Invalid(f"a {event.kind} event belongs to an interaction", f"{field}.interaction_id")
    if event.kind in BY_STAFF and not by.is_staff:
        raise NotAllowed(f"a {event.kind} event says what resolved a contact: that is for staff")
    if event.kind is EventKind.LINKED and event.data.get("type") not in set(LinkType):
        raise Invalid(f"a link has the type {' or '.join(LinkType)}", f"{field}.type")
    if event.kind in ABOUT_AN_ITEM or event.item_id is not None:
        _check_item(tx, by, event, field)


def _check_item(tx: Tx, by: Person, event: Event, field: str) -> None:
    """Raise unless the event names a revision of an item that is there for `by`."""
    if event.item_kind is None or event.item_id is None or event.revision is None:
        raise Invalid(f"a {event.kind} event names an item and its revision", f"{field}.item")
    item = ItemRef(event.item_kind, event.item_id)
    standing = seeing.standings(tx, by, [item], clock.now()).get(item)
    if standing is None:
        raise NotFound(f"no {item.kind} {item.id}")
    _check_known(by, event, standing)
    latest = articles.get(tx, item.id).latest if by.is_staff and item.kind is Kind.ARTICLE else standing.revision
    if not 1 <= event.revision <= latest:
        raise Invalid(f"there is no revision {event.revision} of that {item.kind}", f"{field}.revision")


def _check_known(by: Person, event: Event, standing: Standing) -> None:
    """Raise Unacknowledged unless a severe case about the item is known to who passes it on. Readers know of none."""
    warning = standing.open_case
    if warning and by.is_staff and event.kind in PASSED_ON and event.data.get(ACKNOWLEDGED) != warning.id:
        what = f"{standing.item.kind} {standing.label or standing.item.id}"
        why = f"a severe case ({warning.cause}) about {what} is open"
        raise Unacknowledged(f"{why}: send {ACKNOWLEDGED}: {warning.id} to use it all the same")


def own_interaction(interaction: Interaction, by: Person) -> Interaction:
    """The interaction, if `by` opened it or may read trails; NotFound otherwise."""
    if interaction.opened_by != by.id and not by.may(Right.TRAIL):
        raise NotFound(f"no interaction {interaction.id}")
    return interaction


class SearchLog:
    """Writes `searched` events in groups, from a thread of its own.

    A full queue (the database is away) drops the oldest rather than slow a search down; drops are counted.
    """

    def __init__(self, db: Database, every_s: float = 0.5, capacity: int = 10_000) -> None:
        self._db = db
        self._every_s = every_s
        self._queue: queue.Queue[Event] = queue.Queue(capacity)
        self._stop = threading.Event()
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="search-log", daemon=True)
        self.dropped = 0

    def start(self) -> "SearchLog":
        """Begin to write."""
        self._thread.start()
        return self

    def add(self, event: Event) -> None:
        """Remember a search; returns at once."""
        while True:
            try:
                return self._queue.put_nowait(event)
            except queue.Full:
                self._drop_oldest()

    def flush(self) -> bool:
        """Write what waits, up to 1,000. What cannot be written now is kept for the next time: then returns False."""
        with self._writing:
            events: list[Event] = []
            with contextlib.suppress(queue.Empty):
                while len(events) < 1_000:
                    events.append(self._queue.get_nowait())
            try:
                with self._db.write() as tx:
                    # Somebody may have been erased while their searches waited here.
                    interactions.append(tx, ledger.without_erased(tx, events))
            except KbError as error:
                log.warning("searches could not be logged yet: %s", error)
                for event in events:
                    self.add(event)
                return False
            except Exception:  # one that cannot be written must not keep the others from being so
                log.exception("%d searches cannot be logged", len(events))
                self.dropped += len(events)
        return True

    def close(self) -> None:
        """Write what waits and end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        while self.flush() and not self._queue.empty():
            pass

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            if not self._queue.empty() and not self.flush():
                self._stop.wait(_LATER_S)

    def _drop_oldest(self) -> None:
        with contextlib.suppress(queue.Empty):
            self._queue.get_nowait()
            self.dropped += 1
