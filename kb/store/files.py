"""Pictures and files in SQL: the bytes once, by their hash, and which articles have them under which name.

`keep` and `forget` lock the file's row on PostgreSQL, so that nobody attaches what another is just forgetting.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kb.errors import NotFound
from kb.file import Attachment, File
from kb.store.database import Tx, batches, insert_into
from kb.store.schema import article_file, file, revision


def keep(tx: Tx, each: File, at: datetime) -> None:
    """Keep a file, if it is not kept already."""
    row = {"hash": each.hash, "media_type": each.media_type, "size": len(each.content), "content": each.content}
    insert = insert_into(tx, file).values(**row, created_at=at)
    tx.execute(insert.on_conflict_do_update(index_elements=["hash"], set_={"media_type": each.media_type}))


def attach(tx: Tx, article_id: str, digest: str, name: str, by: str, at: datetime) -> None:
    """Give a kept file to an article; one it has already keeps its first name."""
    row = {"article_id": article_id, "hash": digest, "name": name, "added_by": by, "added_at": at}
    tx.execute(insert_into(tx, article_file).values(**row).on_conflict_do_nothing())


def attached(tx: Tx, article_id: str) -> list[Attachment]:
    """The files of an article, in the order in which they were added."""
    rows = tx.execute(_attachments().where(article_file.c.article_id == article_id))
    return [_attachment(row) for row in rows]


def get(tx: Tx, article_id: str, digest: str) -> Attachment:
    """One file of an article; raises NotFound."""
    row = tx.execute(
        _attachments().where(article_file.c.article_id == article_id, article_file.c.hash == digest)
    ).first()
    if row is None:
        raise NotFound(f"no file {digest}")
    return _attachment(row)


def content(tx: Tx, digest: str) -> bytes:
    """The bytes of a kept file; raises NotFound."""
    found = tx.scalar(sa.select(file.c.content).where(file.c.hash == digest))
    if found is None:
        raise NotFound(f"no file {digest}")
    return bytes(found)


def unused(tx: Tx, article_id: str, before: datetime) -> list[str]:
    """Hashes of the files that an article got before that moment and that none of its revisions names."""
    names_it = sa.select(revision.c.number).where(
        revision.c.article_id == article_id, revision.c.body.contains(article_file.c.hash)
    )
    old = (article_file.c.article_id == article_id) & (article_file.c.added_at < before)
    return list(tx.scalars(sa.select(article_file.c.hash).where(old, ~names_it.exists())))


def detach(tx: Tx, article_id: str, digests: Collection[str]) -> None:
    """Take files from an article, and forget those that no other has."""
    for batch in batches(sorted(digests)):
        tx.execute(
            sa.delete(article_file).where(article_file.c.article_id == article_id, article_file.c.hash.in_(batch))
        )
        forget_unattached(tx, batch)


def forget_unattached(tx: Tx, among: Collection[str]) -> None:
    """Forget those of these files that no article has."""
    for batch in batches(sorted(among)):
        tx.execute(sa.select(file.c.hash).where(file.c.hash.in_(batch)).order_by(file.c.hash).with_for_update())
        elsewhere = sa.select(article_file.c.hash).where(article_file.c.hash == file.c.hash)
        tx.execute(sa.delete(file).where(file.c.hash.in_(batch), ~elsewhere.exists()))


def _attachments() -> sa.Select[Any]:
    return (
        sa.select(article_file, file.c.media_type, file.c.size)
        .join(file, file.c.hash == article_file.c.hash)
        .order_by(article_file.c.added_at, article_file.c.hash)
    )


def _attachment(row: Any) -> Attachment:
    return Attachment(row.hash, row.media_type, row.size, row.name, row.added_by, row.added_at)
