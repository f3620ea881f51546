"""The connection to the system of record, and the one way to change it: a transaction.

SQLite (WAL) by default, PostgreSQL by URL. Everything above this package speaks to SQL through a `Tx`.
"""

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from kb import tracing
from kb.errors import Conflict, RecordUnavailable
from kb.store.patience import Patience, postgres_connector

Tx = Connection
"""An open transaction. Store functions take it as their first argument and never commit."""

T = TypeVar("T")

# SQLite's own waiting sleeps up to 100 ms between two tries, and a bulk importer takes the lock again before
# it wakes. Measured against an importer in another process, one-row writes: p95 741 ms with SQLite's waiting.
_LOCK_POLL_S = 0.001


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A moment in UTC, stored without a zone on both databases and timezone-aware in Python."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """To the database: UTC, zone dropped. A naive time is a programming error."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """From the database: timezone-aware UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


def insert_into(tx: Tx, table: sa.Table) -> "postgresql.Insert | sqlite.Insert":
    """An INSERT that knows ON CONFLICT, which both databases spell alike and SQLAlchemy keeps apart."""
    return postgresql.insert(table) if tx.dialect.name == "postgresql" else sqlite.insert(table)


def insert_missing(tx: Tx, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add the rows whose key is not there yet: of two workers who add the same, the second is no error."""
    if rows:
        tx.execute(insert_into(tx, table).on_conflict_do_nothing(), list(rows))


def batches(values: Sequence[T], size: int = 400) -> Iterator[Sequence[T]]:
    """The values in portions that one statement can bind (SQLite takes 32,766 parameters)."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


class Database:
    """An engine with the two kinds of transaction: reading and writing.

    `hasty` is for answering people: a transaction ends with RecordUnavailable after `patience.HASTY_S` rather than
    wait for a lock or a server any longer. Others wait `patience.PATIENT_S`.
    """

    def __init__(self, url: str, hasty: bool = False) -> None:
        self.url = url
        self._patience = Patience(hasty)
        self.engine = _engine(url, self._patience)

    @property
    def is_sqlite(self) -> bool:
        """Whether the record is a local SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction that only reads and sees one consistent state. Writing in it is refused."""
        with _translated(), tracing.part("sql read"), self._patience.transaction(), self.engine.connect() as connection:
            if not self.is_sqlite:  # what SQLite does in any case
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that commits when the block ends and rolls back when it raises.

        On SQLite it takes the write lock at once (BEGIN IMMEDIATE): a transaction that starts by reading
        and then wants to write could otherwise fail where waiting would have done. Raises Conflict when somebody
        else has just added the same thing, RecordUnavailable when the database is away, full or stays locked.
        """
        with (
            _translated(writing=True),
            tracing.part("sql write"),
            self._patience.transaction(),
            self.engine.connect() as connection,
        ):
            connection = connection.execution_options(kb_write=True)
            with connection.begin():
                yield connection

    @property
    def used_connections(self) -> int:
        """How many connections are in use right now."""
        pool = self.engine.pool
        return pool.checkedout() if isinstance(pool, sa.QueuePool) else 0

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


@contextlib.contextmanager
def _translated(writing: bool = False) -> Iterator[None]:
    """The database's own words for "away", "locked" and "there already" as ours."""
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise RecordUnavailable(
            "the database has no free connection right now", "the database is overloaded"
        ) from error
    except sa.exc.IntegrityError as error:
        if not _is_duplicate(error.orig):
            raise
        raise Conflict("somebody else added the same at this moment; read it again and repeat your change") from error
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        public = _public(cause, isinstance(error, sa.exc.OperationalError), writing)
        if not public and not getattr(error, "connection_invalidated", False):
            raise
        # Its first line: the ones below may quote what was written.
        reason = str(cause).partition("\n")[0]
        raise RecordUnavailable(f"the database cannot be used right now: {reason}", public or _AWAY) from error


_AWAY = "the database cannot be used right now"
_BUSY = "the database is being written by somebody else; nothing has been changed"
_FULL = "the disk of the database is full; nothing has been changed"
_READ_ONLY = "the database can only be read right now; nothing has been changed"
_LATE = "the database takes too long; nothing has been changed"
_SQLITE = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: _AWAY,
    sqlite3.SQLITE_CANTOPEN: _AWAY,
    sqlite3.SQLITE_CORRUPT: _AWAY,
    sqlite3.SQLITE_NOTADB: _AWAY,
    sqlite3.SQLITE_NOMEM: _AWAY,
    sqlite3.SQLITE_PROTOCOL: _AWAY,
}
_POSTGRES = {
    "53100": _FULL,
    "55P03": _BUSY,  # lock_timeout
    "57014": _LATE,  # statement_timeout
    "40P01": _BUSY,  # deadlock
}


