"""The embedded engine: Qdrant Edge, the real Qdrant inside this process, one folder on disk."""

import json
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from pathlib import Path

import qdrant_edge as qdrant

from kb.errors import IndexBroken, IndexUnavailable
from kb.search.base import EngineIndex, Leg, Name, name_of
from kb.search.index import DENSE, FILTER_FIELDS, REF_FIELDS, Condition, Point, Scored, Stored, Vector
from kb.search.lexical import LEXICAL, Sparse

REMEMBERED = 100_000
"""Points whose names are kept in memory, some 350 bytes each. With every hit the engine reads all of a point's payload:
2 of 8 ms of CPU for both legs among 100,000 passages, and 1.5 ms more to make it a name again."""

_SCORED_AGAIN = 4.0  # passages for each one asked for, see `_config`
_NEVER_KB = 10**9


class EdgeIndex(EngineIndex):
    """A `PassageIndex` in one folder, held by one process.

    One lock stands around every call: the engine never releases the interpreter's lock, so calls cannot overlap
    anyway, and without it p95 under eight threads was 134 ms instead of 80 (100,000 passages).
    """

    def __init__(self, shard: "qdrant.EdgeShard", dimension: int, need_room: Callable[[], None]) -> None:
        super().__init__(dimension)
        self._shard = shard
        self._need_room = need_room
        self._lock = threading.Lock()
        self._closed = False
        self._names: dict[object, Name] = {}  # by id as the engine gives it, a UUID

    @classmethod
    def create(cls, folder: Path, dimension: int, need_room: Callable[[], None] = lambda: None) -> "EdgeIndex":
        """A new index in a folder that has none yet; IndexUnavailable where it has.

        `need_room` is asked before each write. It raises NoRoom where the disk is almost full: the engine writes
        through memory maps, and where those find no room the operating system ends the process (SIGBUS).
        """
        with _translated(folder):
            folder.mkdir(parents=True, exist_ok=True)
            need_room()
            return cls._ready(qdrant.EdgeShard.create(str(folder), _config(dimension)), dimension, need_room)

    @classmethod
    def open(
        cls, folder: Path, dimension: int | None = None, need_room: Callable[[], None] = lambda: None
    ) -> "EdgeIndex":
        """The index in that folder.

        IndexBroken where there is none that can be read, or one for vectors of another dimension than the one asked
        for; IndexUnavailable where another process holds it. `need_room` as for `create`: opening writes as well.
        """
        stored = _stored_dimension(folder)
        if dimension is not None and dimension != stored:
            raise IndexBroken(
                f"the index in {folder} has {stored} dimensions, the encoder {dimension}: rebuild it (kb reindex)"
            )
        with _translated(folder):
            need_room()
            return cls._ready(qdrant.EdgeShard.load(str(folder)), stored, need_room)

    @classmethod
    def _ready(cls, shard: "qdrant.EdgeShard", dimension: int, need_room: Callable[[], None]) -> "EdgeIndex":
        """The index with its filter fields; also on opening, should a crash have come between."""
        there = shard.info().payload_schema
        for field in FILTER_FIELDS:
            if field not in there:
                shard.update(qdrant.UpdateOperation.create_field_index(field, qdrant.PayloadSchemaType.Keyword))
        return cls(shard, dimension, need_room)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def remembered(self) -> int:
        """How many points' names are kept in memory."""
        return len(self._names)

    def flush(self) -> None:
        """Return once everything is on disk (some 20 ms)."""
        with self._engine() as shard:
            shard.flush()

    def count(self) -> int:
        """The number of points."""
        with self._engine() as shard:
            return int(shard.count(qdrant.CountRequest()))

    def optimize(self) -> bool:
        """Rebuild the segment without its deleted points, if they are more than a fifth of it (and than 1,000).

        The whole process stands still meanwhile, 20 s and 1.3 GB more at 100,000 passages, so nothing that serves
        calls this: a new generation beside the old one does the same without a pause.
        """
        with self._engine() as shard:
            return bool(shard.optimize())

    def close(self) -> None:
        """Flush and release the folder; closing twice is fine. Raises IndexUnavailable where the engine fails."""
        with self._engine() as shard:
            if not self._closed:
                self._closed = True
                shard.close()

    def _put(self, points: Sequence[Point]) -> None:
        self._need_room()
        written = [qdrant.Point(point.ref.point_id, _vectors(point), point.payload) for point in points]
        with self._engine() as shard:
            self._forget(point.ref.point_id for point in points)
            shard.update(qdrant.UpdateOperation.upsert_points(written))

    def _add_dense(self, vectors: Mapping[str, Vector]) -> None:
        self._need_room()
        changes = [qdrant.PointVectors(id, {DENSE: vector.tolist()}) for id, vector in vectors.items()]
        with self._engine() as shard:
            shard.update(qdrant.UpdateOperation.update_vectors(changes))

    def _delete(self, ids: Sequence[str]) -> None:
        self._need_room()
        with self._engine() as shard:
            self._forget(ids)
            shard.update(qdrant.UpdateOperation.delete_points(list(ids)))

    def _existing(self, ids: Sequence[str]) -> set[str]:
        with self._engine() as shard:
            return {str(record.id) for record in shard.retrieve(list(ids), False, False)}

    def _page(
        self, conditions: Sequence[Condition], fields: Sequence[str] | None, lacking: str, after: str | None, limit: int
    ) -> tuple[list[Stored], str | None]:
        asked = qdrant.ScrollRequest(
            offset=after,
            limit=limit,
            filter=_filter(conditions, lacking),
            with_payload=True if fields is None else list(fields),
            with_vector=False,
        )
        with self._engine() as shard:
            page, then = shard.scroll(asked)
        return [Stored(str(record.id), record.payload or {}) for record in page], None if then is None else str(then)

    def _query(self, legs: Sequence[Leg]) -> list[list[Scored]]:
        requests = [
            qdrant.QueryRequest(
                limit=leg.k,
                query=qdrant.Query.Nearest(_vector(leg.vector), using=leg.name),
                filter=_filter(leg.conditions),
                params=_params(leg),
                with_payload=False,
            )
            for leg in legs
        ]
        with self._engine() as shard:
            answers = shard.query_batch(qdrant.QueryBatchRequest(requests))
            scores = [[(hit.id, hit.score) for hit in answer] for answer in answers]  # each look at an id makes it
            names = self._named(shard, {id for answer in scores for id, _ in answer})
        return [[Scored(*name, score) for id, score in answer if (name := names.get(id))] for answer in scores]

    def _named(self, shard: "qdrant.EdgeShard", ids: "Set[int | str | uuid.UUID]") -> dict[object, Name]:
        """What points stand for, as far as they have a name."""
        found: dict[object, Name] = {id: name for id in ids if (name := self._names.get(id))}
        if len(found) < len(ids):
            for record in shard.retrieve([id for id in ids if id not in found], list(REF_FIELDS), False):
                if name := name_of(record.payload or {}):
                    found[record.id] = self._names[record.id] = name
            while len(self._names) > REMEMBERED:
                del self._names[next(iter(self._names))]
        return found

    def _forget(self, ids: Iterable[str]) -> None:
        for id in ids:
            self._names.pop(uuid.UUID(id), None)

    @contextmanager
    def _engine(self) -> Iterator["qdrant.EdgeShard"]:
        with self._lock:
            try:
                yield self._shard
            except BaseException as error:
                raise _failure(error, "the index engine failed") from error


