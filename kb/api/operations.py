"""For those who run it: is it alive, can it answer, how is it doing. Names nobody; only metrics need a key."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field

from kb import clock
from kb.api.errors import refusals
from kb.api.metrics import Metrics
from kb.api.parts import Parts, Running
from kb.api.people import Me, opens
from kb.api.queries import no_query
from kb.api.shapes import Shape, example
from kb.errors import IndexUnavailable, KbError, NoRoom
from kb.person import Right, Scope
from kb.store import outbox
from kb.store.migrate import current, newest

LATE_S = 300.0
"""Seconds after which a change that nobody has taken up is not just waiting its turn."""

_NEEDED = {"database", "schema"}  # no search does without

router = APIRouter(tags=["operations"], dependencies=[Depends(no_query)])


class AliveOut(Shape):
    """The process runs."""

    model_config = example({"alive": True})

    alive: bool


class PartOut(Shape):
    """One part. `wrong` says what is wrong, and is empty if nothing is; the log and `kb doctor` know more."""

    state: str
    wrong: str


_EXAMPLE = {
    part: {"state": "ready", "wrong": ""} for part in ("database", "schema", "index", "encoder", "catalogue", "indexer")
}


class ReadyOut(Shape):
    """Whether searches are answered, and by which parts."""

    model_config = example(
        {
            "ready": True,
            "degraded": ["encoder"],
            "parts": {
                **_EXAMPLE,
                "encoder": {"state": "loading", "wrong": "it is still being loaded: searches go by words only"},
            },
        }
    )

    ready: bool
    degraded: Annotated[list[str], Field(description="Parts that searches do without.")]
    parts: dict[str, PartOut]


_FINE = PartOut(state="ready", wrong="")
_UNKNOWN = PartOut(state="unknown", wrong="the database cannot be asked")
_NOT_READY = {
    "ready": False,
    "degraded": ["index"],
    "parts": {
        **_EXAMPLE,
        "schema": {"state": "old", "wrong": "the database lacks a migration: run kb migrate"},
        "index": {"state": "away", "wrong": "no index answers: searches go by titles only"},
    },
}
_NOT_READY_REPLY: dict[int | str, dict[str, Any]] = {
    503: {
        "model": ReadyOut,
        "description": "Searches cannot be answered.",
        "content": {"application/json": {"example": _NOT_READY}},
    }
}
_METRICS_REPLY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Prometheus' text format.",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": "kb_index_passages 4711.0\n"}},
    }
}


@router.get("/healthz", summary="Alive")
async def healthz() -> AliveOut:
    """The process runs and answers. Asks nothing else."""
    return AliveOut(alive=True)


@router.get("/readyz", summary="Ready", responses=_NOT_READY_REPLY)
def readyz(parts: Parts, response: Response) -> ReadyOut:
    """Whether searches are answered: 200 even if only by words or titles, which `degraded` then tells."""
    states = _record(parts) | {
        "index": _index(parts),
        "encoder": _encoder(parts),
        "catalogue": _catalogue(parts),
    }
    missing = {name for name, part in states.items() if part.state != "ready"}
    ready = not missing & _NEEDED and ("index" not in missing or len(parts.catalogue) > 0)
    response.status_code = 200 if ready else 503
    return ReadyOut(ready=ready, degraded=sorted(missing - _NEEDED), parts=states)


@router.get(
    "/metrics",
    summary="Metrics",
    responses=_METRICS_REPLY | refusals(403),
    response_class=Response,
    dependencies=[opens(Scope.OBSERVE)],
)
def read_metrics(request: Request, me: Me) -> Response:
    """Counters and gauges for Prometheus. Needs the right to observe: they count what some may not know of."""
    me.require(Right.OBSERVE)
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)


def _record(parts: Running) -> dict[str, PartOut]:
    """What one look into the database tells."""
    try:
        with parts.db.read() as tx:
            old = current(tx) != newest()
            late = not old and outbox.late_s(tx, clock.now()) > LATE_S
    except KbError:
        away = PartOut(state="away", wrong="the database cannot be used: nothing can be read or written")
        return {"database": away, "schema": _UNKNOWN, "indexer": _UNKNOWN}
    lacks = PartOut(state="old", wrong="the database lacks a migration: run kb migrate")
    return {"database": _FINE, "schema": lacks if old else _FINE, "indexer": _indexer(parts, late)}


def _index(parts: Running) -> PartOut:
    try:
        parts.live.check()
        index, _ = parts.live.get()
        try:
            index.count()
        except IndexUnavailable as error:
            parts.live.failed(index, error)  # no search need find out by waiting
            raise
    except IndexUnavailable:
        return PartOut(state="away", wrong="no index answers: searches go by titles only")
    return _FINE


def _indexer(parts: Running, late: bool) -> PartOut:
    """What keeps changes from being indexed, in words that name no host and no file."""
    failure = parts.indexer.failure
    if isinstance(failure, NoRoom):
        return PartOut(state="paused", wrong="the disk is almost full: changes are indexed when there is room again")
    if failure is not None:
        return PartOut(state="paused", wrong="changes cannot be indexed now and will be later: the log says why")
    if late:
        return PartOut(state="late", wrong="changes have waited for minutes: searches may not know of them")
    return _FINE


def _catalogue(parts: Running) -> PartOut:
    if not parts.catalogue.complete:
        return PartOut(state="loading", wrong="titles are still being loaded: suggestions are incomplete")
    return _FINE


def _encoder(parts: Running) -> PartOut:
    state = parts.encoder.state.partition(":")[0]
    wrong = {
        "ready": "",
        "failed": "it could not be loaded: searches go by words only",
        "loading": "it is still being loaded: searches go by words only",
    }
    return PartOut(state=state, wrong=wrong.get(state, "it was not started: searches go by words only"))
