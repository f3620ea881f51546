"""Recall: who received a revision that was wrong, from the trail. Needs the right to lead, and to read trails."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from kb import clock
from kb.case import RevisionCase
from kb.errors import Invalid
from kb.interaction import Channel, EventKind
from kb.passage import ItemRef, Kind
from kb.person import Person, Right
from kb.solve import seeing
from kb.store import articles, cases, flags, interactions
from kb.store.database import Database, Tx
from kb.text.markdown import plain
from kb.text.script import fold

COLUMNS = ("at", "how", "agent_id", "interaction_id", "channel", "external_id", "subject", "revision", "ordinal")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Received:
    """One time that somebody received it: who gave or saw it, in which contact, how."""

    id: int
    at: datetime
    how: EventKind
    agent_id: str
    interaction_id: str | None
    channel: Channel | None
    external_id: str
    subject: str
    revision: int
    ordinal: int | None


@dataclass(frozen=True, slots=True)
class Recall:
    """Who received the revisions of a case that were wrong, the latest first, and which these are."""

    case: RevisionCase
    revisions: tuple[int, ...]
    received: tuple[Received, ...]
    more: bool


def recall(db: Database, by: Person, case_id: str, before: int | None = None, limit: int | None = 200) -> Recall:
    """Who received what a fix that changes the meaning has put right.

    Wrong are the flagged revisions and, where a sentence was quoted, all that say it, up to the fix. `before` is the
    id of the last one read, no `limit` means all. Raises Invalid for a case without such a fix, NotFound, NotAllowed.
    """
    by.require(Right.LEAD)
    by.require(Right.TRAIL)
    with db.read() as tx:
        case = seeing.case(tx, by, cases.get(tx, case_id), clock.now())
        if not case.changes_meaning or case.item is None or case.fixed_revision is None:
            raise Invalid("there is nothing to recall: no fix of this case has changed the meaning", "changes_meaning")
        wrong = _wrong(tx, case)
        rows = interactions.received(tx, wrong, before, None if limit is None else limit + 1)
        found = [Received(*row) for row in rows]
    revisions = tuple(sorted(wrong[case.item]))
    return Recall(case, revisions, tuple(found[:limit]), limit is not None and len(found) > limit)


def as_csv(found: Recall) -> str:
    """The same as CSV. A cell that a spreadsheet would take for a formula begins with an apostrophe."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    for each in _rows(found):
        cells = ["" if value is None else str(value) for value in each.values()]
        rows.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return text.getvalue()


def as_jsonl(found: Recall) -> str:
    """The same as JSON, a line each."""
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in _rows(found))


def _rows(found: Recall) -> Iterator[dict[str, object]]:
    for each in found.received:
        row: dict[str, object] = {name: getattr(each, name) for name in COLUMNS}
        yield row | {"at": each.at.isoformat(), "how": each.how.value}


def _wrong(tx: Tx, case: RevisionCase) -> dict[ItemRef, set[int]]:
    """The wrong revisions of the item, and those of an article that was flagged and merged into it since."""
    wrong: dict[ItemRef, set[int]] = {case.item: {case.revision or 0}} if case.item else {}
    for each in flags.of_case(tx, case.id):
        if each.item is not None:
            wrong.setdefault(each.item, set()).add(each.revision or 0)
    for item in wrong:
        wrong[item] |= _saying(tx, case.quote, item)
        if item == case.item:
            wrong[item] = {number for number in wrong[item] if 0 < number < (case.fixed_revision or 0)}
    return wrong


def _saying(tx: Tx, quote: str, item: ItemRef) -> set[int]:
    if not quote or item.kind is not Kind.ARTICLE:
        return set()
    said = _folded(quote)
    return {each.number for each in articles.revisions(tx, item.id) if said in _folded(plain(each.body))}


def _folded(text: str) -> str:
    return " ".join(fold(text).split())
