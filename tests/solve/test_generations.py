from collections.abc import Callable
from datetime import timedelta

import pytest

from kb import clock
from kb.article import Article
from kb.errors import IndexUnavailable
from kb.generation import Generation, GenerationState
from kb.outbox import Lane
from kb.person import SYSTEM
from kb.query import Query
from kb.solve import generations as module
from kb.solve import improve
from kb.solve.generations import ask_for_rebuild, on_grid
from kb.store import content, generations, outbox
from kb.store.database import Database
from tests.solve.conftest import Works, ready
from tests.toys import ToyEncoder

Write = Callable[..., Article]


def states(db: Database) -> list[GenerationState]:
    with db.read() as tx:
        return [each.state for each in generations.every(tx)]


def test_the_first_index_is_built_from_the_record(works: Works, write: Write) -> None:
    article = write()
    works.settle()
    assert works.found("red light") == [article.id]
    assert states(works.db) == [GenerationState.LIVE]


def test_a_rebuild_takes_the_place_of_the_old_index_and_removes_it(works: Works, write: Write) -> None:
    article = write()
    works.settle()
    before = works.live.generation
    ask_for_rebuild(works.db)
    works.settle()
    assert works.live.generation != before
    assert works.found("red light") == [article.id]
    assert works.engine.generations() == [works.live.generation.name]
    assert states(works.db) == [GenerationState.LIVE]


