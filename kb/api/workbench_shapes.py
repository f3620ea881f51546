"""What the workbench is asked and answers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from kb.api.search_shapes import FiltersIn, ReasonOut, Some
from kb.api.shapes import QUERY_LIMIT, Id, Item, Name, NoNul, Number, Shape, Short, Text, example
from kb.audience import Audience
from kb.language import Language
from kb.passage import ItemRef, Kind, Passage
from kb.query import Context, Query
from kb.search.fusion import Weights
from kb.solve import judging
from kb.solve.explaining import Explanation, LegHit, Place, Row, Trial
from kb.solve.judging import Compared, Judged, Listed, Side
from kb.solve.significance import Difference
from kb.solve.why_not import Finding, Verdict
from kb.standing import Standing
from kb.text.markdown import plain

EXCERPT = 320
"""Characters of a passage that are told: enough to judge by, not to read."""

QueryText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=QUERY_LIMIT), NoNul]
SetName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), NoNul]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Grade = Annotated[int, Field(ge=0, le=3, description="0 not relevant, 1 helps, 2 answers, 3 answers best.")]
_ID = "9f3c2b7a1d5e4c6f8a0b1c2d3e4f5a6b"
_SET = {"id": "1c0ffee0a5b64c7d8e9f0a1b2c3d4e5f", "name": "Broadband", "created_at": "2026-03-14T12:00:00Z"}
_ITEM = {
    "kind": "article", "id": _ID, "number": "482-9175", "title": "The hub's light is red", "language": "en",
    "audience": "public",
}  # fmt: skip
_PASSAGE = {"revision": 3, "ordinal": 0, "heading": ["After a power cut"], "text": "Hold reset for ten seconds."}
_SIDE = {"ndcg": 0.86, "unjudged": 2, "degraded": []}
_WEIGHTS = {"base": 0.35, "slope": 0.45, "least": 0.4, "most": 0.85, "exact": 0.4}
_DIFFERENCE = {"mean": 0.021, "low": 0.004, "high": 0.039, "p": 0.013, "wins": 9, "losses": 3, "ties": 28}


class WeightsIn(Shape):
    """How much the dense leg counts: `base` + `slope` * the best cosine, between `least` and `most`.

    `exact` replaces it for queries made of identifiers or quoted phrases.
    """

    base: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
    slope: Annotated[float, Field(ge=-2, le=2, allow_inf_nan=False)]
    least: Share
    most: Share
    exact: Share


class TrialIn(Shape):
    """Settings to try. What is left out stays as it is."""

    model_config = example({"weights": _WEIGHTS, "priors": {"age": 0}})

    weights: Annotated[WeightsIn | None, Field(description="Instead of those that the index was calibrated to.")] = None
    priors: Annotated[
        dict[Name, Annotated[float, Field(ge=0, le=5, allow_inf_nan=False)]],
        Field(
            default_factory=dict,
            max_length=20,
            description="How many times a prior counts, by its name; 0 switches it off.",
        ),
    ]

    @property
    def noun(self) -> Trial:
        """The same as a noun; raises Invalid for an unknown prior."""
        return Trial(Weights(**self.weights.model_dump()) if self.weights else None, self.priors)


class SituationIn(Shape):
    """The situation, as for a search."""

    product: Short = ""
    language: Language | None = None
    tags: Annotated[tuple[Name, ...], Some] = ()


class ExplainIn(Shape):
    """A search to be explained, as whom, with which settings, and what to look for in it."""

    model_config = example(
        {"query": "red light on the hub", "audience": "public", "limit": 10, "context": {"product": "hub-6"},
         "number": "482-9175"}
    )  # fmt: skip

    query: QueryText
    audience: Annotated[Audience | None, Field(description="As whom; yourself without.")] = None
    groups: Annotated[tuple[Name, ...], Field(max_length=50, description="Of yours; only with an audience.")] = ()
    limit: Annotated[int, Field(ge=1, le=50)] = 10
    filters: FiltersIn = FiltersIn()
    context: SituationIn = SituationIn()
    trial: TrialIn = TrialIn(priors={})
    number: Annotated[Number | None, Field(description="Why is this article not found, or where is it?")] = None
    item: Annotated[Item | None, Field(description="The same of anything that has no number.")] = None
    set_id: Annotated[Id | None, Field(description="Tell the grades of this set.")] = None

    @property
    def noun(self) -> Query:
        """The query as a noun."""
        context = Context(self.context.product, language=self.context.language, tags=self.context.tags)
        return Query(self.query, filters=self.filters.noun, context=context, limit=self.limit)


class FoundOut(Shape):
    """An item."""

    kind: Kind
    id: str
    number: str | None
    title: str
    language: Language | None
    audience: Audience

    @classmethod
    def of(cls, standing: Standing) -> "FoundOut":
        """From a noun."""
        return cls(
            kind=standing.item.kind,
            id=standing.item.id,
            number=standing.label or None,
            title=standing.title,
            language=Language(standing.language) if standing.language else None,
            audience=standing.access.audience,
        )


class ExcerptOut(Shape):
    """The beginning of a passage, in plain text."""

    revision: int
    ordinal: int
    heading: list[str]
    text: str

    @classmethod
    def of(cls, passage: Passage | None) -> "ExcerptOut | None":
        """From a noun."""
        if passage is None:
            return None
        text = " ".join(plain(passage.text).split())
        return cls(
            revision=passage.ref.revision,
            ordinal=passage.ref.ordinal,
            heading=list(passage.heading),
            text=text if len(text) <= EXCERPT else f"{text[:EXCERPT].rstrip()} …",
        )


class PlaceOut(Shape):
    """A place in a leg, from 1, with the leg's own score: BM25, or cosine."""

    place: int
    score: float

    @classmethod
    def of(cls, place: Place) -> "PlaceOut":
        """From a noun."""
        return cls(place=place.place, score=place.score)


