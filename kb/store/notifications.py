"""What people are told about cases and about articles of theirs, in SQL."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kb.article import Article
from kb.audience import Reader
from kb.case import News, Notification, RevisionCase
from kb.errors import NotFound
from kb.store import articles
from kb.store.case_tables import notification, revision_case
from kb.store.cases import may_see
from kb.store.database import Tx, batches, insert_missing
from kb.store.schema import article


def tell(
    tx: Tx, people: Iterable[str | None], news: News, case: RevisionCase, at: datetime, anew: bool = False
) -> None:
    """Tell each of these people, unless they were told that about this round of the case.

    With `anew` what they were told makes way: the last of many comments stands for all.
    """
    rows = [
        {"person_id": each, "news": news.value, "case_id": case.id, "round": case.round, "at": at, "read_at": None}
        for each in sorted({each for each in people if each})
    ]
    if anew:
        same = (notification.c.case_id == case.id) & (notification.c.news == news.value)
        tx.execute(
            sa.delete(notification).where(same, notification.c.person_id.in_([row["person_id"] for row in rows]))
        )
    insert_missing(tx, notification, rows)


def remind(tx: Tx, news: News, told: Iterable[tuple[str, str, datetime | None]], at: datetime) -> None:
    """Tell people about articles: (person, article, when it ends or has changed). Nobody is told that twice."""
    rows = [
        {"person_id": person_id, "news": news.value, "article_id": article_id, "due": due, "round": 0, "at": at,
         "read_at": None}
        for person_id, article_id, due in told
    ]  # fmt: skip
    insert_missing(tx, notification, rows)


def untold(tx: Tx, news: News, since: datetime, until: datetime) -> list[Article]:
    """Articles in use that end between those moments, of whose end nobody was told this."""
    told = sa.select(notification.c.id).where(
        notification.c.article_id == article.c.id,
        notification.c.news == news.value,
        notification.c.due == article.c.valid_until,
    )
    return articles.ending(tx, since, until, ~told.exists())


def of(
    tx: Tx, reader: Reader, person_id: str, *, unread: bool | None, before: int | None, limit: int
) -> list[Notification]:
    """What somebody was told about what they may still know of, the latest first, older than id `before`.

    `unread` asks for what they have not read, or False for what they have.
    """
    found = sa.select(notification).outerjoin(revision_case, revision_case.c.id == notification.c.case_id)
    theirs = sa.select(article.c.id).where(article.c.id == notification.c.article_id, articles.may_read(reader))
    known = (revision_case.c.id.is_not(None) & may_see(reader)) | theirs.exists()
    found = found.where(notification.c.person_id == person_id, known)
    if unread is not None:
        found = found.where(notification.c.read_at.is_(None) if unread else notification.c.read_at.is_not(None))
    if before is not None:
        found = found.where(notification.c.id < before)
    return [_notification(row) for row in tx.execute(found.order_by(notification.c.id.desc()).limit(limit))]


def get(tx: Tx, person_id: str, notification_id: int) -> Notification:
    """One of somebody's notifications; raises NotFound."""
    mine = (notification.c.id == notification_id) & (notification.c.person_id == person_id)
    row = tx.execute(sa.select(notification).where(mine)).first()
    if row is None:
        raise NotFound(f"no notification {notification_id}")
    return _notification(row)


def mark_read(tx: Tx, person_id: str, ids: Sequence[int], at: datetime) -> int:
    """Mark those of somebody's notifications as read that are not; returns how many."""
    count = 0
    for batch in batches(ids):
        mine = notification.c.id.in_(batch) & (notification.c.person_id == person_id) & notification.c.read_at.is_(None)
        count += tx.execute(sa.update(notification).where(mine).values(read_at=at)).rowcount
    return count


def _notification(row: Any) -> Notification:
    return Notification(**{**row._mapping, "news": News(row.news)})
