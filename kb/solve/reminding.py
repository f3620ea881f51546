"""Owners are told that an article of theirs ends soon, and once more when it has ended; each once for each end. Who
used an article lately is told when it says something else."""

from collections.abc import Collection, Iterable
from datetime import datetime

from kb import clock
from kb.article import Article
from kb.case import LATELY, News
from kb.errors import NotFound
from kb.passage import ItemRef, Kind
from kb.person import Person, Right
from kb.solve import translating
from kb.solve.upkeep import USED, Terms
from kb.store import domains, flags, interactions, notifications, people
from kb.store.database import Database, Tx


def remind(db: Database, terms: Terms) -> int:
    """Tell whoever looks after an article that ends within `terms.before`, or has ended as lately; returns how many.

    Its owner, else that of its domain, if they may read it. One that nobody looks after stands in the queue alone.
    """
    at = clock.now()
    with db.read() as tx:
        ending = {
            News.EXPIRING: _owned(tx, notifications.untold(tx, News.EXPIRING, at, at + terms.before)),
            News.EXPIRED: _owned(tx, notifications.untold(tx, News.EXPIRED, at - terms.before, at)),
        }
    if not any(ending.values()):
        return 0
    with db.write() as tx:
        for news, owned in ending.items():
            notifications.remind(tx, news, [(owner, each.id, each.valid_until) for owner, each in owned], at)
    return sum(map(len, ending.values()))


def tell_users(tx: Tx, by: Person, before: Article, after: Article, cases: Collection[str], at: datetime) -> None:
    """Tell staff who copied, inserted or linked an article lately that its meaning has changed, if it has.

    Who flagged one of the `cases` that the change fixes is told of that instead.
    """
    if before.published is None or not translating.new_meaning(tx, before, after):
        return  # what was not shown before is no change for anybody
    used = interactions.about(tx, ItemRef(Kind.ARTICLE, after.id), USED, at - LATELY)
    people_told = {each.person_id for each in used} - {by.id}
    people_told -= {person_id for case_id in cases for person_id in flags.flaggers(tx, case_id)}
    known = people.by_ids(tx, people_told)
    told = [each for each in known.values() if _may_be_told(each, after)]
    notifications.remind(tx, News.CHANGED, [(each.id, after.id, at) for each in told], at)


def _may_be_told(person: Person, article: Article) -> bool:
    return not person.disabled and person.may(Right.FLAG) and person.reader.may_read(article.access)


def _owned(tx: Tx, found: Iterable[Article]) -> list[tuple[str, Article]]:
    owners = ((_owner(tx, each), each) for each in found)
    return [(owner, each) for owner, each in owners if owner is not None]


def _owner(tx: Tx, article: Article) -> str | None:
    for person_id in (article.owner_id, *domains.owners(tx, article.topic)):
        if person_id is None:
            continue
        try:
            person = people.get(tx, person_id)
        except NotFound:
            continue  # erased since
        if _may_be_told(person, article):
            return person_id
    return None
