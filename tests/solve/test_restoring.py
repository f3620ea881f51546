import contextlib
from datetime import UTC, datetime
from pathlib import Path

import alembic.command
import pytest
import sqlalchemy as sa

from kb.errors import Conflict, Invalid, Unavailable
from kb.interaction import EventKind
from kb.solve.restoring import restore
from kb.store import backup, copying, interactions, migrate, restoring
from kb.store.database import Database
from kb.store.schema import metadata
from kb.store.scrubbing import scrub
from tests.examples import an_event, an_interaction
from tests.filling import fill

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def contents(db: Database) -> dict[str, copying.Contents]:
    with db.read() as tx:
        return copying.contents(tx)


def emptied(db: Database) -> Database:
    with db.write() as tx:
        for table in reversed(metadata.sorted_tables):
            tx.execute(sa.delete(table))
    return db


@pytest.fixture
def made(db: Database, tmp_path: Path) -> backup.Backup:
    """A backup of a record with something in every table; the record is empty again."""
    with db.write() as tx:
        fill(tx)
    made = backup.make(db, tmp_path / "backups", AT)
    emptied(db)
    return made


def test_a_record_comes_back_as_it_was_without_sessions_and_indexes(
    db: Database, made: backup.Backup, tmp_path: Path
) -> None:
    restore(made.folder, db, tmp_path)
    assert contents(db) == made.tables
    with db.read() as tx:
        for table in copying.LEFT_OUT:
            assert tx.execute(sa.select(table)).all() == []


def test_numbers_given_after_a_restore_are_new_ones(db: Database, made: backup.Backup, tmp_path: Path) -> None:
    restore(made.folder, db, tmp_path)
    with db.write() as tx:
        interactions.append(tx, [an_event(EventKind.VIEWED, None)])
        ids = tx.scalars(sa.text("SELECT id FROM event ORDER BY id")).all()
    assert ids == [7, 8]


