"""The connection to the system of record, and the one way to change it: a transaction.

SQLite (WAL) by default, PostgreSQL by URL. Everything above this package speaks to SQL through a `Tx`.
"""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from kb.errors import Unavailable

Tx = Connection
"""An open transaction. Store functions take it as their first argument and never commit."""

BUSY_TIMEOUT_MS = 5_000


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
        """A transaction that only reads and sees one consistent state."""
        with _translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that commits when the block ends and rolls back when it raises.

        On SQLite it takes the write lock at once (BEGIN IMMEDIATE): a transaction that starts by reading
        and then wants to write could otherwise fail where waiting would have done.
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
    """The database's own words for "away" or "locked" as ours."""
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.TimeoutError) as error:
        raise Unavailable(f"the database cannot be used right now: {getattr(error, 'orig', None) or error}") from error


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
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, pool_size=20, max_overflow=20, pool_timeout=5)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # FULL: an acknowledged write survives a power cut as well, at about a millisecond a commit.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    # Erased text is overwritten with zeros, not left in free pages.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("kb_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
