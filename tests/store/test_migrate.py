import subprocess
import sys
import time
from pathlib import Path

import alembic.command
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from kb.person import Scope
from kb.store import people
from kb.store.database import Database
from kb.store.migrate import _config, migrate, newest, pending
from kb.store.schema import metadata


def _emptied(db: Database) -> Database:
    with db.write() as tx:
        tables = sa.MetaData()
        tables.reflect(tx)
        tables.drop_all(tx)
    return db


@pytest.fixture
def empty(db: Database) -> Database:
    return _emptied(db)


def test_migrations_build_exactly_the_tables_of_the_schema(db: Database) -> None:
    with db.read() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True, "target_metadata": metadata})
        assert compare_metadata(context, metadata) == []


def test_the_primary_keys_are_those_of_the_schema(db: Database) -> None:
    with db.read() as tx:  # what Alembic does not compare
        for table in metadata.tables.values():
            found = sa.inspect(tx).get_pk_constraint(table.name)["constrained_columns"]
            assert found == [column.name for column in table.primary_key], table.name


def test_migrating_twice_changes_nothing(empty: Database) -> None:
    assert pending(empty)
    migrate(empty)
    assert not pending(empty)
    with empty.read() as tx:
        before = sorted(sa.inspect(tx).get_table_names())
    migrate(empty)
    with empty.read() as tx:
        assert sorted(sa.inspect(tx).get_table_names()) == before
        assert tx.scalar(sa.text("SELECT version_num FROM alembic_version")) == newest()


def test_the_first_migration_can_be_taken_back(empty: Database) -> None:
    migrate(empty)
    with empty.write() as tx:
        config = _config()
        config.attributes["connection"] = tx
        alembic.command.downgrade(config, "base")
    with empty.read() as tx:
        assert sa.inspect(tx).get_table_names() == ["alembic_version"]


def test_keys_from_before_there_were_scopes_open_what_they_opened(empty: Database) -> None:
    with empty.write() as tx:
        config = _config()
        config.attributes["connection"] = tx
        alembic.command.upgrade(config, "0001")
        at = "2026-01-01 00:00:00"
        tx.execute(
            sa.text("INSERT INTO person VALUES ('p', 'Ada', 'internal', '[]', '[]', :no, :at)"), {"no": False, "at": at}
        )
        tx.execute(sa.text("INSERT INTO api_key VALUES ('k', 'p', 'old', 'hash', :at, NULL, NULL)"), {"at": at})
    migrate(empty)
    with empty.read() as tx:
        key, holder = people.key_holder(tx, "hash") or pytest.fail("the key is gone")
    assert key.scopes == holder.scopes == frozenset(Scope)


_MIGRATE = """
import sys, pathlib, time
from kb.person import Scope
from kb.store import people
from kb.store.database import Database
from kb.store.migrate import migrate
pathlib.Path(sys.argv[2]).touch()
while not pathlib.Path(sys.argv[3]).exists():
    time.sleep(0.001)
migrate(Database(sys.argv[1]))
"""


def test_two_processes_that_migrate_at_once_do_not_break_each_other(empty: Database, tmp_path: Path) -> None:
    url = empty.engine.url.render_as_string(hide_password=False)
    ready = [tmp_path / "a", tmp_path / "b"]
    command = [sys.executable, "-c", _MIGRATE, url]
    both = [subprocess.Popen([*command, str(path), str(tmp_path / "go")], stderr=subprocess.PIPE) for path in ready]
    give_up = time.monotonic() + 20
    while not all(path.exists() for path in ready) and time.monotonic() < give_up:
        time.sleep(0.01)
    (tmp_path / "go").touch()
    errors = [process.communicate(timeout=20)[1].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    assert not pending(empty)
