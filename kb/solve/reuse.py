"""Reuse: search and suggest. Filter, rank, confirm.

The audience filter runs inside both retrievers; what wins is confirmed against the record before it leaves.
A late index may cost recall for one article, never a leak or a stale answer.
"""

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from kb import clock
from kb.errors import IndexUnavailable, NotFound
from kb.interaction import Event, EventKind
from kb.passage import ItemRef, Kind, Passage, PassageRef
from kb.person import Person
from kb.query import Candidate, Context, Filters, Hit, Query, Reason, Retrieval
from kb.search import rescoring
from kb.search.catalogue import Catalogue, Suggestion
from kb.search.fusion import Weights
from kb.search.ranking import Found, Ranked, group, rank
from kb.search.reranking import PAIRS, Reranked, Reranker
from kb.search.searcher import Searcher, Stopwatch
from kb.search.spelling import Correction
from kb.solve import answering, seeing
from kb.solve.answering import Answered
from kb.solve.reranking import rerank
from kb.solve.trail import SearchLog, own_interaction
from kb.solve.wording import Corrector
from kb.standing import Standing
from kb.store import interactions, passages
from kb.store.database import Database, Tx
from kb.text.analyzer import analyze
from kb.text.passages import indexed_text

log = logging.getLogger(__name__)

CONSIDERED = 3
"""Items ranked per item asked for, so that priors can lift one that text alone puts just below the cut."""

VARIANTS = 3
"""Other ways to say what is being typed that suggestions are looked for, once there are few."""

EXACT_NUMBER = Reason("article_number", 1.0)

Order = Callable[[list[Found], Callable[[ItemRef], Standing], Context, datetime], list[Ranked]]
"""What puts found items in order: `kb.search.ranking.rank`, unless something is being tried."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search gives back. `degraded` and `legs` are those of its `retrieval`."""

    search_id: str
    hits: tuple[Hit, ...]
    standings: dict[ItemRef, Standing]
    took_ms: dict[str, float]
    degraded: tuple[str, ...]
    legs: tuple[str, ...]
    retrieval: Retrieval
    answered: Answered
    correction: Correction | None = None
    reranked: Reranked | None = None


