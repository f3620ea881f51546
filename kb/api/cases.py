"""Revision cases: the queue of what is wrong, and the steps that people take. For staff."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from kb import clock
from kb.api.bodies import Route
from kb.api.case_shapes import CaseOut, CasesIn, CasesOut, GapsIn, ReadCaseOut
from kb.api.errors import code_of, refusals
from kb.api.parts import Parts, Running
from kb.api.people import Me, opens
from kb.api.queries import no_query, once
from kb.api.shapes import Id
from kb.api.step_shapes import (
    AssignIn,
    BulkIn,
    CommentIn,
    DeclineIn,
    RecallIn,
    RecallOut,
    ReopenIn,
    ResultOut,
    ResultsOut,
    WeighIn,
)
from kb.case import TO_DO, RevisionCase
from kb.errors import NotFound
from kb.flag import Cause
from kb.passage import ItemRef, Kind
from kb.person import Person, Right, Scope
from kb.solve import casework, quoting, reading, recalling, telling
from kb.solve.casework import Done
from kb.store.cases import Wanted

router = APIRouter(prefix="/api/v1", tags=["cases"], dependencies=[opens(Scope.INTERACT)], route_class=Route)

CasePath = Annotated[Id, Path(examples=["7c1d5e9a2b3f4a6c8d0e1f2a3b4c5d6e"])]
_ALONE = [Depends(no_query)]
_STEP = refusals(403, 404, 409, 413)
_ONE_VALUE = ("owner", "assignee", "topic", "number", "overdue", "q", "after", "limit")


def _file(media_type: str, text: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {"schema": {"type": "string"}, "example": text}}}}


@router.get("/cases", summary="List", responses=refusals(404), dependencies=[Depends(once(*_ONE_VALUE))])
def list_cases(asked: Annotated[CasesIn, Query()], me: Me, parts: Parts) -> CasesOut:
    """The cases that you may see, the most pressing first. Needs the right to flag."""
    me.require(Right.FLAG)  # before an article is looked for
    item = ItemRef(Kind.ARTICLE, reading.find(parts.db, me, asked.number).id) if asked.number else None
    wanted = Wanted(
        states=asked.state,
        causes=asked.cause,
        severities=asked.severity,
        owner_id=_whom(me, asked.owner) or "",
        assignee_id=_whom(me, asked.assignee) or "",
        topic=asked.topic,
        item=item,
        text=asked.q,
        due_before=clock.now() if asked.overdue else None,
    )
    return _page(parts, me, wanted, asked)


@router.get(
    "/gaps", summary="List gaps", responses=refusals(), dependencies=[Depends(once("owner", "q", "after", "limit"))]
)
def list_gaps(asked: Annotated[GapsIn, Query()], me: Me, parts: Parts) -> CasesOut:
    """What was asked that nothing answers, the most pressing first; a case each. An article that is created or
    revised fills those that it names in `fixes`."""
    wanted = Wanted(
        states=asked.state or TO_DO,
        causes=(Cause.NOTHING_ANSWERS,),
        owner_id=_whom(me, asked.owner) or "",
        text=asked.q,
    )
    return _page(parts, me, wanted, asked)


@router.post("/cases/bulk", summary="Many at once", responses=refusals(403, 413), dependencies=_ALONE)
def change_cases(asked: BulkIn, me: Me, parts: Parts) -> ResultsOut:
    """One step for up to 100 cases, each for itself, with what became of each."""
    db, text = parts.db, asked.text or ""

    def step(case_id: str) -> RevisionCase:
        version = asked.versions.get(case_id)
        match asked.action:
            case "assign":
                return casework.assign(db, me, case_id, _whom(me, asked.person_id), version)
            case "comment":
                return casework.comment(db, me, case_id, text)
            case "decline":
                return casework.decline(db, me, case_id, text, version)
            case "reopen":
                return casework.reopen(db, me, case_id, text, version)
            case "accept":
                return casework.accept(db, me, case_id)
        assert asked.severity is not None  # the shape has looked
        return casework.weigh(db, me, case_id, asked.severity, version)

    me.require(Right.FLAG)
    return ResultsOut(results=[_result(each) for each in casework.many(asked.ids, step)])


@router.get("/cases/{case_id}", summary="Read", responses=refusals(404), dependencies=_ALONE)
def read_case(case_id: CasePath, me: Me, parts: Parts) -> ReadCaseOut:
    """One case with its flags, its history, the passage then and now and, once it is fixed, what changed and what the
    flagged queries find."""
    told = casework.read(parts.db, me, case_id)
    changed = telling.changed_by_fix(parts.db, me, told.case)
    return ReadCaseOut.told(told, changed, quoting.quoted(parts.db, me, told.case), clock.now())


@router.post("/cases/{case_id}/assign", summary="Assign", responses=_STEP, dependencies=_ALONE)
def assign_case(case_id: CasePath, asked: AssignIn, me: Me, parts: Parts) -> CaseOut:
    """Take a case, give it to somebody or back. Needs the right to fix."""
    person_id = _whom(me, asked.person_id)
    if asked.owner and person_id is not None:
        return _shown(casework.own(parts.db, me, case_id, person_id, asked.version))
    return _shown(casework.assign(parts.db, me, case_id, person_id, asked.version))


@router.post("/cases/{case_id}/comment", summary="Comment", responses=_STEP, dependencies=_ALONE)
def comment_on_case(case_id: CasePath, asked: CommentIn, me: Me, parts: Parts) -> CaseOut:
    """Say something about a case. For who flagged it and who may fix."""
    return _shown(casework.comment(parts.db, me, case_id, asked.text))


@router.post("/cases/{case_id}/weigh", summary="Weigh", responses=_STEP, dependencies=_ALONE)
def weigh_case(case_id: CasePath, asked: WeighIn, me: Me, parts: Parts) -> CaseOut:
    """Say how bad it is; the due time follows. Needs the right to fix."""
    return _shown(casework.weigh(parts.db, me, case_id, asked.severity, asked.version))


@router.post("/cases/{case_id}/decline", summary="Decline", responses=_STEP, dependencies=_ALONE)
def decline_case(case_id: CasePath, asked: DeclineIn, me: Me, parts: Parts) -> CaseOut:
    """Change nothing, and say why. Needs the right to fix."""
    return _shown(casework.decline(parts.db, me, case_id, asked.reason, asked.version))


@router.post("/cases/{case_id}/accept", summary="Accept", responses=_STEP, dependencies=_ALONE)
def accept_case(case_id: CasePath, me: Me, parts: Parts) -> CaseOut:
    """Say that the fix is one, which closes the case. For who flagged it and who may fix."""
    return _shown(casework.accept(parts.db, me, case_id))


@router.post("/cases/{case_id}/reopen", summary="Reopen", responses=_STEP, dependencies=_ALONE)
def reopen_case(case_id: CasePath, asked: ReopenIn, me: Me, parts: Parts) -> CaseOut:
    """Say that it is not done. For who flagged it and who may fix; 409 if another case about it is open by now."""
    return _shown(casework.reopen(parts.db, me, case_id, asked.reason, asked.version))


@router.get(
    "/cases/{case_id}/recall",
    summary="Recall",
    responses=refusals(404),
    dependencies=[Depends(once("before", "limit"))],
)
def recall_case(case_id: CasePath, asked: Annotated[RecallIn, Query()], me: Me, parts: Parts) -> RecallOut:
    """Who received what a fix that changes the meaning has put right. Needs the rights to lead and to read trails."""
    return RecallOut.of(recalling.recall(parts.db, me, case_id, asked.before, asked.limit))


@router.get(
    "/cases/{case_id}/recall.csv",
    summary="Recall as CSV",
    responses=_file("text/csv", ",".join(recalling.COLUMNS) + "\r\n") | refusals(404),
    response_class=Response,
    dependencies=_ALONE,
)
def export_recall_csv(case_id: CasePath, me: Me, parts: Parts) -> Response:
    """All of them for a spreadsheet: UTF-8 with a byte order mark."""
    text = "\ufeff" + recalling.as_csv(recalling.recall(parts.db, me, case_id, limit=None))
    return _download(text, "text/csv; charset=utf-8", "recall.csv")


@router.get(
    "/cases/{case_id}/recall.jsonl",
    summary="Recall as JSON lines",
    responses=_file("application/jsonl", '{"at": "2026-03-14T12:03:10+00:00", "how": "inserted"}\n') | refusals(404),
    response_class=Response,
    dependencies=_ALONE,
)
def export_recall_jsonl(case_id: CasePath, me: Me, parts: Parts) -> Response:
    """All of them for programs, a line each."""
    text = recalling.as_jsonl(recalling.recall(parts.db, me, case_id, limit=None))
    return _download(text, "application/jsonl", "recall.jsonl")


def _download(text: str, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text.encode(), media_type=media_type, headers=headers)


def _page(parts: Running, me: Person, wanted: Wanted, asked: GapsIn) -> CasesOut:
    found = casework.listing(parts.db, me, wanted, asked.after, asked.limit + 1)
    page = found[: asked.limit]
    more = len(found) > asked.limit
    return CasesOut(cases=[_shown(each) for each in page], next=casework.cursor(page[-1]) if more else None)


def _result(done: Done) -> ResultOut:
    if done.error is None:
        return ResultOut(id=done.case_id, case=_shown(done.case) if done.case else None, code="", message="")
    code = code_of(done.error)
    message = "there is no such case, or it is not for you" if isinstance(done.error, NotFound) else str(done.error)
    return ResultOut(id=done.case_id, case=None, code=code, message=message)


def _shown(case: RevisionCase) -> CaseOut:
    return CaseOut.of(case, clock.now())


def _whom(me: Person, named: str | None) -> str | None:
    return me.id if named == "me" else named
