"""A backup back into a record: a working copy first, then one transaction that puts it in the place of what is there.

Until that transaction commits the old record stands untouched, so a crash leaves the one or the other.
"""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from kb.errors import Conflict, Invalid, Unavailable
from kb.store import backup, copying, migrate
from kb.store.backup import Backup
from kb.store.database import Database
from kb.store.schema import keyring, metadata

_COPY = "restoring"  # a folder beside the data, for as long as a restore takes


@contextmanager
def working_copy(found: Backup, data_dir: Path) -> Iterator[Database]:
    """The backup's record, brought to the present schema, in a folder that goes when the block ends.

    Raises Invalid for a backup of a newer kb.
    """
    if not migrate.is_known(found.migration):
        raise Invalid(f"this backup was made by a newer kb ({found.kb}); restore it with that version or a later one")
    folder = data_dir / _COPY
    forget_working_copy(data_dir)
    try:
        folder.mkdir(mode=0o700, parents=True)
        path = folder / backup.RECORD
        path.touch(mode=0o600)
        shutil.copyfile(found.folder / backup.RECORD, path)
        with contextlib.closing(Database(f"sqlite:///{path}")) as copy:
            migrate.migrate(copy)
            yield copy
    except OSError as error:
        raise Unavailable(f"there is no room (or no right) for a working copy in {folder}: {error.strerror}") from error
    finally:
        forget_working_copy(data_dir)


def forget_working_copy(data_dir: Path) -> None:
    """Delete what an interrupted restore left."""
    shutil.rmtree(data_dir / _COPY, ignore_errors=True)


def is_empty(db: Database) -> bool:
    """Whether nothing would be lost: every table is empty, random keys aside."""
    with db.read() as tx:
        tables = [table for table in copying.kept_tables() if table is not keyring]
        return not any(tx.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() for table in tables)


def check_unused(db: Database) -> None:
    """Raise Conflict while another process has the record open."""
    db.close()  # our own pooled connections would count
    if db.is_sqlite:
        path = str(sa.make_url(db.url).database)
        with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
            try:
                # Leaving write-ahead logging needs to be alone. The next connection of ours turns it on again.
                connection.execute("PRAGMA journal_mode = DELETE").fetchall()
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                    raise Conflict(f"another process uses {path}: stop kb serve and everything else first") from error
                raise Unavailable(
                    f"{path} cannot be used ({error}): move it away, with {path}-wal and {path}-shm, and restore again"
                ) from error
        return
    with db.read() as tx:
        others = tx.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND usesysid IS NOT NULL"
        ).scalar_one()
    if others:
        raise Conflict(f"{others} other connections use the database: stop every kb serve, kb worker and import first")


def closed_file(copy: Database) -> Path:
    """The file of a working copy, with everything that was written to it."""
    copy.close()  # the last connection empties the write-ahead log into it
    return Path(str(sa.make_url(copy.url).database))


def put(copy: Database, db: Database) -> None:
    """Make the record exactly what the working copy is, in one transaction, and check that it is."""
    if db.is_sqlite:
        _put_file(copy, db)
    else:
        _put_rows(copy, db)


def _put_file(copy: Database, db: Database) -> None:
    """SQLite's own backup, the other way round: one write transaction on the record, whoever has it open."""
    source, target = copy.engine.raw_connection(), db.engine.raw_connection()
    try:
        raw: sqlite3.Connection = target.driver_connection  # type: ignore[assignment]
        raw.execute("PRAGMA query_only = OFF")
        source.driver_connection.backup(raw)  # type: ignore[union-attr]
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise Unavailable(f"the record could not be written ({error}); nothing was changed") from error
    finally:
        source.close()
        target.close()


def _put_rows(copy: Database, db: Database) -> None:
    with copy.read() as source, db.write() as target:
        quoted = [target.dialect.identifier_preparer.format_table(table) for table in metadata.sorted_tables]
        target.exec_driver_sql(f"TRUNCATE {', '.join(quoted)}")
        taken = copying.copy(source, target)
        for table in copying.kept_tables():
            _count_on(target, table)
        if copying.contents(target) != taken:
            raise Unavailable("what arrived in the database is not what the backup holds; nothing was changed")


def _count_on(target: sa.Connection, table: sa.Table) -> None:
    """New rows get numbers behind those that were copied."""
    for column in table.primary_key:
        if column is table.autoincrement_column and isinstance(column.type, sa.Integer):
            sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
            last = sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1).scalar_subquery()
            target.execute(sa.select(sa.func.setval(sequence, last, False)))