def _config(dimension: int) -> "qdrant.EdgeConfig":
    """Settings that need no optimizing to be fast.

    One growing segment with TurboQuant at 2 bits, which works while points are still added. Four times as many as
    asked for are scored again in full: the top ten are those of exact search in 600 of 600 questions of real sets
    (26,532 passages), and 99.96 % of the top hundred; 4 bits without more than asked for gave 96 %. Dense leg for an
    internal reader at 100,000 passages: 3.5 ms of CPU at 2 bits, 4.5 at 4; 2.2 of it goes into visiting each point,
    however small. Scalar int8 works only after `optimize`, which froze everything for 4 s at 50,000 and doubled the
    memory.
    """
    two_bits = qdrant.TurboQuantQuantizationConfig(bits=qdrant.TurboQuantBitSize.Bits2)
    return qdrant.EdgeConfig(
        vectors={
            DENSE: qdrant.EdgeVectorParams(
                size=dimension, distance=qdrant.Distance.Cosine, quantization_config=two_bits
            )
        },
        sparse_vectors={LEXICAL: qdrant.EdgeSparseVectorParams(modifier=qdrant.Modifier.Idf)},
        # m=0: no graph. Building one takes half a minute, and a filtered scan is fast enough.
        hnsw_config=qdrant.HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=10),
        # No size makes a segment worth rebuilding; a fifth of it deleted does.
        optimizers=qdrant.EdgeOptimizersConfig(indexing_threshold=_NEVER_KB),
    )


