"""The whole record from one database to another, whichever two they are, with a proof that it arrived.

Tables are taken from the schema, so that a new one is copied without being named here.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kb.store.database import Tx
from kb.store.schema import failure, file, generation, metadata, session

LEFT_OUT: dict[sa.Table, str] = {
    session: "people sign in again, so that a copy opens nothing by itself",
    failure: "failed attempts to sign in are forgotten soon anyway",
    generation: "the index is a cache of one installation and is built anew",
}
"""Tables whose rows stay behind, and why."""

_AT_ONCE = 500  # rows in memory
_FILES_AT_ONCE = 8  # of several megabytes each


@dataclass(frozen=True, slots=True)
class Contents:
    """How many rows a table has, and a digest of them that depends neither on their order nor on the database."""

    rows: int
    digest: str


def kept_tables() -> list[sa.Table]:
    """The tables that are copied, those that others refer to first."""
    return [table for table in metadata.sorted_tables if table not in LEFT_OUT]


def contents(tx: Tx) -> dict[str, Contents]:
    """What every kept table holds, by its name."""
    found = {}
    for table in kept_tables():
        tally = _Tally()
        for batch in _batches(tx, table):
            tally.add(batch)
        found[table.name] = tally.contents
    return found


def copy(source: Tx, target: Tx) -> dict[str, Contents]:
    """Copy every kept table into an empty one; returns what was read. `source` must see one consistent state."""
    found = {}
    for table in kept_tables():
        tally, own, referring = _Tally(), _own_references(table), list[dict[str, Any]]()
        for batch in _batches(source, table):
            tally.add(batch)
            rows = [row._asdict() for row in batch]
            referring += [dict(row) for row in rows if any(row[name] is not None for name in own)]
            target.execute(sa.insert(table), [row | dict.fromkeys(own) for row in rows])
        if referring:
            _set(target, table, own, referring)
        found[table.name] = tally.contents
    return found


class _Tally:
    def __init__(self) -> None:
        self._rows = self._total = 0

    def add(self, batch: Sequence[sa.Row[Any]]) -> None:
        self._rows += len(batch)
        for row in batch:
            # ascii(), not repr(): which characters are printable differs between versions of Python.
            self._total += int.from_bytes(hashlib.sha256(ascii(tuple(row)).encode()).digest(), "big")

    @property
    def contents(self) -> Contents:
        # A sum of the rows' hashes: the two databases sort text differently.
        return Contents(self._rows, f"{self._total % (1 << 256):064x}")


def _batches(tx: Tx, table: sa.Table) -> Iterator[Sequence[sa.Row[Any]]]:
    many = _FILES_AT_ONCE if table is file else _AT_ONCE
    yield from tx.execute(sa.select(table), execution_options={"yield_per": many}).partitions()


def _own_references(table: sa.Table) -> list[str]:
    """Columns that name another row of the same table. It may come later, so they are set when all are there."""
    return [column.name for column in table.columns if any(key.column.table is table for key in column.foreign_keys)]


def _set(target: Tx, table: sa.Table, names: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    same = sa.and_(*(column == sa.bindparam(f"is_{column.name}") for column in table.primary_key))
    keys = [column.name for column in table.primary_key]
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in names}
    target.execute(
        sa.update(table).where(same).values(values),
        [{f"is_{k}": row[k] for k in keys} | {f"new_{n}": row[n] for n in names} for row in rows],
    )
