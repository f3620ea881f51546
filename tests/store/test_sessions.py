from dataclasses import replace
from datetime import timedelta

from kb.person import EVERYDAY, Scope
from kb.session import Session
from kb.store import people, sessions
from kb.store.database import Database
from tests.examples import NOON, a_person

ADA = a_person("ada", scopes=EVERYDAY)
HOUR = timedelta(hours=1)


def a_session(id: str = "s1", **fields: object) -> Session:
    made = {"id": id, "person_id": "ada", "scopes": EVERYDAY, "token_hash": f"hash of {id}", "created_at": NOON}
    made |= {"rotated_at": NOON, "seen_at": NOON, "expires_at": NOON + 12 * HOUR}
    return Session(**made | fields)


def begun(db: Database, *found: Session) -> None:
    with db.write() as tx:
        for person in (ADA, a_person("bob")):
            people.insert(tx, person, NOON)
        for each in found:
            sessions.insert(tx, each)


def test_a_session_is_found_by_its_token_and_by_the_one_before(db: Database) -> None:
    kept = a_session(previous_hash="before", scopes=frozenset({Scope.READ}))
    begun(db, kept)
    with db.read() as tx:
        for token_hash in ("hash of s1", "before"):
            assert sessions.find(tx, token_hash) == (kept, replace(ADA, scopes=kept.scopes))
        assert sessions.find(tx, "guessed") is None


def test_of_two_requests_that_change_a_token_the_first_counts(db: Database) -> None:
    before = a_session()
    first = replace(before, token_hash="new", previous_hash=before.token_hash, rotated_at=NOON + HOUR)
    begun(db, before)
    with db.write() as tx:
        assert sessions.change(tx, before, first)
        assert not sessions.change(tx, before, replace(first, token_hash="another"))
        assert sessions.find(tx, "new") == (first, ADA)


def test_sessions_end_one_by_one_for_a_person_or_by_themselves(db: Database) -> None:
    begun(
        db,
        a_session("one"),
        a_session("two"),
        a_session("three"),
        a_session("bobs", person_id="bob"),
        a_session("expired", person_id="bob", expires_at=NOON + HOUR),
        a_session("idle", person_id="bob", seen_at=NOON - 2 * HOUR),
    )

    def left() -> set[str]:
        with db.read() as tx:
            ids = ("one", "two", "three", "bobs", "expired", "idle")
            return {id for id in ids if sessions.find(tx, f"hash of {id}")}

    with db.write() as tx:
        sessions.end(tx, "ada", "one")
    assert left() == {"two", "three", "bobs", "expired", "idle"}
    with db.write() as tx:
        assert sessions.end_all(tx, "ada") == 2
    assert left() == {"bobs", "expired", "idle"}
    with db.write() as tx:
        sessions.clear(tx, NOON + HOUR, idle_since=NOON - HOUR)
    assert left() == {"bobs"}
