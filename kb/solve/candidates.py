"""The lines of the queue for community posts to make an article of: accepted or used, and said by no article.

Whether an article says it is asked for each tier, since what one tier has an article for the other may lack.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from rapidfuzz import fuzz

from kb.audience import Audience
from kb.case import LATELY
from kb.passage import ItemRef, Kind
from kb.person import Person
from kb.query import Filters, Query
from kb.queue import Line, LineKind, community_demand
from kb.solve.duplicates import NEAR
from kb.solve.folding import words
from kb.solve.reuse import Finder
from kb.store import queue, queue_work
from kb.store.database import Database
from kb.store.queue_work import Candidate
from kb.text.script import fold

MOST = 1_000
"""Posts that are looked at, those of the most demand: nobody writes more articles in a season."""

AGAIN_AFTER = timedelta(days=1)
"""After which it is asked again whether an article says it by now."""

AT_ONCE = 10


def waiting(db: Database, at: datetime) -> list[tuple[Candidate, int]]:
    """Bring demands up to date and drop posts that are none any more; the posts to ask about, with their demand."""
    with db.read() as tx:
        found = queue_work.candidates(tx)
        kept = queue.kept(tx, LineKind.COMMUNITY)
        used = queue_work.reuse(tx, at - LATELY)
    weighed = {each: community_demand(each.votes, used.get(ItemRef(Kind.POST, each.id), 0)) for each in found}
    best = sorted(found, key=lambda each: (-weighed[each], each.id))[:MOST]
    by_id = {each.id: each for each in best}
    demands = {
        key: weighed[by_id[key[0]]]
        for key, line in kept.items()
        if key[0] in by_id and weighed[by_id[key[0]]] != line.demand
    }
    gone = [key for key in kept if key[0] not in by_id]
    if demands or gone:
        with db.write() as tx:
            queue.weigh(tx, LineKind.COMMUNITY, demands)
            queue.remove(tx, LineKind.COMMUNITY, gone)
    return [(each, weighed[each]) for each in best if _is_due(each, kept, at)]


def ask(db: Database, finder: Finder, found: list[tuple[Candidate, int]], at: datetime) -> bool:
    """Find out of each of these posts whether an article says it; False while there is no index to ask."""
    for each, demand in found:
        for tier in _tiers(each):
            answered = _answered(finder, each, tier, at)
            if answered is None:
                return False
            line = Line(
                LineKind.COMMUNITY, each.id, demand, tier, ItemRef(Kind.POST, each.id), words=words(each.title),
                basis=str(each.revision),
            )  # fmt: skip
            with db.write() as tx:
                queue.put(tx, [line], at, shown=not answered)
    return True


def _is_due(each: Candidate, kept: Mapping[tuple[str, str], queue.Kept], at: datetime) -> bool:
    lines = [kept.get((each.id, tier.value)) for tier in _tiers(each)]
    return any(line is None or line.basis != str(each.revision) or line.made_at <= at - AGAIN_AFTER for line in lines)


def _tiers(each: Candidate) -> list[Audience]:
    return [tier for tier in Audience if tier.rank >= each.audience.rank]


def _answered(finder: Finder, each: Candidate, tier: Audience, at: datetime) -> bool | None:
    """Whether an article that all of a tier may read says it; None while nobody can know."""
    query = Query(each.title, filters=Filters(kinds=(Kind.ARTICLE,)), limit=3)
    answer = finder.find(Person("queue", "queue", tier), query, at, exact=True)
    if "index" in answer.degraded:
        return None
    asked = " ".join(fold(each.title).split())
    titles = [" ".join(fold(answer.standings[hit.item].title).split()) for hit in answer.hits]
    return bool(answer.hits) and (answer.answered.certain or any(fuzz.ratio(asked, title) >= NEAR for title in titles))