def test_search_answers_all_the_while_and_changes_during_a_rebuild_reach_the_new_index(
    works: Works, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    old = [write(f"Red light {n}", "Restart.") for n in range(10)]
    works.settle()
    ask_for_rebuild(works.db)
    steps = 0
    while states(works.db) != [GenerationState.LIVE] or steps == 0:
        if steps == 2:
            improve.archive(works.db, SYSTEM, old[0].id)
            improve.revise(works.db, SYSTEM, old[9].id, "Blue light", "All is well.", publish=True)
        assert works.found("red light"), "search never stops"
        works.indexer.step()
        steps += 1
        assert steps < 50
    works.settle()
    assert old[0].id not in works.found("red light")
    assert works.found("blue") == [old[9].id]


def test_another_encoder_means_another_index(works: Works, write: Write) -> None:
    article = write()
    works.settle()
    other = works.reopened(ready(ToyEncoder(16, name="other")))
    assert other.searcher.retrieve(Query("red light")).degraded == ("encoder",), "vectors of two encoders never mix"
    assert other.found("red light") == [article.id], "the lexical leg answers meanwhile"
    other.settle()
    assert other.live.get()[0].dimension == 16
    assert other.found("red light", legs="dense") == [article.id]
    other.live.close()


def test_another_way_of_cutting_cuts_the_texts_again(
    works: Works, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write()
    works.settle()
    monkeypatch.setattr(module, "TEXT", "another/way")
    cut: list[object] = []
    monkeypatch.setattr(works.indexer, "_recut", cut.extend)
    works.settle()
    assert len(cut) == 1
    assert works.live.generation.analyzer == "another/way"


def test_a_build_that_a_crash_interrupted_is_begun_again(
    works: Works, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 1)
    articles = [write(f"Red light {n}", "Restart.") for n in range(3)]
    works.settle()
    ask_for_rebuild(works.db)
    works.indexer.step()
    assert GenerationState.BUILDING in states(works.db)
    works.engine.open(works.generations._build.target.generation.name).close()
    again = works.reopened()
    assert again.engine.generations() == [again.live.generation.name], "nothing is left of it"
    assert sorted(again.found("red light")) == sorted(each.id for each in articles)
    again.live.close()


def test_a_lost_index_is_rebuilt(works: Works, write: Write) -> None:
    article = write()
    works.settle()
    works.engine.drop(works.live.generation.name)
    again = Works.open(works.db, works.engine, works.encoder)
    with pytest.raises(IndexUnavailable):
        again.found("red light")
    again.settle()
    assert again.found("red light") == [article.id]
    again.live.close()


def test_average_lengths_that_moved_lead_to_a_rebuild_when_idle(works: Works, write: Write) -> None:
    write("Short", "Tiny.")
    works.settle()
    before = works.live.generation.average_length
    for n in range(5):
        write(f"Long {n}", "One paragraph with quite many different words about routers and cables. " * 9)
    works.settle()
    assert works.live.generation.average_length != before
    assert works.generations.wanted(idle=True) == ""


def test_small_changes_of_average_length_are_left_alone() -> None:
    assert on_grid({"public": 100.0}) == on_grid({"public": 105.0})


def test_an_abandoned_build_of_another_process_is_taken_over(
    works: Works, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = write()
    works.settle()
    works.generations._alone = False
    ask_for_rebuild(works.db)
    works.generations.begin("another process")
    works.engine.open(works.generations._build.target.generation.name)
    works.generations._build = None  # it died
    ask_for_rebuild(works.db)
    works.generations.begin("too early")
    assert not works.generations.building
    later = clock.now() + timedelta(minutes=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    works.settle()
    assert works.found("red light") == [article.id]
    assert GenerationState.BUILDING not in states(works.db)


def test_the_first_index_of_a_filled_record_is_built_once_not_twice(works: Works, write: Write) -> None:
    """What the import has asked of the outbox is in the new index already; who follows changes still hears of it."""
    filled = [write(f"Red light {n}", "Restart the hub.") for n in range(3)]
    told: list[str] = []
    works.indexer._on_change = lambda items: told.extend(each.id for each in items)
    with works.db.write() as tx:
        outbox.done(tx, outbox.claim(tx, Lane.PEOPLE_LEXICAL, 10, clock.now()))
        outbox.add(tx, content.page(tx, None, 10), Lane.BULK_LEXICAL, clock.now())
    works.settle()
    assert sorted(works.found("red light")) == sorted(each.id for each in filled)
    assert works.indexer.counters.indexed == 0
    assert sorted(told) == sorted(each.id for each in filled)
    with works.db.read() as tx:
        assert not any(each.waiting for each in outbox.backlog(tx, clock.now()))


def test_a_change_after_a_build_began_is_not_dropped_with_those_before(works: Works, write: Write) -> None:
    article = write("Red light", "Restart the hub.")
    with works.db.write() as tx:
        outbox.done(tx, outbox.claim(tx, Lane.PEOPLE_LEXICAL, 10, clock.now()))
        outbox.add(tx, content.page(tx, None, 10), Lane.BULK_LEXICAL, clock.now())
    works.generations.begin("the test wants it")
    works.indexer.step()
    improve.revise(works.db, SYSTEM, article.id, "Blue light", "All is well.", publish=True)
    works.settle()
    assert works.found("blue") == [article.id]
    assert works.found("red") == []


def test_a_rebuild_somebody_asked_for_is_not_forgotten_when_it_is_interrupted(works: Works, write: Write) -> None:
    write()
    works.settle()
    before = works.live.generation
    ask_for_rebuild(works.db)
    works.indexer.step()
    assert works.generations.building
    again = works.reopened().settle()
    assert again.live.generation != before
    again.close()


def test_an_item_that_cannot_be_indexed_does_not_keep_a_rebuild_from_its_end(
    works: Works, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = write("Bad one", "It fails."), write("Good one", "It works.")
    fill = works.indexer._fill

    def picky(index, generation, current):  # type: ignore[no-untyped-def]
        if any(item.id == bad.id for item in current):
            raise ValueError("this one cannot be indexed")
        return fill(index, generation, current)

    monkeypatch.setattr(works.indexer, "_fill", picky)
    works.settle()
    assert works.found("works") == [good.id]
    with works.db.read() as tx:
        assert sum(each.failed for each in outbox.backlog(tx, clock.now())) > 0


def test_a_build_abandoned_in_a_time_to_come_is_abandoned(works: Works, write: Write) -> None:
    article = write()
    with works.db.write() as tx:
        ahead = clock.now() + timedelta(days=1)
        generations.save(tx, Generation("dead", GenerationState.BUILDING, created_at=ahead, touched_at=ahead))
    works.settle()
    assert works.found("red light") == [article.id]
    assert states(works.db) == [GenerationState.LIVE]
