"""Checklists of revisions in SQL."""

from typing import Any

import sqlalchemy as sa

from kb.checklist import Check, Checklist, Tick
from kb.errors import Conflict, NotFound
from kb.store.database import Tx, insert_missing
from kb.store.schema import revision
from kb.store.upkeep_tables import checklist


def insert(tx: Tx, new: Checklist) -> None:
    """Add the checklist of a revision."""
    insert_missing(tx, checklist, [_row(new)])


def get(tx: Tx, article_id: str, number: int) -> Checklist:
    """The checklist of a revision; raises NotFound."""
    here = (checklist.c.article_id == article_id) & (checklist.c.revision == number)
    row = tx.execute(sa.select(checklist).where(here)).first()
    if row is None:
        raise NotFound(f"no checklist of revision {number}")
    return _checklist(row)


def update(tx: Tx, before: Checklist, after: Checklist) -> None:
    """Write a changed checklist; raises Conflict if somebody else wrote it since `before` was read."""
    here = (checklist.c.article_id == before.article_id) & (checklist.c.revision == before.revision)
    same = here & (checklist.c.version == before.version)
    if tx.execute(sa.update(checklist).where(same).values(_row(after))).rowcount != 1:
        raise Conflict("somebody else changed this checklist; read it again and repeat your change")


def of_author(tx: Tx, author_id: str, limit: int) -> list[Checklist]:
    """The checklists of what somebody wrote, newest first."""
    same = (revision.c.article_id == checklist.c.article_id) & (revision.c.number == checklist.c.revision)
    theirs = sa.select(checklist).join(revision, same).where(revision.c.author_id == author_id)
    newest = (revision.c.created_at.desc(), checklist.c.article_id, checklist.c.revision.desc())
    return [_checklist(row) for row in tx.execute(theirs.order_by(*newest).limit(limit))]


def _row(each: Checklist) -> dict[str, Any]:
    row = {column.name: getattr(each, column.name) for column in checklist.columns}
    return row | {name: {key.value: value for key, value in row[name].items()} for name in ("computed", "ticked")}


def _checklist(row: Any) -> Checklist:
    fields = dict(row._mapping)
    fields["computed"] = {Check(key): value for key, value in row.computed.items()}
    fields["ticked"] = {Tick(key): value for key, value in row.ticked.items()}
    return Checklist(**fields)
