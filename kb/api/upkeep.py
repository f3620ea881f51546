"""Keeping articles in order: drafts checked, duplicates merged, owners reminded, texts coached."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from kb.api.article_shapes import ArticleOut, StepOut, WarningOut
from kb.api.articles import ALONE, WRITING, IfMatch, NumberPath, id_of, shown, tagged, version_of
from kb.api.bodies import Route
from kb.api.errors import refusals
from kb.api.parts import Parts, Running
from kb.api.people import Me, opens
from kb.api.queries import once
from kb.api.shapes import MANY, files_at
from kb.api.upkeep_shapes import (
    ChecklistOut,
    ChecklistsIn,
    ChecklistsOut,
    ComparedOut,
    CompareIn,
    ConfirmIn,
    DraftIn,
    DraftOut,
    MergeIn,
    MergeOut,
    MistakeOut,
    NearOut,
    PreviewIn,
    PreviewOut,
    ProspectOut,
    ReminderOut,
    RemindersIn,
    RemindersOut,
    SimilarIn,
    SimilarOut,
    TickIn,
    TimesOut,
    TranslationOut,
    TranslationsOut,
    UndoIn,
    UseOut,
    UserOut,
    UsersIn,
    UsersOut,
    WithIn,
)
from kb.article import Article
from kb.errors import Invalid
from kb.interaction import LinkType
from kb.number import parse_number
from kb.person import Person, Right, Scope
from kb.solve import coaching, drafting, duplicates, history, improve, merging, reading, templates, translating, upkeep
from kb.solve.coaching import Result
from kb.solve.merging import Merge

router = APIRouter(prefix="/api/v1", tags=["upkeep"], dependencies=[opens(Scope.READ, Scope.WRITE)], route_class=Route)

RevisionPath = Annotated[int, Path(ge=1, le=MANY, examples=[3])]


@router.post("/drafts/check", summary="Check a draft", responses=refusals(413), dependencies=ALONE)
def check_draft(asked: DraftIn, me: Me, parts: Parts) -> DraftOut:
    """What a text lacks by its template, and how it keeps to the content standard. Nothing is saved."""
    checks = coaching.check_draft(parts.db, me, asked.title, asked.body)
    wrong = templates.problems_of(parts.db, me, asked.template, asked.body) if asked.template else []
    return DraftOut(warnings=[WarningOut(**asdict(each)) for each in wrong], checks=checks)


@router.post("/drafts/preview", summary="Preview", responses=refusals(413), dependencies=ALONE)
def preview_draft(asked: PreviewIn, me: Me, parts: Parts) -> PreviewOut:
    """A text as an audience would read it: what is narrowed to others is cut. Nothing is saved."""
    number = parse_number(asked.number) if asked.number else ""
    if number is None:
        raise Invalid("that is no number of an article", "number")
    made = drafting.preview(me, asked.body, asked.audience, files_at(number) if number else "")
    mistake = MistakeOut(message=made.mistake.message, line=made.mistake.line) if made.mistake else None
    return PreviewOut(html=made.html, hidden=made.hidden, mistake=mistake)


@router.post("/drafts/compare", summary="Compare a draft", responses=refusals(404, 413), dependencies=ALONE)
def compare_draft(asked: CompareIn, me: Me, parts: Parts) -> ComparedOut:
    """What a text changes against a revision that you may see. Nothing is saved."""
    found = history.compare_draft(parts.db, me, asked.number, asked.revision, asked.title, asked.body)
    title, body = (
        [StepOut(change=each.change, text=each.text) for each in steps] for steps in (found.title, found.body)
    )
    return ComparedOut(title=title, body=body)


@router.post("/drafts/similar", summary="Look for duplicates", responses=refusals(404, 413), dependencies=ALONE)
def find_similar(asked: SimilarIn, me: Me, parts: Parts) -> SimilarOut:
    """The articles and posts that you may read which are nearest to a text, and why. It is no entry in the trail, and
    saving never waits for it."""
    found, degraded = duplicates.nearest(parts.finder, me, asked.title, asked.body, asked.number, asked.limit)
    return SimilarOut(
        found=[
            NearOut(
                kind=each.standing.item.kind,
                id=each.standing.item.id,
                number=each.standing.label,
                title=each.standing.title,
                reason=each.reason,
                likeness=each.likeness,
                score=each.score,
            )
            for each in found
        ],
        degraded=list(degraded),
    )


@router.get(
    "/reminders", summary="What to look at", responses=refusals(), dependencies=[Depends(once("owner", "limit"))]
)
def list_reminders(asked: Annotated[RemindersIn, Query()], me: Me, parts: Parts) -> RemindersOut:
    """Articles that end soon or have ended, and those that nobody has confirmed for long. For staff."""
    owner = me.id if asked.owner == "me" else None
    found = upkeep.reminders(parts.db, me, parts.terms, owner, frozenset(asked.reason), asked.limit)
    return RemindersOut(
        reminders=[
            ReminderOut(
                number=each.article.number,
                title=each.title,
                reason=each.reason,
                due=each.due,
                owner_id=each.article.owner_id,
                version=each.article.version,
            )
            for each in found
        ]
    )


@router.post("/articles/{number}/confirm", summary="Still right", responses=WRITING, dependencies=ALONE)
def confirm_article(
    number: NumberPath, asked: ConfirmIn, me: Me, parts: Parts, response: Response, if_match: IfMatch = None
) -> ArticleOut:
    """Say that an article is still right; its end moves. For its owner and those who may validate."""
    version = version_of(if_match, asked.version)
    article = reading.find(parts.db, me, number)
    changed = improve.confirm(
        parts.db, me, article.id, until=asked.valid_until, translates=asked.translates, version=version
    )
    return tagged(parts, me, changed, response)


@router.get("/articles/{number}/translations", summary="Translations", responses=refusals(404), dependencies=ALONE)
def list_translations(number: NumberPath, me: Me, parts: Parts) -> TranslationsOut:
    """An article in all languages in which you may read it. Staff see how far each is behind its original."""
    return TranslationsOut(
        translations=[
            TranslationOut(
                number=each.article.number,
                title=each.title,
                language=each.article.language,
                audience=each.article.audience,
                confidence=each.article.confidence,
                is_original=each.is_original,
                behind=each.behind if me.is_staff else None,
                translates=each.translates if me.is_staff else None,
            )
            for each in translating.listing(parts.db, me, number)
        ]
    )


@router.get(
    "/articles/{number}/users",
    summary="Recent users",
    responses=refusals(404),
    dependencies=[Depends(once("days")), opens(Scope.INTERACT)],
)
def list_users(number: NumberPath, asked: Annotated[UsersIn, Query()], me: Me, parts: Parts) -> UsersOut:
    """Who copied, inserted or linked an article lately: whom to tell when its meaning changes. Needs the right to
    read trails."""
    found = upkeep.recent_users(parts.db, me, number, timedelta(days=asked.days))
    return UsersOut(
        users=[
            UserOut(
                person_id=each.event.person_id,
                kind=each.event.kind,
                revision=each.event.revision,
                interaction_id=each.event.interaction_id,
                channel=each.channel,
                at=each.event.at,
            )
            for each in found
        ]
    )


@router.get(
    "/articles/{number}/use",
    summary="Use",
    responses=refusals(404),
    dependencies=[Depends(once("days")), opens(Scope.INTERACT)],
)
def count_use(number: NumberPath, asked: Annotated[UsersIn, Query()], me: Me, parts: Parts) -> UseOut:
    """How often an article was viewed, copied, inserted and linked lately, how often it helped and did not, by day,
    tier and role. Needs the right to read trails."""
    found = upkeep.use(parts.db, me, number, timedelta(days=asked.days))
    return UseOut(
        times=[TimesOut(**asdict(each)) for each in found.times],
        resolution=found.linked[LinkType.RESOLUTION],
        reference=found.linked[LinkType.REFERENCE],
    )


@router.get(
    "/articles/{number}/merge",
    summary="Preview a merge",
    responses=refusals(403, 404),
    dependencies=[Depends(once("other"))],
)
def preview_merge(number: NumberPath, asked: Annotated[WithIn, Query()], me: Me, parts: Parts) -> ProspectOut:
    """Which of two articles would be kept, and what would move to it. Nothing is changed."""
    me.require(Right.DRAFT)
    one = reading.find(parts.db, me, number)
    found = merging.preview(parts.db, me, one.id, id_of(parts, me, asked.other, "other") or "")
    kept, merged = _pair(parts, me, found.kept, found.merged)
    return ProspectOut(
        kept=kept,
        merged=merged,
        links=found.links,
        translations=found.translations,
        cases=found.cases,
        shown=found.shown,
        needs_text=found.needs_text,
    )


@router.post("/articles/{number}/merge", summary="Merge", responses=WRITING, dependencies=ALONE)
def merge_articles(number: NumberPath, asked: MergeIn, me: Me, parts: Parts) -> MergeOut:
    """Make one article of two: the older is kept, the newer's text, links, translations and cases move to it, and the
    newer leads there from now on. Both histories stay; where both have a case of the same, these become one."""
    me.require(Right.DRAFT)
    one = reading.find(parts.db, me, number)
    other = id_of(parts, me, asked.other, "other") or ""
    versions = {one.id: asked.version, other: asked.other_version}
    done = merging.merge(
        parts.db,
        me,
        one.id,
        other,
        {key: version for key, version in versions.items() if version is not None},
        title=asked.title,
        body=asked.body,
        note=asked.note,
    )
    return _merged(parts, me, done)


@router.post("/articles/{number}/merge/undo", summary="Undo a merge", responses=WRITING, dependencies=ALONE)
def undo_merge(number: NumberPath, asked: UndoIn, me: Me, parts: Parts) -> MergeOut:
    """Take back the merge that archived this article. What was done to the other one since stays: a text that was
    revised (`text` is false), links made to it, cases that were fixed there or became one."""
    me.require(Right.DRAFT)
    article = reading.find(parts.db, me, number).expect(asked.version)
    return _merged(parts, me, merging.undo(parts.db, me, article.id))


@router.get(
    "/articles/{number}/revisions/{revision}/checklist",
    summary="Checklist",
    responses=refusals(404),
    dependencies=ALONE,
)
def read_checklist(number: NumberPath, revision: RevisionPath, me: Me, parts: Parts) -> ChecklistOut:
    """How a revision keeps to the content standard. For its author, coaches and administrators."""
    return _checklist(coaching.read(parts.db, me, number, revision))


@router.put("/articles/{number}/revisions/{revision}/checklist", summary="Coach", responses=WRITING, dependencies=ALONE)
def tick_checklist(number: NumberPath, revision: RevisionPath, asked: TickIn, me: Me, parts: Parts) -> ChecklistOut:
    """Say of a revision what no program can check. Needs the right to coach."""
    done = coaching.tick(parts.db, me, number, revision, asked.ticked, asked.remark, asked.version)
    return _checklist(done)


@router.get("/checklists", summary="Checklists", responses=refusals(), dependencies=[Depends(once("author", "limit"))])
def list_checklists(asked: Annotated[ChecklistsIn, Query()], me: Me, parts: Parts) -> ChecklistsOut:
    """The checklists of what somebody wrote. For themselves, coaches and administrators."""
    found = coaching.of_author(parts.db, me, asked.author or me.id, asked.limit)
    return ChecklistsOut(checklists=[_checklist(each) for each in found])


def _merged(parts: Running, me: Person, done: Merge) -> MergeOut:
    kept, merged = _pair(parts, me, done.kept, done.merged)
    return MergeOut(kept=kept, merged=merged, links=done.links, text=done.text)


def _pair(parts: Running, me: Person, *both: Article) -> list[ArticleOut]:
    return shown(parts, me, [(each, reading.title_of(parts.db, each)) for each in both])


def _checklist(result: Result) -> ChecklistOut:
    return ChecklistOut(
        number=result.article.number,
        title=result.revision.title,
        revision=result.revision.number,
        author_id=result.revision.author_id,
        created_at=result.revision.created_at,
        computed=dict(result.checklist.computed),
        ticked=dict(result.checklist.ticked),
        remark=result.checklist.remark,
        checked_at=result.checklist.checked_at,
        version=result.checklist.version,
    )
