"""What an owner should look at: articles that end soon, and those that nobody has confirmed for long; and who used
an article lately, to be told when its meaning changes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kb import clock
from kb.article import Article
from kb.interaction import Event, EventKind
from kb.passage import ItemRef, Kind
from kb.person import Person, Right
from kb.solve import seeing
from kb.solve.access import require_staff
from kb.store import articles, interactions
from kb.store.database import Database

USED = frozenset({EventKind.COPIED, EventKind.INSERTED, EventKind.LINKED})
"""What makes somebody a user of an article rather than a reader."""


class Reason(StrEnum):
    """Why an article should be looked at."""

    EXPIRING = "expiring"  # its end is near or has passed
    STALE = "stale"  # nobody has said for long that it is still right


@dataclass(frozen=True, slots=True)
class Terms:
    """How long before its end an article is listed, and after how long without a confirmation."""

    before: timedelta = timedelta(days=30)
    stale_after: timedelta = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Reminder:
    """An article that should be looked at, since or from when on."""

    article: Article
    title: str
    reason: Reason
    due: datetime


def reminders(
    db: Database, by: Person, terms: Terms, owner_id: str | None, reasons: frozenset[Reason], limit: int
) -> list[Reminder]:
    """What should be looked at among what is there for `by`, the most urgent first. For staff.

    `owner_id` is whose articles; None for everybody's.
    """
    require_staff(by)
    at = clock.now()
    with db.read() as tx:
        found: list[tuple[Article, Reason, datetime]] = []
        if Reason.EXPIRING in reasons:
            for each in articles.expiring(tx, by.reader, at + terms.before, owner_id, limit):
                found.append((each, Reason.EXPIRING, each.valid_until or at))
        if Reason.STALE in reasons:
            for each, since in articles.unconfirmed(tx, by.reader, at - terms.stale_after, owner_id, limit):
                found.append((each, Reason.STALE, since + terms.stale_after))
        found.sort(key=lambda each: (each[2], each[0].number))
        items = {ItemRef(Kind.ARTICLE, each.id) for each, *_ in found[:limit]}
        standings = seeing.standings(tx, by, items, at)
    return [
        Reminder(each, standings[item].title, reason, due)
        for each, reason, due in found[:limit]
        if (item := ItemRef(Kind.ARTICLE, each.id)) in standings
    ]


def recent_users(db: Database, by: Person, number: str, within: timedelta) -> list[Event]:
    """Who copied, inserted or linked an article lately, newest first. Needs the right to read trails; NotFound."""
    at = clock.now()
    with db.read() as tx:
        article = seeing.article(tx, by, number, at)
        by.require(Right.TRAIL)
        return interactions.about(tx, ItemRef(Kind.ARTICLE, article.id), USED, at - within)
