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

from kb.errors import Conflict, Unavailable
from kb.store import articles, database, people, topics
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


def test_a_locked_sqlite_database_is_unavailable_instead_of_hanging(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 100)
    other = Database(sqlite_db.url)
    started = time.monotonic()
    with _locked(sqlite_db), pytest.raises(Unavailable, match="locked"), other.write():
        pass
    assert time.monotonic() - started < 2
    with other.write() as tx:  # free again
        people.insert(tx, a_person(), NOON)
    other.close()


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
