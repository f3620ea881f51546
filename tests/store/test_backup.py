import json
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kb.errors import Conflict, Invalid, Unavailable
from kb.interaction import Continuation
from kb.store import backup, copying, interactions, migrate
from kb.store.database import Database
from kb.store.schema import metadata
from tests.examples import an_interaction
from tests.filling import fill

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def rows(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        count: int = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
        return count


def test_every_table_is_in_a_backup_or_left_out_for_a_reason(db: Database, tmp_path: Path) -> None:
    with db.write() as tx:
        fill(tx)
    made = backup.make(db, tmp_path, AT)
    held = {name for name in metadata.tables if rows(made.folder / backup.RECORD, name)}
    assert held == {*metadata.tables} - {table.name for table in copying.LEFT_OUT}
    assert all(copying.LEFT_OUT.values())
    counts = {name: each.rows for name, each in made.tables.items()}
    assert counts == dict.fromkeys(held, 1) | {"keyring": 2}  # the key of the ledger of erasures is made for it


def test_a_backup_is_named_by_its_time_and_tells_what_it_is(db: Database, tmp_path: Path) -> None:
    made = backup.make(db, tmp_path / "new" / "backups", AT)
    assert made.folder == tmp_path / "new" / "backups" / "kb-2026-11-21T120000Z"
    assert backup.verified(made.folder) == made
    manifest = json.loads((made.folder / backup.MANIFEST).read_text())
    assert manifest["migration"] == migrate.newest()
    assert manifest["copied_from"] == db.engine.dialect.name
    assert manifest["made_at"] == AT.isoformat()


def test_a_backup_is_for_its_owner_only(sqlite_db: Database, tmp_path: Path) -> None:
    made = backup.make(sqlite_db, tmp_path / "backups", AT)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [*made.folder.iterdir(), made.folder]}
    assert modes == {backup.RECORD: 0o600, backup.MANIFEST: 0o600, made.folder.name: 0o700}
    assert stat.S_IMODE(made.folder.parent.stat().st_mode) == 0o700