@pytest.mark.postgres
@pytest.mark.parametrize("way", [("sqlite_db", "postgres_db"), ("postgres_db", "sqlite_db")], ids=["to", "from"])
def test_a_backup_of_one_database_restores_into_the_other(
    way: tuple[str, str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source, target = (request.getfixturevalue(name) for name in way)
    with source.write() as tx:
        fill(tx, "网络 naïve 'quoted' \\ \U0001fae9")
        interactions.insert(tx, an_interaction("a", continues=None))
        tx.execute(sa.text("UPDATE interaction SET continues = 'a'"))
    made = backup.make(source, tmp_path / "backups", AT)
    restore(made.folder, target, tmp_path)
    assert contents(target) == made.tables


def test_a_record_that_holds_anything_is_replaced_only_when_told_so(
    db: Database, made: backup.Backup, tmp_path: Path
) -> None:
    with db.write() as tx:
        interactions.insert(tx, an_interaction("mine"))
    before = contents(db)
    with pytest.raises(Conflict, match="--replace"):
        restore(made.folder, db, tmp_path)
    assert contents(db) == before
    restore(made.folder, db, tmp_path, replace=True)
    assert contents(db) == made.tables


def test_a_record_that_does_not_exist_yet_is_made(tmp_path: Path, sqlite_db: Database) -> None:
    with sqlite_db.write() as tx:
        fill(tx)
    made = backup.make(sqlite_db, tmp_path / "backups", AT)
    with contextlib.closing(Database(f"sqlite:///{tmp_path / 'new' / 'kb.db'}")) as fresh:
        restore(made.folder, fresh, tmp_path / "new")
        assert contents(fresh) == made.tables
        assert not migrate.pending(fresh)


def test_a_damaged_backup_changes_nothing(db: Database, made: backup.Backup, tmp_path: Path) -> None:
    with (made.folder / backup.RECORD).open("ab") as file:
        file.write(b"more")
    with pytest.raises(Invalid, match="changed or damaged"):
        restore(made.folder, db, tmp_path, replace=True)
    assert not any(each.rows for each in contents(db).values())


def test_a_backup_of_a_newer_kb_is_refused(db: Database, made: backup.Backup, tmp_path: Path) -> None:
    path = made.folder / backup.MANIFEST
    path.write_text(path.read_text().replace(f'"{made.migration}"', '"9999"'))
    with pytest.raises(Invalid, match="newer kb"):
        restore(made.folder, db, tmp_path)


def test_a_record_of_a_newer_kb_is_left_alone(db: Database, made: backup.Backup, tmp_path: Path) -> None:
    with db.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Invalid, match="newer kb"):
        restore(made.folder, db, tmp_path, replace=True)


def test_a_backup_of_an_older_kb_is_brought_up_to_date(db: Database, tmp_path: Path) -> None:
    older = tmp_path / "older"
    older.mkdir()
    with contextlib.closing(Database(f"sqlite:///{older / backup.RECORD}")) as old, old.write() as tx:
        config = migrate._config()
        config.attributes["connection"] = tx
        alembic.command.upgrade(config, "0001")
        at = "2026-01-01 00:00:00.000000"
        tx.exec_driver_sql(f"INSERT INTO person VALUES ('p', 'Ada', 'internal', '[]', '[]', 0, '{at}')")
        key = "INSERT INTO api_key (id, person_id, label, secret_hash, created_at)"
        tx.exec_driver_sql(f"{key} VALUES ('k', 'p', 'first', 'hash', '{at}')")
    path = older / backup.RECORD
    made = backup.Backup(older, "0.0.9", "0001", AT, "sqlite", path.stat().st_size, backup._sha256(path), {})
    backup._write_manifest(made)
    restore(older, db, tmp_path)
    with db.read() as tx:
        assert tx.scalar(sa.text("SELECT name FROM person")) == "Ada"
        [(scopes,)] = tx.execute(sa.select(metadata.tables["api_key"].c.scopes)).all()
    assert "write" in scopes


def test_a_restore_waits_for_nobody(db: Database, made: backup.Backup, tmp_path: Path) -> None:
    with contextlib.closing(Database(db.url)) as other, other.read() as tx:
        tx.execute(sa.text("SELECT 1"))
        with pytest.raises(Conflict, match="stop"):
            restore(made.folder, db, tmp_path)
    restore(made.folder, db, tmp_path)
    assert contents(db) == made.tables


def test_a_restore_that_cannot_finish_leaves_the_old_record(
    db: Database, made: backup.Backup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.write() as tx:
        interactions.insert(tx, an_interaction("mine"))
    before = contents(db)

    def fails(*arguments: object) -> None:
        raise Unavailable("no room")

    monkeypatch.setattr(restoring, "put", fails)
    with pytest.raises(Unavailable):
        restore(made.folder, db, tmp_path, replace=True)
    assert contents(db) == before
    assert not (tmp_path / "restoring").exists()


def test_nothing_of_a_working_copy_stays(db: Database, made: backup.Backup, tmp_path: Path) -> None:
    left = tmp_path / "restoring"
    left.mkdir()
    (left / "record.db").write_text("from a restore that was killed")
    restore(made.folder, db, tmp_path)
    assert not left.exists()


def test_a_record_that_is_damaged_is_to_be_moved_away_first(sqlite_db: Database, tmp_path: Path) -> None:
    made = backup.make(sqlite_db, tmp_path / "backups", AT)
    sqlite_db.close()
    (tmp_path / "kb.db").write_bytes(b"this was a database once" * 1000)
    with pytest.raises(Unavailable, match="move it away"):
        restore(made.folder, sqlite_db, tmp_path, replace=True)


def test_a_disk_that_is_full_leaves_the_old_record(
    sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite_db.write() as tx:
        fill(tx, "long " * 5000)
    made = backup.make(sqlite_db, tmp_path / "backups", AT)
    before = contents(emptied(sqlite_db))
    put = restoring.put

    def into_little_room(copy: Database, db: Database) -> None:
        connection = db.engine.raw_connection()
        connection.driver_connection.execute("PRAGMA max_page_count = 50")  # type: ignore[union-attr]
        connection.close()
        put(copy, db)

    scrub(sqlite_db)
    monkeypatch.setattr(restoring, "put", into_little_room)
    with pytest.raises(Unavailable, match="nothing was changed"):
        restore(made.folder, sqlite_db, tmp_path)
    assert contents(sqlite_db) == before
