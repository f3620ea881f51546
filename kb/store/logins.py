"""Passwords (as argon2 wrote them) and failed attempts in SQL."""

from datetime import datetime

import sqlalchemy as sa

from kb.login import Failures
from kb.store.database import Tx, insert_into
from kb.store.schema import failure, password


def password_of(tx: Tx, login: str) -> tuple[str, str] | None:
    """The person with that login and the hash of their password."""
    row = tx.execute(sa.select(password.c.person_id, password.c.hash).where(password.c.login == login)).first()
    return None if row is None else (row.person_id, row.hash)


def login_of(tx: Tx, person_id: str) -> str | None:
    """A person's login, if they have a password."""
    login: str | None = tx.execute(sa.select(password.c.login).where(password.c.person_id == person_id)).scalar()
    return login


def logins(tx: Tx) -> dict[str, str]:
    """All logins by person."""
    return {row.person_id: row.login for row in tx.execute(sa.select(password.c.person_id, password.c.login))}


def save_password(tx: Tx, person_id: str, login: str, hashed: str, at: datetime) -> None:
    """Set a person's login and password; IntegrityError (Conflict) if somebody else has that login."""
    row = {"person_id": person_id, "login": login, "hash": hashed, "changed_at": at}
    tx.execute(insert_into(tx, password).values(row).on_conflict_do_update(index_elements=["person_id"], set_=row))


def rehash(tx: Tx, person_id: str, old: str, new: str) -> None:
    """Keep the same password under other parameters, unless it was changed meanwhile."""
    same = (password.c.person_id == person_id) & (password.c.hash == old)
    tx.execute(sa.update(password).where(same).values(hash=new))


def failures(tx: Tx, key: str, at: datetime) -> Failures:
    """The failed attempts under a key, which nobody else changes until this transaction ends.

    Guesses sent at the same moment would otherwise all be counted as the first.
    """
    new = insert_into(tx, failure).values(key=key, count=0, last_at=at)
    # To write what is there locks it, or makes it, in one step: the attempt before may be forgetting it right now.
    held = new.on_conflict_do_update(index_elements=["key"], set_={"key": key})
    columns = failure.c.count, failure.c.last_at, failure.c.blocked_until
    return Failures(*tx.execute(held.returning(*columns)).one())


def save_failures(tx: Tx, key: str, known: Failures) -> None:
    """Remember failed attempts."""
    values = {"count": known.count, "last_at": known.last_at, "blocked_until": known.blocked_until}
    tx.execute(sa.update(failure).where(failure.c.key == key).values(values))


def forget_failures(tx: Tx, key: str) -> None:
    """Start anew."""
    tx.execute(sa.delete(failure).where(failure.c.key == key))


def clear_failures(tx: Tx, before: datetime) -> None:
    """Forget what was long ago, except where an attempt is under way."""
    old = sa.select(failure.c.key).where(failure.c.last_at < before).with_for_update(skip_locked=True)
    tx.execute(sa.delete(failure).where(failure.c.key.in_(old)))
