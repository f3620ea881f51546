"""The passage index: the one narrow interface between the searcher and an engine.

The index is a cache of what SQL says. It holds ids, fields to filter by and vectors, never text; two engines
implement it, `kb.search.edge` inside the process and `kb.search.server` over the network.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from kb.audience import ANYONE, Reader
from kb.passage import ItemRef, Kind, Passage, PassageRef
from kb.query import Filters
from kb.search.lexical import Sparse, document_vector

Vector = npt.NDArray[np.float32]
Payload = dict[str, str | int | list[str]]
Condition = tuple[str, tuple[str, ...]]
"""A payload field and the values any of which it must have."""

DENSE = "dense"
_KINDS = {kind.value: kind for kind in Kind}
FILTER_FIELDS = ("reader", "item", "kind", "language", "product", "topic", "tag", "confidence", "source")
REF_FIELDS = ("item", "revision", "ordinal", "language")


@dataclass(frozen=True, slots=True)
class Point:
    """One passage as the index keeps it.

    `lexical` holds BM25 weights; `dense` has shape (dimension,), or is None until the vector
    is there: the point is then found lexically only.
    """

    ref: PassageRef
    payload: Payload
    lexical: Sparse
    dense: Vector | None = None


class Stored(NamedTuple):
    """A point as it stands in an index, without its vectors. Whatever may have happened to it: nothing is checked."""

    id: str
    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Request:
    """What both legs are asked. A leg whose side is None or empty stays empty.

    `k` is the number of passages per leg. `exact` compares full vectors one by one, which is what tests and
    measurements want; otherwise quantized vectors choose the candidates and full ones score them.
    """

    lexical: Sparse | None = None
    dense: Vector | None = None
    reader: Reader = ANYONE
    filters: Filters = field(default_factory=Filters)
    k: int = 100
    exact: bool = False


class Scored(NamedTuple):
    """A passage with the score of one leg: BM25 for lexical, cosine for dense."""

    ref: PassageRef
    language: str
    score: float


@dataclass(frozen=True, slots=True)
class Legs:
    """The answers of the two legs, best first; equal scores in order of reference."""

    lexical: list[Scored] = field(default_factory=list)
    dense: list[Scored] = field(default_factory=list)


class PassageIndex(Protocol):
    """An index of passages. Every method may raise `kb.errors.IndexUnavailable`; it may be called from any thread.

    Writes are visible to the next `retrieve`, and safe from a crash after `flush`. A write that the engine could
    not take whole raises `kb.errors.Invalid` before anything is written.
    """

    @property
    def dimension(self) -> int:
        """How many numbers a dense vector has."""

    def upsert(self, points: Sequence[Point]) -> None:
        """Write points, each as a whole: one without a dense vector loses the one it had."""

    def set_dense(self, vectors: Sequence[tuple[PassageRef, Vector]]) -> int:
        """Add dense vectors to points that are there; returns to how many. Missing points are skipped."""

    def replace(self, items: Mapping[ItemRef, Sequence[Point]]) -> None:
        """Make the index hold exactly these points for these items; an empty sequence removes the item.

        The new points are written before the old ones go, so that an item is never missing in between.
        """

    def retrieve(self, request: Request) -> Legs:
        """The best `k` passages of each leg among those that reader may read and that meet the filters."""

    def flush(self) -> None:
        """Return once everything written so far is on disk."""

    def count(self) -> int:
        """The number of points."""

    def refs(self, item: ItemRef | None = None) -> Iterator[PassageRef]:
        """All points, or those of one item, in no particular order."""

    def without_dense(self, items: Sequence[ItemRef] | None = None) -> Iterator[PassageRef]:
        """The points, or those of some items, that still wait for their dense vector."""

    def stored(self, items: Sequence[ItemRef]) -> list[Stored]:
        """All points that say they belong to one of these items."""

    def page(self, after: str | None, limit: int) -> tuple[list[Stored], str | None]:
        """The next points in order of their ids, and where to go on; None at the end."""

    def remove(self, ids: Sequence[str]) -> None:
        """Delete points by id, whatever they hold. Missing ones are skipped."""

    def optimize(self) -> bool:
        """Tidy the engine's storage; returns whether there was anything to do. May stop the whole process for long."""

    def close(self) -> None:
        """Flush and let go; every later call raises IndexUnavailable."""