def _stored_dimension(folder: Path) -> int:
    try:
        config = json.loads((folder / "edge_config.json").read_text())
        return int(config["vectors"][DENSE]["size"])
    except (OSError, ValueError, KeyError) as error:
        raise IndexBroken(f"there is no readable index in {folder}: rebuild it (kb reindex)") from error


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except IndexUnavailable:
        raise
    except BaseException as error:
        if "WouldBlock" in str(error):
            raise IndexUnavailable(
                f"another process has the index folder {folder} open. Only one process may: stop the other kb serve, "
                "or set KB_QDRANT_URL to share an index between processes"
            ) from error
        raise _failure(error, f"cannot open the index in {folder}", IndexBroken) from error


def _failure(
    error: BaseException, what: str, kind: type[IndexUnavailable] = IndexUnavailable
) -> IndexUnavailable | BaseException:
    """What to raise. The engine has no error classes; where a file of its own is damaged it panics, and that is no
    `Exception` but something that would end any thread."""
    if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
        return error
    return kind(f"{what}: {error}")


def _vectors(point: Point) -> "dict[str, qdrant.NamedVector]":
    vectors: dict[str, qdrant.NamedVector] = {LEXICAL: _vector(point.lexical)}
    if point.dense is not None:
        vectors[DENSE] = point.dense.tolist()
    return vectors


def _vector(vector: Sparse | Vector) -> "list[float] | qdrant.SparseVector":
    if isinstance(vector, Sparse):
        # Any sequence will do at run time; copies into lists would cost 9 us a passage.
        return qdrant.SparseVector(vector.indices, vector.values)  # type: ignore[arg-type]
    numbers: list[float] = vector.tolist()
    return numbers


def _filter(conditions: Sequence[Condition], lacking: str = "") -> "qdrant.Filter | None":
    # MatchValue for one value costs half of MatchAny.
    must: list[qdrant.ConditionType] = [
        qdrant.FieldCondition(
            key=key, match=qdrant.MatchValue(values[0]) if len(values) == 1 else qdrant.MatchAny(list(values))
        )
        for key, values in conditions
    ]
    must_not: list[qdrant.ConditionType] | None = [qdrant.HasVectorCondition(lacking)] if lacking else None
    return qdrant.Filter(must=must, must_not=must_not) if must or must_not else None


def _params(leg: Leg) -> "qdrant.SearchParams":
    return qdrant.SearchParams(
        exact=leg.exact,
        quantization=qdrant.QuantizationSearchParams(ignore=leg.exact, rescore=True, oversampling=_SCORED_AGAIN),
        idf=qdrant.IdfParams(corpus=_filter([leg.corpus])) if leg.corpus else None,
    )
