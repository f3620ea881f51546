"""The connection to the system of record, and the one way to change it: a transaction.

SQLite (WAL) by default, PostgreSQL by URL. Everything above this package speaks to SQL through a `Tx`.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from kb.errors import Conflict, Unavailable

Tx = Connection
"""An open transaction. Store functions take it as their first argument and never commit."""

T = TypeVar("T")

BUSY_TIMEOUT_MS = 5_000
"""How long a transaction waits for SQLite's write lock before it gives up."""

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
    """An engine with the two kinds of transaction: reading and writing."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)

    @property
    def is_sqlite(self) -> bool:
        """Whether the record is a local SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction that only reads and sees one consistent state. Writing in it is refused."""
        with _translated(), self.engine.connect() as connection:
            if not self.is_sqlite:  # what SQLite does in any case
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that commits when the block ends and rolls back when it raises.

        On SQLite it takes the write lock at once (BEGIN IMMEDIATE): a transaction that starts by reading
        and then wants to write could otherwise fail where waiting would have done. Raises Conflict when somebody
        else has just added the same thing, Unavailable when the database is away or stays locked.
        """
        with _translated(), self.engine.connect() as connection:
            connection = connection.execution_options(kb_write=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """The database's own words for "away", "locked" and "there already" as ours."""
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise Unavailable("the database has no free connection right now") from error
    except sa.exc.IntegrityError as error:
        if not _is_duplicate(error.orig):
            raise
        raise Conflict("somebody else added the same at this moment; read it again and repeat your change") from error
    except sa.exc.DBAPIError as error:
        if not (error.connection_invalidated or _is_away(error)):
            raise
        raise Unavailable(f"the database cannot be used right now: {error.orig}") from error


def _is_duplicate(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        return error.sqlite_errorname in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")
    return getattr(error, "sqlstate", None) == "23505"  # unique_violation


def _is_away(error: sa.exc.DBAPIError) -> bool:
    """Whether trying again later may help. SQLite calls a wrong statement "operational" as well: that is a bug."""
    code = _primary(getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_BUSY))
    return isinstance(error, sa.exc.OperationalError) and code not in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_READONLY)


def _engine(url: str) -> Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "postgresql":
        # pool_pre_ping: a restarted server costs one round trip instead of one failed request.
        return sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_size=10, max_overflow=10, pool_timeout=5,
            pool_pre_ping=True, connect_args={"connect_timeout": 5},
        )  # fmt: skip
    if parsed.get_backend_name() != "sqlite":
        raise ValueError(f"KB_DATABASE_URL must be sqlite:/// or postgresql://, not {parsed.get_backend_name()}://")
    if parsed.database in (None, "", ":memory:"):
        raise ValueError(
            "KB_DATABASE_URL must name a file: in memory, each connection would have a database of its own"
        )
    Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, pool_size=20, max_overflow=20, pool_timeout=5)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: an acknowledged write survives a power cut as well, at about a millisecond a commit.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # Erased text is overwritten with zeros, not left in free pages.
    connection.execute("PRAGMA secure_delete = ON")


def _begin_sqlite(connection: Connection) -> None:
    writing = bool(connection.get_execution_options().get("kb_write", False))
    raw: Any = connection.connection.dbapi_connection
    raw.execute(f"PRAGMA query_only = {not writing:d}")
    if writing:
        _take_write_lock(connection, raw)
    else:
        connection.exec_driver_sql("BEGIN")


def _take_write_lock(connection: Connection, raw: sqlite3.Connection) -> None:
    """BEGIN IMMEDIATE, tried again every `_LOCK_POLL_S` for as long as `BUSY_TIMEOUT_MS`."""
    give_up = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        while time.monotonic() < give_up:
            try:
                raw.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if _primary(error.sqlite_errorcode) != sqlite3.SQLITE_BUSY:
                    break
            time.sleep(_LOCK_POLL_S)
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # once more, to fail in SQLAlchemy's words
    finally:
        raw.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")


def _primary(code: int) -> int:
    """SQLite's kind of error, without the detail in the higher bits."""
    return code & 0xFF
