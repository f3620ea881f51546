"""A stand-in for a Qdrant server, for tests on machines where no real one can be installed. Not a Qdrant server.

It speaks the part of Qdrant's REST API that `kb.search.server` uses, over real HTTP, to any number of clients at once.
What answers behind it is Qdrant Edge, the real engine: filters, scores and IDF over a corpus are Qdrant's own. What it
cannot show is everything that only the server does: shards, replicas, quantization settings (taken, not applied),
consensus, authentication. `KB_TEST_QDRANT_URL` runs the same tests against a real one.

A test starts it as a child process:

    with qdrant_server(folder) as server:
        connect(server.url)

Collections lie in that folder, so they outlive `server.kill()` and `server.start()`. `server.pause()` makes it hang,
`server.fault(...)` slow or broken.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import qdrant_edge as edge
import uvicorn
from pydantic import TypeAdapter, ValidationError
from qdrant_client.http import models
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


@dataclass
class QdrantServer:
    """The child process, from outside."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    @property
    def url(self) -> str:
        """What `KB_QDRANT_URL` takes."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "QdrantServer":
        """Start it, again if it was killed, and wait until it answers."""
        command = [sys.executable, str(Path(__file__).resolve()), str(self.folder), str(self.port)]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/readyz", timeout=5):
                return self
            time.sleep(0.05)
        raise RuntimeError((self.folder / "server.log").read_text()[-3000:])

    def kill(self) -> None:
        """kill -9: from now on connections are refused."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        """Stop answering: connections are taken and hang until `resume`."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Answer again."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGCONT)

    def fault(self, *, delay_s: float = 0.0, status: int = 0, writes_only: bool = False) -> None:
        """From now on wait that long before each answer and, with a status, answer nothing but that; () ends it."""
        body = json.dumps({"delay_s": delay_s, "status": status, "writes_only": writes_only}).encode()
        asked = urllib.request.Request(f"{self.url}/stand-in/fault", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=5):
            pass


