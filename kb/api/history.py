"""Revisions, differences and the audit log of an article. For staff."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from kb.api.article_shapes import (
    AuditOut,
    ChangeOut,
    CreditOut,
    DiffIn,
    DiffOut,
    ReadRevisionOut,
    RevisionOut,
    RevisionsOut,
    StepOut,
)
from kb.api.articles import NumberPath
from kb.api.errors import refusals
from kb.api.parts import Parts
from kb.api.people import Me, opens
from kb.api.queries import no_query, once
from kb.api.shapes import MANY, files_at
from kb.article import Article, Revision
from kb.person import Scope
from kb.solve import history
from kb.text.difference import Step
from kb.text.markdown import narrow, render

router = APIRouter(prefix="/api/v1/articles/{number}", tags=["history"], dependencies=[opens(Scope.READ)])

_REFUSALS = refusals(403, 404)


@router.get("/revisions", summary="Revisions", responses=_REFUSALS, dependencies=[Depends(no_query)])
def list_revisions(number: NumberPath, me: Me, parts: Parts) -> RevisionsOut:
    """The revisions that you may see: those written for readers like you, and the one shown now."""
    article, found = history.revisions(parts.db, me, number)
    credited = history.credited(parts.db, me, article)
    return RevisionsOut(revisions=[_revision(article, each, credited) for each in found], version=article.version)


@router.get("/revisions/{revision}", summary="One revision", responses=_REFUSALS, dependencies=[Depends(no_query)])
def read_revision(
    number: NumberPath, revision: Annotated[int, Path(ge=1, le=MANY, examples=[3])], me: Me, parts: Parts
) -> ReadRevisionOut:
    """A revision with its text: as it was written, without the blocks that are not for you. This is what to edit."""
    article, found = history.revision(parts.db, me, number, revision)
    return ReadRevisionOut(
        **dict(_revision(article, found, history.credited(parts.db, me, article))),
        body=found.body,
        html=render(narrow(found.body, me.tier), files_at(article.number)),
        version=article.version,
    )


@router.get("/diff", summary="Difference", responses=_REFUSALS, dependencies=[Depends(once("from", "to"))])
def compare_revisions(number: NumberPath, asked: Annotated[DiffIn, Query()], me: Me, parts: Parts) -> DiffOut:
    """How one revision became another, word by word, after both were trimmed to what you may read."""
    found = history.compare(parts.db, me, number, asked.from_, asked.to)
    return DiffOut(
        **{"from": found.old.number}, to=found.new.number, title=_steps(found.title), body=_steps(found.body)
    )


@router.get("/audit", summary="Audit log", responses=_REFUSALS, dependencies=[Depends(no_query)])
def read_audit(number: NumberPath, me: Me, parts: Parts) -> AuditOut:
    """Who changed what of an article, when, from what to what."""
    found = history.changes(parts.db, me, number)
    return AuditOut(
        changes=[
            ChangeOut(
                at=each.at,
                person_id=each.person_id,
                action=each.action,
                before=dict(each.before),
                after=dict(each.after),
            )
            for each in found
        ]
    )


def _revision(article: Article, each: Revision, credited: Mapping[int, Sequence[tuple[str, str]]]) -> RevisionOut:
    return RevisionOut(
        number=each.number,
        title=each.title,
        author_id=each.author_id,
        created_at=each.created_at,
        note=each.note,
        size=each.size,
        published=each.number == article.published,
        credited=[CreditOut(person_id=id, said_by=name) for id, name in credited.get(each.number, ())],
    )


def _steps(steps: Iterable[Step]) -> list[StepOut]:
    return [StepOut(change=each.change, text=each.text) for each in steps]
