import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from kb.errors import Conflict, RecordUnavailable, Unavailable
from kb.store import articles, people, topics
from kb.store.database import Database, batches
from kb.store.schema import person
from kb.topic import Topic
from tests.examples import NOON, a_person, a_revision


def test_a_moment_comes_back_as_the_same_moment_in_utc(db: Database) -> None:
    taipei = NOON.astimezone(timezone(timedelta(hours=8)))
    with db.write() as tx:
        people.insert(tx, a_person(), taipei)
    with db.read() as tx:
        stored = tx.scalar(sa.select(person.c.created_at))
    assert stored == NOON
    assert stored.tzinfo is UTC


def test_a_moment_keeps_its_microseconds(db: Database) -> None:
    at = NOON.replace(microsecond=123456)
    with db.write() as tx:
        people.insert(tx, a_person(), at)
    with db.read() as tx:
        assert tx.scalar(sa.select(person.c.created_at)) == at


def test_a_time_without_a_zone_is_refused(db: Database) -> None:
    with pytest.raises(sa.exc.StatementError, match="without a zone"), db.write() as tx:
        people.insert(tx, a_person(), datetime(2026, 3, 14, 12, 0))


def test_an_exception_undoes_everything_in_its_transaction(db: Database) -> None:
    with contextlib.suppress(RuntimeError), db.write() as tx:
        people.insert(tx, a_person("ada"), NOON)
        topics.save_topic(tx, Topic("broadband"))
        raise RuntimeError
    with db.read() as tx:
        assert people.everyone(tx) == []
        assert topics.all_topics(tx) == []


def test_a_failed_statement_undoes_what_went_before(db: Database) -> None:
    def write_one_twice() -> None:
        with db.write() as tx:
            for name in ("bob", "ada", "ada"):
                people.insert(tx, a_person(name), NOON)

    with pytest.raises(Conflict):
        write_one_twice()
    with db.read() as tx:
        assert people.everyone(tx) == []


def test_writing_in_a_reading_transaction_is_refused(db: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=r"read-?only"), db.read() as tx:
        people.insert(tx, a_person(), NOON)
    with db.write() as tx:  # and the connection can write again afterwards
        people.insert(tx, a_person(), NOON)


def test_a_reading_transaction_sees_one_state_from_first_to_last(db: Database) -> None:
    with db.read() as reading:
        assert people.everyone(reading) == []
        with db.write() as tx:
            people.insert(tx, a_person(), NOON)
        assert people.everyone(reading) == []
    with db.read() as tx:
        assert len(people.everyone(tx)) == 1


def test_a_wrong_statement_is_a_bug_and_not_called_unavailable(db: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError), db.read() as tx:
        tx.exec_driver_sql("SELECT * FROM no_such_table")


def test_a_missing_parent_is_a_bug_and_not_called_a_conflict(db: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError), db.write() as tx:
        articles.add_revision(tx, a_revision("nobody"))


@contextlib.contextmanager
def _locked(db: Database) -> Iterator[None]:
    with db.write():
        yield


def test_a_locked_sqlite_database_is_unavailable_instead_of_hanging(sqlite_db: Database) -> None:
    other = Database(sqlite_db.url, hasty=True)
    started = time.monotonic()
    with _locked(sqlite_db), pytest.raises(RecordUnavailable, match="locked") as refused, other.write():
        pass
    assert time.monotonic() - started < 2
    assert "written by somebody else" in refused.value.public
    with other.write() as tx:  # free again
        people.insert(tx, a_person(), NOON)
    other.close()


def test_while_it_stays_locked_later_writers_are_refused_sooner(sqlite_db: Database) -> None:
    with contextlib.closing(Database(sqlite_db.url, hasty=True)) as other, _locked(sqlite_db):
        took = []
        for _ in range(2):
            started = time.monotonic()
            with pytest.raises(RecordUnavailable), other.write():
                pass
            took.append(time.monotonic() - started)
    assert took[1] < took[0] / 2


