"""A backup: one folder with the whole record in one SQLite file, and a manifest that is written last.

The record is copied in one reading transaction, so that it is one moment's, while others go on writing. The file is
opened again and compared with what was read before the manifest is written: a folder with a manifest is a good
backup, a folder without one never was.
"""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from kb import __version__
from kb.errors import Conflict, Invalid, Unavailable
from kb.store import copying, keyring, ledger, migrate
from kb.store.copying import Contents
from kb.store.database import Database, Tx
from kb.store.schema import metadata

FORMAT = 1
RECORD = "record.db"
MANIFEST = "manifest.json"

_NAME = "kb-%Y-%m-%dT%H%M%SZ"
_ROOM = 64 << 20  # bytes to leave free


@dataclass(frozen=True, slots=True)
class Backup:
    """A good backup: where it lies and what its manifest says. `migration` is the schema's."""

    folder: Path
    kb: str
    migration: str
    made_at: datetime
    copied_from: str  # sqlite, postgresql
    bytes: int
    sha256: str
    tables: dict[str, Contents]

    @property
    def rows(self) -> int:
        """How many there are in all."""
        return sum(each.rows for each in self.tables.values())


def make(db: Database, into: Path, at: datetime) -> Backup:
    """Write a backup of the record to a new folder in `into`, verified.

    Raises Invalid for a record that waits for a migration, Conflict where there is a backup of this second, and
    Unavailable without room or where nothing can be written; then nothing is left behind.
    """
    if migrate.pending(db):
        raise Invalid("the record has an older schema than this kb: back it up with the kb it is from, or `kb migrate`")
    keyring.key(db, ledger.KEY)  # so that every backup can be told what was erased after it
    folder = into / at.strftime(_NAME)
    with _said(into):
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_room(db, into)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            raise Conflict(f"{folder} exists already; try again in a second") from None
        try:
            return _fill(db, folder, at)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def verified(folder: Path) -> Backup:
    """The backup in that folder, its file compared with the manifest and looked through; raises Invalid."""
    try:
        found = _read_manifest(folder)
        path = folder / RECORD
        if (path.stat().st_size, _sha256(path)) != (found.bytes, found.sha256):
            raise Invalid(f"the backup in {folder} was changed or damaged: {RECORD} is not the file it was made with")
        check_file(path)
    except OSError as error:
        raise Invalid(f"{folder} is no (complete) backup: {error.strerror}: {error.filename}") from error
    return found


def good(into: Path) -> list[Path]:
    """The folders in `into` that are complete backups, oldest first."""
    return sorted(path.parent for path in into.glob(f"kb-*Z/{MANIFEST}"))


def prune(into: Path, keep: int) -> list[Path]:
    """Delete complete backups but the latest `keep`; returns those that are gone."""
    old = good(into)[:-keep] if keep else []
    for folder in old:
        with _said(into):
            (folder / MANIFEST).unlink()  # first: half a folder must not pass for a backup
            shutil.rmtree(folder)
    return old


def check_file(path: Path) -> None:
    """Raise Invalid unless that SQLite file is whole and every reference in it leads somewhere."""
    try:
        with _reading(path) as tx:
            said = list(tx.exec_driver_sql("PRAGMA integrity_check").scalars())
            if said != ["ok"]:
                raise Invalid(f"{path} is damaged: {said[0]}")
            if dangling := tx.exec_driver_sql("PRAGMA foreign_key_check").all():
                raise Invalid(f"{path} is not whole: {len(dangling)} rows refer to something that is not there")
    except sa.exc.DatabaseError as error:
        raise Invalid(f"{path} is damaged: {error.orig}") from error


def _fill(db: Database, folder: Path, at: datetime) -> Backup:
    path = folder / RECORD
    path.touch(mode=0o600)
    with db.read() as source, _said(folder), _writing(path) as target:
        metadata.create_all(target)
        migrate.stamp(target)
        taken = copying.copy(source, target)
        kind = source.dialect.name
    check_file(path)
    with _reading(path) as tx:
        if copying.contents(tx) != taken:
            raise Unavailable(f"what was written to {path} is not what was read; is the disk in order?")
    made = Backup(folder, __version__, str(migrate.newest()), at, kind, path.stat().st_size, _sha256(path), taken)
    _write_manifest(made)
    return made


@contextmanager
def _writing(path: Path) -> Iterator[Tx]:
    """One transaction on a new file, on disk when the block ends. No journal: half a file is thrown away."""
    engine = sa.create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = OFF")
            connection.exec_driver_sql("PRAGMA synchronous = OFF")
            yield connection
            connection.commit()
    finally:
        engine.dispose()
    _sync(path)


@contextmanager
def _reading(path: Path) -> Iterator[Tx]:
    """A transaction on a file that nobody writes: nothing is left beside it, even where nothing could be."""
    uri = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    engine = sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _write_manifest(made: Backup) -> None:
    fields = asdict(made) | {
        "format": FORMAT,
        "made_at": made.made_at.isoformat(),
        "left_out": {table.name: why for table, why in copying.LEFT_OUT.items()},
    }
    del fields["folder"]
    path = made.folder / MANIFEST
    half = path.with_suffix(".part")
    half.touch(mode=0o600)
    half.write_text(json.dumps(fields, indent=1) + "\n")
    _sync(half)
    half.rename(path)
    _sync(made.folder)
    _sync(made.folder.parent)


def _read_manifest(folder: Path) -> Backup:
    try:
        fields: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        if fields.pop("format") != FORMAT:
            raise Invalid(f"the backup in {folder} was made by a newer kb")
        del fields["left_out"]
        tables = {name: Contents(**each) for name, each in fields.pop("tables").items()}
        made_at = datetime.fromisoformat(fields.pop("made_at"))
        return Backup(folder=folder, made_at=made_at, tables=tables, **fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(f"the manifest of the backup in {folder} cannot be read: {error}") from error


def _check_room(db: Database, into: Path) -> None:
    with db.read() as tx:
        if db.is_sqlite:
            pages, size = (tx.exec_driver_sql(f"PRAGMA page_{each}").scalar_one() for each in ("count", "size"))
            needed = int(pages) * int(size)
        else:
            needed = int(tx.execute(sa.select(sa.func.pg_database_size(sa.func.current_database()))).scalar_one())
    free = shutil.disk_usage(into).free
    if free < needed + _ROOM:
        raise Unavailable(f"no room in {into}: a backup takes some {needed >> 20:,} MB, {free >> 20:,} MB are free")


@contextmanager
def _said(into: Path) -> Iterator[None]:
    """What the operating system or SQLite says about the place of the backup, as ours."""
    try:
        yield
    except OSError as error:
        raise Unavailable(f"the backup cannot be written to {into}: {error.strerror or error}") from error
    except sa.exc.DatabaseError as error:
        if not isinstance(error.orig, sqlite3.Error):  # of the PostgreSQL that is being read
            raise
        raise Unavailable(f"the backup cannot be written to {into}: {error.orig}") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Return when a file, or the names in a folder, are on disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
