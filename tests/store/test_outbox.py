import contextlib
from datetime import timedelta

import pytest

from kb.outbox import Job, Lane
from kb.passage import ItemRef, Kind
from kb.store import outbox
from kb.store.database import Database
from tests.examples import NOON

LANE = Lane.PEOPLE_LEXICAL
SECOND = timedelta(seconds=1)


def items(*ids: str) -> list[ItemRef]:
    return [ItemRef(Kind.ARTICLE, each) for each in ids]


def ids(jobs: list[Job]) -> list[str]:
    return [job.item.id for job in jobs]


def add(db: Database, *names: str, lane: Lane = LANE, **when: object) -> None:
    with db.write() as tx:
        outbox.add(tx, items(*names), lane, NOON, **when)


def claim(db: Database, limit: int = 10, lane: Lane = LANE, after: timedelta = timedelta()) -> list[Job]:
    with db.write() as tx:
        return outbox.claim(tx, lane, limit, NOON + after)


def test_rows_are_served_oldest_first_and_once(db: Database) -> None:
    add(db, "a", "b", "c")
    assert ids(claim(db, 2)) == ["a", "b"]
    assert ids(claim(db, 2)) == ["c"]
    assert claim(db, 2) == []


def test_a_job_says_what_it_is_about(db: Database) -> None:
    add(db, "a", lane=Lane.BULK_DENSE)
    [job] = claim(db, lane=Lane.BULK_DENSE)
    assert (job.item, job.lane, job.created_at, job.attempts) == (items("a")[0], Lane.BULK_DENSE, NOON, 0)
    assert isinstance(job.lane, Lane)


def test_lanes_do_not_mix(db: Database) -> None:
    add(db, "a")
    add(db, "b", lane=Lane.BULK_LEXICAL)
    assert ids(claim(db)) == ["a"]
    assert ids(claim(db, lane=Lane.BULK_LEXICAL)) == ["b"]


def test_a_row_of_a_dead_indexer_is_served_again_after_its_lease(db: Database) -> None:
    add(db, "a")
    claim(db)
    assert claim(db, after=outbox.LEASE - SECOND) == []
    assert ids(claim(db, after=outbox.LEASE)) == ["a"]


def test_what_is_done_is_forgotten(db: Database) -> None:
    add(db, "a", "b")
    jobs = claim(db)
    with db.write() as tx:
        outbox.done(tx, jobs[:1])
        outbox.done(tx, [])
    assert ids(claim(db, after=outbox.LEASE)) == ["b"]


def test_what_failed_is_tried_again_later_and_later(db: Database) -> None:
    add(db, "a")
    at = timedelta()
    for wait in (1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300):
        [job] = claim(db, after=at)
        with db.write() as tx:
            outbox.fail(tx, [job], "the index is away", NOON + at)
        assert not _is_due(db, at + wait * SECOND - SECOND / 1000)
        at += wait * SECOND
    [job] = claim(db, after=at)
    assert job.attempts == 12


def _is_due(db: Database, after: timedelta) -> bool:
    with db.read() as tx:
        return LANE in outbox.waits(tx, NOON + after)


def test_a_long_error_is_cut_and_does_no_harm(db: Database) -> None:
    add(db, "a")
    with db.write() as tx:
        outbox.fail(tx, outbox.claim(tx, LANE, 1, NOON), "錯" * 9999, NOON)


def test_a_later_date_is_served_when_it_comes(db: Database) -> None:
    add(db, "a", due_at=NOON + timedelta(days=1))
    assert claim(db) == []
    assert ids(claim(db, after=timedelta(days=1))) == ["a"]


def test_an_indexer_that_starts_alone_takes_everything_back(db: Database) -> None:
    add(db, "a", "b")
    claim(db)
    with db.write() as tx:
        assert outbox.release(tx) == 2
        assert outbox.release(tx) == 0
    assert ids(claim(db)) == ["a", "b"]


def test_only_lanes_with_due_and_free_rows_wait(db: Database) -> None:
    add(db, "a")
    add(db, "b", lane=Lane.BULK_DENSE)
    add(db, "c", lane=Lane.BULK_LEXICAL, due_at=NOON + SECOND)
    claim(db)
    with db.read() as tx:
        assert outbox.waits(tx, NOON) == {Lane.BULK_DENSE}
        assert outbox.waits(tx, NOON + SECOND) == {Lane.BULK_DENSE, Lane.BULK_LEXICAL}