def test_who_takes_the_file_away_gets_no_empty_one_and_nothing_is_acknowledged(sqlite_db: Database) -> None:
    path = Path(sqlite_db.engine.url.database or "")
    away = path.rename(path.with_name("away.db"))
    for transaction in (sqlite_db.read, sqlite_db.write):
        with pytest.raises(RecordUnavailable), transaction():
            pass
    assert not path.exists()
    away.rename(path)
    with sqlite_db.write() as tx:
        people.insert(tx, a_person(), NOON)


def test_a_full_disk_is_unavailable_and_says_so(sqlite_db: Database) -> None:
    def fill() -> None:
        with sqlite_db.write() as tx:
            tx.exec_driver_sql("PRAGMA max_page_count = 1")  # sqlite makes it as many as there are
            for number in range(10_000):
                people.insert(tx, a_person(f"p{number}"), NOON)

    with pytest.raises(RecordUnavailable, match="full") as refused:
        fill()
    assert "disk of the database is full" in refused.value.public
    with sqlite_db.read() as tx:
        assert people.everyone(tx) == []


def test_readers_are_not_held_up_by_a_writer(db: Database) -> None:
    with _locked(db), db.read() as tx:
        assert people.everyone(tx) == []


def test_writers_take_turns_and_lose_nothing(db: Database) -> None:
    def write(name: str) -> None:
        for n in range(10):
            with db.write() as tx:
                people.insert(tx, a_person(f"{name}{n}"), NOON)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read() as tx:
        assert len(people.everyone(tx)) == 40


def test_a_server_that_is_away_is_unavailable(tmp_path: Path) -> None:
    db = Database(f"postgresql://kb@/nothing?host={tmp_path}")
    with pytest.raises(Unavailable), db.read():
        pass


@pytest.mark.postgres
def test_a_connection_cut_by_the_server_is_unavailable_and_the_next_one_works(postgres_db: Database) -> None:
    with pytest.raises(Unavailable), postgres_db.read() as tx:
        tx.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    with postgres_db.read() as tx:
        assert people.everyone(tx) == []


@pytest.mark.postgres
def test_a_statement_that_waits_for_a_lock_is_given_up(postgres_db: Database) -> None:
    started = time.monotonic()
    with contextlib.closing(Database(postgres_db.url, hasty=True)) as other, postgres_db.write() as holding:
        holding.exec_driver_sql("LOCK TABLE person IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(RecordUnavailable) as refused, other.read() as tx:
            people.everyone(tx)
    assert time.monotonic() - started < 2
    assert "written by somebody else" in refused.value.public


@pytest.mark.postgres
def test_a_statement_that_takes_too_long_is_given_up(postgres_db: Database) -> None:
    started = time.monotonic()
    with (
        contextlib.closing(Database(postgres_db.url, hasty=True)) as other,
        pytest.raises(RecordUnavailable),
        other.read() as tx,
    ):
        tx.exec_driver_sql("SELECT pg_sleep(20)")
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("url", ["mysql://host/kb", "sqlite://", "sqlite:///:memory:"])
def test_a_database_that_cannot_serve_is_refused_by_name(url: str) -> None:
    with pytest.raises(ValueError, match="KB_DATABASE_URL"):
        Database(url)


def test_the_folder_of_a_new_database_is_made(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/deep/er/kb.db")
    with db.read() as tx:
        assert tx.scalar(sa.text("SELECT 1")) == 1
    db.close()


def test_batches_cover_everything_once_in_order() -> None:
    assert [list(batch) for batch in batches([1, 2, 3, 4, 5], 2)] == [[1, 2], [3, 4], [5]]
    assert list(batches([], 2)) == []


_VICTIM = """
import os, signal, sys
from kb.store import people
from kb.store.database import Database
from tests.examples import NOON, a_person, a_revision
db = Database(sys.argv[1])
with db.write() as tx:
    people.insert(tx, a_person("kept"), NOON)
with db.write() as tx:
    people.insert(tx, a_person("lost"), NOON)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_keeps_what_was_committed_and_nothing_else(db: Database) -> None:
    url = db.engine.url.render_as_string(hide_password=False)
    killed = subprocess.run([sys.executable, "-c", _VICTIM, url], check=False)
    assert killed.returncode == -9
    with db.read() as tx:
        assert [each.id for each in people.everyone(tx)] == ["kept"]
    with db.write() as tx:  # the dead left no lock
        people.insert(tx, a_person("next"), NOON)
