"""The database locked, away, full, stopped, hanging."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kb.settings import Settings
from kb.store.database import Database
from kb.store.migrate import migrate
from kb.store.schema import event
from tests.api.conftest import House
from tests.conftest import _postgres_binaries
from tests.faults.conftest import ask, converged, found, publish, ready, running, soon, timed, until

pytestmark = pytest.mark.slow

HOLDER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process holds SQLite's write lock."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdin=-1, stdout=-1) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield


def refused(house: House, says: str, act: Callable[[House], Any] = publish) -> None:
    """A clear error, in time, and nothing happened."""
    answer = soon(lambda: act(house))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable"), answer.text
    assert says in answer.json()["error"]["message"]
    assert "Retry-After" in answer.headers


def searches(house: House) -> int:
    with house.service.patient_db.read() as tx:
        return tx.scalar(sa.select(sa.func.count()).select_from(event).where(event.c.kind == "searched")) or 0


def test_while_the_database_is_locked_people_find_and_nobody_writes(
    settings: Callable[..., Settings], folder: Path
) -> None:
    with running(settings()) as house:
        assert publish(house).status_code == 201
        converged(house, folder)
        house.service.search_log.flush()
        before = searches(house)
        with locked(folder / "kb.db"):
            for _ in range(3):
                assert found(house, "restart") == (["Red light"], [])
            refused(house, "written by somebody else")
            _, seconds = timed(lambda: refused(house, "written by somebody else"))
            assert seconds < 0.9, "the second one waited as long as the first"
            assert found(house, "restart") == (["Red light"], [])
            assert ready(house)["ready"]
        assert soon(lambda: publish(house, "Invoice", "It comes by post.")).status_code == 201
        converged(house, folder)
        until(lambda: searches(house) == before + 4)


def test_a_database_file_that_is_away_is_said_to_be_and_taken_up_when_it_is_back(
    settings: Callable[..., Settings], folder: Path
) -> None:
    with running(settings()) as house:
        assert publish(house).status_code == 201
        converged(house, folder)
        away = (folder / "kb.db").rename(folder / "away.db")
        refused(house, "the database cannot be used right now", ask)
        refused(house, "the database cannot be used right now")
        assert not ready(house)["ready"]
        assert not (folder / "kb.db").exists()
        away.rename(folder / "kb.db")
        assert soon(lambda: publish(house, "Invoice", "It comes by post.")).status_code == 201
        converged(house, folder)
        assert found(house, "post")[0][0] == "Invoice"


def test_a_full_disk_refuses_what_is_written_and_keeps_what_was_acknowledged(
    settings: Callable[..., Settings], folder: Path
) -> None:
    with running(settings()) as house:
        assert publish(house).status_code == 201
        converged(house, folder)
        with full(house):
            kept, answer = 0, None
            for number in range(200):
                answer = soon(lambda n=number: publish(house, f"Invoice {n}", "It comes by post. " * 60))
                if answer.status_code != 201:
                    break
                kept += 1
            assert answer is not None
            assert answer.status_code == 503
            assert "disk of the database is full" in answer.json()["error"]["message"]
            assert found(house, "restart")[1] == []
        assert publish(house, "After", "There is room.").status_code == 201
        converged(house, folder)
        for number in range(kept):
            assert f"Invoice {number}" in found(house, f"invoice {number}")[0]


@contextmanager
def full(house: House) -> Iterator[None]:
    """SQLite may not grow the file any more: for it that is a full disk."""
    engines = [house.service.db.engine, house.service.patient_db.engine]

    def limit(connection: Any, record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    for engine in engines:
        engine.dispose()
        sa.event.listen(engine, "connect", limit)
    yield
    for engine in engines:
        sa.event.remove(engine, "connect", limit)
        engine.dispose()


class Postgres:
    """A server of our own, to be stopped and started."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder, self._binaries = folder, binaries
        self.url = f"postgresql://kb@/postgres?host={folder}"
        self._call("initdb", "--no-sync", "-A", "trust", "-U", "kb", "-E", "UTF8", "--locale=C", str(folder / "data"))

    def start(self) -> None:
        options = f"-c fsync=off -c listen_addresses='' -c unix_socket_directories={self.folder}"
        log = str(self.folder / "data" / "server.log")
        self._call("pg_ctl", "start", "-w", "-D", str(self.folder / "data"), "-l", log, "-o", options)

    def stop(self) -> None:
        self._call("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(self.folder / "data"))

    def signal(self, number: signal.Signals) -> None:
        """To the server and all its processes."""
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        for pid in (postmaster, *_children(postmaster)):
            os.kill(pid, number)

    def _call(self, program: str, *arguments: str) -> None:
        as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        with (self.folder / "calls.log").open("ab") as log:
            command = [*as_owner, str(self._binaries / program), *arguments]
            subprocess.run(command, check=True, stdout=log, stderr=log, cwd=self.folder)


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A running server with the schema."""
    binaries = _postgres_binaries()
    folder = Path(tempfile.mkdtemp(prefix="kbpg"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    try:
        server = Postgres(folder, binaries)
        server.start()
        with contextlib.closing(Database(server.url)) as db:
            migrate(db)
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def stopped(server: Postgres) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


@contextmanager
def hanging(server: Postgres) -> Iterator[None]:
    server.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.signal(signal.SIGCONT)


@contextmanager
def blocked(server: Postgres) -> Iterator[None]:
    """Another session holds the tables, as a migration would."""
    engine = sa.create_engine(sa.make_url(server.url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE article, passage IN ACCESS EXCLUSIVE MODE")
        yield
    engine.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize("fault", [stopped, hanging, blocked])
def test_a_server_that_does_not_answer_is_said_to_and_taken_up_when_it_does(
    settings: Callable[..., Settings], folder: Path, postgres: Postgres, fault: Callable[[Postgres], Any]
) -> None:
    with running(settings(database_url=postgres.url)) as house:
        title = f"Light of the {fault.__name__}"
        assert publish(house, title).status_code == 201
        converged(house, folder)
        with fault(postgres):
            says = "written by somebody else" if fault is blocked else "the database cannot be used right now"
            refused(house, says, ask)
            refused(house, says)
            if fault is not blocked:
                _, seconds = timed(lambda: refused(house, says, ask))
                assert seconds < 0.9, "the later ones waited as long as the first"
                assert not ready(house)["ready"]
            time.sleep(0.5)  # the indexer meets it as well
        assert soon(lambda: publish(house, "Invoice", f"It comes by post {fault.__name__}.")).status_code == 201
        converged(house, folder)
        assert found(house, fault.__name__)[1] == []
        assert "Invoice" in found(house, fault.__name__)[0]