def point_of(
    passage: Passage,
    tokens: Sequence[str] | Mapping[str, float],
    average_length: float,
    dense: Vector | None = None,
    pairs: Sequence[str] = (),
) -> Point:
    """The point of a passage.

    `tokens` and `pairs` are its terms (`kb.search.terms`); `average_length` is that of a passage, in tokens (0 where
    unknown).
    """
    return Point(passage.ref, payload_of(passage), document_vector(tokens, average_length, pairs=pairs), dense)


def payload_of(passage: Passage) -> Payload:
    """Ids and filter fields, never text: an engine does not erase the bytes of what it deletes.

    Written short, since each string costs the embedded engine 3 us and each list 4 us more: nothing empty is stored,
    and one value stands alone (engines match it as they match a list of one).
    """
    ref = passage.ref
    fields: dict[str, str | int | Sequence[str]] = {
        "item": item_key(ref.item),
        "kind": ref.kind.value,
        "revision": ref.revision,
        "ordinal": ref.ordinal,
        "reader": _scoped_keys(passage),
        "language": passage.language.value,
        "product": passage.products,
        "topic": passage.topics,
        "tag": passage.tags,
        "confidence": passage.confidence,
        "source": passage.source,
    }
    return {name: _short(value) for name, value in fields.items() if value not in ("", (), [])}


def _scoped_keys(passage: Passage) -> list[str]:
    """The keys that open the passage, plain and joined with its kind and with its language.

    Two conditions that most passages meet cost the engine 19 ms at 50,000 passages, one condition 5 ms: so the two
    broad filters that people really use are answered by one exact match.
    """
    keys = [str(key) for key in passage.access.reader_keys]
    return [f"{key}{scope}" for scope in ("", f"/{passage.ref.kind}", f"/{passage.language}") for key in keys]


def _short(value: str | int | Sequence[str]) -> str | int | list[str]:
    if isinstance(value, str | int):
        return value
    return value[0] if len(value) == 1 else list(value)


def item_key(item: ItemRef) -> str:
    """An item as one keyword, such as "article/4f2a"."""
    return f"{item.kind.value}/{item.id}"


def ref_of(payload: Mapping[str, object]) -> PassageRef:
    """The passage that a stored payload stands for; raises ValueError for one that is not ours."""
    try:
        kind, _, item_id = str(payload["item"]).partition("/")
        known, revision, ordinal = _KINDS[kind], payload["revision"], payload["ordinal"]
    except KeyError:
        revision = ordinal = None
    if not isinstance(revision, int) or not isinstance(ordinal, int):
        raise ValueError(f"the index holds a point that is no passage of ours: {dict(payload)}")
    return PassageRef(known, item_id, revision, ordinal)


def conditions_of(reader: Reader, filters: Filters) -> list[Condition]:
    """All hard conditions of a search: any value within a field, every field."""
    kinds = tuple(kind.value for kind in filters.kinds)
    languages = tuple(language.value for language in filters.languages)
    scope = ""
    if len(kinds) == 1:
        scope, kinds = f"/{kinds[0]}", ()
    elif len(languages) == 1:
        scope, languages = f"/{languages[0]}", ()
    fields: list[Condition] = [
        ("reader", tuple(f"{key}{scope}" for key in reader.keys)),
        ("kind", kinds),
        ("language", languages),
        ("product", filters.products),
        ("topic", filters.topics),
        ("tag", filters.tags),
        ("confidence", filters.confidence),
        ("source", filters.sources),
    ]
    return [(name, tuple(dict.fromkeys(values))) for name, values in fields if values]


def counted_over(reader: Reader) -> Condition:
    """The condition on the text over which N and df are counted for this reader: all that their tier may read."""
    return "reader", (reader.tier.value,)
