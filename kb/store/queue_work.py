"""What the lines of the editors' queue are worked out from, in SQL: whose turn it is, use lately, articles, posts."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from kb.audience import Audience
from kb.interaction import LinkType
from kb.outbox import Lane
from kb.passage import ItemRef, Kind
from kb.store import articles
from kb.store.cases import SENT
from kb.store.database import Tx, insert_missing
from kb.store.queue_tables import queue_mark
from kb.store.schema import article, event, link, outbox, post, revision

_m = queue_mark.c


def due(tx: Tx, name: str, at: datetime, every: timedelta) -> bool:
    """Whether what is done once in a while is due, as far as one can tell without writing."""
    last = tx.execute(sa.select(_m.at).where(_m.name == name)).scalar()
    return last is None or last <= at - every or last > at + every  # later than now: the clock was set


def claim(tx: Tx, name: str, at: datetime, every: timedelta) -> bool:
    """Whether it is our turn to do what is done once in a while, by whichever process comes first."""
    insert_missing(tx, queue_mark, [{"name": name, "place": "", "at": at - 2 * every}])
    late = (_m.name == name) & ((_m.at <= at - every) | (_m.at > at + every))
    return tx.execute(sa.update(queue_mark).where(late).values(at=at)).rowcount == 1


def place(tx: Tx, name: str) -> str:
    """How far some work has come; "" before it has begun."""
    return tx.execute(sa.select(_m.place).where(_m.name == name)).scalar() or ""


def advance(tx: Tx, name: str, before: str, after: str, at: datetime) -> bool:
    """Note how far it has come; False if somebody else has done so since `before`, whose work it then was."""
    insert_missing(tx, queue_mark, [{"name": name, "place": "", "at": at}])
    same = (_m.name == name) & (_m.place == before)
    return tx.execute(sa.update(queue_mark).where(same).values(place=after, at=at)).rowcount == 1


def reuse(tx: Tx, since: datetime, items: Collection[ItemRef] | None = None) -> dict[ItemRef, int]:
    """How many interactions used each item since then, as `kb.store.cases.reuse` counts; of all items or of some."""
    used = event.c.kind.in_([each.value for each in SENT]) & (event.c.at >= since) & event.c.item_id.is_not(None)
    if items is not None:
        used &= event.c.item_id.in_(sorted(each.id for each in items))
    counted = sa.select(event.c.item_kind, event.c.item_id, sa.func.count(event.c.interaction_id.distinct()))
    rows = tx.execute(counted.where(used).group_by(event.c.item_kind, event.c.item_id))
    return {ItemRef(Kind(kind), item_id): count for kind, item_id, count in rows}


class Ageing(NamedTuple):
    """An article in use: when somebody last said that it is right, and when it ends."""

    id: str
    number: str
    title: str
    confirmed_at: datetime | None
    ends: datetime | None


def ageing(tx: Tx, stale_since: datetime, ends_before: datetime) -> list[Ageing]:
    """The articles in use that nobody has confirmed since then, or that end by then."""
    last = sa.func.coalesce(article.c.confirmed_at, article.c.published_at)
    shown = (revision.c.article_id == article.c.id) & (revision.c.number == article.c.published)
    found = sa.select(article.c.id, article.c.number, revision.c.title, last, article.c.valid_until)
    due = (last < stale_since) | (article.c.valid_until <= ends_before)
    return [Ageing(*row) for row in tx.execute(found.join(revision, shown).where(articles.in_use(), due))]


def changed_articles(tx: Tx, after: str, before: datetime, limit: int) -> list[tuple[str, str]]:
    """Ids of the next articles in the order of their changes until `before`, each with its place in it."""
    found = sa.select(article.c.id, article.c.modified_at).where(article.c.modified_at <= before)
    if after:
        moment, _, last = after.partition(" ")
        at = datetime.fromisoformat(moment)
        behind = (article.c.modified_at > at) | ((article.c.modified_at == at) & (article.c.id > last))
        found = found.where(article.c.modified_at >= at, behind)
    rows = tx.execute(found.order_by(article.c.modified_at, article.c.id).limit(limit))
    return [(article_id, f"{modified_at.isoformat()} {article_id}") for article_id, modified_at in rows]


def waiting(tx: Tx, ids: Collection[str], at: datetime) -> bool:
    """Whether the index still has to learn of any of these articles; one that failed there is not waited for."""
    lexical = [lane.value for lane in Lane if not lane.is_dense]
    rows = (outbox.c.kind == Kind.ARTICLE.value) & outbox.c.item_id.in_(sorted(ids)) & outbox.c.lane.in_(lexical)
    due = (outbox.c.attempts == 0) & (outbox.c.due_at <= at)
    return tx.execute(sa.select(outbox.c.id).where(rows, due).limit(1)).first() is not None


class Candidate(NamedTuple):
    """A post that an article might be made of."""

    id: str
    title: str
    audience: Audience
    votes: int
    revision: int


def candidates(tx: Tx) -> list[Candidate]:
    """The posts that are accepted answers, or that resolved an interaction."""
    resolved = (link.c.item_kind == Kind.POST.value) & (link.c.item_id == post.c.id)
    resolved &= link.c.type == LinkType.RESOLUTION.value
    wanted = post.c.accepted.is_(True) | sa.select(link.c.item_id).where(resolved).exists()
    found = sa.select(post.c.id, post.c.title, post.c.audience, post.c.votes, post.c.revision).where(wanted)
    return [
        Candidate(post_id, title, Audience(audience), votes, number)
        for post_id, title, audience, votes, number in tx.execute(found)
    ]
