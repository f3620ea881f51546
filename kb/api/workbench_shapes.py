"""What the workbench is asked and answers."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from kb.api.search_shapes import FiltersIn, ReasonOut, Some
from kb.api.shapes import QUERY_LIMIT, Id, Item, Name, NoNul, Number, Shape, Short, example
from kb.audience import Audience
from kb.language import Language
from kb.passage import ItemRef, Kind, Passage
from kb.query import Context, Query
from kb.search.fusion import Weights
from kb.solve.explaining import Explanation, LegHit, Place, Row, Trial
from kb.solve.why_not import Finding, Verdict
from kb.standing import Standing
from kb.text.markdown import plain

EXCERPT = 320
"""Characters of a passage that are told: enough to judge by, not to read."""

QueryText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=QUERY_LIMIT), NoNul]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Grade = Annotated[int, Field(ge=0, le=3, description="0 not relevant, 1 helps, 2 answers, 3 answers best.")]
ID = "9f3c2b7a1d5e4c6f8a0b1c2d3e4f5a6b"
ITEM = {
    "kind": "article", "id": ID, "number": "482-9175", "title": "The hub's light is red", "language": "en",
    "audience": "public",
}  # fmt: skip
_PASSAGE = {"revision": 3, "ordinal": 0, "heading": ["After a power cut"], "text": "Hold reset for ten seconds."}
WEIGHTS = {"base": 0.35, "slope": 0.45, "least": 0.4, "most": 0.85, "exact": 0.4}


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

    model_config = example({"weights": WEIGHTS, "priors": {"age": 0}})

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
                "lexical": [{"place": 1, "score": 11.2, "item": ITEM, "passage": _PASSAGE}],
                "dense": [{"place": 1, "score": 0.71, "item": ITEM, "passage": _PASSAGE}],
            },
            "rows": [
                {
                    "place": 1, "item": ITEM, "passage": _PASSAGE, "score": 0.91,
                    "why": [{"name": "relevance", "value": 0.86}, {"name": "evidence", "value": 0.05}],
                    "legs": {"lexical": {"place": 1, "score": 11.2}}, "grade": 3,
                }
            ],
            "dropped": [], "about": ITEM,
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

    model_config = example({"weights": WEIGHTS, "priors": ["age", "confidence"], "audiences": ["public"], "groups": []})

    weights: WeightsIn
    priors: list[str]
    audiences: Annotated[list[Audience], Field(description="As whom you can ask.")]
    groups: list[str]


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
