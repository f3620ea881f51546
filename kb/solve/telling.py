"""What people are told: their notifications, each with its case or article, and what a fix changed, in words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kb import clock
from kb.article import Article
from kb.case import News, Notification, RevisionCase
from kb.errors import NotFound
from kb.passage import ItemRef, Kind
from kb.person import Person, Right
from kb.solve import history, seeing
from kb.solve.history import Comparison
from kb.store import articles, cases, flags, notifications
from kb.store.database import Database, Tx
from kb.text.difference import difference
from kb.text.markdown import narrow, plain


@dataclass(frozen=True, slots=True)
class Message:
    """A notification with its case, or the article that ends and its title, as they are now.

    `changed`: what a fix changed since the revision that was flagged.
    """

    notification: Notification
    case: RevisionCase | None = None
    article: Article | None = None
    title: str = ""
    changed: Comparison | None = None


def listing(db: Database, by: Person, *, unread: bool | None, before: int | None, limit: int) -> list[Message]:
    """What somebody was told about what they may still know of, the latest first."""
    by.require(Right.FLAG)
    with db.read() as tx:
        found = notifications.of(tx, by.reader, by.id, unread=unread, before=before, limit=limit)
        return _messages(tx, by, found)


def read(db: Database, by: Person, notification_id: int) -> Message:
    """One notification with what the fix changed; raises NotFound, NotAllowed."""
    by.require(Right.FLAG)
    with db.read() as tx:
        found = notifications.get(tx, by.id, notification_id)
        if found.case_id is None:
            for message in _messages(tx, by, [found]):
                return message
            raise NotFound(f"no notification {notification_id}")
        case = seeing.case(tx, by, cases.get(tx, found.case_id), clock.now())
    changed = changed_by_fix(db, by, case) if found.news is News.FIXED else None
    return Message(found, case, changed=changed)


def _messages(tx: Tx, by: Person, found: Sequence[Notification]) -> list[Message]:
    """Notifications with what they are about; those about an article that is not for `by` any more are left out."""
    about = cases.by_ids(tx, {each.case_id for each in found if each.case_id})
    named = articles.by_ids(tx, {each.article_id for each in found if each.article_id})
    standings = seeing.standings(tx, by, [ItemRef(Kind.ARTICLE, each) for each in named], clock.now())
    messages = []
    for each in found:
        if each.case_id:
            messages.append(Message(each, about[each.case_id]))
        elif each.article_id and (standing := standings.get(ItemRef(Kind.ARTICLE, each.article_id))):
            messages.append(Message(each, article=named[each.article_id], title=standing.title))
    return messages


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
