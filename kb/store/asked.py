"""What people searched for lately, folded: the log of searches once for each person, words and contact, in SQL.

The trail itself is never grouped: a month of it may hold a million searches.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from kb.audience import Audience
from kb.interaction import Event, EventKind
from kb.person import ANONYMOUS
from kb.queue import LOW, NORMAL, Searched
from kb.store.database import Tx, insert_into
from kb.store.interactions import RECEIVED, as_event
from kb.store.queue_tables import asked
from kb.store.schema import event

_a = asked.c


class Outcome(StrEnum):
    """What became of a search."""

    NOTHING = "nothing"  # it found nothing
    IGNORED = "ignored"  # nothing of what it found was opened
    OPENED = "opened"


@dataclass(frozen=True, slots=True)
class Ask:
    """A search of one person, folded; `contact` is its interaction, or empty."""

    fold: str
    tier: Audience
    person_id: str
    contact: str
    query: str
    outcome: Outcome
    at: datetime


# Who asks without a name is somebody by the interaction; all others without one are one person.
_WHO = sa.case((_a.person_id == ANONYMOUS.id, sa.literal("/") + _a.contact), else_=_a.person_id)


def events_after(tx: Tx, after: int, limit: int) -> list[Event]:
    """The next searches, and what was received through any, in order of their numbers behind `after`."""
    kinds = [EventKind.SEARCHED.value, *(each.value for each in RECEIVED)]
    found = sa.select(event).where(event.c.id > after, event.c.kind.in_(kinds), event.c.search_id.is_not(None))
    return [as_event(row) for row in tx.execute(found.order_by(event.c.id).limit(limit))]


def first_event(tx: Tx, since: datetime) -> int:
    """The number of the first search since then, less one; that of the last event if there is none."""
    searched = (event.c.kind == EventKind.SEARCHED.value) & (event.c.at >= since)
    first = tx.execute(sa.select(sa.func.min(event.c.id)).where(searched)).scalar()
    return int(first) - 1 if first is not None else int(tx.execute(sa.select(sa.func.max(event.c.id))).scalar() or 0)


def remember(tx: Tx, asks: Iterable[Ask]) -> None:
    """Add searches. Who found something and opened it once has been helped, until the same finds nothing."""
    new = insert_into(tx, asked)
    stays = (_a.outcome == Outcome.OPENED.value) & (new.excluded.outcome == Outcome.IGNORED.value)
    values = {
        "query": new.excluded.query,
        "count": _a.count + 1,
        "at": new.excluded.at,
        "outcome": sa.case((stays, _a.outcome), else_=new.excluded.outcome),
    }
    statement = new.on_conflict_do_update(index_elements=list(asked.primary_key), set_=values)
    for each in asks:  # one by one: the same person may have asked twice
        tx.execute(statement, _row(each))


def opened(tx: Tx, ask: Ask) -> None:
    """Note that something was opened of what a search found."""
    same = (_a.fold == ask.fold) & (_a.tier == ask.tier.value)
    same &= (_a.person_id == ask.person_id) & (_a.contact == ask.contact)
    tx.execute(sa.update(asked).where(same).values(outcome=Outcome.OPENED.value))


def forget(tx: Tx, before: datetime) -> None:
    """Drop what was asked before then."""
    tx.execute(sa.delete(asked).where(_a.at < before))


def failing(tx: Tx, tiers: Sequence[Audience], fewest: int, ignored: int, limit: int) -> list[tuple[str, Searched]]:
    """What people of these tiers searched for and were not helped by, the most pressing first; by fold, query empty.

    At least `fewest` people typed it, and that many of them failed; where nobody found nothing, at least `ignored`
    opened nothing, and they are more than those who opened something.
    """
    without, ignoring, opening = (_people(each).label(f"people_{each.value}") for each in Outcome)
    counted = (
        sa.select(_a.fold, sa.func.sum(_a.count).label("asks"), without, ignoring, opening)
        .add_columns(sa.func.count(_WHO.distinct()).label("people"), sa.func.max(_a.at).label("last_at"))
        .where(_a.tier.in_([each.value for each in tiers]))
        .group_by(_a.fold)
        .subquery()
    )
    c = counted.c
    in_vain = (c.people_nothing > 0) & (c.people_nothing + c.people_ignored >= fewest)
    left = (c.people_ignored >= ignored) & (c.people_ignored > c.people_opened)
    found = (
        sa.select(c.fold, c.asks, c.people_nothing, c.people_ignored, c.last_at)
        .where(c.people >= fewest, in_vain | left)
        .order_by((NORMAL * c.people_nothing + LOW * c.people_ignored).desc(), c.fold)
        .limit(limit)
    )
    return [
        (fold, Searched("", int(count), without, ignoring, last_at))
        for fold, count, without, ignoring, last_at in tx.execute(found)
    ]


def usual_query(tx: Tx, fold: str, tiers: Sequence[Audience]) -> str:
    """How most people of these tiers typed what is folded alike; the first in the alphabet of several."""
    typed = sa.select(_a.query).where(_a.fold == fold, _a.tier.in_([each.value for each in tiers])).group_by(_a.query)
    most = typed.order_by(sa.func.count(_WHO.distinct()).desc(), sa.func.sum(_a.count).desc(), _a.query).limit(1)
    return str(tx.execute(most).scalar() or "")


def people_since(tx: Tx, fold: str, tiers: Sequence[Audience], since: datetime) -> int:
    """How many people of these tiers have searched for it after that moment."""
    later = (_a.fold == fold) & _a.tier.in_([each.value for each in tiers]) & (_a.at > since)
    return int(tx.execute(sa.select(sa.func.count(_WHO.distinct())).where(later)).scalar() or 0)


def _people(outcome: Outcome) -> sa.ColumnElement[int]:
    """How many people it ended like that for."""
    return sa.func.count(sa.case((_a.outcome == outcome.value, _WHO)).distinct())


def _row(each: Ask) -> dict[str, Any]:
    return {
        "fold": each.fold, "tier": each.tier.value, "person_id": each.person_id, "contact": each.contact,
        "query": each.query, "count": 1, "outcome": each.outcome.value, "at": each.at,
    }  # fmt: skip
