"""kill -9 at random moments of ingest, publish and reindex: nothing acknowledged is lost, nothing is there twice,
and the index equals a clean rebuild.

100 rounds on each kind of installation; `KB_KILL_ROUNDS=1000` (`make soak`) plays more.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from kb.store.database import Database
from tests.durability.rounds import Campaign, forget_indexes, opened
from tests.qdrant_server import qdrant_server
from tests.solve.conftest import Works

ROUNDS = 5
CAMPAIGNS = int(os.environ.get("KB_KILL_ROUNDS", "100")) // ROUNDS
every_campaign = pytest.mark.parametrize("seed", range(CAMPAIGNS))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: kill -9 takes nothing from a file, so the disk's pace teaches nothing."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    made = memory / f"kb-kill-{os.getpid()}-{tmp_path.name}"
    made.mkdir()
    yield made
    shutil.rmtree(made)


@pytest.mark.slow
@every_campaign
def test_one_process_with_sqlite_and_edge_survives_kill_9(seed: int, folder: Path) -> None:
    record = folder / "kb.db"

    def rebuilt() -> Works:
        copy = folder / "clean"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        with (
            contextlib.closing(sqlite3.connect(record)) as old,
            contextlib.closing(sqlite3.connect(copy / "kb.db")) as to,
        ):
            old.backup(to)
        db = Database(f"sqlite:///{copy / 'kb.db'}")
        forget_indexes(db)
        return opened(db, str(copy / "index")).settle()

    Campaign(folder, f"sqlite:///{record}", str(folder / "index"), ("all",), rebuilt).play(ROUNDS, seed)


@pytest.mark.slow
@pytest.mark.postgres
@every_campaign
def test_an_api_and_a_worker_with_postgresql_survive_kill_9(seed: int, folder: Path, postgres_db: Database) -> None:
    url = sa.make_url(postgres_db.url)
    postgres_db.close()
    administration = sa.create_engine(
        url.set(database="postgres", drivername="postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
        poolclass=sa.NullPool,
    )

    def rebuilt() -> Works:
        name = f"{url.database}_clean"
        with administration.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {url.database} STRATEGY FILE_COPY")
        db = Database(url.set(database=name).render_as_string(hide_password=False))
        forget_indexes(db)
        index = folder / "clean"
        shutil.rmtree(index, ignore_errors=True)
        return opened(db, str(index)).settle()  # the real engine, in a folder: it must not matter where it runs

    with qdrant_server(folder / "qdrant") as server:
        campaign = Campaign(folder, postgres_db.url, server.url, ("indexes", "writes"), rebuilt)
        campaign.play(ROUNDS, seed)
    with administration.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {url.database}_clean WITH (FORCE)")
    administration.dispose()
