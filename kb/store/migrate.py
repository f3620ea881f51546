"""Bring a database to the present schema."""

import functools
from pathlib import Path

import alembic.command
import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from kb.store.database import Database, Tx

_LOCK = 0x6B62_6D69_6772  # any number of our own: "kbmigr"
_FOLDER = Path(__file__).parent / "migrations"


def migrate(db: Database) -> None:
    """Apply every migration that is missing, all in one transaction. Safe to call at each start, by many at once."""
    with db.write() as connection:
        if not db.is_sqlite:  # SQLite lets in one writer at a time anyway
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config = _config()
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "head")


def pending(db: Database) -> bool:
    """Whether `migrate` would change anything."""
    with db.read() as connection:
        return current(connection) != newest()


@functools.cache
def newest() -> str | None:
    """The identifier of the last migration."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current(tx: Tx) -> str | None:
    """The identifier of the last migration that was applied; None for an empty database."""
    return MigrationContext.configure(tx).get_current_revision()


def is_known(migration: str) -> bool:
    """Whether this kb has that migration; one of a newer kb it has not."""
    return any(each.revision == migration for each in ScriptDirectory.from_config(_config()).walk_revisions())


def stamp(tx: Tx) -> None:
    """Note in a database whose tables were made from the schema that it needs no migration."""
    MigrationContext.configure(tx).stamp(ScriptDirectory.from_config(_config()), "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    return config
