"""Which indexes exist, in SQL."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kb.generation import Generation, GenerationState
from kb.store.database import Tx
from kb.store.schema import columns, generation


def save(tx: Tx, each: Generation) -> None:
    """Add a generation or overwrite it."""
    row: dict[str, Any] = {name: getattr(each, name) for name in columns(generation)}
    tx.execute(sa.delete(generation).where(generation.c.name == each.name))
    tx.execute(sa.insert(generation).values(**row))


def every(tx: Tx, *states: GenerationState) -> list[Generation]:
    """Generations in these states (all without), oldest first."""
    query = sa.select(generation).order_by(generation.c.created_at, generation.c.name)
    if states:
        query = query.where(generation.c.state.in_(states))
    return [Generation(**{**row._mapping, "state": GenerationState(row.state)}) for row in tx.execute(query)]


def live(tx: Tx) -> Generation | None:
    """The generation that answers."""
    found = every(tx, GenerationState.LIVE)
    return found[-1] if found else None


def delete(tx: Tx, names: Sequence[str]) -> None:
    """Forget generations."""
    tx.execute(sa.delete(generation).where(generation.c.name.in_(list(names))))
