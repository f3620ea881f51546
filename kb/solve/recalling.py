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
from kb.passage import Kind
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
        rows = interactions.received(tx, case.item, wrong, before, None if limit is None else limit + 1)
        found = [Received(*row) for row in rows]
    return Recall(case, tuple(wrong), tuple(found[:limit]), limit is not None and len(found) > limit)


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


def _wrong(tx: Tx, case: RevisionCase) -> list[int]:
    fixed = case.fixed_revision or 0
    flagged = {each.revision for each in flags.of_case(tx, case.id) if each.revision} | {case.revision}
    wrong = {number for number in flagged if number is not None and number < fixed}
    if case.quote and case.item is not None and case.item.kind is Kind.ARTICLE:
        said = _folded(case.quote)
        for each in articles.revisions(tx, case.item.id):
            if each.number < fixed and said in _folded(plain(each.body)):
                wrong.add(each.number)
    return sorted(wrong)


def _folded(text: str) -> str:
    return " ".join(fold(text).split())
