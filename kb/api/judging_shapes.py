"""Sets of judged queries, and settings compared over them: what the workbench is asked and answers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from kb.api.shapes import Id, Item, NoNul, Shape, Text, example
from kb.api.workbench_shapes import ID, ITEM, FoundOut, Grade, QueryText, Share, TrialIn
from kb.audience import Audience
from kb.solve import judging
from kb.solve.judging import Compared, Judged, Listed, Side
from kb.solve.significance import Difference

TIE = 0.001
"""nDCG by which a query has to differ, or it is a tie."""

SetName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), NoNul]
_SET = {"id": "1c0ffee0a5b64c7d8e9f0a1b2c3d4e5f", "name": "Broadband", "created_at": "2026-03-14T12:00:00Z"}
_SIDE = {"ndcg": 0.86, "unjudged": 2, "degraded": []}
_DIFFERENCE = {"mean": 0.021, "low": 0.004, "high": 0.039, "p": 0.013, "wins": 9, "losses": 3, "ties": 28}


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
                {"id": ID, "text": "red light", "audience": "public", "judgements": [{"item": ITEM, "grade": 3}]}
            ],
        }
    )  # fmt: skip

    id: str
    name: str
    queries: list[JudgedOut]


class JudgementIn(Shape):
    """How well an item answers a query that is asked as that audience; a grade of null takes it back."""

    model_config = example(
        {"query": "red light", "audience": "public", "item": {"kind": "article", "id": ID}, "grade": 3}
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
        {"queries": [{"id": ID, "text": "red light", "audience": "public", "a": _SIDE, "b": _SIDE}], "next": None,
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
