"""Signing in to pages: from a key, a password or a provider's word to a session, and from its token to a person."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from uuid import uuid4

from kb import clock
from kb.errors import Invalid, KbError, NotAllowed, NotFound, NotSignedIn, TooSoon, Unavailable
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
_NOT_PRESENT = "this is not your present password"
_KEPT = timedelta(days=1)  # failures; longer than any patience
_SHOWN = 100  # sessions of one person


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
        keys, found = self._try(login, password, address)
        if found is None:
            raise self._refused(keys, NotSignedIn(_REFUSED))
        fresh = passwords.fresh_hash(password, found[1])
        with self._db.write() as tx:
            person = replace(people.get(tx, found[0]), scopes=EVERYTHING)
            unchanged = logins.password_of(tx, login) == found
            if person.disabled or not unchanged:
                raise self._refused(keys, NotSignedIn(_REFUSED))
            if fresh:
                logins.rehash(tx, person.id, found[1], fresh)
            self._forgive(tx, keys)
            return self.begin(tx, person, "password")

    def change_password(
        self, person: Person, present: str, new: str, address: str, session: Session | None
    ) -> SignedIn | None:
        """Give somebody who knows their present password a new one, and end all their sessions but this one.

        Returns this session with a new token, at once the only one. Raises NotAllowed for somebody without a
        password, Invalid for a present one that is wrong (counted like a failed sign-in) or a new one that nobody
        should use, TooSoon.
        """
        login = self.login_of(person)
        if login is None:
            raise NotAllowed("you have no password here")
        new = passwords.checked(new, login, "new")
        keys, found = self._try(login, present, address)
        if found is None or found[0] != person.id:
            raise self._refused(keys, Invalid(_NOT_PRESENT, "current"))
        hashed = passwords.hash_of(new)
        with self._db.write() as tx:
            if logins.password_of(tx, login) != found:
                raise self._refused(keys, Invalid(_NOT_PRESENT, "current"))
            logins.save_password(tx, person.id, login, hashed, clock.now())
            self._forgive(tx, keys)
            ended = sessions.end_all(tx, person.id, but=session.id if session else "")
            _write(tx, person.id, person.id, "change_password", {"sessions_ended": ended})
            return self._renewed(tx, session, person) if session else None

    def login_of(self, person: Person) -> str | None:
        """Somebody's login, if they have a password."""
        with self._db.read() as tx:
            return logins.login_of(tx, person.id)

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
            with self._db.write() as tx:
                sessions.end(tx, person.id, session.id)
                _write(tx, person.id, person.id, "end_copied", {})
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

    def sessions_of(self, person: Person) -> list[Session]:
        """The sessions of a person that are not over, those last used first, at most 100."""
        at = clock.now()
        with self._db.read() as tx:
            found = sessions.of_person(tx, person.id, _SHOWN)
        return [each for each in found if not each.is_over(at, self._lifetimes.idle)]

    def leave(self, session_id: str, person: Person) -> None:
        """End one session of a person; raises NotFound where they have no such session."""
        with self._db.write() as tx:
            if not sessions.end(tx, person.id, session_id):
                raise NotFound("you have no such session")
            _write(tx, person.id, person.id, "sign_out", {})

    def leave_everywhere(self, by: Person, person_id: str) -> int:
        """End every session of a person. Returns how many there were."""
        if by.id != person_id:
            by.require(Right.ADMINISTER)
        with self._db.write() as tx:
            count = sessions.end_all(tx, person_id)
            _write(tx, by.id, person_id, "sign_out", {"sessions_ended": count})
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
                changed = sessions.change(tx, session, after)
        except KbError as error:  # reading goes on while nothing can be written
            log.warning("a session could not be kept up: %s", error)
            return False
        # If another request was quicker, its answer brings the token: the same, or after a new password quite another.
        return changed and after.token_hash != session.token_hash

    def _renewed(self, tx: Tx, session: Session, person: Person) -> SignedIn:
        """The session with a token that does not follow from the one before, which is good for nothing any more."""
        at, token = clock.now(), new_token()
        after = replace(session, token_hash=hash_secret(token), previous_hash=None, rotated_at=at, seen_at=at)
        if not sessions.renew(tx, after):
            raise NotSignedIn(_OVER)
        return SignedIn(after, person, token)

    def _try(self, login: str, password: str, address: str) -> tuple[dict[str, Patience], tuple[str, str] | None]:
        """Count an attempt and look at it: under which keys, and if it is right whose login it is, with the hash."""
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
        return keys, found if right else None

    def _forgive(self, tx: Tx, keys: Iterable[str]) -> None:
        """The attempt was right."""
        for_login, for_address = keys
        logins.forget_failures(tx, for_login)  # in the order in which `_count` takes them: else two would wait
        self._discount(tx, [for_address])  # for each other

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

    def _refused(self, keys: Mapping[str, Patience], error: KbError) -> KbError:
        log.warning("sign-in refused", extra={"how": "password"} | self._told(keys))
        return error

    def _told(self, keys: Mapping[str, Patience]) -> dict[str, str]:
        return {name: key[:12] for name, key in zip(("login", "address"), keys, strict=True)}

    def _failure_key(self, kind: str, value: str) -> str:
        return derived(self._key, kind, value)


def _write(tx: Tx, by: str, person_id: str, action: str, facts: Mapping[str, object]) -> None:
    audit.write(tx, [audit.Change(by, action, "person", person_id, {}, facts, clock.now())])