@contextlib.contextmanager
def qdrant_server(folder: Path) -> Iterator[QdrantServer]:
    """A running server that keeps its collections in that folder (made if missing), ended afterwards.

    A folder in memory (/dev/shm) is faster: a new collection costs fsyncs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = QdrantServer(folder, port)
    try:
        yield server.start()
    finally:
        server.kill()


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Collections:
    """Shards by name, and aliases, in a folder; one method per request of the API, which returns its `result`.

    Called under one lock: calls of Edge cannot overlap anyway.
    """

    def __init__(self, folder: Path) -> None:
        self._shards: dict[str, edge.EdgeShard] = {}
        self._folder = folder / "collections"
        self._folder.mkdir(exist_ok=True)
        self._aliases_file = folder / "aliases.json"
        self._aliases: dict[str, str] = {}
        if self._aliases_file.exists():
            self._aliases = json.loads(self._aliases_file.read_text())
        for unfinished in self._folder.glob("*.new"):
            shutil.rmtree(unfinished)

    def list(self) -> Any:
        return {"collections": [{"name": path.name} for path in sorted(self._folder.iterdir())]}

    def exists(self, name: str) -> Any:
        return {"exists": self._path(name).exists()}

    def info(self, name: str) -> Any:
        shard = self._shard(name).info()
        asked = json.loads((self._path(name) / "asked.json").read_text())
        schema = {key: {"data_type": "keyword", "points": each.points} for key, each in shard.payload_schema.items()}
        return {
            "status": "green",
            "optimizer_status": "ok",
            "points_count": shard.points_count,
            "segments_count": shard.segments_count,
            "config": {
                "params": {"vectors": asked["vectors"], "sparse_vectors": asked.get("sparse_vectors", {})},
                "hnsw_config": {"m": 0, "ef_construct": 4, "full_scan_threshold": 10},
                "optimizer_config": {"default_segment_number": 1, "flush_interval_sec": 5},
            },
            "payload_schema": schema,
        }

    def create(self, name: str, asked: models.CreateCollection) -> Any:
        if self._path(name).exists():
            raise Refused(409, f"Wrong input: Collection `{name}` already exists!")
        if not isinstance(asked.vectors, dict) or any(each.distance != "Cosine" for each in asked.vectors.values()):
            raise Refused(400, "the stand-in takes named vectors with cosine only")
        idf = edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)
        config = edge.EdgeConfig(
            vectors={
                vector: edge.EdgeVectorParams(size=params.size, distance=edge.Distance.Cosine)
                for vector, params in asked.vectors.items()
            },
            sparse_vectors=dict.fromkeys(asked.sparse_vectors or {}, idf),
            hnsw_config=edge.HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=10),
            optimizers=edge.EdgeOptimizersConfig(indexing_threshold=10**9),
        )
        new = self._folder / f"{name}.new"
        edge.EdgeShard.create(str(new), config).close()
        (new / "asked.json").write_text(asked.model_dump_json(exclude_none=True))
        new.rename(self._path(name))
        return True

    def drop(self, name: str) -> Any:
        shard = self._shards.pop(name, None)
        if shard is not None:
            shard.close()
        if name in self._aliases or not self._path(name).exists():
            return False
        shutil.rmtree(self._path(name))
        self._save({alias: target for alias, target in self._aliases.items() if target != name})
        return True

    def aliases(self) -> Any:
        return {"aliases": [{"alias_name": alias, "collection_name": name} for alias, name in self._aliases.items()]}

    def change_aliases(self, asked: models.ChangeAliasesOperation) -> Any:
        changed = dict(self._aliases)
        for action in asked.actions:
            if isinstance(action, models.DeleteAliasOperation):
                changed.pop(action.delete_alias.alias_name, None)
            elif isinstance(action, models.CreateAliasOperation):
                self._shard(action.create_alias.collection_name)
                changed[action.create_alias.alias_name] = action.create_alias.collection_name
            else:
                raise Refused(400, "the stand-in renames no alias")
        self._save(changed)
        return True

    def index_field(self, name: str, asked: models.CreateFieldIndex) -> Any:
        if asked.field_schema != models.PayloadSchemaType.KEYWORD:
            raise Refused(400, "the stand-in indexes keywords only")
        return self._update(name, edge.UpdateOperation.create_field_index(asked.field_name, _KEYWORD))

    def upsert(self, name: str, asked: models.PointsList) -> Any:
        points = [edge.Point(each.id, _vectors(each.vector), each.payload) for each in asked.points]
        return self._update(name, edge.UpdateOperation.upsert_points(points))

    def update_vectors(self, name: str, asked: models.UpdateVectors) -> Any:
        ids = [each.id for each in asked.points]
        missing = set(map(_id, ids)) - {_id(record.id) for record in self._shard(name).retrieve(ids, False, False)}
        if missing:
            raise Refused(404, f"Not found: No point with id {missing.pop()} found")
        points = [edge.PointVectors(each.id, _vectors(each.vector)) for each in asked.points]
        return self._update(name, edge.UpdateOperation.update_vectors(points))

    def set_payload(self, name: str, asked: models.SetPayload) -> Any:
        if asked.points is None:
            raise Refused(400, "the stand-in sets the payload of named points only")
        return self._update(name, edge.UpdateOperation.set_payload(asked.points, asked.payload))

    def delete(self, name: str, asked: models.PointIdsList | models.FilterSelector) -> Any:
        if isinstance(asked, models.PointIdsList):
            return self._update(name, edge.UpdateOperation.delete_points(asked.points))
        return self._update(name, edge.UpdateOperation.delete_points_by_filter(_filter(asked.filter)))

    def retrieve(self, name: str, asked: models.PointRequest) -> Any:
        payload = True if asked.with_payload is None else asked.with_payload
        return [_record(each) for each in self._shard(name).retrieve(asked.ids, payload, asked.with_vector or False)]

    def scroll(self, name: str, asked: models.ScrollRequest) -> Any:
        page, after = self._shard(name).scroll(
            edge.ScrollRequest(
                offset=asked.offset,
                limit=asked.limit or 10,
                filter=_filter(asked.filter),
                with_payload=True if asked.with_payload is None else asked.with_payload,
                with_vector=asked.with_vector or False,
            )
        )
        return {"points": [_record(each) for each in page], "next_page_offset": _id(after)}

    def count(self, name: str, asked: models.CountRequest) -> Any:
        return {"count": self._shard(name).count(edge.CountRequest(exact=True, filter=_filter(asked.filter)))}

    def query(self, name: str, asked: models.QueryRequest) -> Any:
        return self.query_batch(name, models.QueryRequestBatch(searches=[asked]))[0]

    def query_batch(self, name: str, asked: models.QueryRequestBatch) -> Any:
        found = self._shard(name).query_batch(edge.QueryBatchRequest([_query(each) for each in asked.searches]))
        return [
            {"points": [_record(hit) | {"version": hit.version, "score": hit.score} for hit in each]} for each in found
        ]

    def close(self) -> None:
        for shard in self._shards.values():
            shard.close()

    def _update(self, name: str, operation: edge.UpdateOperation) -> Any:
        self._shard(name).update(operation)
        return {"operation_id": 0, "status": "completed"}

    def _shard(self, name: str) -> edge.EdgeShard:
        name = self._aliases.get(name, name)
        if name not in self._shards:
            if not self._path(name).exists():
                raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")
            self._shards[name] = edge.EdgeShard.load(str(self._path(name)))
        return self._shards[name]

    def _path(self, name: str) -> Path:
        return self._folder / self._aliases.get(name, name)

    def _save(self, aliases: dict[str, str]) -> None:
        new = self._aliases_file.with_suffix(".new")
        new.write_text(json.dumps(aliases))
        new.rename(self._aliases_file)
        self._aliases = aliases


_KEYWORD = edge.PayloadSchemaType.Keyword
_NAME = "/collections/{name:str}"
_ROUTES: dict[tuple[str, str], tuple[Callable[..., Any], Any]] = {
    ("GET", "/collections"): (Collections.list, None),
    ("GET", f"{_NAME}/exists"): (Collections.exists, None),
    ("GET", _NAME): (Collections.info, None),
    ("PUT", _NAME): (Collections.create, models.CreateCollection),
    ("DELETE", _NAME): (Collections.drop, None),
    ("GET", "/aliases"): (Collections.aliases, None),
    ("POST", "/collections/aliases"): (Collections.change_aliases, models.ChangeAliasesOperation),
    ("PUT", f"{_NAME}/index"): (Collections.index_field, models.CreateFieldIndex),
    ("PUT", f"{_NAME}/points"): (Collections.upsert, models.PointsList),
    ("PUT", f"{_NAME}/points/vectors"): (Collections.update_vectors, models.UpdateVectors),
    ("POST", f"{_NAME}/points/payload"): (Collections.set_payload, models.SetPayload),
    ("POST", f"{_NAME}/points/delete"): (Collections.delete, models.PointIdsList | models.FilterSelector),
    ("POST", f"{_NAME}/points"): (Collections.retrieve, models.PointRequest),
    ("POST", f"{_NAME}/points/scroll"): (Collections.scroll, models.ScrollRequest),
    ("POST", f"{_NAME}/points/count"): (Collections.count, models.CountRequest),
    ("POST", f"{_NAME}/points/query"): (Collections.query, models.QueryRequest),
    ("POST", f"{_NAME}/points/query/batch"): (Collections.query_batch, models.QueryRequestBatch),
}
_READS = {"query", "query_batch", "retrieve", "scroll", "count"}


class Api:
    """The HTTP around `Collections`."""

    def __init__(self, collections: Collections) -> None:
        self._collections = collections
        self._lock = threading.Lock()
        self._fault: dict[str, Any] = {}
        self.routes = [
            Route("/readyz", self.ready),
            Route("/stand-in/fault", self.fault, methods=["POST"]),
            *(
                Route(path, self._endpoint(call, TypeAdapter(shape) if shape else None), methods=[method])
                for (method, path), (call, shape) in _ROUTES.items()
            ),
        ]

    async def ready(self, request: Request) -> JSONResponse:
        return JSONResponse("all shards are ready")

    async def fault(self, request: Request) -> JSONResponse:
        self._fault = await request.json()
        return JSONResponse({})

    def _endpoint(self, call: Callable[..., Any], shape: "TypeAdapter[Any] | None") -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> JSONResponse:
            body = await request.body()
            status, reply = await run_in_threadpool(self._answer, call, shape, request, body)
            return JSONResponse(reply | {"time": 0.0}, status)

        return endpoint

    def _answer(
        self, call: Callable[..., Any], shape: "TypeAdapter[Any] | None", request: Request, body: bytes
    ) -> tuple[int, dict[str, Any]]:
        try:
            self._play_fault(writing=request.method != "GET" and call.__name__ not in _READS)
            asked = [shape.validate_json(body)] if shape else []
            with self._lock:
                return 200, {"result": call(self._collections, *request.path_params.values(), *asked), "status": "ok"}
        except Refused as refused:
            return refused.status, {"status": {"error": str(refused)}}
        except ValidationError as error:
            return 400, {"status": {"error": f"Format error in JSON body: {error}"}}
        except Exception as error:  # Edge has no error classes of its own
            return 500, {"status": {"error": f"Service internal error: {error}"}}

    def _play_fault(self, writing: bool) -> None:
        if self._fault and (writing or not self._fault["writes_only"]):
            time.sleep(self._fault["delay_s"])
            if self._fault["status"]:
                raise Refused(self._fault["status"], "Service internal error: the fault that the test asked for")


def _query(asked: models.QueryRequest) -> edge.QueryRequest:
    vector = asked.query.nearest if isinstance(asked.query, models.NearestQuery) else asked.query
    if not isinstance(vector, list | models.SparseVector) or asked.prefetch or asked.using is None:
        raise Refused(400, "the stand-in knows a query with one named vector only")
    params = asked.params or models.SearchParams()
    quantization = params.quantization or models.QuantizationSearchParams()
    corpus = params.idf.corpus if isinstance(params.idf, models.IdfCorpusParams) else None
    return edge.QueryRequest(
        limit=asked.limit or 10,
        offset=asked.offset or 0,
        query=edge.Query.Nearest(_vector(vector), using=asked.using),
        filter=_filter(asked.filter),
        params=edge.SearchParams(
            exact=bool(params.exact),
            quantization=edge.QuantizationSearchParams(ignore=bool(quantization.ignore), rescore=quantization.rescore),
            idf=edge.IdfParams(corpus=_filter(corpus)) if corpus else None,
        ),
        score_threshold=asked.score_threshold,
        with_payload=asked.with_payload or False,
        with_vector=asked.with_vector or False,
    )


def _vectors(vectors: Any) -> Any:
    return {name: _vector(vector) for name, vector in vectors.items()}


def _vector(vector: Any) -> Any:
    if isinstance(vector, models.SparseVector):
        return edge.SparseVector(vector.indices, vector.values)
    return vector


def _id(id: Any) -> Any:
    return str(id) if isinstance(id, UUID) else id


def _record(record: Any) -> dict[str, Any]:
    vector = record.vector
    if isinstance(vector, dict):
        vector = {
            name: {"indices": each.indices, "values": each.values} if isinstance(each, edge.SparseVector) else each
            for name, each in vector.items()
        }
    return {"id": _id(record.id), "payload": record.payload, "vector": vector}


def _filter(asked: models.Filter | None) -> edge.Filter | None:
    if asked is None:
        return None
    if asked.min_should is not None:
        raise Refused(400, "the stand-in does not know min_should")
    return edge.Filter(
        must=_conditions(asked.must), should=_conditions(asked.should), must_not=_conditions(asked.must_not)
    )


def _conditions(asked: Any) -> Any:
    if asked is None:
        return None
    return [_condition(each) for each in (asked if isinstance(asked, list) else [asked])]


def _condition(asked: Any) -> Any:
    match asked:
        case models.Filter():
            return _filter(asked)
        case models.HasVectorCondition():
            return edge.HasVectorCondition(asked.has_vector)
        case models.HasIdCondition():
            return edge.HasIdCondition(set(asked.has_id))
        case models.FieldCondition(match=models.MatchValue() as match):
            return edge.FieldCondition(key=asked.key, match=edge.MatchValue(match.value))
        case models.FieldCondition(match=models.MatchAny() as match):
            return edge.FieldCondition(key=asked.key, match=edge.MatchAny(match.any))
    raise Refused(400, f"the stand-in does not know the condition {asked}")


def serve(folder: Path, port: int) -> None:
    """Serve until the process is ended."""
    collections = Collections(folder)
    app = Starlette(routes=Api(collections).routes)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")
    collections.close()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
