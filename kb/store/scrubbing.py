"""What deleting leaves behind on the disk: free pages, the write-ahead log, statistics."""

import contextlib
import sqlite3
import time
from collections.abc import Callable

import sqlalchemy as sa

from kb.errors import Unavailable
from kb.store.database import Database
from kb.store.schema import metadata

_PATIENCE_S = 60.0
_BUSY = (
    "others keep the database busy, and what was deleted may still stand in its files: "
    "run the same again when less is going on"
)


def scrub(db: Database, patience_s: float = _PATIENCE_S) -> None:
    """Write the whole database afresh, so that nothing deleted stands in its files any more.

    Others go on reading; who writes meanwhile waits, or is told to try again. Raises Unavailable when readers kept
    the write-ahead log from being emptied, or writers the database from being written afresh, for too long. What
    PostgreSQL keeps in its write-ahead log is PostgreSQL's: see docs/operations.md.
    """
    if db.is_sqlite:
        _scrub_file(db, time.monotonic() + patience_s)
    else:
        _scrub_server(db)


def _scrub_file(db: Database, end: float) -> None:
    connection = db.engine.raw_connection()
    raw: sqlite3.Connection = connection.driver_connection  # type: ignore[assignment]
    [(timeout,)] = raw.execute("PRAGMA busy_timeout").fetchall()
    try:
        raw.execute("PRAGMA query_only = OFF")
        raw.execute("PRAGMA busy_timeout = 0")
        _until(end, lambda: _written_afresh(raw))
        _until(end, lambda: _log_is_empty(raw))
    finally:
        raw.execute(f"PRAGMA busy_timeout = {timeout}")
        connection.close()


def _until(end: float, done: Callable[[], bool]) -> None:
    while not done():
        if time.monotonic() > end:
            raise Unavailable(_BUSY)
        time.sleep(0.02)


def _written_afresh(raw: sqlite3.Connection) -> bool:
    """secure_delete overwrites what is deleted; VACUUM also leaves behind what moved when pages were balanced."""
    try:
        raw.execute("VACUUM")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise Unavailable(f"the database cannot be written afresh: {error}") from error
        return False
    return True


def _log_is_empty(raw: sqlite3.Connection) -> bool:
    [(busy, _, _)] = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return not busy


def _scrub_server(db: Database) -> None:
    try:
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            _forget_statistics_of_empty_tables(connection)
            connection.exec_driver_sql("VACUUM (FULL, ANALYZE)")
            # Once more, as it held samples of the tables that came after it. Needs the owner of the database.
            connection.exec_driver_sql("VACUUM (FULL) pg_statistic")
            # Only superusers and pg_checkpoint may; for others one comes by itself within checkpoint_timeout.
            with contextlib.suppress(sa.exc.ProgrammingError):
                connection.exec_driver_sql("CHECKPOINT")
    except sa.exc.OperationalError as error:  # a lock that was waited for in vain, most likely
        raise Unavailable(_BUSY) from error


def _forget_statistics_of_empty_tables(connection: sa.Connection) -> None:
    """ANALYZE takes new samples in place of the old ones, except where there are no rows: there the old ones stay.
    Setting a column's type, also to what it is, forgets them."""
    quote = connection.dialect.identifier_preparer
    for table in metadata.sorted_tables:
        if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
            continue
        changes = [
            f"ALTER COLUMN {quote.format_column(column)} TYPE {column.type.compile(connection.dialect)}"
            for column in table.columns
            if isinstance(column.type, sa.String)
        ]
        if changes:
            connection.exec_driver_sql(f"ALTER TABLE {quote.format_table(table)} {', '.join(changes)}")
