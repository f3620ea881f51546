"""For those who run it: is it alive, can it answer, how is it doing. Names nobody; only metrics need a key."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field

from kb import clock
from kb.api.errors import refusals
from kb.api.metrics import Metrics
from kb.api.parts import Parts, Running
from kb.api.people import Me
from kb.api.queries import no_query
from kb.api.shapes import Shape, example
from kb.errors import KbError
from kb.person import Right
from kb.store import outbox

router = APIRouter(tags=["operations"], dependencies=[Depends(no_query)])


class AliveOut(Shape):
    """The process runs."""

    model_config = example({"alive": True})

    alive: bool


class PartOut(Shape):
    """One part. `wrong` says what is wrong, and is empty if nothing is; the log and `kb doctor` know more."""

    state: str
    wrong: str


class ReadyOut(Shape):
    """Whether searches are answered, and by which parts."""

    model_config = example(
        {
            "ready": True,
            "degraded": ["encoder"],
            "parts": {
                "database": {"state": "ready", "wrong": ""},
                "index": {"state": "ready", "wrong": ""},
                "encoder": {"state": "loading", "wrong": "it is still being loaded: searches go by words only"},
            },
        }
    )

    ready: bool
    degraded: Annotated[list[str], Field(description="Parts that searches do without.")]
    parts: dict[str, PartOut]


_NOT_READY = {
    "ready": False,
    "degraded": ["index"],
    "parts": {
        "database": {"state": "away", "wrong": "the database cannot be used: nothing can be read or written"},
        "index": {"state": "away", "wrong": "no index is open: searches go by titles only"},
        "encoder": {"state": "ready", "wrong": ""},
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
    states = {"database": _database(parts), "index": _index(parts), "encoder": _encoder(parts)}
    fine = {name for name, part in states.items() if part.state == "ready"}
    ready = "database" in fine and ("index" in fine or len(parts.catalogue) > 0)
    response.status_code = 200 if ready else 503
    return ReadyOut(ready=ready, degraded=sorted({"index", "encoder"} - fine), parts=states)


@router.get("/metrics", summary="Metrics", responses=_METRICS_REPLY | refusals(403), response_class=Response)
def read_metrics(request: Request, me: Me) -> Response:
    """Counters and gauges for Prometheus. Needs the right to observe: they count what some may not know of."""
    me.require(Right.OBSERVE)
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)


def _database(parts: Running) -> PartOut:
    try:
        with parts.db.read() as tx:
            outbox.waits(tx, clock.now())
    except KbError:
        return PartOut(state="away", wrong="the database cannot be used: nothing can be read or written")
    return PartOut(state="ready", wrong="")


def _index(parts: Running) -> PartOut:
    try:
        parts.live.get()[0].count()
    except KbError:
        return PartOut(state="away", wrong="no index is open: searches go by titles only")
    return PartOut(state="ready", wrong="")


def _encoder(parts: Running) -> PartOut:
    state = parts.encoder.state.partition(":")[0]
    wrong = {
        "ready": "",
        "failed": "it could not be loaded: searches go by words only",
        "loading": "it is still being loaded: searches go by words only",
    }
    return PartOut(state=state, wrong=wrong.get(state, "it was not started: searches go by words only"))
