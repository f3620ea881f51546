"""What every test may use: a database of each kind, and no network."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from kb.store.database import Database
from kb.store.migrate import migrate
from tests.chromium import browser

__all__ = ["browser"]

_SERVER_OPTIONS = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c listen_addresses=''"


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Tests talk to this machine only; anything else is refused before it leaves."""

    def guarded(method):  # type: ignore[no-untyped-def]
        def connect(self, address):  # type: ignore[no-untyped-def]
            if self.family != getattr(socket, "AF_UNIX", None):
                host = str(address[0])
                if host not in ("localhost", "::1") and not host.startswith("127."):
                    self.close()  # who meets no OSError leaves it open, and that is a warning of its own
                    raise RuntimeError(f"tests reach no network, but this one wants {host}")
            return method(self, address)

        return connect

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
        yield


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy: a migration takes longer than most tests."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    with contextlib.closing(Database(f"sqlite:///{path}")) as db:
        migrate(db)
    return path


@pytest.fixture
def sqlite_db(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A fresh, migrated SQLite database in a file of its own."""
    path = shutil.copy(sqlite_template, tmp_path / "kb.db")
    with contextlib.closing(Database(f"sqlite:///{path}")) as db:
        yield db


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a PostgreSQL server that lives as long as this run, on a socket in a folder of its own."""
    binaries = _postgres_binaries()
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a run that is ended still stops its server
    folder = Path(tempfile.mkdtemp(prefix="kbpg"))
    as_owner: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        as_owner = ["runuser", "-u", "postgres", "--"]

    def call(*command: str) -> None:
        # The server keeps what it inherits open: its output goes to a file, or `run` would wait for its end.
        with (folder / "calls.log").open("ab") as log:
            subprocess.run([*as_owner, *command], check=True, stdout=log, stderr=log, cwd=folder)

    data = folder / "data"
    pg_ctl = str(binaries / "pg_ctl")
    try:
        call(str(binaries / "initdb"), "--no-sync", "-A", "trust", "-U", "kb", "-E", "UTF8", "--locale=C", str(data))
        options = f"{_SERVER_OPTIONS} -c unix_socket_directories={folder}"
        call(pg_ctl, "start", "-w", "-D", str(data), "-l", str(data / "server.log"), "-o", options)
        try:
            yield f"postgresql://kb@/postgres?host={folder}"
        finally:
            call(pg_ctl, "stop", "-w", "-m", "immediate", "-D", str(data))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """The name of a migrated database that others are copied from."""
    _administer(postgres_url, "CREATE DATABASE kb_template")
    with contextlib.closing(Database(_named(postgres_url, "kb_template"))) as db:
        migrate(db)
    return "kb_template"


@pytest.fixture
def postgres_db(postgres_url: str, postgres_template: str) -> Iterator[Database]:
    """A fresh, migrated PostgreSQL database."""
    name = f"kb_{uuid.uuid4().hex}"
    _administer(postgres_url, f"CREATE DATABASE {name} TEMPLATE {postgres_template} STRATEGY FILE_COPY")
    with contextlib.closing(Database(_named(postgres_url, name))) as db:
        yield db
    _administer(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite_db", pytest.param("postgres_db", marks=pytest.mark.postgres)])
def db(request: pytest.FixtureRequest) -> Database:
    """A fresh, migrated database: the test runs once on SQLite and once on PostgreSQL."""
    database: Database = request.getfixturevalue(request.param)
    return database


def _postgres_binaries() -> Path:
    folders = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        bindir = subprocess.run(["pg_config", "--bindir"], check=True, capture_output=True, text=True).stdout
        folders.append(Path(bindir.strip()))
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(installed, key=lambda path: float(path.parent.name), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    reason = "PostgreSQL's binaries (initdb, pg_ctl) are not installed"
    if os.environ.get("CI") or os.environ.get("KB_TEST_POSTGRES") == "1":
        pytest.fail(reason)
    pytest.skip(f"{reason}; KB_TEST_POSTGRES=1 makes this a failure")


def _administer(url: str, statement: str) -> None:
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with contextlib.closing(engine.connect()) as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def _named(url: str, database: str) -> str:
    return sa.make_url(url).set(database=database).render_as_string(hide_password=False)
