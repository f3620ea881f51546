"""kill -9 at random moments of a restore and of an erasure: one record or the other, and nobody half forgotten."""

import os
import random
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from kb.interaction import EventKind
from kb.store import backup, copying, interactions
from kb.store.database import Database
from kb.store.schema import metadata
from tests.durability import keeping
from tests.examples import an_event, an_interaction
from tests.traces import SECRETS, a_life, assert_none_in

ROUNDS = int(os.environ.get("KB_KILL_ROUNDS", "100")) // 4
ERASURES = ROUNDS // 2


def written(db: Database, name: str, at: datetime, into: Path) -> backup.Backup:
    """A record of its own, large enough for a moment in the middle, and its backup."""
    with db.write() as tx:
        for table in reversed(metadata.sorted_tables):
            tx.execute(sa.delete(table))
        interactions.insert(tx, an_interaction(name))
        events = [an_event(EventKind.VIEWED, name, search_id=f"{name}{n}", data={"x": name * 400}) for n in range(2000)]
        interactions.append(tx, events)
    return backup.make(db, into, at)


@pytest.mark.slow
def test_a_restore_that_is_killed_leaves_one_record_or_the_other(db: Database, tmp_path: Path) -> None:
    both = [
        written(db, name, datetime(2026, 11, 21, hour, tzinfo=UTC), tmp_path / "backups")
        for name, hour in (("one", 12), ("two", 13))
    ]
    chance, data, there = random.Random(20261121), tmp_path / "data", both[1]
    db.close()
    took = keeping.run(keeping.restore, both[1].folder, db.url, data)
    found = []
    for _ in range(ROUNDS):
        wanted = both[both.index(there) - 1]
        # On a busy machine a restore takes several times as long as the first: some rounds wait for its end.
        keeping.run_and_kill(took * chance.choice((1.1, 1.1, 6)), chance, keeping.restore, wanted.folder, db.url, data)
        with closing(Database(db.url)) as left, left.read() as tx:
            contents = copying.contents(tx)
            if left.is_sqlite:
                assert tx.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        assert contents in [each.tables for each in both]
        found.append(contents == wanted.tables)
        there = wanted if found[-1] else there
    assert True in found
    assert False in found
    keeping.run(keeping.restore, both[0].folder, db.url, data)
    assert not (data / "restoring").exists()


@pytest.mark.slow
def test_an_erasure_that_is_killed_is_completed_by_the_next(sqlite_template: Path, tmp_path: Path) -> None:
    chance, took = random.Random(20261121), 0.0
    for number in range(ERASURES):
        data = tmp_path / str(number)
        data.mkdir()
        record = data / "kb.db"
        record.write_bytes(sqlite_template.read_bytes())
        with closing(Database(f"sqlite:///{record}")) as db:
            a_life(db)
        arguments = (keeping.erase, data, f"sqlite:///{record}", SECRETS[:5])
        if number:
            keeping.run_and_kill(took * 1.1, chance, *arguments)
        took = keeping.run(*arguments) if number else max(keeping.run(*arguments), 0.1)
        assert_none_in(data.iterdir())
