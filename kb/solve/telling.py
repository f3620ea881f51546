"""What people are told: their notifications, each with its case, and what a fix changed, in words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kb import clock
from kb.case import News, Notification, RevisionCase
from kb.errors import NotFound
from kb.passage import Kind
from kb.person import Person, Right
from kb.solve import history, seeing
from kb.solve.history import Comparison
from kb.store import articles, cases, flags, notifications
from kb.store.database import Database
from kb.text.difference import difference
from kb.text.markdown import narrow, plain


@dataclass(frozen=True, slots=True)
class Message:
    """A notification with its case as it is now. `changed`: what a fix changed since the revision that was flagged."""

    notification: Notification
    case: RevisionCase
    changed: Comparison | None = None


def listing(db: Database, by: Person, *, unread: bool | None, before: int | None, limit: int) -> list[Message]:
    """What somebody was told about cases that they may still know of, the latest first."""
    by.require(Right.FLAG)
    with db.read() as tx:
        found = notifications.of(tx, by.reader, by.id, unread=unread, before=before, limit=limit)
        known = cases.by_ids(tx, {each.case_id for each in found})
    return [Message(each, known[each.case_id]) for each in found]


def read(db: Database, by: Person, notification_id: int) -> Message:
    """One notification with what the fix changed; raises NotFound, NotAllowed."""
    by.require(Right.FLAG)
    with db.read() as tx:
        found = notifications.get(tx, by.id, notification_id)
        case = seeing.case(tx, by, cases.get(tx, found.case_id), clock.now())
    changed = changed_by_fix(db, by, case) if found.news is News.FIXED else None
    return Message(found, case, changed)


def changed_by_fix(db: Database, by: Person, case: RevisionCase) -> Comparison | None:
    """What the fix of a case changed, in words, as far as `by` may see it.

    Since the revision that they flagged themselves, else since the one that it replaced; None where nothing was there.
    """
    if case.item is None or case.item.kind is not Kind.ARTICLE or case.fixed_revision is None:
        return None
    with db.read() as tx:
        mine = flags.of_person(tx, case.id, by.id)
        number = articles.get(tx, case.item.id).number
    # A flag of an article that was merged into this one names a revision of that one.
    old = mine.revision if mine and mine.revision and mine.item == case.item else case.replaced_revision
    if old is None:
        return None
    try:
        found = history.compare(db, by, number, old, case.fixed_revision)
    except NotFound:  # written for others than them
        return None
    texts = (plain(narrow(each.body, by.tier)) for each in (found.old, found.new))
    return replace(found, body=difference(*texts))  # who flags a sentence has not seen its markup


def mark_read(db: Database, by: Person, ids: Sequence[int]) -> int:
    """Mark one's notifications as read; returns how many were not. What is not one's own is passed over."""
    by.require(Right.FLAG)
    with db.write() as tx:
        return notifications.mark_read(tx, by.id, sorted(set(ids)), clock.now())
