"""Changing the dictionary, and what a change would do to past searches."""

import pytest

from kb import clock
from kb.article import Article
from kb.audience import Audience
from kb.dictionary import Meaning
from kb.errors import Conflict, Invalid, NotAllowed, TooSoon
from kb.interaction import Event, EventKind
from kb.person import SYSTEM, Person, Role
from kb.search.catalogue import Catalogue
from kb.solve import dictionary
from kb.solve.replaying import SEARCHES, Replay
from kb.solve.reuse import Finder
from kb.solve.trail import SearchLog
from kb.store import audit, interactions
from kb.store.database import Database
from tests.solve.conftest import Works

COACH = Person("c", "Coach", Audience.INTERNAL, frozenset({Role.COACH}))
PARTNER = Person("p", "Partner", Audience.PARTNER, frozenset({Role.PUBLISHER}))
NBN = Meaning(("NBN",), ("broadband network",), Audience.PUBLIC)


def search(db: Database, *texts: str, tier: Audience = Audience.PUBLIC) -> None:
    events = [Event(EventKind.SEARCHED, clock.now(), "x", data={"query": each, "tier": tier.value}) for each in texts]
    with db.write() as tx:
        interactions.append(tx, events)


@pytest.fixture
def replay(works: Works, write: "type[Article]") -> Replay:
    write("Paying by card")
    write("The broadband network is down")
    works.settle()
    return Replay(works.db, Finder(works.db, works.searcher, Catalogue(), SearchLog(works.db)))


def test_every_change_is_in_the_audit_log(sqlite_db: Database) -> None:
    entry = dictionary.create(sqlite_db, COACH, NBN)
    off = Meaning(NBN.terms, NBN.means, NBN.audience, active=False)
    changed = dictionary.change(sqlite_db, COACH, entry.id, off, entry.changed_at)
    assert dictionary.change(sqlite_db, COACH, entry.id, off) == changed  # no change, no entry
    dictionary.delete(sqlite_db, COACH, entry.id, changed.changed_at)
    with sqlite_db.read() as tx:
        created, changed_then, deleted = audit.of(tx, "synonym", entry.id)
    assert created.after["terms"] == ["NBN"]
    assert (changed_then.before, changed_then.after) == ({"active": True}, {"active": False})
    assert (deleted.before["means"], deleted.after) == (["broadband network"], {})


def test_two_who_change_an_entry_at_once_do_not_overwrite_each_other(db: Database) -> None:
    entry = dictionary.create(db, COACH, NBN)
    dictionary.change(db, COACH, entry.id, Meaning(("NBN", "nbnco"), NBN.means, NBN.audience), entry.changed_at)
    with pytest.raises(Conflict):
        dictionary.change(db, SYSTEM, entry.id, Meaning(("NBN",), ("network",), NBN.audience), entry.changed_at)
    with pytest.raises(Conflict):
        dictionary.delete(db, SYSTEM, entry.id, entry.changed_at)


def test_there_is_an_end_to_the_entries_of_one_audience(sqlite_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictionary, "MOST_ENTRIES", 2)
    many = [Meaning((f"a{n}", f"b{n}"), (), Audience.INTERNAL) for n in range(3)]
    dictionary.merge(sqlite_db, SYSTEM, many[:2])
    with pytest.raises(Conflict, match="2 entries"):
        dictionary.create(sqlite_db, SYSTEM, many[2])
    # A partner who tunes cannot tell that staff have filled theirs.
    assert dictionary.create(sqlite_db, PARTNER, Meaning(("a2", "b2"), (), Audience.PARTNER))


def test_nobody_writes_for_readers_of_more_than_they_read(sqlite_db: Database) -> None:
    with pytest.raises(Invalid):
        dictionary.create(sqlite_db, PARTNER, Meaning(("a", "b1"), (), Audience.INTERNAL))
    with pytest.raises(NotAllowed):
        dictionary.visible(sqlite_db, Person("r", "Reader", Audience.INTERNAL))


def test_only_searches_that_ask_for_something_else_are_played(replay: Replay, works: Works) -> None:
    search(works.db, "nbn", "paying by card", " NBN ", "nbn")
    search(works.db, "nbn", tier=Audience.INTERNAL)
    seen = replay.preview(COACH, NBN)
    assert (seen.searches, seen.touched, seen.played) == (3, 2, 2)
    assert {each.past.tier for each in seen.differences} == {Audience.PUBLIC, Audience.INTERNAL}
    one = seen.differences[-1]
    assert [each.title for each in one.before] != [each.title for each in one.after]
    assert replay.preview(PARTNER, NBN).searches == 2  # not what staff asked
    switched_off = Meaning(NBN.terms, NBN.means, NBN.audience, active=False)
    assert replay.preview(COACH, switched_off).touched == 0


def test_a_preview_of_an_internal_entry_touches_the_searches_of_staff_only(replay: Replay, works: Works) -> None:
    search(works.db, "paying nbn")
    assert replay.preview(COACH, Meaning(NBN.terms, NBN.means, Audience.INTERNAL)).touched == 0


def test_a_preview_ends_in_time_and_says_how_far_it_came(replay: Replay, works: Works) -> None:
    search(works.db, *(f"nbn {n}" for n in range(SEARCHES + 50)))
    replay._seconds = 0.05
    seen = replay.preview(COACH, NBN)
    assert 0 < seen.searches <= SEARCHES
    assert seen.played < seen.touched


def test_one_preview_at_a_time(replay: Replay, works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.solve.replaying._WAIT_S", 0.01)
    with replay._one, pytest.raises(TooSoon):
        replay.preview(COACH, NBN)
    assert replay.preview(COACH, NBN).searches == 0
