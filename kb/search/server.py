"""The engine for scale-out: a Qdrant server or cluster, shared by any number of processes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import httpx
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException

from kb.errors import IndexBroken, IndexUnavailable
from kb.search.base import EngineIndex, Leg, name_of
from kb.search.index import DENSE, FILTER_FIELDS, REF_FIELDS, Condition, Point, Scored, Stored, Vector
from kb.search.lexical import LEXICAL, Sparse

MEMORY = ":memory:"
SEARCH_S = 1.0
"""How long a person's search waits for the server; then titles answer, and all of it stays below 2 s."""

_hasty: ContextVar[bool] = ContextVar("hasty", default=False)


def connect(url: str, api_key: str | None = None, timeout: float = 5.0) -> QdrantClient:
    """A client for that server, or for an empty one inside this process (":memory:", for tests only).

    Nothing is sent yet, so it does not fail where the server is away. `timeout` is in seconds, per request; searches
    wait `SEARCH_S` at most.
    """
    if url == MEMORY:
        return QdrantClient(location=MEMORY)

    def bound(request: httpx.Request) -> None:
        seconds = min(timeout, SEARCH_S) if _hasty.get() else timeout
        request.extensions["timeout"] = {
            "connect": seconds / 3, "pool": seconds / 3, "write": seconds, "read": seconds
        }  # fmt: skip

    # The client takes whole seconds only. Asking the server for its version would be a request, and would warn.
    return QdrantClient(url=url, api_key=api_key, check_compatibility=False, event_hooks={"request": [bound]})


class ServerIndex(EngineIndex):
    """A `PassageIndex` in one collection of a server; `collection` may also be an alias."""

    def __init__(self, client: QdrantClient, collection: str, dimension: int, local: bool = False) -> None:
        super().__init__(dimension)
        self._client = client
        self._collection = collection
        self._local = local
        self._closed = False

    @classmethod
    def create(
        cls, client: QdrantClient, collection: str, dimension: int, shards: int = 1, replicas: int = 1
    ) -> "ServerIndex":
        """A new collection; IndexUnavailable where it exists already or the server is away."""
        index = cls(client, collection, dimension, _is_local(client))
        with index._engine() as engine:
            engine.create_collection(
                collection,
                vectors_config={DENSE: _dense_params(dimension)},
                sparse_vectors_config={LEXICAL: models.SparseVectorParams(modifier=models.Modifier.IDF)},
                # No graph, as in the embedded engine: a filtered scan of quantized vectors is fast enough per shard.
                hnsw_config=models.HnswConfigDiff(m=0),
                shard_number=shards,
                replication_factor=replicas,
            )
            index._index_fields(engine)
        return index

    @classmethod
    def open(cls, client: QdrantClient, collection: str) -> "ServerIndex":
        """An existing collection; IndexUnavailable where it is missing or the server is away."""
        with _translated(collection):
            info = client.get_collection(collection)
        vectors = info.config.params.vectors
        if not isinstance(vectors, dict) or DENSE not in vectors:
            raise IndexBroken(f"the collection {collection} was not made by kb: rebuild it (kb reindex)")
        index = cls(client, collection, vectors[DENSE].size, _is_local(client))
        with index._engine() as engine:
            index._index_fields(engine, set(info.payload_schema))
        return index

    def flush(self) -> None:
        """Nothing to do: every write waits until the server has it in its write-ahead log and applied."""

    def count(self) -> int:
        """The number of points."""
        with self._engine(hasty=True) as engine:
            return engine.count(self._collection, exact=True).count

    def optimize(self) -> bool:
        """Nothing: the server tidies its storage by itself."""
        return False

    def close(self) -> None:
        """Let go. The client belongs to who made it, since several collections share it."""
        self._closed = True

    def _index_fields(self, engine: QdrantClient, there: set[str] | None = None) -> None:
        if self._local:
            return  # the in-memory client has no field indexes and warns
        for field in FILTER_FIELDS:
            if field not in (there or ()):
                engine.create_payload_index(self._collection, field, models.PayloadSchemaType.KEYWORD, wait=True)

    def _put(self, points: Sequence[Point]) -> None:
        written = [
            models.PointStruct(id=point.ref.point_id, vector=_vectors(point), payload=dict(point.payload))
            for point in points
        ]
        with self._engine() as engine:
            engine.upsert(self._collection, written, wait=True)

    def _add_dense(self, vectors: Mapping[str, Vector]) -> None:
        changes = [models.PointVectors(id=id, vector={DENSE: vector.tolist()}) for id, vector in vectors.items()]
        with self._engine() as engine:
            engine.update_vectors(self._collection, changes, wait=True)

    def _delete(self, ids: Sequence[str]) -> None:
        with self._engine() as engine:
            engine.delete(self._collection, models.PointIdsList(points=list(ids)), wait=True)

    def _existing(self, ids: Sequence[str]) -> set[str]:
        with self._engine() as engine:
            records = engine.retrieve(self._collection, list(ids), with_payload=False, with_vectors=False)
        return {str(record.id) for record in records}

    def _page(
        self, conditions: Sequence[Condition], fields: Sequence[str] | None, lacking: str, after: str | None, limit: int
    ) -> tuple[list[Stored], str | None]:
        with self._engine() as engine:
            page, then = engine.scroll(
                self._collection,
                scroll_filter=_filter(conditions, lacking),
                limit=limit,
                offset=after,
                with_payload=True if fields is None else list(fields),
                with_vectors=False,
            )
        return [Stored(str(record.id), record.payload or {}) for record in page], None if then is None else str(then)

    def _query(self, legs: Sequence[Leg]) -> list[list[Scored]]:
        requests = [
            models.QueryRequest(
                query=_vector(leg.vector),
                using=leg.name,
                filter=_filter(leg.conditions),
                params=self._params(leg),
                limit=leg.k,
                with_payload=list(REF_FIELDS),
            )
            for leg in legs
        ]
        with self._engine(hasty=True) as engine:
            answers = engine.query_batch_points(self._collection, requests)
        return [
            [Scored(*name, hit.score) for hit in answer.points if (name := name_of(hit.payload or {}))]
            for answer in answers
        ]

    def _params(self, leg: Leg) -> models.SearchParams | None:
        idf = models.IdfCorpusParams(corpus=_corpus(leg.corpus)) if leg.corpus else None
        if self._local:
            return models.SearchParams(idf=idf) if idf else None  # always exact; it warns of other parameters
        quantization = models.QuantizationSearchParams(ignore=leg.exact, rescore=True)
        return models.SearchParams(exact=leg.exact, quantization=quantization, idf=idf)

    @contextmanager
    def _engine(self, hasty: bool = False) -> Iterator[QdrantClient]:
        if self._closed:
            raise IndexUnavailable(f"the index {self._collection} is closed")
        token = _hasty.set(hasty)
        try:
            with _translated(self._collection):
                yield self._client
        finally:
            _hasty.reset(token)


