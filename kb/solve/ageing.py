"""The lines of the queue for articles that nobody has confirmed for long, and those that end."""

from collections.abc import Mapping
from datetime import datetime

from kb.case import LATELY
from kb.passage import ItemRef, Kind
from kb.queue import Line, LineKind, expiring_demand, stale_demand
from kb.solve.folding import words
from kb.solve.upkeep import Terms
from kb.store import queue, queue_work
from kb.store.database import Database
from kb.store.queue_work import Ageing

_AT_ONCE = 400
"""Lines written in one transaction: a tenth of a second at most in which nobody else writes."""


def refresh(db: Database, terms: Terms, at: datetime) -> None:
    """Work out both kinds anew. Only what differs is written: most of it is as it was ten minutes ago."""
    with db.read() as tx:
        found = queue_work.ageing(tx, at - terms.stale_after, at + terms.before)
        used = queue_work.reuse(tx, at - LATELY)
    _settle(db, LineKind.STALE, _stale(found, used, terms, at), at)
    _settle(db, LineKind.EXPIRING, _expiring(found, used, terms, at), at)


def _stale(
    found: list[Ageing], used: Mapping[ItemRef, int], terms: Terms, at: datetime
) -> dict[str, tuple[int, datetime, str]]:
    lines = {}
    for each in found:
        if each.confirmed_at is not None and each.confirmed_at < at - terms.stale_after:
            due = each.confirmed_at + terms.stale_after
            demand = stale_demand(used.get(ItemRef(Kind.ARTICLE, each.id), 0), due, at)
            lines[each.id] = (demand, due, f"{each.number} {each.title}")
    return lines


def _expiring(
    found: list[Ageing], used: Mapping[ItemRef, int], terms: Terms, at: datetime
) -> dict[str, tuple[int, datetime, str]]:
    lines = {}
    for each in found:
        if each.ends is not None and each.ends <= at + terms.before:
            demand = expiring_demand(used.get(ItemRef(Kind.ARTICLE, each.id), 0), each.ends, at)
            lines[each.id] = (demand, each.ends, f"{each.number} {each.title}")
    return lines


def _settle(db: Database, kind: LineKind, wanted: Mapping[str, tuple[int, datetime, str]], at: datetime) -> None:
    """Make the lines of a kind those. A title changes with a revision, and a revision moves the due time."""
    with db.read() as tx:
        kept = {line_id: (each.demand, each.due_at) for (line_id, _), each in queue.kept(tx, kind).items()}
    changed = [
        Line(kind, line_id, demand, item=ItemRef(Kind.ARTICLE, line_id), due_at=due, words=words(called))
        for line_id, (demand, due, called) in wanted.items()
        if kept.get(line_id) != (demand, due)
    ]
    gone = [(line_id, "") for line_id in kept.keys() - wanted.keys()]
    for start in range(0, len(changed), _AT_ONCE):
        with db.write() as tx:
            queue.put(tx, changed[start : start + _AT_ONCE], at)
    for start in range(0, len(gone), _AT_ONCE):
        with db.write() as tx:
            queue.remove(tx, kind, gone[start : start + _AT_ONCE])