class LegHitOut(PlaceOut):
    """A passage in a leg. `passage` is null where the index has one that is no longer shown."""

    item: FoundOut
    passage: ExcerptOut | None


class RowOut(Shape):
    """An item of the fused list. `place` is null below the cut."""

    place: int | None
    item: FoundOut
    passage: ExcerptOut | None
    score: float
    why: list[ReasonOut]
    legs: Annotated[dict[str, PlaceOut], Field(description="Where its best passage stands in each leg.")]
    grade: Grade | None


class DroppedOut(Shape):
    """What the index returned and the record did not confirm, and for what."""

    item: FoundOut
    reason: Literal["audience", "state", "text"]


class FindingOut(Shape):
    """One thing that was looked at for an item; `stop` alone keeps it from being shown."""

    name: str
    verdict: Verdict
    values: dict[str, str | float]

    @classmethod
    def of(cls, finding: Finding) -> "FindingOut":
        """From a noun."""
        return cls(name=finding.name, verdict=finding.verdict, values=dict(finding.values))


class ExplainOut(Shape):
    """A search, taken apart."""

    model_config = example(
        {
            "searched": "red light on the hub", "expanded": {},
            "weight": 0.62, "asked": ["lexical", "dense"], "degraded": [], "took_ms": {"total": 7.7},
            "legs": {
                "lexical": [{"place": 1, "score": 11.2, "item": _ITEM, "passage": _PASSAGE}],
                "dense": [{"place": 1, "score": 0.71, "item": _ITEM, "passage": _PASSAGE}],
            },
            "rows": [
                {
                    "place": 1, "item": _ITEM, "passage": _PASSAGE, "score": 0.91,
                    "why": [{"name": "relevance", "value": 0.86}, {"name": "evidence", "value": 0.05}],
                    "legs": {"lexical": {"place": 1, "score": 11.2}}, "grade": 3,
                }
            ],
            "dropped": [], "about": _ITEM,
            "findings": [{"name": "shown", "verdict": "fine", "values": {"place": 1, "score": 0.91}}],
        }
    )  # fmt: skip

    searched: Annotated[str, Field(description="What was searched, after correction.")]
    expanded: Annotated[dict[str, list[str]], Field(description="What the dictionary added, by what was typed.")]
    weight: Annotated[float | None, Field(description="Of the dense leg; null where nothing was fused.")]
    asked: Annotated[list[str], Field(description="The legs that were asked.")]
    degraded: list[str]
    took_ms: dict[str, float]
    legs: dict[str, list[LegHitOut]]
    rows: list[RowOut]
    dropped: list[DroppedOut]
    about: Annotated[FoundOut | None, Field(description="What the findings are about, if it is there for you.")]
    findings: list[FindingOut]