def swap_alias(client: QdrantClient, alias: str, collection: str) -> None:
    """Make the alias stand for that collection from now on, in one step that no reader sees half done."""
    with _translated(collection):
        taken = any(known.alias_name == alias for known in client.get_aliases().aliases)
        changes: list[models.AliasOperations] = []
        if taken:
            changes.append(models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias)))
        create = models.CreateAlias(collection_name=collection, alias_name=alias)
        changes.append(models.CreateAliasOperation(create_alias=create))
        client.update_collection_aliases(changes)


def drop_collection(client: QdrantClient, collection: str) -> None:
    """Delete a collection; nothing where there is none."""
    with _translated(collection):
        if client.collection_exists(collection):
            client.delete_collection(collection)


def collections(client: QdrantClient, prefix: str) -> list[str]:
    """The names of all collections that begin like that, sorted."""
    with _translated(prefix):
        return sorted(c.name for c in client.get_collections().collections if c.name.startswith(prefix))


@contextmanager
def _translated(collection: str) -> Iterator[None]:
    try:
        yield
    except (ApiException, OSError, ValueError) as error:  # ValueError: what the in-memory client raises
        reason = re.sub(r"\s+", " ", str(error))[:300]
        missing = getattr(error, "status_code", 404 if isinstance(error, ValueError) else 0) == 404
        if missing and re.search(r"ollection .*(exist|not found)", reason):  # not a point of one
            raise IndexBroken(f"the Qdrant server has no collection {collection}: {reason}") from error
        raise IndexUnavailable(f"the Qdrant server did not serve the collection {collection}: {reason}") from error


def _is_local(client: QdrantClient) -> bool:
    return client.init_options.get("location") == MEMORY


def _dense_params(dimension: int) -> models.VectorParams:
    int8 = models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
    return models.VectorParams(
        size=dimension,
        distance=models.Distance.COSINE,
        quantization_config=models.ScalarQuantization(scalar=int8),
    )


def _vectors(point: Point) -> dict[str, models.Vector]:
    vectors: dict[str, models.Vector] = {LEXICAL: _vector(point.lexical)}
    if point.dense is not None:
        vectors[DENSE] = _vector(point.dense)
    return vectors


def _vector(vector: Sparse | Vector) -> list[float] | models.SparseVector:
    if isinstance(vector, Sparse):
        return models.SparseVector(indices=list(vector.indices), values=list(vector.values))
    numbers: list[float] = vector.tolist()
    return numbers


def _filter(conditions: Sequence[Condition], lacking: str = "") -> models.Filter | None:
    must: list[models.Condition] = [_condition(condition) for condition in conditions]
    must_not: list[models.Condition] | None = [models.HasVectorCondition(has_vector=lacking)] if lacking else None
    return models.Filter(must=must, must_not=must_not) if must or must_not else None


def _corpus(condition: Condition) -> models.Filter:
    return models.Filter(must=[_condition(condition)])


def _condition(condition: Condition) -> models.FieldCondition:
    key, values = condition
    match = models.MatchValue(value=values[0]) if len(values) == 1 else models.MatchAny(any=list(values))
    return models.FieldCondition(key=key, match=match)
