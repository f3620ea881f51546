"""Search and suggest."""

import functools
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from kb import query as nouns
from kb.api.bodies import Route
from kb.api.errors import refusals
from kb.api.metrics import Metrics
from kb.api.parts import Parts
from kb.api.people import Me, opens
from kb.api.queries import no_query, once
from kb.api.search_shapes import (
    AnswerOut,
    CorrectedOut,
    ExpandedOut,
    HitOut,
    PassageOut,
    ReasonOut,
    RerankedOut,
    SearchIn,
    SearchOut,
    SentenceOut,
    SuggestIn,
    SuggestionOut,
    SuggestOut,
)
from kb.api.shapes import OpenCaseOut, files_at
from kb.article import Confidence, Governance
from kb.language import Language
from kb.person import Person, Scope
from kb.search.spelling import Correction
from kb.solve.answering import NOTHING_CERTAIN, Sentence, read
from kb.solve.reuse import Answer
from kb.standing import Standing
from kb.text.highlight import highlights
from kb.text.hygiene import web_address
from kb.text.markdown import render

router = APIRouter(prefix="/api/v1", tags=["search"], dependencies=[opens(Scope.READ)], route_class=Route)


@router.post("/search", summary="Search", responses=refusals(404, 413), dependencies=[Depends(no_query)])
def search(asked: SearchIn, me: Me, parts: Parts, request: Request) -> SearchOut:
    """The best answers among what you may read, each with the passage that answers.

    A word that nothing holds is corrected where it is clear what was meant, and `corrected` says so; not in quotes,
    no identifier, nothing with `exact`. Without an encoder or an index it still answers, and says so in `degraded`.
    The search is kept in the trail of its interaction.
    """
    question = nouns.Query(asked.query, me.reader, asked.filters.noun, asked.context.noun, asked.limit)
    answer = parts.finder.search(me, question, asked.exact)
    correction = answer.correction
    metrics: Metrics = request.app.state.metrics
    metrics.search(answer)
    expanded = answer.retrieval.expanded
    wanted = " ".join(
        [correction.searched if correction else asked.query, *(form for each in expanded for form in each.also)]
    )
    return SearchOut(
        search_id=answer.search_id,
        hits=[
            _hit(me, wanted, hit, answer.standings[hit.item], sentences)
            for hit, sentences in zip(answer.hits, answer.answered.excerpts, strict=False)
        ],
        answer=_answer(me, answer) if answer.answered.certain else None,
        no_answer=None if answer.answered.certain else NOTHING_CERTAIN,
        reranked=RerankedOut.model_validate(asdict(answer.reranked)) if answer.reranked else None,
        took_ms=answer.took_ms,
        degraded=list(answer.degraded),
        expanded=[ExpandedOut(term=each.term, also=list(each.also)) for each in expanded],
        corrected=_corrected(correction) if correction else None,
    )


@router.get(
    "/suggest",
    summary="Suggest while typing",
    responses=refusals(),
    dependencies=[Depends(once("q", "limit"))],
)
def suggest(asked: Annotated[SuggestIn, Query()], me: Me, parts: Parts) -> SuggestOut:
    """What you may read whose title fits what has been typed so far, best first."""
    found = parts.finder.suggest(me, asked.q, asked.filters, asked.limit)
    return SuggestOut(
        suggestions=[
            SuggestionOut(
                kind=each.item.kind,
                id=each.item.id,
                number=each.label or None,
                title=each.title,
                language=Language(each.language),
                open_case=OpenCaseOut.of(each.open_case, me.is_staff),
            )
            for each in found
        ]
    )


def _corrected(found: Correction) -> CorrectedOut:
    return CorrectedOut(**{"from": found.asked}, to=found.meant, applied=found.applied)


def _answer(me: Person, found: Answer) -> AnswerOut:
    hit, sentences = found.hits[0], found.answered.excerpts[0]
    standing = found.standings[hit.item]
    return AnswerOut(
        kind=hit.item.kind,
        id=hit.item.id,
        number=standing.label or None,
        title=standing.title,
        revision=hit.passage.ref.revision,
        ordinal=hit.passage.ref.ordinal,
        heading=list(hit.passage.heading),
        language=hit.passage.language,
        text="\n".join(each.text for each in sentences),
        sentences=_sentences(sentences),
        confidence=found.answered.confidence if me.is_staff else None,
    )


def _sentences(found: Sequence[Sentence]) -> list[SentenceOut]:
    return [SentenceOut(text=each.text, highlights=list(each.highlights)) for each in found]


def _hit(me: Person, query: str, hit: nouns.Hit, standing: Standing, sentences: Sequence[Sentence]) -> HitOut:
    why = [ReasonOut(name=each.name, value=each.value) for each in hit.why]
    return HitOut(
        kind=hit.item.kind,
        id=hit.item.id,
        number=standing.label or None,
        title=standing.title,
        revision=hit.passage.ref.revision,
        passage=_passage(query, hit, files_at(standing.label) if standing.label else "", sentences),
        confidence=Confidence(standing.confidence) if standing.confidence else None,
        governance=Governance(standing.governance) if standing.governance else None,
        audience=standing.access.audience,
        language=Language(standing.language),
        source=standing.source,
        author=standing.author,
        url=web_address(standing.url),
        changed_at=standing.changed_at,
        superseded=standing.superseded,
        resolved_count=standing.resolved,
        open_case=OpenCaseOut.of(standing.open_case, me.is_staff),
        score=hit.score if me.is_staff else None,
        why=why if me.is_staff else None,
    )


def _passage(query: str, hit: nouns.Hit, files: str, sentences: Sequence[Sentence]) -> PassageOut:
    passage = hit.passage
    return PassageOut(
        ordinal=passage.ref.ordinal,
        heading=list(passage.heading),
        field=passage.field,
        text=passage.text,
        html=_shown(passage.text, files),
        highlights=highlights(query, read(passage.text).text),
        sentences=_sentences(sentences),
        audience=passage.access.audience,
        restricted=bool(passage.access.groups),
    )


@functools.lru_cache(maxsize=1024)
def _shown(markdown: str, files: str) -> str:
    """A passage as HTML. Parsing takes .5 ms each, ten hits a search, and few passages win often."""
    return render(markdown, files)
