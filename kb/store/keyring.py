"""Random keys of this installation, by purpose, made when first asked for."""

import secrets

import sqlalchemy as sa

from kb.store.database import Database, insert_missing
from kb.store.schema import keyring


def key(db: Database, name: str) -> bytes:
    """The 32 bytes of that name, the same for every process of the installation."""
    query = sa.select(keyring.c.key).where(keyring.c.name == name)
    with db.read() as tx:
        found: bytes | None = tx.execute(query).scalar()
    if found is None:
        with db.write() as tx:
            insert_missing(tx, keyring, [{"name": name, "key": secrets.token_bytes(32)}])
            found = tx.execute(query).scalar_one()
    return found
