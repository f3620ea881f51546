"""Sessions in SQL. Who reads this table can be nobody: tokens are kept as hashes."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kb.person import Person, Scope
from kb.session import Session
from kb.store import people
from kb.store.database import Tx
from kb.store.schema import columns, session


def insert(tx: Tx, new: Session) -> None:
    """Add a session."""
    row: dict[str, Any] = {name: getattr(new, name) for name in columns(session)}
    tx.execute(sa.insert(session).values(row | {"scopes": sorted(new.scopes)}))


def find(tx: Tx, token_hash: str) -> tuple[Session, Person] | None:
    """The session with that token, the present one or the one before, and its person with no more scopes than it."""
    either = (session.c.token_hash == token_hash) | (session.c.previous_hash == token_hash)
    row = tx.execute(sa.select(session).where(either)).first()
    if row is None:
        return None
    found = _session(row)
    return found, replace(people.get(tx, found.person_id), scopes=found.scopes)


def change(tx: Tx, before: Session, after: Session) -> bool:
    """Write what became of a session; False, and nothing, if another request changed its token first."""
    unchanged = (session.c.id == before.id) & (session.c.token_hash == before.token_hash)
    values = {name: getattr(after, name) for name in ("token_hash", "previous_hash", "rotated_at", "seen_at")}
    return tx.execute(sa.update(session).where(unchanged).values(values)).rowcount == 1


def end(tx: Tx, session_id: str) -> None:
    """End one session."""
    tx.execute(sa.delete(session).where(session.c.id == session_id))


def end_all(tx: Tx, person_id: str) -> int:
    """End every session of a person. Returns how many there were."""
    return tx.execute(sa.delete(session).where(session.c.person_id == person_id)).rowcount


def clear(tx: Tx, at: datetime, idle_since: datetime) -> None:
    """Forget the sessions that have ended by themselves."""
    tx.execute(sa.delete(session).where((session.c.expires_at <= at) | (session.c.seen_at < idle_since)))


def _session(row: Any) -> Session:
    return Session(**{**row._mapping, "scopes": frozenset(Scope(scope) for scope in row.scopes)})
