"""What the two engines have in common: checks before a write, the order of a replacement, the shape of an answer.

An engine translates a few small steps into its vendor's words; everything that must be equal on both stands here.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple, TypeVar

import numpy as np

from kb.errors import Invalid
from kb.passage import ItemRef, PassageRef
from kb.search.index import (
    DENSE,
    REF_FIELDS,
    Condition,
    Legs,
    Point,
    Request,
    Scored,
    Stored,
    Vector,
    conditions_of,
    counted_over,
    item_key,
    ref_of,
)
from kb.search.lexical import LEXICAL, Sparse

BATCH = 64
"""Points per engine call. The embedded engine stops every thread during a call, so a waiting query waits for one batch:
some 15 ms at 64, at 5 % less speed than 256."""

_PAGE = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Leg:
    """One query in the engine's terms: the vector, its name, what a passage has to meet.

    `corpus`, where given, is the condition over which N and df are counted.
    """

    name: str
    vector: Sparse | Vector
    conditions: Sequence[Condition]
    corpus: Condition | None
    k: int
    exact: bool


class Name(NamedTuple):
    """What a point stands for: a passage, in a language."""

    ref: PassageRef
    language: str


class EngineIndex(ABC):
    """A `PassageIndex` on top of a few steps of an engine."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        # One replacement at a time: two of the same item would each delete what the other wrote.
        self._writing = threading.Lock()

    @property
    def dimension(self) -> int:
        """How many numbers a dense vector has."""
        return self._dimension

    def upsert(self, points: Sequence[Point]) -> None:
        """See `PassageIndex.upsert`."""
        check_points(points, self._dimension)
        with self._writing:
            self._write(points)

    def set_dense(self, vectors: Sequence[tuple[PassageRef, Vector]]) -> int:
        """See `PassageIndex.set_dense`."""
        check_dense([vector for _, vector in vectors], self._dimension)
        known = 0
        with self._writing:
            for batch in _batches(vectors):
                # Adding a vector to a missing point raises, yet adds the others: look first.
                there = self._existing([ref.point_id for ref, _ in batch])
                found = {ref.point_id: vector for ref, vector in batch if ref.point_id in there}
                if found:
                    self._add_dense(found)
                known += len(found)
        return known

    def replace(self, items: Mapping[ItemRef, Sequence[Point]]) -> None:
        """See `PassageIndex.replace`."""
        new = [point for points in items.values() for point in points]
        check_points(new, self._dimension)
        for item, points in items.items():
            if any(point.ref.item != item for point in points):
                raise Invalid(f"a point given for {item_key(item)} belongs to another item")
        with self._writing:
            keep = {point.ref.point_id for point in new}
            old = [id for batch in _batches(list(items)) for id in self._ids_of(batch)]
            self._write(new)
            for batch in _batches([id for id in old if id not in keep]):
                self._delete(batch)

    def retrieve(self, request: Request) -> Legs:
        """See `PassageIndex.retrieve`."""
        conditions = conditions_of(request.reader, request.filters)
        legs: list[Leg] = []
        if request.lexical is not None and len(request.lexical):
            corpus = counted_over(request.reader)
            legs.append(Leg(LEXICAL, request.lexical, conditions, corpus, request.k, request.exact))
        if request.dense is not None and request.dense.size:
            check_dense([request.dense], self._dimension)
            legs.append(Leg(DENSE, request.dense, conditions, None, request.k, request.exact))
        # An empty leg never reaches the engine: it has been seen to score unrelated points (qdrant#4937).
        if not legs:
            return Legs()
        found = dict(zip((leg.name for leg in legs), map(_ranked, self._query(legs)), strict=True))
        return Legs(lexical=found.get(LEXICAL, []), dense=found.get(DENSE, []))

    def refs(self, item: ItemRef | None = None) -> Iterator[PassageRef]:
        """See `PassageIndex.refs`."""
        return self._refs(_of([item]) if item else [])

    def without_dense(self, items: Sequence[ItemRef] | None = None) -> Iterator[PassageRef]:
        """See `PassageIndex.without_dense`."""
        return self._refs(_of(items) if items is not None else [], lacking=DENSE)

    def stored(self, items: Sequence[ItemRef]) -> list[Stored]:
        """See `PassageIndex.stored`."""
        # Small pages: this is read while people search.
        return [row for batch in _batches(items) for row in self._scroll(_of(batch), None, page=BATCH)]

    def page(self, after: str | None, limit: int) -> tuple[list[Stored], str | None]:
        """See `PassageIndex.page`."""
        return self._page([], None, "", after, limit)

    def remove(self, ids: Sequence[str]) -> None:
        """See `PassageIndex.remove`."""
        with self._writing:
            for batch in _batches(ids):
                self._delete(batch)

    def _refs(self, conditions: Sequence[Condition], lacking: str = "") -> Iterator[PassageRef]:
        for row in self._scroll(conditions, REF_FIELDS, lacking):
            yield ref_of(row.payload)

    def _ids_of(self, items: Sequence[ItemRef]) -> list[str]:
        return [row.id for row in self._scroll(_of(items), ())]

    def _scroll(
        self, conditions: Sequence[Condition], fields: Sequence[str] | None, lacking: str = "", page: int = _PAGE
    ) -> Iterator[Stored]:
        after: str | None = None
        while True:
            rows, after = self._page(conditions, fields, lacking, after, page)
            yield from rows
            if after is None:
                return

    def _write(self, points: Sequence[Point]) -> None:
        for batch in _batches(points):
            self._put(batch)

    @abstractmethod
    def _put(self, points: Sequence[Point]) -> None:
        """Insert or overwrite points."""

    @abstractmethod
    def _add_dense(self, vectors: Mapping[str, Vector]) -> None:
        """Set the dense vector of existing points, by point id."""

    @abstractmethod
    def _delete(self, ids: Sequence[str]) -> None:
        """Delete points."""

    @abstractmethod
    def _existing(self, ids: Sequence[str]) -> set[str]:
        """Which of these points are there."""

    @abstractmethod
    def _page(
        self, conditions: Sequence[Condition], fields: Sequence[str] | None, lacking: str, after: str | None, limit: int
    ) -> tuple[list[Stored], str | None]:
        """The next points that meet the conditions and lack that vector, with these payload fields (None for all)."""

    @abstractmethod
    def _query(self, legs: Sequence[Leg]) -> list[list[Scored]]:
        """The answers to several legs, in any order; without points that have no name."""


