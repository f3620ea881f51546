"""A small corpus with everything in it that a filter, a reader or a score can depend on."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from kb.audience import Access, Audience, Reader
from kb.language import Language
from kb.passage import ItemRef, Kind, Passage, PassageRef
from kb.query import Filters
from kb.search.index import Legs, Point, Scored, Vector, point_of
from tests.toys import ToyEncoder

ENCODER = ToyEncoder(32)
READERS = [
    *(Reader(tier) for tier in Audience),
    Reader(Audience.PUBLIC, frozenset({"beta"})),
    Reader(Audience.PARTNER, frozenset({"acme"})),
    Reader(Audience.INTERNAL, frozenset({"fraud", "beta"})),
]
_WORDS = [f"word{n}" for n in range(400)]
_WEIGHTS = [1 / (n + 5) for n in range(400)]


def passage(
    item: str = "a1",
    text: str = "restart the hub",
    audience: Audience = Audience.PUBLIC,
    groups: Iterable[str] = (),
    revision: int = 1,
    ordinal: int = 0,
    kind: Kind = Kind.ARTICLE,
    language: Language = Language.ENGLISH,
    **fields: object,
) -> Passage:
    """One passage; `text` is white-space separated tokens."""
    ref = PassageRef(kind, item, revision, ordinal)
    plain = Passage(ref, "", (), text, language, Access(audience, frozenset(groups)))
    return replace(plain, **fields)  # type: ignore[arg-type]


def passages(count: int, seed: int = 1) -> list[Passage]:
    """Passages of 20 to 60 words with all audiences, groups, languages and filter fields, two to an item."""
    rng = random.Random(seed)
    return [
        passage(
            item=f"item{n // 2}",
            ordinal=n % 2,
            text=" ".join(rng.choices(_WORDS, _WEIGHTS, k=rng.randint(20, 60))),
            audience=rng.choices(list(Audience), [4, 2, 1, 3])[0],
            groups=rng.choice([(), (), (), ("fraud",), ("beta",), ("acme", "fraud")]),
            kind=Kind.POST if n // 2 % 3 == 0 else Kind.ARTICLE,
            language=rng.choice(list(Language)),
            topic=rng.choice(["", "broadband", "broadband/faults", "tv"]),
            products=tuple(rng.sample(["hub-5", "hub-6", "tv-box"], rng.randint(0, 2))),
            tags=tuple(rng.sample(["slow", "red-light", "outage"], rng.randint(0, 2))),
            confidence=rng.choice(["", "validated", "not_validated"]),
            source=rng.choice(["", "markdown", "forum"]),
        )
        for n in range(count)
    ]


def any_filters(rng: random.Random) -> Filters:
    """Filters that leave something to find: mostly none, sometimes one field, sometimes two."""
    choices: list[dict[str, tuple[object, ...]]] = [
        {},
        {},
        {"kinds": (Kind.ARTICLE,)},
        {"languages": (Language.SIMPLIFIED, Language.TRADITIONAL)},
        {"products": ("hub-6",)},
        {"topics": ("broadband",)},
        {"tags": ("slow", "outage"), "sources": ("markdown", "forum")},
        {"confidence": ("validated",), "kinds": (Kind.POST, Kind.ARTICLE)},
    ]
    return Filters(**rng.choice(choices))  # type: ignore[arg-type]


def any_query(rng: random.Random) -> list[str]:
    """One to eight words, sometimes one twice, sometimes one that no passage has."""
    words = rng.choices(_WORDS, _WEIGHTS, k=rng.randint(1, 8))
    return [*words, "unknown"] if rng.random() < 0.2 else words


def meets(passage: Passage, filters: Filters) -> bool:
    """What the filters mean, said another way than the index says it."""
    fields: list[tuple[Sequence[str], Sequence[str]]] = [
        (filters.kinds, [passage.ref.kind]),
        (filters.languages, [passage.language]),
        (filters.products, passage.products),
        (filters.topics, passage.topics),
        (filters.tags, passage.tags),
        (filters.confidence, [passage.confidence]),
        (filters.sources, [passage.source]),
    ]
    return all(not wanted or set(wanted) & set(has) for wanted, has in fields)


def average_length(them: Iterable[Passage]) -> float:
    """Average length in tokens."""
    lengths = [len(one.text.split()) for one in them]
    return sum(lengths) / len(lengths) if lengths else 0.0


def points(them: Sequence[Passage], average: float | None = None, dense: bool = True) -> list[Point]:
    """Points of passages, with the average length of these passages unless another is given."""
    known = average if average is not None else average_length(them)
    vectors = ENCODER.encode_passages([one.text for one in them]) if dense else [None] * len(them)
    return [point_of(one, one.text.split(), known, vector) for one, vector in zip(them, vectors, strict=True)]


def by_item(some: Iterable[Point]) -> dict[ItemRef, list[Point]]:
    """Points grouped as `replace` takes them."""
    groups: dict[ItemRef, list[Point]] = {}
    for point in some:
        groups.setdefault(point.ref.item, []).append(point)
    return groups


def dense_query(words: Sequence[str]) -> Vector:
    """A query's dense vector."""
    vector: Vector = ENCODER.encode_queries([" ".join(words)])[0]
    return vector


def scores(leg: Sequence[Scored]) -> dict[PassageRef, float]:
    """A leg as ref -> score."""
    return {hit.ref: hit.score for hit in leg}


def same_up_to_ties(one: Sequence[Scored], other: Sequence[Scored], within: float = 1e-5) -> bool:
    """Whether two rankings are equal where scores differ by more than `within`."""
    if not np.allclose([hit.score for hit in one], [hit.score for hit in other], rtol=0, atol=within):
        return False
    theirs = scores(other)
    edge = one[-1].score if one else 0.0  # who made it among equals at the cut is the engine's choice
    return all(abs(theirs.get(hit.ref, edge) - hit.score) <= within for hit in one)


def same_scores(one: Legs, other: Legs) -> bool:
    """Whether both legs hold the same passages with the same scores but for float32 rounding.

    Engines add up a query's terms in the order in which they first met them, so the last bit may differ.
    """
    return all(
        scores(mine) == pytest.approx(scores(theirs), rel=1e-6, abs=1e-6)
        for mine, theirs in ((one.lexical, other.lexical), (one.dense, other.dense))
    )