@dataclass(frozen=True, slots=True)
class Finder:
    """What finding needs: the record, the searcher, the catalogue, the log of searches."""

    db: Database
    searcher: Searcher
    catalogue: Catalogue
    log: SearchLog
    corrector: Corrector | None = None
    reranker: Reranker | None = None

    def search(self, by: Person, query: Query, exact: bool = False) -> Answer:
        """The best items for a query among those `by` may read, and a `searched` event in the trail.

        A slip of the finger that is beyond doubt is corrected, unless what was typed is meant `exact`ly.
        """
        at = clock.now()
        answer = self.find(by, query, at, exact=exact)
        self.log.add(_searched(by, replace(query, reader=by.reader), answer, at))
        return answer

    def find(
        self,
        by: Person,
        query: Query,
        at: datetime,
        *,
        exact: bool = False,
        weights: Weights | None = None,
        order: Order = rank,
    ) -> Answer:
        """The same without a trace in the trail; for trials with other weights of the legs or another `order`."""
        query = replace(query, reader=by.reader)
        watch = Stopwatch()
        with watch.stage("spelling"):
            correction = None if exact or self.corrector is None else self.corrector.correct(query)
        if correction is not None:
            query = replace(query, text=correction.searched)
        retrieval = self._retrieve(query, weights)
        with watch.stage("confirm"), self.db.read() as tx:
            if query.context.interaction_id:
                own_interaction(interactions.get(tx, query.context.interaction_id), by)
            standings: dict[ItemRef, Standing] = {}
            wide = replace(query, limit=max(query.limit, answering.COMPARED, PAIRS if self.reranker else 0))
            hits = _confirmed(tx, by, wide, read(tx, query, retrieval.candidates), standings, at, order)
        reranked = None
        if self.reranker is not None:
            with watch.stage("rerank"):
                hits, reranked = rerank(self.reranker, query, hits)
        with watch.stage("answer"):
            known = [each for each in retrieval.candidates if each.ref.item in standings]
            also = [form for each in retrieval.expanded for form in each.also]
            answered = answering.answer(query, hits, known, self.searcher.live.generation, also)
        took = retrieval.took_ms | watch.took_ms
        took["total"] = round(sum(took.values()), 3)
        return Answer(
            search_id=uuid.uuid4().hex,
            hits=tuple(hits[: query.limit]),
            standings=standings,
            took_ms=took,
            degraded=retrieval.degraded,
            legs=retrieval.legs,
            retrieval=retrieval,
            answered=answered,
            correction=correction,
            reranked=reranked,
        )

    def suggest(self, by: Person, text: str, filters: Filters, limit: int) -> list[Standing]:
        """Items whose titles begin to match what is being typed, confirmed against the record."""
        found = self._suggested(by, text, filters, limit * 2)
        with self.db.read() as tx:
            standings = _shown(tx, by, [each.item for each in found], clock.now())
        return list(islice((standings[each.item] for each in found if each.item in standings), limit))

    def _suggested(self, by: Person, text: str, filters: Filters, limit: int) -> list[Suggestion]:
        """Titles that begin to match, and where these are few, those that say it in other words of the dictionary."""
        found = self.catalogue.suggest(text, by.reader, filters, limit)
        if len(found) < limit:
            for variant in self.searcher.expand(Query(text, by.reader)).variants[:VARIANTS]:
                known = {each.item for each in found}
                more = self.catalogue.suggest(variant, by.reader, filters, limit - len(found))
                found += [each for each in more if each.item not in known]
        return found

    def _retrieve(self, query: Query, weights: Weights | None = None) -> Retrieval:
        """Candidates from the index, or from titles alone when there is none."""
        watch = Stopwatch()
        try:
            return self.searcher.retrieve(query, weights=weights)
        except IndexUnavailable as error:
            log.debug("searching titles only: %s", error)  # the index says so itself, once
        with watch.stage("fallback"):
            expanded = self.searcher.expand(query).expanded
            text = " ".join([query.text, *(each for one in expanded for each in one.also)])
            scored = self.catalogue.fallback(text, query.reader, query.filters, query.limit * CONSIDERED)
            best = max((score for _, score in scored), default=1.0)
            # Revision 0 is nobody's: confirming takes the item's best current passage instead.
            found = [Candidate(PassageRef(item.kind, item.id, 0, 0), score / best) for item, score in scored]
        return Retrieval(tuple(found), watch.took_ms, ("index",), ("titles",), expanded=expanded)


class Read(NamedTuple):
    """Candidates, best first, and the passages of the first of them, as they were before anything is confirmed."""

    candidates: Sequence[Candidate]
    passages: Mapping[PassageRef, Passage]


def read(tx: Tx, query: Query, candidates: Sequence[Candidate]) -> Read:
    """The candidates in the order that what they say word for word gives them."""
    found = passages.get(tx, [each.ref for each in candidates[: rescoring.READ]])
    texts = {ref: "\n".join((each.title, *each.heading, each.text)) for ref, each in found.items()}
    return Read(rescoring.rescored(query.text, candidates, texts), found)


def considered(limit: int) -> int:
    """How many items are put in order at once for so many hits; the next only where too few of them are confirmed."""
    return max(limit * CONSIDERED, 30)


def _confirmed(
    tx: Tx,
    by: Person,
    query: Query,
    read: Read,
    standings: dict[ItemRef, Standing],
    at: datetime,
    order: Order,
) -> list[Hit]:
    """The hits: ranked in slices until `limit` of them have been confirmed or the candidates are used up."""
    exact = _by_number(tx, by, query, standings, at)
    hits = [exact] if exact else []
    found = [each for each in group(read.candidates) if not exact or each.item != exact.item]
    step = considered(query.limit)
    for start in range(0, len(found), step):
        part = found[start : start + step]
        here = _shown(tx, by, [each.item for each in part], at)
        standings |= here
        ranked = order([each for each in part if each.item in here], here.__getitem__, query.context, at)
        hits.extend(_hits(tx, query, ranked, read.passages, query.limit - len(hits)))
        if len(hits) >= query.limit:
            break
    return hits[: query.limit]