def check_points(points: Sequence[Point], dimension: int) -> None:
    """Nothing, or Invalid: an engine that fails in the middle of a batch keeps what it had written of it."""
    check_dense([point.dense for point in points if point.dense is not None], dimension)
    for point in points:
        _check_sparse(point.ref, point.lexical)


def check_dense(vectors: Sequence[Vector], dimension: int) -> None:
    """Nothing, or Invalid where a vector has another shape than (dimension,) or a number that is not finite."""
    for vector in vectors:
        if vector.shape != (dimension,):
            raise Invalid(f"a dense vector has the shape {vector.shape}, the index takes ({dimension},)")
    for batch in _batches(vectors):
        if not np.isfinite(np.stack(batch)).all():
            raise Invalid("a dense vector holds a number that is not finite")


def _check_sparse(ref: PassageRef, vector: Sparse) -> None:
    if len(vector.indices) != len(vector.values):
        raise Invalid(f"{ref}: a lexical vector has {len(vector.indices)} indices and {len(vector.values)} values")
    if len(set(vector.indices)) != len(vector.indices):
        raise Invalid(f"{ref}: a lexical vector names an index twice")
    if vector.indices and (min(vector.indices) < 0 or max(vector.indices) >= 2**32):
        raise Invalid(f"{ref}: a lexical vector has an index outside 32 bits")
    # The sum is finite when all values are: one addition each instead of one call each.
    if not isfinite(sum(vector.values)):
        raise Invalid(f"{ref}: a lexical vector has a value that is not finite")


def name_of(payload: Mapping[str, object]) -> Name | None:
    """What a point with that payload (`REF_FIELDS`) stands for.

    None for a damaged one: it must not fail every search that it wins. The drift checker removes it.
    """
    try:
        return Name(ref_of(payload), str(payload.get("language")))
    except ValueError:
        return None


def _ranked(found: Iterable[Scored]) -> list[Scored]:
    return sorted(found, key=lambda each: (-each.score, each.ref))


def _of(items: Sequence[ItemRef]) -> list[Condition]:
    return [("item", tuple(item_key(item) for item in items))]


def _batches(things: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(things), BATCH):
        yield things[start : start + BATCH]
