from datetime import UTC, datetime, timedelta

import pytest

from kb.audience import Audience
from kb.dictionary import Entry, Meaning
from kb.errors import NotFound
from kb.store import audit, dictionary
from kb.store.database import Database

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
MEANING = Meaning(("光猫", "ONT"), (), Audience.CUSTOMER, False, "from the shop")


def entry(n: int = 1, meaning: Meaning = MEANING) -> Entry:
    at = NOON + timedelta(minutes=n)
    return Entry(f"e{n}", meaning, "ada", NOON, "bob", at)


def test_what_is_written_is_read_and_the_one_changed_last_comes_first(db: Database) -> None:
    with db.write() as tx:
        dictionary.insert(tx, [entry(1), entry(2)])
        dictionary.insert(tx, [])
    with db.read() as tx:
        assert dictionary.every(tx) == [entry(2), entry(1)]
        assert dictionary.get(tx, "e1") == entry(1)


def test_an_entry_is_changed_and_taken_out(db: Database) -> None:
    changed = entry(1).change(Meaning(("hub",), ("router",)), "eve", NOON)
    with db.write() as tx:
        dictionary.insert(tx, [entry(1), entry(2)])
        assert dictionary.get(tx, "e1", to_change=True) == entry(1)
        dictionary.update(tx, changed)
        dictionary.delete(tx, "e2")
    with db.read() as tx:
        assert dictionary.every(tx) == [changed]
        with pytest.raises(NotFound):
            dictionary.get(tx, "e2")


def test_the_marker_changes_with_every_change_and_with_nothing_else(db: Database) -> None:
    def note(kind: str) -> tuple[int, int]:
        with db.write() as tx:
            audit.write(tx, [audit.Change("ada", "change", kind, "e1", {}, {}, NOON)])
            return dictionary.marker(tx)

    with db.read() as tx:
        first = dictionary.marker(tx)
    assert note("article") == first
    second = note(dictionary.SUBJECT)
    assert len({first, second, note(dictionary.SUBJECT)}) == 3
