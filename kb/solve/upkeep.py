"""What an owner should look at: articles that end soon, and those that nobody has confirmed for long; and who used
an article lately, how often and how, to be told when its meaning changes."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from kb import clock
from kb.article import Article
from kb.audience import Audience
from kb.interaction import Channel, Event, EventKind, LinkType
from kb.passage import ItemRef, Kind
from kb.person import ANONYMOUS, Person, Right, Role
from kb.solve import seeing
from kb.solve.access import require_staff
from kb.store import articles, interactions, people
from kb.store.database import Database

USED = frozenset({EventKind.COPIED, EventKind.INSERTED, EventKind.LINKED})
"""What makes somebody a user of an article rather than a reader."""

COUNTED = USED | {EventKind.VIEWED, EventKind.RESOLVED, EventKind.NOT_HELPFUL}
"""What is counted of an article: page views, "this helped" (resolved) and its opposite besides."""


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


@dataclass(frozen=True, slots=True)
class Sent:
    """One time that somebody sent an article or solved a contact with it, and on which channel."""

    event: Event
    channel: Channel | None


@dataclass(frozen=True, slots=True)
class Times:
    """How often an article was used on a day (UTC) in one way by people of one tier and role.

    `type` is that of a link. `audience` and `role` are those that people have now, the role that allows most; None for
    who has none, or has been erased.
    """

    day: date
    kind: EventKind
    type: LinkType | None
    audience: Audience | None
    role: Role | None
    count: int


@dataclass(frozen=True, slots=True)
class Use:
    """How an article was used (KCS CH-02), the oldest day first, and the contacts that it is linked to now, by type."""

    times: list[Times]
    linked: dict[LinkType, int]


def recent_users(db: Database, by: Person, number: str, within: timedelta) -> list[Sent]:
    """Who copied, inserted or linked an article lately, newest first. Needs the right to read trails; NotFound.

    Links that a merge has moved are of who made them, not of who merged.
    """
    at = clock.now()
    with db.read() as tx:
        article = seeing.article(tx, by, number, at)
        by.require(Right.TRAIL)
        found = interactions.about(tx, ItemRef(Kind.ARTICLE, article.id), USED, at - within)
        found = [each for each in found if not each.data.get("merge")]
        channels = interactions.channels(tx, {each.interaction_id for each in found if each.interaction_id})
    return [Sent(each, channels.get(each.interaction_id or "")) for each in found]


def use(db: Database, by: Person, number: str, within: timedelta) -> Use:
    """How often an article was used lately, by day, way, tier and role. Needs the right to read trails; NotFound."""
    at = clock.now()
    with db.read() as tx:
        article = seeing.article(tx, by, number, at)
        by.require(Right.TRAIL)
        item = ItemRef(Kind.ARTICLE, article.id)
        rows = interactions.use(tx, item, COUNTED, at - within)
        links = Counter(type_ for _, type_ in interactions.linked_to(tx, item))
        known = people.by_ids(tx, {person_id for *_, person_id, _ in rows}) | {ANONYMOUS.id: ANONYMOUS}
    counted: Counter[tuple[date, EventKind, LinkType | None, Audience | None, Role | None]] = Counter()
    for day, kind, type_, person_id, times in rows:
        who = known.get(person_id)
        role = max(who.roles, key=list(Role).index, default=None) if who else None
        counted[day, kind, type_, who.tier if who else None, role] += times
    return Use([Times(*key, times) for key, times in counted.items()], {each: links[each] for each in LinkType})
