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
    return tx.execute(sa.update(session).where(unchanged).values(_moving(after))).rowcount == 1


def renew(tx: Tx, after: Session) -> bool:
    """Write a session's new token, whatever its token was; False if the session has ended."""
    return tx.execute(sa.update(session).where(session.c.id == after.id).values(_moving(after))).rowcount == 1


def of_person(tx: Tx, person_id: str, limit: int) -> list[Session]:
    """The sessions of a person, those last used first; some may be over."""
    theirs = sa.select(session).where(session.c.person_id == person_id)
    return [_session(row) for row in tx.execute(theirs.order_by(session.c.seen_at.desc(), session.c.id).limit(limit))]


def end(tx: Tx, person_id: str, session_id: str) -> bool:
    """End one session of a person; False if they have none with that id."""
    theirs = (session.c.id == session_id) & (session.c.person_id == person_id)
    return tx.execute(sa.delete(session).where(theirs)).rowcount == 1


def end_all(tx: Tx, person_id: str, but: str = "") -> int:
    """End every session of a person, except the one with the id `but`. Returns how many there were."""
    theirs = (session.c.person_id == person_id) & (session.c.id != but)
    return tx.execute(sa.delete(session).where(theirs)).rowcount


def clear(tx: Tx, at: datetime, idle_since: datetime) -> None:
    """Forget the sessions that have ended by themselves."""
    tx.execute(sa.delete(session).where((session.c.expires_at <= at) | (session.c.seen_at < idle_since)))


def _moving(after: Session) -> dict[str, Any]:
    return {name: getattr(after, name) for name in ("token_hash", "previous_hash", "rotated_at", "seen_at")}


def _session(row: Any) -> Session:
    return Session(**{**row._mapping, "scopes": frozenset(Scope(scope) for scope in row.scopes)})