def _shown(tx: Tx, by: Person, items: Sequence[ItemRef], at: datetime) -> dict[ItemRef, Standing]:
    """Those of the items that may be found: there for `by` and, for staff as well, live."""
    return {item: each for item, each in seeing.standings(tx, by, items, at).items() if each.live}


def _hits(
    tx: Tx, query: Query, ranked: Sequence[Ranked], read: Mapping[PassageRef, Passage], limit: int
) -> Iterator[Hit]:
    """Up to `limit` hits with passages from the record; an item that has none for this reader is passed over."""
    for start in range(0, len(ranked), max(limit, 1)):
        batch = ranked[start : start + max(limit, 1)]
        best_of = _best_passages(tx, query, [each.found for each in batch], read)
        for each in batch:
            best = best_of.get(each.found.item)
            if best is not None and limit > 0:
                limit -= 1
                others = tuple(ref for ref in each.found.refs if ref != best.ref)[:3]
                yield Hit(each.found.item, best, round(each.score, 6), each.why, others)
        if limit <= 0:
            return


def _best_passages(
    tx: Tx, query: Query, found: Sequence[Found], read: Mapping[PassageRef, Passage]
) -> dict[ItemRef, Passage]:
    """The passage to show of each item that has one for this reader; `read` are known, in this transaction.

    All of an item's passages are read only where its best one is current and readable no longer.
    """
    wanted = [each.best.ref for each in found]
    known = {**read, **passages.get(tx, [ref for ref in wanted if ref not in read])}
    best = {ref.item: known[ref] for ref in wanted if ref in known and query.reader.may_read(known[ref].access)}
    others = [each for each in found if each.item not in best]
    current = passages.of_items(tx, [each.item for each in others]) if others else {}
    for each in others:
        if passage := _best_passage(query, each.refs, current[each.item]):
            best[each.item] = passage
    return best


def _best_passage(query: Query, refs: Iterable[PassageRef], current: Sequence[Passage]) -> Passage | None:
    """The best found passage that is still current and readable.

    Where a newer revision has replaced them all: the current passage that shares most with the query.
    """
    readable = [each for each in current if query.reader.may_read(each.access)]
    by_ref = {each.ref: each for each in readable}
    for ref in refs:
        if ref in by_ref:
            return by_ref[ref]
    wanted = set(analyze(query.text))
    return max(readable, key=_overlap_with(wanted), default=None)


def _overlap_with(wanted: set[str]) -> Callable[[Passage], tuple[int, int]]:
    return lambda passage: (len(wanted & set(analyze(indexed_text(passage)))), -passage.ref.ordinal)


def _by_number(tx: Tx, by: Person, query: Query, standings: dict[ItemRef, Standing], at: datetime) -> Hit | None:
    """The article whose number was typed, if this reader may see it."""
    try:
        item = ItemRef(Kind.ARTICLE, seeing.article(tx, by, query.text, at).id)
    except NotFound:
        return None
    here = _shown(tx, by, [item], at)
    standings |= here
    best = _best_passage(query, (), passages.of_items(tx, [item])[item]) if here else None
    return Hit(item, best, 1.0, (EXACT_NUMBER,)) if best else None


def _searched(by: Person, query: Query, answer: Answer, at: datetime) -> Event:
    """The search as a trail event: what was asked, in which situation, and exactly what was shown."""
    shown = [
        [hit.item.kind.value, hit.item.id, hit.passage.ref.revision, hit.passage.ref.ordinal] for hit in answer.hits
    ]
    return Event(
        kind=EventKind.SEARCHED,
        at=at,
        person_id=by.id,
        interaction_id=query.context.interaction_id,
        search_id=answer.search_id,
        data={
            "query": query.text,
            "tier": query.reader.tier.value,
            "product": query.context.product,
            "channel": query.context.channel,
            "shown": shown,
            "took_ms": answer.took_ms["total"],
            "degraded": list(answer.degraded),
        },
    )