def test_the_backlog_counts_what_waits_what_failed_and_since_when(db: Database) -> None:
    add(db, "a", "b")
    add(db, "later", due_at=NOON + timedelta(days=1))
    with db.write() as tx:
        outbox.fail(tx, outbox.claim(tx, LANE, 1, NOON), "away", NOON)
        backlog = {each.lane: each for each in outbox.backlog(tx, NOON + 3 * SECOND)}
    assert (backlog[LANE].waiting, backlog[LANE].failed, backlog[LANE].oldest_s) == (2, 1, 3.0)
    assert (backlog[Lane.BULK_DENSE].waiting, backlog[Lane.BULK_DENSE].oldest_s) == (0, 0.0)
    assert list(backlog) == list(Lane)


def test_a_row_is_not_there_when_its_change_was_undone(db: Database) -> None:
    with contextlib.suppress(RuntimeError), db.write() as tx:
        outbox.add(tx, items("a"), LANE, NOON)
        raise RuntimeError
    assert claim(db) == []


def test_a_thousand_jobs_are_claimed_and_done(db: Database) -> None:
    add(db, *[f"a{n}" for n in range(1000)])
    jobs = claim(db, 1000)
    with db.write() as tx:
        outbox.done(tx, jobs)
        assert outbox.waits(tx, NOON + outbox.LEASE) == set()


@pytest.mark.postgres
def test_two_workers_at_once_get_different_rows_without_waiting(postgres_db: Database) -> None:
    add(postgres_db, "a", "b", "c")
    with postgres_db.write() as one, postgres_db.write() as two:
        two.exec_driver_sql("SET LOCAL lock_timeout = '1s'")  # fails where it would have waited
        first = outbox.claim(one, LANE, 2, NOON)
        second = outbox.claim(two, LANE, 2, NOON)
    assert ids(first) == ["a", "b"]
    assert ids(second) == ["c"]


def test_a_row_of_a_clock_that_ran_ahead_is_served_at_once(db: Database) -> None:
    with db.write() as tx:
        outbox.add(tx, items("a"), LANE, NOON + timedelta(minutes=59))
    assert ids(claim(db)) == ["a"]


def test_a_date_to_come_is_waited_for_also_within_the_hour(db: Database) -> None:
    add(db, "a", due_at=NOON + timedelta(minutes=5))
    assert claim(db) == []
    assert ids(claim(db, after=timedelta(minutes=5))) == ["a"]


def test_a_lease_from_another_time_is_void(db: Database) -> None:
    add(db, "a")
    assert ids(claim(db, after=timedelta(days=1))) == ["a"]
    assert ids(claim(db)) == ["a"]


def test_rows_that_a_clock_left_far_ahead_are_found_and_made_due(db: Database) -> None:
    tomorrow = NOON + timedelta(days=1)
    add(db, "failed")
    with db.write() as tx:
        outbox.fail(tx, outbox.claim(tx, LANE, 1, NOON), "no", tomorrow)  # in back-off since then
        outbox.add(tx, items("ahead"), LANE, tomorrow)  # written by a clock that ran ahead
        outbox.add(tx, items("meant"), LANE, NOON, due_at=tomorrow)  # a date
    assert claim(db) == []
    with db.write() as tx:
        found = outbox.astray(tx, NOON)
        outbox.make_due(tx, found, NOON)
        assert outbox.astray(tx, NOON) == []
    assert sorted(ids(claim(db))) == ["ahead", "failed"]


def test_rows_put_back_are_served_at_once_and_count_as_not_tried(db: Database) -> None:
    add(db, "a")
    with db.write() as tx:
        outbox.put_back(tx, outbox.claim(tx, LANE, 1, NOON))
    assert [job.attempts for job in claim(db)] == [0]


def test_in_flight_is_what_waits_now_not_what_waits_for_a_date(db: Database) -> None:
    add(db, "soon", lane=Lane.BULK_DENSE)
    add(db, "later", due_at=NOON + timedelta(days=1))
    with db.read() as tx:
        assert outbox.in_flight(tx, items("soon", "later", "never"), NOON) == set(items("soon"))


def test_what_a_build_replays_is_bulk_without_a_date(db: Database) -> None:
    add(db, "bulk", lane=Lane.BULK_LEXICAL)
    add(db, "person")
    add(db, "dense", lane=Lane.BULK_DENSE)
    add(db, "dated", lane=Lane.BULK_LEXICAL, due_at=NOON + timedelta(days=1))
    with db.write() as tx:
        assert outbox.drop(tx, outbox.replayed(tx)) == set(items("bulk"))
    assert ids(claim(db)) == ["person"]
    assert ids(claim(db, lane=Lane.BULK_DENSE)) == ["dense"]
    assert ids(claim(db, lane=Lane.BULK_LEXICAL, after=timedelta(days=1))) == ["dated"]
