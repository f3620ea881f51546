"""Reading and writing articles."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Response

from kb import clock
from kb.api.article_shapes import (
    ArchiveIn,
    ArticleIn,
    ArticleOut,
    ArticlesOut,
    EditingOut,
    ListIn,
    PublishIn,
    ReadArticleOut,
    RevisionIn,
    SavedOut,
    UnpublishIn,
    WarningOut,
)
from kb.api.bodies import Route
from kb.api.errors import refusals
from kb.api.parts import Parts, Running
from kb.api.people import Me, opens
from kb.api.queries import no_query, once
from kb.api.shapes import Number, OpenCaseOut, files_at
from kb.api.state_shapes import StateChangeIn
from kb.article import Article, Draft
from kb.errors import Invalid, NotFound
from kb.person import Person, Right, Scope
from kb.solve import improve, reading, seeing, templates
from kb.solve.access import known_person
from kb.solve.fixing import Fixes
from kb.text.markdown import render

router = APIRouter(
    prefix="/api/v1/articles", tags=["articles"], dependencies=[opens(Scope.READ, Scope.WRITE)], route_class=Route
)

NumberPath = Annotated[Number, Path(description="As people write it: 482-9175, KB 4829175.", examples=["482-9175"])]
IfMatch = Annotated[
    str | None, Header(description='The ETag that you read, such as "7"; a newer version means 409.', examples=['"7"'])
]
ALONE = [Depends(no_query)]
WRITING = refusals(403, 404, 409, 413)


@router.post("", status_code=201, summary="Create", responses=refusals(403, 413), dependencies=ALONE)
def create_article(asked: ArticleIn, me: Me, parts: Parts, response: Response) -> SavedOut:
    """A new article with its first revision. Needs a role; to publish outside, the right to."""
    state = _state(parts, me, asked.model_dump(exclude={"title", "body", "note", "publish", "fixes"}))
    draft = Draft(title=asked.title, body=asked.body, note=asked.note, **state)
    article = improve.create(parts.db, me, draft, publish=asked.publish, fixes=Fixes(asked.fixes))
    response.headers["Location"] = f"{router.prefix}/{article.number}"
    return _saved(parts, me, article, response)


@router.get(
    "",
    summary="List",
    responses=refusals(),
    dependencies=[Depends(once("topic", "published", "after", "limit"))],
)
def list_articles(asked: Annotated[ListIn, Query()], me: Me, parts: Parts) -> ArticlesOut:
    """The articles you may read, in order of number. Staff see drafts and archived ones as well."""
    found = reading.listing(
        parts.db,
        me,
        having=asked.having,
        topic=asked.topic,
        published=asked.published,
        after=asked.after,
        limit=asked.limit + 1,
    )
    page = found[: asked.limit]
    more = len(found) > asked.limit
    return ArticlesOut(articles=shown(parts, me, page), next=page[-1][0].number if more else None)


@router.get("/{number}", summary="Read", responses=refusals(404), dependencies=ALONE)
def read_article(number: NumberPath, me: Me, parts: Parts, response: Response) -> ReadArticleOut:
    """An article as you may see it, or the one that took its place (`moved_to`). The `ETag` is its version for staff;
    for readers it is made of what they see."""
    found = reading.read_article(parts.db, me, number)
    out = shown(parts, me, [(found.article, found.title)])[0]
    reply = ReadArticleOut(
        **dict(out),
        revision=found.article.published or found.article.latest,
        moved_to=found.moved_to,
        body=found.body,
        html=render(found.body, files_at(found.article.number)),
    )
    response.headers["ETag"] = f'"{_tag(reply)}"'
    return reply


@router.post("/{number}/revisions", status_code=201, summary="Revise", responses=WRITING, dependencies=ALONE)
def revise_article(
    number: NumberPath, asked: RevisionIn, me: Me, parts: Parts, response: Response, if_match: IfMatch = None
) -> SavedOut:
    """One more revision, shown to readers at once with `publish`. Takes the version that you read; where there is a
    newer text, 409 says in `conflict` how both go together."""
    version = version_of(if_match, asked.version)
    if version is None:
        raise Invalid("say which version you read, here or as If-Match, so that nobody's edit is lost", "version")
    article = reading.find(parts.db, me, number)
    changed = improve.revise(
        parts.db,
        me,
        article.id,
        asked.title,
        asked.body,
        note=asked.note,
        version=version,
        publish=asked.publish,
        fixes=Fixes(asked.fixes, asked.changes_meaning),
        size=asked.size,
        translates=asked.translates,
        state=_state(parts, me, asked.state.changed) if asked.state else {},
    )
    return _saved(parts, me, changed, response)


@router.post("/{number}/publish", summary="Publish", responses=WRITING, dependencies=ALONE)
def publish_article(
    number: NumberPath, asked: PublishIn, me: Me, parts: Parts, response: Response, if_match: IfMatch = None
) -> SavedOut:
    """Show a revision to readers; it can be found within a second. An older one undoes a publish, and opens again the
    cases that it had fixed."""
    version = version_of(if_match, asked.version)
    article = reading.find(parts.db, me, number)
    fixes = Fixes(asked.fixes, asked.changes_meaning)
    state = _state(parts, me, asked.state.changed) if asked.state else {}
    changed = improve.publish(parts.db, me, article.id, asked.revision, version=version, state=state, fixes=fixes)
    return _saved(parts, me, changed, response)


@router.post("/{number}/unpublish", summary="Take back", responses=WRITING, dependencies=ALONE)
def unpublish_article(
    number: NumberPath, asked: UnpublishIn, me: Me, parts: Parts, response: Response, if_match: IfMatch = None
) -> ArticleOut:
    """Show readers no revision any more: the article is a draft again, and the cases that it had fixed are open. Undoes
    a first publish; to undo a later one, publish the revision before."""
    version = version_of(if_match, asked.version)
    article = reading.find(parts.db, me, number)
    return tagged(parts, me, improve.unpublish(parts.db, me, article.id, version=version), response)


@router.post("/{number}/archive", summary="Archive", responses=WRITING, dependencies=ALONE)
def archive_article(
    number: NumberPath, asked: ArchiveIn, me: Me, parts: Parts, response: Response, if_match: IfMatch = None
) -> ArticleOut:
    """Take an article out of use. Its history stays, and staff can still read it."""
    version = version_of(if_match, asked.version)
    article = reading.find(parts.db, me, number)
    successor = id_of(parts, me, asked.superseded_by, "superseded_by")
    changed = improve.archive(parts.db, me, article.id, superseded_by=successor, version=version)
    return tagged(parts, me, changed, response)


@router.patch("/{number}", summary="Change state and metadata", responses=WRITING, dependencies=ALONE)
def change_article(
    number: NumberPath, asked: StateChangeIn, me: Me, parts: Parts, response: Response, if_match: IfMatch = None
) -> ArticleOut:
    """Change confidence, audience, governance, groups, topic, products, tags, owner, dates or links."""
    version = version_of(if_match, asked.version)
    article = reading.find(parts.db, me, number)
    changed = improve.set_state(parts.db, me, article.id, _state(parts, me, asked.changed), version=version)
    return tagged(parts, me, changed, response)


def _saved(parts: Running, me: Person, article: Article, response: Response) -> SavedOut:
    """The same with what its latest text lacks by its template."""
    wrong = [WarningOut(**asdict(each)) for each in templates.problems(parts.db, me, article)]
    return SavedOut(**dict(tagged(parts, me, article, response)), warnings=wrong)


def tagged(parts: Running, me: Person, article: Article, response: Response) -> ArticleOut:
    """An article after a change, with its new version as the ETag."""
    response.headers["ETag"] = f'"{article.version}"'
    return shown(parts, me, [(article, reading.title_of(parts.db, article))])[0]


def shown(parts: Running, me: Person, found: Sequence[tuple[Article, str]]) -> list[ArticleOut]:
    """Articles as this reader may see them, links to others only where these may be seen too."""
    linked = [each.superseded_by for each, _ in found] + [each.translation_of for each, _ in found]
    numbers = reading.numbers(parts.db, me, linked)
    warnings = reading.open_cases(parts.db, [each.id for each, _ in found]) if me.is_staff else {}
    at = clock.now()
    return [
        ArticleOut(
            number=each.number,
            id=each.id,
            title=title,
            language=each.language,
            audience=each.audience,
            confidence=each.confidence,
            governance=each.governance,
            topic=each.topic,
            products=list(each.products),
            tags=list(each.tags),
            live=each.is_live(at),
            published_at=each.published_at,
            superseded_by=numbers.get(each.superseded_by or ""),
            translation_of=numbers.get(each.translation_of or ""),
            version=each.version if me.is_staff else None,
            editing=_editing(me, each) if me.is_staff else None,
            open_case=OpenCaseOut.of(warnings.get(each.id), me.is_staff),
        )
        for each, title in found
    ]


def _tag(reply: ReadArticleOut) -> str:
    """For readers a hash over what they are shown: the version would tell them of changes that they are not."""
    if reply.version is not None:
        return str(reply.version)
    return hashlib.sha256(reply.model_dump_json().encode()).hexdigest()[:20]


def _editing(me: Person, article: Article) -> EditingOut:
    return EditingOut(
        latest=article.latest,
        published=article.published,
        groups=sorted(seeing.groups(me, article.groups)),
        owner_id=article.owner_id,
        valid_from=article.valid_from,
        valid_until=article.valid_until,
        created_at=article.created_at,
        modified_at=article.modified_at,
        source=article.source,
        source_key=article.source_key,
        template=article.template,
        confirmed_at=article.confirmed_at,
    )


def _state(parts: Running, me: Person, sent: dict[str, Any]) -> dict[str, Any]:
    """State as the nouns have it: groups a set, other articles by id instead of number, an owner who exists."""
    me.require(Right.DRAFT)  # who exists is for writers to know
    state = dict(sent)
    if "groups" in state:
        state["groups"] = frozenset(state["groups"])
    for field in ("superseded_by", "translation_of"):
        if field in state:
            state[field] = id_of(parts, me, state[field], field)
    if state.get("owner_id"):
        state["owner_id"] = known_person(parts.db, state["owner_id"], "owner_id")
    return state


def id_of(parts: Running, me: Person, number: str | None, field: str) -> str | None:
    """The id of an article that is named in a body; raises Invalid for that field."""
    if number is None:
        return None
    try:
        return reading.find(parts.db, me, number).id
    except NotFound:
        raise Invalid(f"there is no article {number}, or it is not for you", field) from None


def version_of(if_match: str | None, sent: int | None) -> int | None:
    """The version a caller read, from header or body; both may say it, but not differently."""
    if if_match is None:
        return sent
    bare = if_match.strip().removeprefix("W/").strip('"')
    if not bare.isascii() or not bare.isdigit():
        raise Invalid('If-Match holds an ETag of ours, such as "7"', "If-Match")
    if sent is not None and sent != int(bare):
        raise Invalid(f"If-Match says {bare}, the body says {sent}", "version")
    return int(bare)
