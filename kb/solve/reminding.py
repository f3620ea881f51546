"""Owners are told that an article of theirs ends soon, and once more when it has ended; each once for each end."""

from collections.abc import Iterable

from kb import clock
from kb.article import Article
from kb.case import News
from kb.errors import NotFound
from kb.person import Right
from kb.solve.upkeep import Terms
from kb.store import domains, notifications, people
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
            notifications.remind(tx, news, owned, at)
    return sum(map(len, ending.values()))


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
        if not person.disabled and person.may(Right.FLAG) and person.reader.may_read(article.access):
            return person_id
    return None