class SettingsOut(Shape):
    """What can be tried: the weights to begin with, and the names of the priors."""

    model_config = example(
        {"weights": _WEIGHTS, "priors": ["age", "confidence"], "audiences": ["public"], "groups": []}
    )

    weights: WeightsIn
    priors: list[str]
    audiences: Annotated[list[Audience], Field(description="As whom you can ask.")]
    groups: list[str]


class SetIn(Shape):
    """A set of judged queries."""

    model_config = example({"name": "Broadband"})

    name: SetName


class SetOut(Shape):
    """A set, with how much of it there is for you."""

    model_config = example(_SET | {"queries": 40, "judgements": 120})

    id: str
    name: str
    created_at: datetime
    queries: int
    judgements: int

    @classmethod
    def of(cls, listed: Listed) -> "SetOut":
        """From a noun."""
        own = listed.set
        return cls(id=own.id, name=own.name, created_at=own.created_at, queries=listed.queries,
                   judgements=listed.judgements)  # fmt: skip


class SetsOut(Shape):
    """All sets, by name."""

    model_config = example({"sets": [_SET | {"queries": 40, "judgements": 120}]})

    sets: list[SetOut]


class GradedOut(Shape):
    """An item with its grade."""

    item: FoundOut
    grade: Grade


class JudgedOut(Shape):
    """A query with its judgements, best grade first."""

    id: str
    text: str
    audience: Audience
    judgements: list[GradedOut]

    @classmethod
    def of(cls, judged: Judged) -> "JudgedOut":
        """From a noun."""
        return cls(
            id=judged.query.id,
            text=judged.query.text,
            audience=judged.query.audience,
            judgements=[
                GradedOut(item=FoundOut.of(judged.standings[each.item]), grade=each.grade) for each in judged.judgements
            ],
        )


class ReadSetOut(Shape):
    """A set with its queries, oldest first."""

    model_config = example(
        {
            "id": _SET["id"], "name": "Broadband",
            "queries": [
                {"id": _ID, "text": "red light", "audience": "public", "judgements": [{"item": _ITEM, "grade": 3}]}
            ],
        }
    )  # fmt: skip

    id: str
    name: str
    queries: list[JudgedOut]


class JudgementIn(Shape):
    """How well an item answers a query that is asked as that audience; a grade of null takes it back."""

    model_config = example(
        {"query": "red light", "audience": "public", "item": {"kind": "article", "id": _ID}, "grade": 3}
    )

    query: QueryText
    audience: Audience
    item: Item
    grade: Grade | None


class TableIn(Shape):
    """Judgements to be read into a set of that name, which may be there.

    Each line is a query, an article number (or post/id), a grade and, if it is not internal, the audience; with tabs
    between them.
    """

    model_config = example({"name": "Broadband", "tsv": "red light\t482-9175\t3\tpublic\n"})

    name: SetName
    tsv: Annotated[Text, Field(min_length=1, max_length=1_000_000)]


class LoadedOut(Shape):
    """What was read."""

    model_config = example({"id": _SET["id"], "name": "Broadband", "judgements": 120})

    id: str
    name: str
    judgements: int


class CompareIn(Shape):
    """Two settings over a set. `after` goes on behind a query, as `next` says."""

    model_config = example({"set_id": _SET["id"], "a": {}, "b": {"priors": {"age": 0}}})

    set_id: Id
    a: TrialIn
    b: TrialIn
    after: Id | None = None


