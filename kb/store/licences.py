"""What roles may do, where somebody has changed it."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kb.person import RIGHTS, Licence, Right, Role
from kb.store.database import Tx, insert_missing
from kb.store.upkeep_tables import licence

# Made once: every request asks it.
_RIGHTS = sa.select(licence.c.role, licence.c.rights)


def configured(tx: Tx) -> dict[Role, frozenset[Right]]:
    """What roles may do that somebody has changed; a role that nobody changed is absent."""
    return {Role(role): _rights(rights) for role, rights in tx.execute(_RIGHTS)}


def every(tx: Tx) -> dict[Role, Licence]:
    """All roles, those that nobody changed as KCS suggests them."""
    found = {Role(row.role): _licence(row) for row in tx.execute(sa.select(licence))}
    return {role: found.get(role) or Licence(role, RIGHTS[role]) for role in Role}


def every_to_change(tx: Tx, by: str, at: datetime) -> dict[Role, Licence]:
    """The same; others who want to change any wait until this transaction ends.

    Every role gets its row, so that there is something to lock.
    """
    insert_missing(tx, licence, [_row(Licence(role, RIGHTS[role], {}, 0, by, at)) for role in Role])
    rows = tx.execute(sa.select(licence).order_by(licence.c.role).with_for_update())
    return {Role(row.role): _licence(row) for row in rows}


def update(tx: Tx, changed: Licence) -> None:
    """Overwrite what a role may do."""
    tx.execute(sa.update(licence).where(licence.c.role == changed.role).values(_row(changed)))


def forget_unchanged(tx: Tx) -> None:
    """Drop the rows that were there to be locked only: what nobody changed stays as KCS suggests it."""
    tx.execute(sa.delete(licence).where(licence.c.version == 0))


def _row(each: Licence) -> dict[str, Any]:
    return {
        "role": each.role.value,
        "rights": sorted(each.rights),
        "names": dict(each.names),
        "version": each.version,
        "changed_by": each.changed_by,
        "changed_at": each.changed_at,
    }


def _licence(row: Any) -> Licence:
    return Licence(**{**row._mapping, "role": Role(row.role), "rights": _rights(row.rights)})


def _rights(stored: list[str]) -> frozenset[Right]:
    return frozenset(Right(each) for each in stored)