def _public(error: BaseException | None, operational: bool, writing: bool) -> str:
    """What anybody may be told of an error for which trying again may help; "" for one that is a bug.

    To write in a transaction that only reads is a bug, to write to a file or server that is read-only is not.
    """
    if isinstance(error, sqlite3.Error):
        code = _primary(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_BUSY))
        return _READ_ONLY if writing and code == sqlite3.SQLITE_READONLY else _SQLITE.get(code, "")
    state = getattr(error, "sqlstate", None)
    if writing and state == "25006":  # read_only_sql_transaction: a standby
        return _READ_ONLY
    # Operational: the server is away, going away, out of memory, connections, time.
    return _POSTGRES.get(state or "", _AWAY) if operational else ""


def _is_duplicate(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        return error.sqlite_errorname in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")
    return getattr(error, "sqlstate", None) == "23505"  # unique_violation


def _engine(url: str, patience: Patience) -> Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "postgresql":
        # pool_pre_ping: a restarted server costs one round trip instead of one failed request.
        engine = sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_size=10, max_overflow=10, pool_timeout=patience.full_s,
            pool_pre_ping=True, hide_parameters=True,
        )  # fmt: skip
        connect = postgres_connector(patience)
        sa.event.listen(engine, "do_connect", lambda dialect, record, args, more: connect(*args, **more))
        return engine
    if parsed.get_backend_name() != "sqlite":
        raise ValueError(f"KB_DATABASE_URL must be sqlite:/// or postgresql://, not {parsed.get_backend_name()}://")
    if parsed.database in (None, "", ":memory:"):
        raise ValueError(
            "KB_DATABASE_URL must name a file: in memory, each connection would have a database of its own"
        )
    path = Path(str(parsed.database)).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        url, pool_size=20, max_overflow=20, pool_timeout=patience.full_s, hide_parameters=True,
        json_deserializer=_json,
    )  # fmt: skip
    sqlite_file = _SqliteFile(path, patience)
    sa.event.listen(engine, "do_connect", sqlite_file.open)
    sa.event.listen(engine, "connect", sqlite_file.prepare)
    sa.event.listen(engine, "begin", sqlite_file.begin)
    return engine


def _json(text: str) -> Any:
    """JSON, most of which is an empty list: a search reads two of them for each item that it considers."""
    return [] if text == "[]" else json.loads(text)


class _SqliteFile:
    """What SQLAlchemy's events do for connections to one file."""

    def __init__(self, path: Path, patience: Patience) -> None:
        self._path = path
        self._patience = patience
        self._made = path.exists()

    def open(self, dialect: sa.Dialect, record: Any, args: list[Any], more: dict[str, Any]) -> None:
        """Where to connect to. A file that is there is never made anew: who takes it away must not get an empty one."""
        args[:] = [f"{self._path.as_uri()}?mode={'rw' if self._made else 'rwc'}"]
        more["uri"] = True

    def prepare(self, connection: sqlite3.Connection, record: Any) -> None:
        """Set up a new connection."""
        connection.isolation_level = None  # we say BEGIN ourselves, see `begin`
        connection.execute(f"PRAGMA busy_timeout = {round(self._patience.full_s * 1000)}")
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL: an acknowledged write survives a power cut as well, at about a millisecond a commit.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # Erased text is overwritten with zeros, not left in free pages.
        connection.execute("PRAGMA secure_delete = ON")
        self._made = True
        record.info["kb_file"] = self._identity()

    def begin(self, connection: Connection) -> None:
        """Begin a transaction, in the file that stands at the path now."""
        if connection.info["kb_file"] != self._identity():
            # SQLite would go on with the file that was moved or deleted, and what it acknowledges would be lost.
            connection.invalidate()
            raise RecordUnavailable(f"the database file {self._path} has been taken away or replaced", _AWAY)
        writing = bool(connection.get_execution_options().get("kb_write", False))
        raw: Any = connection.connection.dbapi_connection
        raw.execute(f"PRAGMA query_only = {not writing:d}")
        if writing:
            self._take_write_lock(connection, raw)
        else:
            connection.exec_driver_sql("BEGIN")

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _take_write_lock(self, connection: Connection, raw: sqlite3.Connection) -> None:
        """BEGIN IMMEDIATE, tried again every `_LOCK_POLL_S` for as long as there is time."""
        give_up = time.monotonic() + self._patience.left_s()
        raw.execute("PRAGMA busy_timeout = 0")
        try:
            while time.monotonic() < give_up:
                try:
                    raw.execute("BEGIN IMMEDIATE")
                    return self._patience.rewarded()
                except sqlite3.OperationalError as error:
                    if _primary(error.sqlite_errorcode) != sqlite3.SQLITE_BUSY:
                        break
                time.sleep(_LOCK_POLL_S)
            else:
                self._patience.in_vain()
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # once more, to fail in SQLAlchemy's words
        finally:
            raw.execute(f"PRAGMA busy_timeout = {round(self._patience.full_s * 1000)}")


def _primary(code: int) -> int:
    """SQLite's kind of error, without the detail in the higher bits."""
    return code & 0xFF
