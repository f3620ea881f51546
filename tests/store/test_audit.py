from datetime import timedelta

from kb.store import audit
from kb.store.audit import Change
from kb.store.database import Database
from tests.examples import NOON


def a_change(subject_id: str = "a1", at_s: int = 0, **fields: object) -> Change:
    entry = {
        "person_id": "ada",
        "action": "revise",
        "subject_kind": "article",
        "before": {},
        "after": {"topic": "電視"},
    }
    return Change(**{**entry, "subject_id": subject_id, "at": NOON + timedelta(seconds=at_s), **fields})


def test_entries_come_back_as_they_were_in_the_order_they_were_written(db: Database) -> None:
    entries = [a_change(before={"version": 1}), a_change(at_s=-5, action="publish", after={"published": None})]
    with db.write() as tx:
        audit.write(tx, [*entries, a_change("a2"), a_change(subject_kind="person")])
        audit.write(tx, [])
    with db.read() as tx:
        assert audit.of(tx, "article", "a1") == entries


def test_the_difference_is_what_differs_and_nothing_else() -> None:
    before, after = {"a": 1, "b": [2], "c": None}, {"a": 1, "b": [3], "c": None, "d": 4}
    assert audit.difference(before, after) == ({"b": [2]}, {"b": [3], "d": 4})
    assert audit.difference({}, after) == ({}, {"a": 1, "b": [3], "d": 4})  # nothing is no news
    assert audit.difference(after, after) == ({}, {})