def test_a_backup_is_one_moment_while_others_write(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def and_write_meanwhile(source: sa.Connection, target: sa.Connection) -> dict[str, copying.Contents]:
        source.execute(sa.text("SELECT count(*) FROM interaction")).scalar_one()  # the snapshot begins here
        with db.write() as tx:
            interactions.insert(tx, an_interaction("late"))
        return copy(source, target)

    with db.write() as tx:
        interactions.insert(tx, an_interaction("early"))
    copy = copying.copy
    monkeypatch.setattr(copying, "copy", and_write_meanwhile)
    made = backup.make(db, tmp_path, AT)
    assert made.tables["interaction"].rows == 1
    with db.read() as tx:
        assert copying.contents(tx)["interaction"].rows == 2


def test_rows_that_refer_to_later_rows_of_the_same_table_arrive(db: Database, tmp_path: Path) -> None:
    with db.write() as tx:
        interactions.insert(tx, an_interaction("z"))
        chain = {"continues": "z", "continuation": Continuation.HANDOFF}
        interactions.insert(tx, an_interaction("a", **chain))
    made = backup.make(db, tmp_path, AT)
    with closing(sqlite3.connect(made.folder / backup.RECORD)) as connection:
        assert connection.execute("SELECT id, continues FROM interaction ORDER BY id").fetchall() == [
            ("a", "z"), ("z", None),
        ]  # fmt: skip


def test_digests_do_not_depend_on_the_order_of_rows_and_notice_any_change(db: Database) -> None:
    def digest() -> str:
        with db.read() as tx:
            return copying.contents(tx)["interaction"].digest

    with db.write() as tx:
        for each in ("i1", "i2"):
            interactions.insert(tx, an_interaction(each))
    first = digest()
    with db.write() as tx:
        tx.execute(sa.text("DELETE FROM interaction"))
        for each in ("i2", "i1"):
            interactions.insert(tx, an_interaction(each))
    assert digest() == first
    with db.write() as tx:
        tx.execute(sa.text("UPDATE interaction SET channel = 'email' WHERE id = 'i2'"))
    assert digest() != first


@pytest.mark.postgres
def test_both_databases_give_the_same_digests(sqlite_db: Database, postgres_db: Database) -> None:
    found = []
    for db in (sqlite_db, postgres_db):
        with db.write() as tx:
            fill(tx, "网络 \N{OGHAM LETTER BEITH} naïve 'quoted' \\ \U0001fae9")
        with db.read() as tx:
            found.append(copying.contents(tx))
    assert found[0] == found[1]


@pytest.fixture
def made(sqlite_db: Database, tmp_path: Path) -> backup.Backup:
    with sqlite_db.write() as tx:
        fill(tx)
    return backup.make(sqlite_db, tmp_path / "backups", AT)


def _flip_a_bit(folder: Path) -> None:
    path = folder / backup.RECORD
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a flipped bit": _flip_a_bit,
    "a file cut short": lambda folder: os.truncate(folder / backup.RECORD, 8192),
    "no record": lambda folder: (folder / backup.RECORD).unlink(),
    "no manifest": lambda folder: (folder / backup.MANIFEST).unlink(),
    "a manifest cut short": lambda folder: os.truncate(folder / backup.MANIFEST, 100),
    "a manifest that is something else": lambda folder: (folder / backup.MANIFEST).write_text("[]"),
    "no folder": shutil.rmtree,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_backup_is_refused(made: backup.Backup, damage: Callable[[Path], object]) -> None:
    damage(made.folder)
    with pytest.raises(Invalid):
        backup.verified(made.folder)


def test_a_file_whose_references_lead_nowhere_is_refused(made: backup.Backup) -> None:
    with closing(sqlite3.connect(made.folder / backup.RECORD)) as connection:
        connection.execute("DELETE FROM article")
        connection.commit()
    with pytest.raises(Invalid, match="refer to something that is not there"):
        backup.check_file(made.folder / backup.RECORD)


def test_verifying_leaves_nothing_behind_and_needs_no_right_to_write(made: backup.Backup) -> None:
    before = sorted(path.name for path in made.folder.iterdir())
    backup.verified(made.folder)
    assert sorted(path.name for path in made.folder.iterdir()) == before == [backup.MANIFEST, backup.RECORD]


def test_what_was_not_written_as_read_is_no_backup(
    sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def and_lose_a_row(source: sa.Connection, target: sa.Connection) -> dict[str, copying.Contents]:
        taken = copy(source, target)
        target.execute(sa.text("DELETE FROM interaction"))
        return taken

    with sqlite_db.write() as tx:
        interactions.insert(tx, an_interaction("i"))
    copy = copying.copy
    monkeypatch.setattr(copying, "copy", and_lose_a_row)
    with pytest.raises(Unavailable, match="is not what was read"):
        backup.make(sqlite_db, tmp_path / "backups", AT)
    assert list((tmp_path / "backups").iterdir()) == []


def test_without_room_nothing_is_begun(sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 0))  # type: ignore[attr-defined]
    with pytest.raises(Unavailable, match="no room"):
        backup.make(sqlite_db, tmp_path / "backups", AT)
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_disk_that_fills_up_meanwhile_is_said_and_leaves_nothing(
    sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def into_little_room(source: sa.Connection, target: sa.Connection) -> dict[str, copying.Contents]:
        target.exec_driver_sql("PRAGMA max_page_count = 1")  # SQLite then says what it says of a full disk
        return copy(source, target)

    with sqlite_db.write() as tx:
        fill(tx, "long " * 5000)
    copy = copying.copy
    monkeypatch.setattr(copying, "copy", into_little_room)
    with pytest.raises(Unavailable, match=r"cannot be written to .*full"):
        backup.make(sqlite_db, tmp_path / "backups", AT)
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_place_that_is_no_folder_is_said(sqlite_db: Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be written to"):
        backup.make(sqlite_db, tmp_path / "file", AT)


def test_two_backups_in_one_second_do_not_mix(sqlite_db: Database, tmp_path: Path) -> None:
    first = backup.make(sqlite_db, tmp_path / "backups", AT)
    with pytest.raises(Conflict):
        backup.make(sqlite_db, tmp_path / "backups", AT)
    assert backup.verified(first.folder) == first


def test_a_record_of_an_older_kb_is_not_backed_up_by_this_one(sqlite_db: Database, tmp_path: Path) -> None:
    with sqlite_db.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(Invalid, match="older schema"):
        backup.make(sqlite_db, tmp_path, AT)


def test_only_complete_backups_count_and_old_ones_go_first(sqlite_db: Database, tmp_path: Path) -> None:
    into = tmp_path / "backups"
    made = [backup.make(sqlite_db, into, AT + timedelta(days=day)).folder for day in range(4)]
    interrupted = into / "kb-2026-11-20T120000Z"
    interrupted.mkdir()
    (into / "kb-notes").mkdir()
    assert backup.good(into) == made
    assert backup.prune(into, 2) == made[:2]
    assert backup.good(into) == made[2:]
    assert backup.prune(into, 0) == []
    assert (into / "kb-notes").exists()


def test_the_schema_in_a_backup_needs_no_migration(made: backup.Backup, tmp_path: Path) -> None:
    copy = shutil.copy(made.folder / backup.RECORD, tmp_path / "copy.db")
    with closing(Database(f"sqlite:///{copy}")) as db:
        assert not migrate.pending(db)
