"""The editors' one queue: cases, gaps, failing searches, articles to look at, duplicates, posts. For staff."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from kb import clock
from kb.api.bodies import Route
from kb.api.errors import code_of, refusals
from kb.api.parts import Parts
from kb.api.people import Me, opens
from kb.api.queries import no_query, once
from kb.api.queue_shapes import AllPutAsideOut, DismissIn, LineOut, PutAsideOut, QueueIn, QueueOut, RestoreIn
from kb.errors import NotFound
from kb.person import Person, Scope
from kb.solve import queue
from kb.solve.queue import Asked, Done

router = APIRouter(prefix="/api/v1", tags=["cases"], dependencies=[opens(Scope.INTERACT)], route_class=Route)

_ALONE = [Depends(no_query)]
_ONE_VALUE = ("owner", "assignee", "mine", "topic", "overdue", "q", "after", "limit")


@router.get("/queue", summary="The queue", responses=refusals(), dependencies=[Depends(once(*_ONE_VALUE))])
def list_queue(asked: Annotated[QueueIn, Query()], me: Me, parts: Parts) -> QueueOut:
    """All that waits for an editor and that you may see, the most pressing first. Needs the right to flag."""
    sought = Asked(
        kinds=asked.kind,
        owner_id=_whom(me, asked.owner),
        assignee_id="" if asked.assignee == "none" else _whom(me, asked.assignee),
        unassigned=asked.assignee == "none",
        whose=me.id if asked.mine else "",
        topic=asked.topic,
        severities=asked.severity,
        causes=asked.cause,
        overdue=asked.overdue,
        text=asked.q,
    )
    page = queue.listing(parts.db, me, parts.terms, sought, asked.after, asked.limit)
    at = clock.now()
    return QueueOut(lines=[LineOut.of(each, at) for each in page.entries], counts=page.counts, next=page.next)


@router.post("/queue/dismiss", summary="Dismiss lines", responses=refusals(403, 413), dependencies=_ALONE)
def dismiss_lines(asked: DismissIn, me: Me, parts: Parts) -> AllPutAsideOut:
    """Say of up to 100 lines that they are nothing, each for itself. A search comes back when five people ask it
    again, a pair when either article is revised. Needs the right to fix."""
    return _results(queue.dismiss(parts.db, me, parts.terms, asked.keys, asked.reason))


@router.post("/queue/restore", summary="Restore lines", responses=refusals(403, 413), dependencies=_ALONE)
def restore_lines(asked: RestoreIn, me: Me, parts: Parts) -> AllPutAsideOut:
    """Take back up to 100 lines that were dismissed. Needs the right to fix."""
    return _results(queue.restore(parts.db, me, parts.terms, asked.keys))


def _results(done: Sequence[Done]) -> AllPutAsideOut:
    return AllPutAsideOut(results=[_result(each) for each in done])


def _result(done: Done) -> PutAsideOut:
    if done.error is None:
        return PutAsideOut(key=done.key, code="", message="")
    message = "there is no such line, or it is not for you" if isinstance(done.error, NotFound) else str(done.error)
    return PutAsideOut(key=done.key, code=code_of(done.error), message=message)


def _whom(me: Person, named: str | None) -> str:
    return me.id if named == "me" else named or ""
