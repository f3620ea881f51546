"""Rows for every table, whatever tables there are."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from kb.store.database import Tx
from kb.store.schema import metadata

WRITTEN = datetime(2026, 3, 14, 12, tzinfo=UTC)


def fill(tx: Tx, text: str = "x") -> None:
    """One row in every table, `text` in every text."""
    for table in metadata.sorted_tables:
        tx.execute(sa.insert(table).values({column.name: _value(column, text) for column in table.columns}))


def _value(column: "sa.Column[Any]", text: str) -> object:
    kind = column.type
    if isinstance(kind, sa.String):
        return text[: kind.length]
    if isinstance(kind, sa.JSON):
        return [text]
    if isinstance(kind, sa.Boolean):
        return True
    if isinstance(kind, sa.Integer):
        return 7
    if isinstance(kind, sa.Float):
        return 1.25
    if isinstance(kind, sa.LargeBinary):
        return bytes(range(256))
    return WRITTEN
