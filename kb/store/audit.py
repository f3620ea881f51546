"""Who changed what, when, from what to what. Written in the transaction of the change, never altered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from kb.store.database import Tx
from kb.store.schema import audit


@dataclass(frozen=True, slots=True)
class Change:
    """One entry. `before` and `after` hold only the fields that differ; texts stand in the revisions."""

    person_id: str
    action: str
    subject_kind: str
    subject_id: str
    before: Mapping[str, object]
    after: Mapping[str, object]
    at: datetime


def write(tx: Tx, changes: Iterable[Change]) -> None:
    """Append entries."""
    rows = [
        {
            "at": change.at,
            "person_id": change.person_id,
            "action": change.action,
            "subject_kind": change.subject_kind,
            "subject_id": change.subject_id,
            "before": dict(change.before),
            "after": dict(change.after),
        }
        for change in changes
    ]
    if rows:
        tx.execute(sa.insert(audit), rows)


def of(tx: Tx, subject_kind: str, subject_id: str) -> list[Change]:
    """All entries about one thing, oldest first."""
    rows = tx.execute(
        sa.select(audit)
        .where(audit.c.subject_kind == subject_kind, audit.c.subject_id == subject_id)
        .order_by(audit.c.id)
    )
    return [Change(r.person_id, r.action, r.subject_kind, r.subject_id, r.before, r.after, r.at) for r in rows]


def difference(
    before: Mapping[str, object], after: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    """The fields that differ, as they were and as they are."""
    keys = [key for key in after if before.get(key) != after[key]]
    return {key: before[key] for key in keys if key in before}, {key: after[key] for key in keys}