class SideOut(Shape):
    """One setting on one query: nDCG@10, hits that nobody judged, parts of the search that were missing."""

    ndcg: float
    unjudged: int
    degraded: list[str]

    @classmethod
    def of(cls, side: Side) -> "SideOut":
        """From a noun."""
        return cls(ndcg=side.ndcg, unjudged=side.unjudged, degraded=list(side.degraded))


class ComparedOut(Shape):
    """One query under both settings."""

    id: str
    text: str
    audience: Audience
    a: SideOut
    b: SideOut

    @classmethod
    def of(cls, compared: Compared) -> "ComparedOut":
        """From a noun."""
        query = compared.query
        return cls(id=query.id, text=query.text, audience=query.audience, a=SideOut.of(compared.a),
                   b=SideOut.of(compared.b))  # fmt: skip


class CompareOut(Shape):
    """The next queries of a comparison. `next` goes on, null at the end; `total` is how many there will be."""

    model_config = example(
        {"queries": [{"id": _ID, "text": "red light", "audience": "public", "a": _SIDE, "b": _SIDE}], "next": None,
         "total": 1}
    )  # fmt: skip

    queries: list[ComparedOut]
    next: str | None
    total: int


class PairsIn(Shape):
    """One value per query of each setting, in the same order."""

    model_config = example({"a": [0.5, 0.63], "b": [0.5, 1.0]})

    a: Annotated[tuple[Share, ...], Field(min_length=1, max_length=judging.COMPARED)]
    b: Annotated[tuple[Share, ...], Field(min_length=1, max_length=judging.COMPARED)]


class DifferenceOut(Shape):
    """Whether a difference is real: the mean of b - a with its 95 % interval and p by the paired bootstrap.

    A query that differs by less than .001 is a tie.
    """

    model_config = example(_DIFFERENCE)

    mean: float
    low: float
    high: float
    p: float
    wins: int
    losses: int
    ties: int

    @classmethod
    def of(cls, found: Difference, a: Sequence[float], b: Sequence[float]) -> "DifferenceOut":
        """From a noun and what it is about."""
        wins = sum(y - x >= TIE for x, y in zip(a, b, strict=True))
        losses = sum(x - y >= TIE for x, y in zip(a, b, strict=True))
        return cls(mean=found.mean, low=found.low, high=found.high, p=found.p, wins=wins, losses=losses,
                   ties=len(a) - wins - losses)  # fmt: skip


TIE = 0.001


def leg_out(leg: Iterable[LegHit]) -> list[LegHitOut]:
    """A leg."""
    return [
        LegHitOut(
            place=each.at.place,
            score=each.at.score,
            item=FoundOut.of(each.standing),
            passage=ExcerptOut.of(each.passage),
        )
        for each in leg
    ]


def row_out(row: Row, grade: int | None) -> RowOut:
    """A row of the fused list."""
    return RowOut(
        place=row.place,
        item=FoundOut.of(row.standing),
        passage=ExcerptOut.of(row.passage),
        score=round(row.score, 4),
        why=[ReasonOut(name=each.name, value=each.value) for each in row.why],
        legs={name: PlaceOut.of(place) for name, place in row.legs.items()},
        grade=grade,
    )


def explained(
    found: Explanation, query: str, grades: Mapping[ItemRef, int], about: Standing | None, findings: Iterable[Finding]
) -> ExplainOut:
    """The whole answer."""
    answer = found.answer
    return ExplainOut(
        searched=answer.correction.searched if answer.correction else query,
        expanded={each.term: list(each.also) for each in answer.retrieval.expanded},
        weight=None if answer.retrieval.weight is None else round(answer.retrieval.weight, 4),
        asked=list(answer.legs),
        degraded=list(answer.degraded),
        took_ms=answer.took_ms,
        legs={name: leg_out(leg) for name, leg in found.legs.items()},
        rows=[row_out(each, grades.get(each.standing.item)) for each in found.rows],
        dropped=[DroppedOut(item=FoundOut.of(each.standing), reason=each.reason) for each in found.dropped],
        about=FoundOut.of(about) if about else None,
        findings=[FindingOut.of(each) for each in findings],
    )
