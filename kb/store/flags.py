"""Flags, and the flagged queries asked again, in SQL."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kb.audience import Reader
from kb.case import Place, Replayed
from kb.flag import Cause, Flag
from kb.passage import ItemRef, Kind
from kb.store.case_tables import case_proof, feedback_row, flag, revision_case
from kb.store.cases import may_see
from kb.store.database import Tx, batches, insert_into
from kb.store.schema import columns


def insert(tx: Tx, new: Flag) -> None:
    """Add a flag."""
    tx.execute(sa.insert(flag).values(_row(new)))


def update(tx: Tx, changed: Flag) -> None:
    """Overwrite a flag."""
    tx.execute(sa.update(flag).where(flag.c.id == changed.id).values(_row(changed)))


def better_ways(tx: Tx, reader: Reader, item: ItemRef) -> dict[int, list[tuple[str, str]]]:
    """Who knew the better way that a revision of an item took up, by revision, first come first: their id, and what a
    source calls them whom kb does not know. Of the cases that `reader` may see."""
    taken = (revision_case.c.cause == Cause.BETTER_WAY.value) & revision_case.c.fixed_revision.is_not(None)
    about = (revision_case.c.item_kind == item.kind.value) & (revision_case.c.item_id == item.id)
    found = sa.select(revision_case.c.fixed_revision, flag.c.person_id, flag.c.said_by)
    found = found.join(flag, flag.c.case_id == revision_case.c.id).where(taken, about, may_see(reader))
    credited: dict[int, list[tuple[str, str]]] = {}
    for revision, person_id, said_by in tx.execute(found.order_by(flag.c.created_at, flag.c.id)):
        credited.setdefault(revision, []).append((person_id, said_by))
    return credited


def of_person(tx: Tx, case_id: str, person_id: str) -> Flag | None:
    """What somebody flagged in a case."""
    found = tx.execute(sa.select(flag).where(flag.c.case_id == case_id, flag.c.person_id == person_id)).first()
    return None if found is None else _flag(found)


def of_case(tx: Tx, case_id: str) -> list[Flag]:
    """The flags of a case, oldest first."""
    rows = tx.execute(sa.select(flag).where(flag.c.case_id == case_id).order_by(flag.c.created_at, flag.c.id))
    return [_flag(row) for row in rows]


def move(tx: Tx, case_id: str, to: str) -> int:
    """Give another case the flags of this one; returns how many. Who flagged both leaves the one here where it is."""
    there = sa.select(flag.c.person_id).where(flag.c.case_id == to)
    moving = (flag.c.case_id == case_id) & flag.c.person_id.not_in(there)
    return tx.execute(sa.update(flag).where(moving).values(case_id=to)).rowcount


def flaggers(tx: Tx, case_id: str) -> list[str]:
    """Who flagged a case, in order of id; without those whom kb does not know, who can be told nothing."""
    known = (flag.c.case_id == case_id) & (flag.c.said_by == "")
    return list(tx.scalars(sa.select(flag.c.person_id).where(known).order_by(flag.c.person_id)))


def flagged_by(tx: Tx, case_ids: Collection[str], person_id: str) -> set[str]:
    """Those of these cases that somebody flagged."""
    found: set[str] = set()
    for batch in batches(sorted(case_ids)):
        mine = (flag.c.case_id.in_(batch)) & (flag.c.person_id == person_id)
        found.update(tx.scalars(sa.select(flag.c.case_id).where(mine)))
    return found


def taken_in(tx: Tx, keys: Collection[str]) -> set[str]:
    """Those of these rows of feedback that have been brought in."""
    found: set[str] = set()
    for batch in batches(sorted(keys)):
        found.update(tx.scalars(sa.select(feedback_row.c.key).where(feedback_row.c.key.in_(batch))))
    return found


def add_row(tx: Tx, key: str, flag_id: str, matched: str, likeness: float, at: datetime) -> bool:
    """Remember a row of feedback; False if it is known, or another process is bringing it in."""
    row = {"key": key, "flag_id": flag_id, "matched": matched, "likeness": likeness, "at": at}
    return bool(tx.execute(insert_into(tx, feedback_row).values(row).on_conflict_do_nothing()).rowcount)


def add_proofs(tx: Tx, new: Sequence[Replayed]) -> None:
    """Keep what flagged queries found then and find now."""
    rows = [
        {
            "case_id": each.case_id,
            "round": each.round,
            "flag_id": each.flag_id,
            "before": asdict(each.before),
            "after": asdict(each.after),
            "at": each.at,
        }
        for each in new
    ]
    if rows:
        tx.execute(sa.insert(case_proof), rows)


def proofs(tx: Tx, case_id: str) -> list[Replayed]:
    """What was asked again for a case, the last fix first."""
    rows = tx.execute(
        sa.select(case_proof)
        .where(case_proof.c.case_id == case_id)
        .order_by(case_proof.c.round.desc(), case_proof.c.flag_id)
    )
    return [
        Replayed(row.case_id, row.round, row.flag_id, Place(**row.before), Place(**row.after), row.at) for row in rows
    ]


def _row(each: Flag) -> dict[str, Any]:
    row = {name: getattr(each, name) for name in columns(flag) if not name.startswith("item_")}
    item = {"item_kind": each.item.kind.value if each.item else None, "item_id": each.item.id if each.item else None}
    return row | item | {"cause": each.cause.value}


def _flag(row: Any) -> Flag:
    fields: dict[str, Any] = {name: each for name, each in row._mapping.items() if not name.startswith("item_")}
    item = ItemRef(Kind(row.item_kind), row.item_id) if row.item_id else None
    return Flag(**fields | {"cause": Cause(row.cause), "item": item})
