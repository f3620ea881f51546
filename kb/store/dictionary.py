"""The managed dictionary in SQL."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kb.audience import Audience
from kb.dictionary import Entry, Meaning
from kb.errors import NotFound
from kb.store.database import Tx
from kb.store.schema import audit, synonym

SUBJECT = "synonym"
"""What audit entries call an entry of the dictionary."""


def insert(tx: Tx, new: Sequence[Entry]) -> None:
    """Add entries."""
    if new:
        tx.execute(sa.insert(synonym), [_row(each) for each in new])


def get(tx: Tx, entry_id: str, to_change: bool = False) -> Entry:
    """The entry with that id; raises NotFound. If it is `to_change`, others who want to change it wait."""
    wanted = sa.select(synonym).where(synonym.c.id == entry_id)
    row = tx.execute(wanted.with_for_update() if to_change else wanted).first()
    if row is None:
        raise NotFound(f"no entry {entry_id}")
    return _entry(row)


def update(tx: Tx, changed: Entry) -> None:
    """Overwrite an entry."""
    tx.execute(sa.update(synonym).where(synonym.c.id == changed.id).values(_row(changed)))


def delete(tx: Tx, entry_id: str) -> None:
    """Take an entry out."""
    tx.execute(sa.delete(synonym).where(synonym.c.id == entry_id))


def every(tx: Tx) -> list[Entry]:
    """All entries, the one changed last first."""
    return [_entry(row) for row in tx.execute(sa.select(synonym).order_by(synonym.c.changed_at.desc(), synonym.c.id))]


def marker(tx: Tx) -> tuple[int, int]:
    """What is different after every change of the dictionary, however the changes overlapped; cheap to ask.

    Each change writes an audit entry in its transaction, so their count grows with each that is committed. (The time
    of the last change would miss one that began earlier and was committed later.)
    """
    asked = sa.select(sa.func.count(), sa.func.max(audit.c.id)).where(audit.c.subject_kind == SUBJECT)
    count, last = tx.execute(asked).one()
    return count, last or 0


def _row(each: Entry) -> dict[str, Any]:
    return {
        "id": each.id,
        "terms": list(each.meaning.terms),
        "means": list(each.meaning.means),
        "audience": each.meaning.audience.value,
        "note": each.meaning.note,
        "active": each.meaning.active,
        "created_by": each.created_by,
        "created_at": each.created_at,
        "changed_by": each.changed_by,
        "changed_at": each.changed_at,
    }


def _entry(row: Any) -> Entry:
    meaning = Meaning(tuple(row.terms), tuple(row.means), Audience(row.audience), row.active, row.note)
    return Entry(row.id, meaning, row.created_by, row.created_at, row.changed_by, row.changed_at)
