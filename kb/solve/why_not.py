"""Why not this article? Everything that keeps something from being found, or puts it where it is, in order.

The findings have names and values, no words: pages say them in the language of whoever asks. Something that does not
exist and something that is not for them are one finding.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from kb import clock
from kb.article import Article, Confidence
from kb.errors import IndexUnavailable, NotFound
from kb.passage import ItemRef, Kind, Passage
from kb.person import Person
from kb.query import Query
from kb.search.ranking import group
from kb.search.searcher import PASSAGES
from kb.solve import seeing
from kb.solve.explaining import AS_IT_IS, LEGS, Followed, Trial, best_place, follow, in_leg
from kb.solve.reuse import Finder, considered
from kb.standing import Standing
from kb.store import articles, outbox, passages
from kb.text.analyzer import analyze
from kb.text.passages import indexed_text
from kb.text.script import HAN_RUN

DEEP = 1_000
"""Passages of each leg that are looked through for the one that is missing."""


class Verdict(StrEnum):
    """What a finding means."""

    STOP = "stop"  # this alone keeps it from being shown
    NOTE = "note"  # this makes it weaker, or is worth knowing
    FINE = "fine"  # this is not why


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    values: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Case:
    """What is known of the item: where it stands, its passages that `by` may read, and those for `asker` of them."""

    item: ItemRef
    standing: Standing
    article: Article | None
    texts: Sequence[Passage]
    readable: Sequence[Passage]
    pending: bool
    successor: str


def why_not(
    finder: Finder, by: Person, asker: Person, query: Query, wanted: ItemRef | str, trial: Trial = AS_IT_IS
) -> tuple[Standing | None, list[Finding]]:
    """Where an item, or the article with that number, stands, and what is to be said of it for this query of `asker`.

    Told to `by`, who may not know of it: then there is one finding and no standing.
    """
    at = clock.now()
    case = _case(finder, by, asker, wanted, at)
    if case is None:
        return None, [Finding("unknown", Verdict.STOP)]
    return case.standing, _findings(finder, asker, query, case, at, trial)


def _findings(finder: Finder, asker: Person, query: Query, case: _Case, at: datetime, trial: Trial) -> list[Finding]:
    findings = [*_permission(asker, case), *_filters(query, case), *_state(case, at)]
    if not _stopped(findings):
        findings += _index(finder, case)
    if _stopped(findings):
        return findings
    followed = follow(finder, asker, query, at, trial)
    if (correction := followed.answer.correction) and correction.applied:
        findings.append(Finding("corrected", Verdict.NOTE, {"words": correction.searched}))
        query = replace(query, text=correction.searched)
    findings += _retrieval(finder, replace(query, reader=asker.reader), case, trial)
    if not _stopped(findings):
        findings += _ranking(followed, case.item)
    return findings


def _stopped(findings: Sequence[Finding]) -> bool:
    return any(each.verdict is Verdict.STOP for each in findings)


def _case(finder: Finder, by: Person, asker: Person, wanted: ItemRef | str, at: datetime) -> _Case | None:
    with finder.db.read() as tx:
        try:
            item = ItemRef(Kind.ARTICLE, seeing.article(tx, by, wanted, at).id) if isinstance(wanted, str) else wanted
        except NotFound:
            return None
        standing = seeing.standings(tx, by, [item], at).get(item)
        if standing is None:
            return None
        article = articles.by_ids(tx, [item.id]).get(item.id) if item.kind is Kind.ARTICLE else None
        texts = [each for each in passages.of_items(tx, [item])[item] if by.reader.may_read(each.access)]
        by_whom = standing.superseded_by.id if standing.superseded_by else None
        return _Case(
            item,
            standing,
            article,
            texts,
            [each for each in texts if asker.reader.may_read(each.access)],
            item in outbox.in_flight(tx, [item], at),
            seeing.numbers(tx, by, [by_whom], at).get(by_whom or "", ""),
        )


def _permission(asker: Person, case: _Case) -> Iterator[Finding]:
    access = case.standing.access
    if asker.tier.rank < access.audience.rank:
        yield Finding("audience", Verdict.STOP, {"needs": access.audience, "has": asker.tier})
    elif not asker.reader.may_read(access):
        yield Finding("groups", Verdict.STOP)
    elif case.texts and not case.readable:
        yield Finding("no_section", Verdict.STOP, {"has": asker.tier})
    elif len(case.readable) < len(case.texts):
        hidden = len(case.texts) - len(case.readable)
        yield Finding("some_sections", Verdict.NOTE, {"hidden": hidden, "of": len(case.texts), "has": asker.tier})
    else:
        yield Finding("may_read", Verdict.FINE, {"has": asker.tier})


_FILTERED: Mapping[str, Callable[[Passage], Sequence[str]]] = {
    "kinds": lambda passage: [passage.ref.kind],
    "languages": lambda passage: [passage.language],
    "products": lambda passage: passage.products,
    "topics": lambda passage: passage.topics,
    "tags": lambda passage: passage.tags,
    "confidence": lambda passage: [passage.confidence],
    "sources": lambda passage: [passage.source],
}


def _filters(query: Query, case: _Case) -> Iterator[Finding]:
    for name, values_of in _FILTERED.items():
        wanted = [str(each) for each in getattr(query.filters, name)]
        has = [str(each) for each in values_of(case.texts[0])] if case.texts else []
        if wanted and case.texts and not set(wanted) & set(has):
            values = {"field": name, "wanted": ", ".join(wanted), "has": ", ".join(filter(None, has)) or "–"}
            yield Finding("filter", Verdict.STOP, values)
    family = case.standing.language.partition("-")[0]
    if family and family != query.family:
        yield Finding("language", Verdict.NOTE, {"query": query.family, "has": case.standing.language})


def _state(case: _Case, at: datetime) -> Iterator[Finding]:
    article = case.article
    if article is not None:
        if article.confidence is Confidence.ARCHIVED:
            yield Finding("archived", Verdict.STOP)
        if article.published is None:
            yield Finding("draft", Verdict.STOP)
        if article.valid_from is not None and article.valid_from > at:
            yield Finding("not_yet", Verdict.STOP, {"from": article.valid_from.isoformat()})
        if article.valid_until is not None and article.valid_until <= at:
            yield Finding("expired", Verdict.STOP, {"until": article.valid_until.isoformat()})
    if not case.standing.live and article is None:
        yield Finding("not_live", Verdict.STOP)
    if case.standing.superseded:
        yield Finding("superseded", Verdict.NOTE, {"number": case.successor})


def _index(finder: Finder, case: _Case) -> Iterator[Finding]:
    try:
        index, _ = finder.searcher.live.get()
        there = set(index.refs(case.item))
        lacking = set(index.without_dense([case.item]))
    except IndexUnavailable:
        yield Finding("index_away", Verdict.STOP)
        return
    wanted = {each.ref for each in case.readable}
    if not wanted & there:
        yield Finding("pending" if case.pending else "not_indexed", Verdict.STOP)
        return
    if wanted - there:
        yield Finding("change_pending", Verdict.NOTE)
    if wanted & lacking:
        yield Finding("no_vector", Verdict.NOTE, {"n": len(wanted & lacking), "of": len(wanted)})


def _retrieval(finder: Finder, query: Query, case: _Case, trial: Trial) -> Iterator[Finding]:
    """Where it stands in each leg, deeper than a search looks."""
    try:
        deep = finder.searcher.retrieve(query, DEEP, weights=trial.weights)
    except IndexUnavailable:
        yield Finding("index_away", Verdict.STOP)
        return
    near = 0
    for name in LEGS:
        leg = in_leg(deep.candidates, name, {each.ref.item for each in deep.candidates})
        at = best_place(leg, name, case.item)
        if name not in deep.legs:
            yield Finding(f"{name}_off", Verdict.NOTE)
        elif at is None:
            yield Finding(f"{name}_beyond" if len(leg) >= DEEP else f"{name}_none", Verdict.NOTE, {"k": DEEP})
        else:
            near += at.place <= PASSAGES
            values = {"place": at.place, "score": at.score, "k": PASSAGES}
            found = at.place <= PASSAGES
            yield Finding(f"{name}_{'found' if found else 'far'}", Verdict.FINE if found else Verdict.NOTE, values)
    if missing := missing_words(query.text, case.readable):
        yield Finding("words_missing", Verdict.NOTE, {"words": ", ".join(missing)})
    if not near:
        yield Finding("not_retrieved", Verdict.STOP, {"k": PASSAGES})


def missing_words(query: str, texts: Sequence[Passage]) -> list[str]:
    """The words of a query that none of the passages has in any form, as they were typed."""
    have = {token for each in texts for token in analyze(indexed_text(each))}
    typed = query.split()
    missing: dict[str, None] = {}
    for token in analyze(query):
        if token not in have:
            words = [token] if HAN_RUN.search(token) else [word for word in typed if token in analyze(word)]
            missing |= dict.fromkeys(words or [token])
    # Search mode cuts a Han word into its parts as well: the whole says it.
    return [word for word in missing if not any(word != other and word in other for other in missing)]


def _ranking(followed: Followed, item: ItemRef) -> Iterator[Finding]:
    hits = followed.answer.hits
    for place, hit in enumerate(hits, 1):
        if hit.item == item:
            yield Finding("shown", Verdict.FINE, {"place": place, "score": hit.score, "heading": _heading(hit.passage)})
            others = {each.ref for each in followed.candidates if each.ref.item == item} - {hit.passage.ref}
            if others:
                yield Finding("collapsed", Verdict.NOTE, {"n": len(others)})
            return
    order = [each.found.item for each in followed.ranked]
    if item in order:
        yield from _below(followed, order.index(item))
    else:
        items = [each.item for each in group(followed.candidates)]
        place = items.index(item) + 1 if item in items else len(items)
        yield Finding("not_considered", Verdict.STOP, {"place": place, "considered": considered(followed.limit)})


def _below(followed: Followed, index: int) -> Iterator[Finding]:
    ranked, last = followed.ranked[index], followed.answer.hits[-1].score
    score = round(ranked.score, 4)
    yield Finding("below", Verdict.STOP, {"place": index + 1, "score": score, "last": round(last, 4)})
    for reason in ranked.why[1:]:
        if reason.value < 0:
            decides = ranked.score - reason.value >= last
            name = "prior_decides" if decides else "prior"
            yield Finding(name, Verdict.NOTE, {"prior": reason.name, "value": reason.value})


def _heading(passage: Passage) -> str:
    return " › ".join(passage.heading) or passage.title
