"""Signing in to pages: from a key, a password or a provider's word to a session, and from its token to a person."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from uuid import uuid4

from kb import clock
from kb.errors import KbError, NotSignedIn, TooSoon, Unavailable
from kb.login import ADDRESS, LOGIN, Patience, normal_login, one_less, one_more
from kb.person import EVERYTHING, Person, Right, hash_secret
from kb.session import JUST_BEFORE, ROTATED_EVERY, SEEN_EVERY, Lifetimes, Session, derived, new_token
from kb.solve import access, passwords
from kb.store import audit, keyring, logins, people, sessions
from kb.store.database import Database, Tx

log = logging.getLogger("kb.security")
"""Who tried what, without their names: logins and addresses appear as the beginning of a keyed hash."""

_OVER = "you are signed out: sign in again"
_REFUSED = "this login and password do not go together"
_KEPT = timedelta(days=1)  # failures; longer than any patience


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session with its person. `token` is what the browser should hold from now on, None for what it has."""

    session: Session
    person: Person
    token: str | None


class SignIn:
    """Begins, continues and ends sessions."""

    def __init__(self, db: Database, lifetimes: Lifetimes | None = None) -> None:
        self._db = db
        self._lifetimes = lifetimes or Lifetimes()

    @cached_property
    def _key(self) -> bytes:
        return keyring.key(self._db, "session")

    def by_key(self, secret: str) -> SignedIn:
        """Begin with an API key, with its scopes, at most until it expires; raises NotSignedIn."""
        try:
            with self._db.write() as tx:
                key, person = access.key_and_person(tx, secret)
                return self.begin(tx, person, "key", key.expires_at)
        except NotSignedIn:
            log.warning("sign-in refused", extra={"how": "key"})
            raise

    def by_password(self, login: str, password: str, address: str) -> SignedIn:
        """Begin with a login and its password.

        Raises NotSignedIn in the same words and after the same time whatever was wrong; TooSoon while failed attempts
        for that login or from that address make everybody wait.
        """
        login = normal_login(login)
        keys = {self._failure_key("login", login): LOGIN, self._failure_key("address", address): ADDRESS}
        self._count(keys)
        with self._db.read() as tx:
            found = logins.password_of(tx, login)
        try:
            right = passwords.matches(password, found[1] if found else None)
        except Unavailable:
            with self._db.write() as tx:
                self._discount(tx, keys)
            raise
        if found is None or not right:
            raise self._refused(keys)
        fresh = passwords.fresh_hash(password, found[1])
        with self._db.write() as tx:
            person = replace(people.get(tx, found[0]), scopes=EVERYTHING)
            unchanged = logins.password_of(tx, login) == found
            if person.disabled or not unchanged:
                raise self._refused(keys)
            if fresh:
                logins.rehash(tx, person.id, found[1], fresh)
            for_login, for_address = keys
            logins.forget_failures(tx, for_login)  # in the order in which `_count` takes them: else two would wait
            self._discount(tx, [for_address])  # for each other
            return self.begin(tx, person, "password")

    def resume(self, token: str, renew: bool = True) -> SignedIn:
        """Who holds that token; raises NotSignedIn once the session is over.

        With `renew`, when it is time to, the answer has the token to use from now on.
        """
        at, token_hash = clock.now(), hash_secret(token)
        with self._db.read() as tx:
            found = sessions.find(tx, token_hash)
        if found is None or found[1].disabled or found[0].is_over(at, self._lifetimes.idle):
            raise NotSignedIn(_OVER)
        session, person = found
        if session.is_copied(token_hash, at):
            log.warning("a session was used with a token that was replaced: ended")
            self._end(session, "end_copied", person)
            raise NotSignedIn(_OVER)
        following = derived(self._key, "next", token)
        if token_hash == session.previous_hash:
            return SignedIn(session, person, None if session.is_taken_up or not renew else following)
        return SignedIn(session, person, following if self._touch(session, following, renew) else None)

    def key(self, purpose: str) -> str:
        """A key for what the API keeps in the browser itself."""
        return derived(self._key, "key", purpose)

    def csrf(self, session: Session) -> str:
        """What a page of ours sends along to show that it is one: the same for as long as the session lasts."""
        return derived(self._key, "csrf", session.id)

    def leave(self, session: Session, person: Person) -> None:
        """End one session."""
        self._end(session, "sign_out", person)

    def leave_everywhere(self, person: Person) -> int:
        """End every session of a person. Returns how many there were."""
        with self._db.write() as tx:
            count = sessions.end_all(tx, person.id)
            _write(tx, person.id, person.id, "sign_out", {"sessions_ended": count})
        return count

    def unlock(self, by: Person, login: str) -> None:
        """Forget the failed attempts for a login, so that the next one need not wait."""
        by.require(Right.ADMINISTER)
        with self._db.write() as tx:
            logins.forget_failures(tx, self._failure_key("login", normal_login(login)))
            found = logins.password_of(tx, normal_login(login))
            if found:
                _write(tx, by.id, found[0], "unlock", {})

    def begin(self, tx: Tx, person: Person, how: str, until: datetime | None = None) -> SignedIn:
        """Begin for somebody who has shown who they are, with the scopes they come with."""
        at, token = clock.now(), new_token()
        longest = at + self._lifetimes.longest
        sessions.clear(tx, at, at - self._lifetimes.idle)
        logins.clear_failures(tx, at - _KEPT)
        session = Session(
            id=uuid4().hex,
            person_id=person.id,
            scopes=person.scopes,
            token_hash=hash_secret(token),
            created_at=at,
            rotated_at=at,
            seen_at=at,
            expires_at=longest if until is None else min(longest, until),
        )
        sessions.insert(tx, session)
        _write(tx, person.id, person.id, "sign_in", {"how": how})
        return SignedIn(session, person, token)

    def _touch(self, session: Session, following: str, renew: bool) -> bool:
        """Write down that the present token was used, where that is due. Whether a following one takes its place."""
        at = clock.now()
        due = renew and at - session.rotated_at >= ROTATED_EVERY
        if not session.is_taken_up:
            after = replace(session, rotated_at=at, seen_at=at)
        elif due:
            after = replace(
                session,
                token_hash=hash_secret(following),
                previous_hash=session.token_hash,
                rotated_at=at,
                seen_at=at - JUST_BEFORE,
            )
        elif at - session.seen_at >= SEEN_EVERY:
            after = replace(session, seen_at=at)
        else:
            return False
        try:
            with self._db.write() as tx:
                sessions.change(tx, session, after)
        except KbError as error:  # reading goes on while nothing can be written
            log.warning("a session could not be kept up: %s", error)
            return False
        # If another request was quicker, it made the same token.
        return after.token_hash != session.token_hash

    def _end(self, session: Session, action: str, person: Person) -> None:
        with self._db.write() as tx:
            sessions.end(tx, session.id)
            _write(tx, person.id, person.id, action, {})

    def _count(self, keys: Mapping[str, Patience]) -> None:
        """Count an attempt as failed before it is looked at: many at once are as slow as one after the other."""
        at = clock.now()
        with self._db.write() as tx:
            known = {key: logins.failures(tx, key, at) for key in keys}
            wait = max(each.wait(at) for each in known.values())
            if not wait:
                for key, patience in keys.items():
                    logins.save_failures(tx, key, one_more(known[key], at, patience))
        if wait:
            log.warning("sign-in has to wait", extra=self._told(keys))
            raise TooSoon("too many attempts: wait before the next one", wait)

    def _discount(self, tx: Tx, keys: Iterable[str]) -> None:
        """Take back what `_count` counted: the attempt was none, or could not be looked at."""
        for key in keys:
            logins.save_failures(tx, key, one_less(logins.failures(tx, key, clock.now())))

    def _refused(self, keys: Mapping[str, Patience]) -> NotSignedIn:
        log.warning("sign-in refused", extra={"how": "password"} | self._told(keys))
        return NotSignedIn(_REFUSED)

    def _told(self, keys: Mapping[str, Patience]) -> dict[str, str]:
        return {name: key[:12] for name, key in zip(("login", "address"), keys, strict=True)}

    def _failure_key(self, kind: str, value: str) -> str:
        return derived(self._key, kind, value)


def _write(tx: Tx, by: str, person_id: str, action: str, facts: Mapping[str, object]) -> None:
    audit.write(tx, [audit.Change(by, action, "person", person_id, {}, facts, clock.now())])
