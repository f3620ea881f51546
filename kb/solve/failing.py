"""The lines of the queue for searches that failed: what several people asked, and found or opened nothing.

The trail is followed as it grows and folded by words, so that neither a million searches are grouped nor one person's
words shown: a line has two people at least, and only those of tiers that its reader may read.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from kb.audience import Audience
from kb.case import LATELY
from kb.interaction import Event, EventKind
from kb.passage import ItemRef, Kind
from kb.queue import BACK_AFTER, FEWEST, Line, LineKind
from kb.solve.folding import words
from kb.store import asked, content, interactions, queue, queue_work
from kb.store.asked import Ask, Outcome
from kb.store.database import Database, Tx
from kb.text.analyzer import analyze

MOST_LINES = 1_000
"""Failing searches of a tier that are kept: more than anybody reads, and counts end there."""

SETTLED = timedelta(minutes=1)
"""How old an event is before it is read: searches are logged late, and transactions end in another order."""

TYPING = timedelta(seconds=30)
"""Within which a search that the same person went on typing was not meant as one."""

LONGEST = 200
"""Characters of a search that may stand in the queue: what is longer was pasted, and tells of one customer."""

_EVENTS = 200  # in a transaction of some 20 ms
_LOG = "searches"
_PERSONAL = re.compile(r"\S@\S|\d(?:[\s./-]?\d){6,}")  # addresses; numbers of customers, telephones, cards


def follow(db: Database, at: datetime) -> bool:
    """Fold the next searches of the trail; False when there are none. Two processes that do so at once do it once."""
    with db.write() as tx:
        before = queue_work.place(tx, _LOG)
        start = int(before) if before else asked.first_event(tx, at - LATELY)
        found = asked.events_after(tx, start, _EVENTS)
        settled = next((n for n, each in enumerate(found) if each.at > at - SETTLED), len(found))
        if not settled or not queue_work.advance(tx, _LOG, before, str(found[settled - 1].id), at):
            return False
        _fold(tx, found[:settled], found)
    return True


def refresh(db: Database, at: datetime) -> None:
    """Count anew what failed within 30 days, for the readers of each tier."""
    with db.write() as tx:
        asked.forget(tx, at - LATELY)
    for tier in Audience:
        tiers = [each for each in Audience if each.rank <= tier.rank]
        with db.read() as tx:
            found = asked.failing(tx, tiers, FEWEST, BACK_AFTER, MOST_LINES)
            lines = [
                Line(LineKind.SEARCH, fold, each.demand, tier, words=words(query), searched=replace(each, query=query))
                for fold, each in found
                if (query := asked.usual_query(tx, fold, tiers))
            ]
            kept = [key for key in queue.kept(tx, LineKind.SEARCH) if key[1] == tier.value]
        gone = set(kept) - {(each.id, tier.value) for each in lines}
        if lines or gone:
            with db.write() as tx:
                queue.put(tx, lines, at)
                queue.remove(tx, LineKind.SEARCH, sorted(gone))
                _bring_back(tx, tier, tiers)


def _bring_back(tx: Tx, tier: Audience, tiers: Sequence[Audience]) -> None:
    """Show again what was put aside and enough people have asked since."""
    for line_id, of_tier, dismissed_at in queue.put_aside(tx, LineKind.SEARCH):
        if of_tier == tier.value and asked.people_since(tx, line_id, tiers, dismissed_at) >= BACK_AFTER:
            queue.set_dismissed(tx, Line(LineKind.SEARCH, line_id, 0, tier), None, "", None)


def _fold(tx: Tx, events: Sequence[Event], known: Sequence[Event]) -> None:
    """Write what these events say of searches; of `known` some are too young to be read themselves."""
    restricted = _restricted(tx, events)
    for event in events:
        if event.kind is EventKind.SEARCHED:
            if not _still_typing(event, known) and (ask := _asked(event, restricted)):
                asked.remember(tx, [ask])
        elif (event.item_kind, event.item_id) not in restricted and event.search_id:
            search = interactions.search(tx, event.search_id)
            if search is not None and search.person_id == event.person_id and (ask := _asked(search, restricted)):
                asked.opened(tx, ask)


def _asked(event: Event, restricted: set[tuple[str | None, str | None]]) -> Ask | None:
    """A search folded; None for one that counts for nobody. What is for groups only was found by nobody."""
    query, tier = str(event.data.get("query", "")).strip(), event.data.get("tier")
    if not query or len(query) > LONGEST or _PERSONAL.search(query) or tier not in set(Audience):
        return None
    if "index" in _list(event, "degraded"):
        return None  # it was the machine's fault
    shown = [hit for hit in _list(event, "shown") if (hit[0], hit[1]) not in restricted]
    outcome = Outcome.IGNORED if shown else Outcome.NOTHING
    return Ask(
        fold_of(query), Audience(str(tier)), event.person_id, event.interaction_id or "", query, outcome, event.at
    )


def fold_of(query: str) -> str:
    """What makes two searches the same: their words, in any order and either script, as hex."""
    return hashlib.sha256("\x1f".join(sorted(set(analyze(query)))).encode()).hexdigest()[:32]


def _still_typing(event: Event, known: Sequence[Event]) -> bool:
    query = str(event.data.get("query", ""))

    def goes_on(other: Event) -> bool:
        more = str(other.data.get("query", ""))
        same = (other.person_id, other.interaction_id) == (event.person_id, event.interaction_id)
        soon = timedelta() <= other.at - event.at <= TYPING
        return same and soon and len(more) > len(query) and more.startswith(query)

    return any(goes_on(other) for other in known if other.kind is EventKind.SEARCHED and other is not event)


def _restricted(tx: Tx, events: Sequence[Event]) -> set[tuple[str | None, str | None]]:
    """Those of the items of these events that are for members of groups."""
    items = {ItemRef(each.item_kind, each.item_id) for each in events if each.item_kind and each.item_id}
    items |= {ItemRef(Kind(hit[0]), hit[1]) for each in events for hit in _list(each, "shown")}
    standings = content.standings(tx, sorted(items), max(each.at for each in events))
    return {(item.kind, item.id) for item, each in standings.items() if each.access.groups}


def _list(event: Event, name: str) -> list[Any]:
    found = event.data.get(name, [])
    return found if isinstance(found, list) else []
