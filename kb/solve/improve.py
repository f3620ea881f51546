"""Improve and capture: create, revise, publish, change state, archive. Each is one transaction.

Every rule of who may do what stands in `require_allowed`; the roles' rights are in `kb.person`.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

from kb import clock
from kb.article import Article, Confidence, Draft, Governance, Revision, Size
from kb.audience import Audience
from kb.checklist import Check, Checklist
from kb.errors import Conflict, Invalid, NotAllowed, NotFound
from kb.file import Named
from kb.number import new_number
from kb.outbox import Lane
from kb.person import Person, Right
from kb.solve import coaching, editing, fixing, reminding, seeing, templates, translating
from kb.solve.fixing import Fixes
from kb.solve.publishing import Cut, cut_shown, save_article, shown_revision
from kb.store import articles, checklists, topics
from kb.store.database import Database, Tx
from kb.text import bounds
from kb.text.hygiene import tidy
from kb.text.markdown import check
from kb.text.withholding import put_back
from kb.topic import check_topic_path

_STATE = {field.name for field in fields(Draft)} - {"title", "body", "note", "files"}
_AS_IT_IS: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Text:
    """What a new revision says, why, how much of an edit it is, and the files that come with it."""

    title: str
    body: str
    note: str
    files: Sequence[Named] = ()
    size: Size = Size.CONTENT


@dataclass(frozen=True, slots=True)
class _Plan:
    """A change worked out from the state before it: everything that takes time, before the write lock is taken."""

    before: Article
    after: Article
    revision: Revision | None
    cut: Cut
    computed: dict[Check, bool] | None = None


def create(
    db: Database,
    by: Person,
    draft: Draft,
    *,
    publish: bool = True,
    source: tuple[str, str, str] = ("", "", ""),
    lane: Lane = Lane.PEOPLE_LEXICAL,
    fixes: Fixes = fixing.NOTHING,
) -> Article:
    """A new article with its first revision, shown to its audience at once if `publish`.

    `fixes` names gaps that it fills. `source` is (source, key there, hash there) for an article that was ingested.
    Raises Invalid, NotAllowed, and Conflict if another ingest has just brought in the same.
    """
    at = clock.now()
    after = Article(
        id=uuid.uuid4().hex,
        number="",
        created_at=at,
        modified_at=at,
        latest=1,
        source=source[0],
        source_key=source[1],
        source_hash=source[2],
        **{name: getattr(draft, name) for name in _STATE},
    )
    if publish:  # an archived article keeps its text for the record; nobody is shown it
        after = replace(after, published=1, published_at=at)
    require_allowed(by, None, after)
    revision = new_revision(after, Text(draft.title, draft.body, draft.note), by, at)
    with db.read() as tx:
        after = _in_its_place(tx, by, None, after, revision if publish else None)
        computed = _computed(tx, by, after, revision)
    cut = cut_shown(after, revision if publish else None, at)
    with db.write() as tx:
        if source[0] and articles.known(tx, source[0], source[1]):
            raise Conflict(f"{source[1]} of {source[0]} has just been brought in by somebody else")
        after = replace(after, number=_free_number(tx))
        topics.ensure_topics(tx, [after.topic])
        save_article(tx, by, "create", None, after, at, cut, revision, draft.files, lane)
        _keep(tx, after, revision, computed)
        fixing.published(tx, by, None, after, fixes, at)
    return after


def revise(
    db: Database,
    by: Person,
    article_id: str,
    title: str,
    body: str,
    *,
    note: str = "",
    version: int | None = None,
    publish: bool = False,
    size: Size = Size.CONTENT,
    translates: int | None = None,
    state: Mapping[str, object] = _AS_IT_IS,
    lane: Lane = Lane.PEOPLE_LEXICAL,
    fixes: Fixes = fixing.NOTHING,
) -> Article:
    """One more revision of an article, shown to readers at once if `publish`, which fixes the cases that `fixes` names.

    `size` is that of the edit, `translates` the revision of its original that a translation now says, `state` what else
    changes with it (see `set_state`). Raises EditConflict on a stale version, with what somebody else made of the text
    meanwhile.
    """
    _check_state(state)

    def change(article: Article, at: datetime) -> Article:
        revised = _stated(by, article, at, state).revise(at)
        revised = replace(revised, translates=translates or article.translates)
        return replace(revised.publish(revised.latest, at) if publish else revised, version=article.version + 1)

    new = Text(title, body, note, size=size)
    try:
        return _change(db, by, article_id, "revise", change, version, lane, new, fixes=fixes)
    except Conflict as error:
        if clash := editing.clash(db, by, article_id, version, title, body):
            raise editing.EditConflict(str(error), clash) from error
        raise


def publish(
    db: Database,
    by: Person,
    article_id: str,
    number: int,
    *,
    version: int | None = None,
    state: Mapping[str, object] = _AS_IT_IS,
    fixes: Fixes = fixing.NOTHING,
) -> Article:
    """Show that revision to readers, which fixes the cases that `fixes` names; `state` changes with it.

    An older one may be published again: that undoes a publish, and opens again the cases that it had fixed.
    """
    _check_state(state)

    def change(article: Article, at: datetime) -> Article:
        return replace(_stated(by, article, at, state).publish(number, at), version=article.version + 1)

    return _change(db, by, article_id, "publish", change, version, fixes=fixes)


def unpublish(db: Database, by: Person, article_id: str, *, version: int | None = None) -> Article:
    """Show readers nothing any more, which opens again the cases that the article had fixed. Raises Conflict for one
    that is not published."""
    return _change(db, by, article_id, "unpublish", lambda article, at: article.unpublish(at), version)


def archive(
    db: Database, by: Person, article_id: str, *, superseded_by: str | None = None, version: int | None = None
) -> Article:
    """Take an article out of use; its history stays."""
    return _change(db, by, article_id, "archive", lambda article, at: article.archive(at, superseded_by), version)


def confirm(
    db: Database,
    by: Person,
    article_id: str,
    *,
    until: datetime | None = None,
    translates: int | None = None,
    version: int | None = None,
) -> Article:
    """Say that an article is still right, which moves its end (`Article.confirm`).

    For its owner, and for those who may validate. Raises as `revise` does.
    """

    def change(article: Article, at: datetime) -> Article:
        return replace(article.confirm(at, until), translates=translates or article.translates)

    return _change(db, by, article_id, "confirm", change, version, check=_may_confirm)


def set_state(
    db: Database,
    by: Person,
    article_id: str,
    state: Mapping[str, object],
    *,
    version: int | None = None,
    lane: Lane = Lane.PEOPLE_LEXICAL,
) -> Article:
    """Change state and metadata: any of the fields of `Draft` but its text and files.

    Groups that `by` does not know of stay, unless it is opened to everybody of its audience.
    """
    _check_state(state)
    return _change(db, by, article_id, "state", lambda article, at: _stated(by, article, at, state), version, lane)


def _check_state(state: Mapping[str, object]) -> None:
    if unknown := set(state) - _STATE:
        raise Invalid(f"not a field of an article's state: {', '.join(sorted(unknown))}", sorted(unknown)[0])


def _stated(by: Person, article: Article, at: datetime, state: Mapping[str, object]) -> Article:
    after = article.with_state(at, **state)
    unknown_groups = article.groups - seeing.groups(by, article.groups)
    return replace(after, groups=after.groups | unknown_groups if after.groups else after.groups)


def replace_ingested(
    db: Database, by: Person, article_id: str, draft: Draft, source: tuple[str, str, str], lane: Lane
) -> Article:
    """What a source now says about an article that it brought in before: text and state in one step.

    It replaces what people changed here in the meantime; their revisions stay in the history. Raises Conflict if
    somebody changes the article at this very moment.
    """
    state = {name: getattr(draft, name) for name in _STATE}
    state |= {"source": source[0], "source_key": source[1], "source_hash": source[2]}
    with db.read() as tx:
        current = articles.get(tx, article_id)
        latest = articles.get_revision(tx, article_id, current.latest)
    same_text = (latest.title, latest.body) == (_one_line(draft.title), tidy(draft.body))

    def change(article: Article, at: datetime) -> Article:
        after = article.with_state(at, **state)
        if not same_text:
            after = replace(after, latest=article.latest + 1)
        shown_before = article.published == after.latest
        return replace(after, published=after.latest, published_at=article.published_at if shown_before else at)

    text = None if same_text else Text(draft.title, draft.body, draft.note, draft.files)
    return _change(db, by, article_id, "ingest", change, current.version, lane, text)


def withdraw_ingested(db: Database, by: Person, article_id: str, lane: Lane) -> Article:
    """Archive an article that its source no longer has. Should the source bring it back, it is read anew."""

    def change(article: Article, at: datetime) -> Article:
        return replace(article.archive(at), source_hash="")

    return _change(db, by, article_id, "withdraw", change, None, lane)


def readable(tx: Tx, by: Person, article_id: str) -> Article:
    """The article, if this person may read it; NotFound otherwise, as if it did not exist."""
    article = articles.get(tx, article_id)
    if not seeing.belongs(by, article.access):
        raise NotFound(f"no article {article_id}")
    return article


def revisable(tx: Tx, by: Person, article_id: str, at: datetime) -> Article:
    """The article, if `by` may add a draft to it; raises NotFound, NotAllowed."""
    article = readable(tx, by, article_id)
    by.require(Right.DRAFT)
    require_allowed(by, article, article.revise(at))
    return article


def _change(
    db: Database,
    by: Person,
    article_id: str,
    action: str,
    change: Callable[[Article, datetime], Article],
    version: int | None,
    lane: Lane = Lane.PEOPLE_LEXICAL,
    text: Text | None = None,
    check: Callable[[Person, Article, Article], None] | None = None,
    fixes: Fixes = fixing.NOTHING,
) -> Article:
    at = clock.now()
    if text is not None:  # tidied before hidden blocks are put in again: no character that goes may open one
        text = replace(text, body=tidy(text.body))
        bounds.check(text.body)

    def planned(tx: Tx, before: Article) -> _Plan:
        by.require(Right.DRAFT)  # before anything that only writers may know, such as the version
        after = change(before.expect(version), at)
        (check or require_allowed)(by, before, after)
        revision = None
        if text is not None:
            latest = articles.get_revision(tx, before.id, before.latest).body
            revision = new_revision(after, replace(text, body=put_back(text.body, latest, by.tier)), by, at)
        is_shown = revision is not None and after.published == revision.number
        shown = revision if is_shown else shown_revision(tx, after)
        after = _in_its_place(tx, by, before, after, shown)
        return _Plan(before, after, revision, cut_shown(after, shown, at), _computed(tx, by, after, revision))

    with db.read() as tx:
        plan = planned(tx, readable(tx, by, article_id))
    with db.write() as tx:
        now = readable(tx, by, article_id)
        if now != plan.before:  # the state under the lock decides
            plan = planned(tx, now)
        topics.ensure_topics(tx, [plan.after.topic])
        brought = text.files if text else ()
        save_article(tx, by, action, plan.before, plan.after, at, plan.cut, plan.revision, brought, lane)
        _keep(tx, plan.after, plan.revision, plan.computed)
        translating.follow(tx, by, plan.before, plan.after, at, lane)
        fixing.published(tx, by, plan.before, plan.after, fixes, at)
        reminding.tell_users(tx, by, plan.before, plan.after, fixes.cases, at)
    return plan.after


def _in_its_place(tx: Tx, by: Person, before: Article | None, after: Article, shown: Revision | None) -> Article:
    """`after`, as it stands to its template and its original; raises Invalid where it may not.

    What is published anew keeps to the template; to show an older revision again is always possible.
    """
    if after.template and after.template != (before.template if before else ""):
        templates.pickable(tx, after.template)
    if after.template and shown is not None and shown.number > ((before.published if before else None) or 0):
        templates.require(tx, by, after, shown)
    return translating.linked(tx, by, before, after)


def _computed(tx: Tx, by: Person, after: Article, revision: Revision | None) -> dict[Check, bool] | None:
    """How a new revision keeps to the content standard; None for what is read from a source, which nobody coaches."""
    return coaching.computed(tx, by, revision.title, revision.body) if revision and not after.source else None


def _keep(tx: Tx, after: Article, revision: Revision | None, computed: dict[Check, bool] | None) -> None:
    if revision is not None and computed is not None:
        checklists.insert(tx, Checklist(after.id, revision.number, computed))


def _may_confirm(by: Person, before: Article, after: Article) -> None:
    """Raise unless this person may say that an article is still right. To bring back one that has ended publishes."""
    if Governance.COMPLIANCE is before.governance:
        by.require(Right.GOVERN)
    if before.owner_id != by.id:
        by.require(Right.VALIDATE)
    if not before.is_live(after.modified_at) and after.is_live(after.modified_at):
        require_allowed(by, before, after)


def require_allowed(by: Person, before: Article | None, after: Article) -> None:
    """Raise unless this person may make this change. Rights are about what readers will see."""
    check_topic_path(after.topic)
    if after.valid_from and after.valid_until and after.valid_from >= after.valid_until:
        raise Invalid("an article ends after it begins", "valid_until")
    if after.id in (after.superseded_by, after.translation_of):
        field = "superseded_by" if after.superseded_by == after.id else "translation_of"
        raise Invalid("an article does not lead to itself", field)
    by.require(Right.DRAFT)
    if not seeing.belongs(by, after.access):
        raise NotAllowed("you cannot give an article to readers that you do not belong to")
    if Governance.COMPLIANCE in (after.governance, before.governance if before else None):
        by.require(Right.GOVERN)
    if after.confidence is Confidence.VALIDATED and (before is None or before.confidence is not after.confidence):
        by.require(Right.VALIDATE)
    was_shown = before is not None and before.published is not None
    if (after.published is None and not was_shown) or (before and _readers_see_no_difference(before, after)):
        return
    outside = {Audience.CUSTOMER, Audience.PUBLIC} & {after.audience, *([before.audience] if before else [])}
    if outside and after.confidence is not Confidence.ARCHIVED:
        by.require(Right.PUBLISH)
    elif was_shown:
        by.require(Right.VALIDATE)


def _readers_see_no_difference(before: Article, after: Article) -> bool:
    """Whether a change only adds a draft."""
    return replace(after, latest=before.latest, version=before.version, modified_at=before.modified_at) == before


def new_revision(article: Article, text: Text, by: Person, at: datetime) -> Revision:
    """The latest revision of an article; raises Invalid for a text that cannot be accepted."""
    title, body = _one_line(text.title), tidy(text.body)
    if not title:
        raise Invalid("an article needs a title", "title")
    check(body)
    return Revision(article.id, article.latest, title, body, by.id, at, text.note, text.size)


def _one_line(title: str) -> str:
    return " ".join(tidy(title).split())


def _free_number(tx: Tx) -> str:
    number = new_number()
    while articles.number_exists(tx, number):
        number = new_number()
    return number
