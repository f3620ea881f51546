"""Two articles about the same: the newer one's content and links move to the older, whose number people know.

The newer is archived and leads to the older, translations follow, and both histories stay. The trail is append-only,
so a link moves by being undone there and made here, by who merged and when. Cases go on at the older one as well
(`kb.solve.moving`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from kb import clock
from kb.article import Article, Confidence, Revision
from kb.case import TO_DO
from kb.checklist import Checklist
from kb.errors import Conflict, Invalid
from kb.file import references
from kb.interaction import Event, EventKind, LinkType
from kb.outbox import Lane
from kb.passage import ItemRef, Kind
from kb.person import Person, Right
from kb.solve import coaching, improve, moving, seeing, templates, translating
from kb.solve.publishing import cut_shown, save_article, shown_revision
from kb.store import articles, audit, cases, checklists, files, interactions
from kb.store.database import Database, Tx
from kb.text import bounds
from kb.text.hygiene import tidy
from kb.text.withholding import put_back, source_for

MERGE, UNMERGE = "merge", "unmerge"
"""What audit entries call it."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a merge of two articles would do: which is kept, what the other has (links, translations and cases to do, of
    the latter two those that are there for who asks), and whether readers see the text at once.

    `needs_text`: the newer text is for fewer readers, so one that all may read has to be sent."""

    kept: Article
    merged: Article
    links: int
    translations: int
    cases: int
    shown: bool
    needs_text: bool


@dataclass(frozen=True, slots=True)
class Merge:
    """What became of two articles, how many links moved, and whether the text did."""

    kept: Article
    merged: Article
    links: int
    text: bool = True


def preview(db: Database, by: Person, one: str, other: str) -> Prospect:
    """What merging the articles with these ids would do. Raises as `merge` does; its rights are asked there."""
    by.require(Right.DRAFT)
    with db.read() as tx:
        kept, merged = _in_order([improve.readable(tx, by, each) for each in (one, other)])
        _require_alike(kept, merged)
        item = ItemRef(Kind.ARTICLE, merged.id)
        led = [each for each in articles.translations(tx, merged.id) if seeing.may_see(by, each.access, False)]
        return Prospect(
            kept,
            merged,
            links=len(interactions.linked_to(tx, item)),
            translations=len(led),
            cases=_cases_seen(tx, by, item),
            shown=kept.published is not None or merged.published is not None,
            needs_text=_is_for_fewer(merged, kept),
        )


def merge(
    db: Database,
    by: Person,
    one: str,
    other: str,
    versions: Mapping[str, int],
    *,
    title: str = "",
    body: str = "",
    note: str = "",
) -> Merge:
    """Merge the articles with these ids: the older is kept, with the newer's text or the one that is given.

    `versions` are those that were read, by id. Readers are shown the result at once if they were shown either. Raises
    NotFound, NotAllowed, Conflict, and Invalid for articles that cannot be one: of different languages, archived, or
    where the newer text would be shown to more readers than it was written for.
    """
    by.require(Right.DRAFT)
    body = tidy(body)
    bounds.check(body)
    at = clock.now()
    with db.write() as tx:
        pair = [improve.readable(tx, by, each).expect(versions.get(each)) for each in (one, other)]
        kept, merged = _in_order(pair)
        _require_alike(kept, merged)
        if not body and _is_for_fewer(merged, kept):
            raise Invalid("the newer text is for fewer readers: send the text that all may read", "body")
        brought = articles.get_revision(tx, merged.id, merged.published or merged.latest)
        own = articles.get_revision(tx, kept.id, kept.latest).body
        text = improve.Text(title or brought.title, put_back(body or brought.body, own, by.tier), note)
        after = _with_text(tx, kept, merged, at)
        revision = improve.new_revision(after, text, by, at)
        _bring_files(tx, by, merged, source_for(brought.body, by.tier) if body else brought.body, revision, at)
        _save_text(tx, by, kept, after, revision, at)
        gone = merged.archive(at, superseded_by=kept.id)
        improve.require_allowed(by, merged, gone)
        _save(tx, by, MERGE, merged, gone, at)
        _lead_translations(tx, by, brought, revision, at)
        links = _move_links(tx, by, merged, after, at)
        moving.follow(tx, by, gone, after, revision.title, at)
        return Merge(after, gone, links)


def undo(db: Database, by: Person, article_id: str) -> Merge:
    """Take back the merge that archived an article: its state, the older one's text, links and translations.

    What happened to the older one since stays: a text that somebody has revised meanwhile (then `text` is False), and
    links made to it. Raises Conflict where the archived article has been changed since, or was archived otherwise;
    NotFound, NotAllowed.
    """
    by.require(Right.DRAFT)
    at = clock.now()
    with db.write() as tx:
        merged = improve.readable(tx, by, article_id)
        done = _last(tx, merged)
        if done is None or done.after.get("version") != merged.version or merged.superseded_by is None:
            raise Conflict(f"article {merged.number} was not merged, or has been changed since")
        kept = improve.readable(tx, by, merged.superseded_by)
        before = Confidence(str(done.before["confidence"])), done.before.get("superseded_by")
        back = merged.with_state(at, confidence=before[0], superseded_by=before[1])
        improve.require_allowed(by, merged, back)
        for each in articles.translations(tx, kept.id):
            was = _last(tx, each, done.at, translating.FOLLOWED)
            if was is not None and was.before.get("translation_of") == merged.id:
                fields = {name: was.before[name] for name in ("translation_of", "translates") if name in was.before}
                _save(tx, by, translating.FOLLOWED, each, each.with_state(at, **fields), at)
        _save(tx, by, UNMERGE, merged, back, at)
        after = _without_text(tx, by, kept, done.at, at)
        links = _links_back(tx, by, back, kept, done.at, at)
        title = articles.get_revision(tx, back.id, back.published or back.latest).title
        moving.undo(tx, by, back, kept, title, done.at, at)
        return Merge(after or kept, back, links, after is not None)


def _in_order(pair: Iterable[Article]) -> list[Article]:
    """The older first: it is kept."""
    return sorted(pair, key=lambda each: (each.created_at, each.id))


def _cases_seen(tx: Tx, by: Person, item: ItemRef) -> int:
    """How many cases to do about an item are there for `by`, up to a thousand."""
    if not by.may(Right.FLAG):
        return 0
    return len(cases.listing(tx, by.reader, cases.Wanted(states=TO_DO, item=item), None, 1_000))


def _require_alike(kept: Article, merged: Article) -> None:
    if kept.id == merged.id:
        raise Invalid("these are one article already", "articles")
    if kept.language is not merged.language:
        raise Invalid("articles in two languages are translations of each other: link them instead", "articles")
    if Confidence.ARCHIVED in (kept.confidence, merged.confidence):
        raise Invalid("an archived article cannot be merged; set another confidence first", "articles")


def _is_for_fewer(merged: Article, kept: Article) -> bool:
    """Whether somebody who may read the one that is kept might not read the other.

    What is for groups always counts: to compare groups would tell of those that one may not know of.
    """
    return merged.audience.rank > kept.audience.rank or bool(merged.groups)


def _with_text(tx: Tx, kept: Article, merged: Article, at: datetime) -> Article:
    """The older article with one more revision, shown if either was; a translation if the newer one was."""
    after = kept.revise(at)
    if kept.published is not None or merged.published is not None:
        after = replace(after.publish(after.latest, at), version=after.version)
    alone = kept.translation_of is None and not articles.translations(tx, kept.id)
    if alone and merged.translation_of:
        after = replace(after, translation_of=merged.translation_of, translates=merged.translates)
    return after


def _save_text(tx: Tx, by: Person, kept: Article, after: Article, revision: Revision, at: datetime) -> None:
    """Write the merged text as any other revision: with the rights it takes, by its template, with its checklist."""
    improve.require_allowed(by, kept, after)
    if after.template and after.published == revision.number:
        templates.require(tx, by, after, revision)
    _save(tx, by, MERGE, kept, after, at, revision)
    computed = coaching.computed(tx, by, revision.title, revision.body)
    checklists.insert(tx, Checklist(kept.id, revision.number, computed))


def _lead_translations(tx: Tx, by: Person, brought: Revision, revision: Revision, at: datetime) -> None:
    """Make the newer article's translations those of the older; unless its text was taken as it was, they lack it."""
    # As `by` sees both: what translations are said to lack must not tell of blocks for others.
    was, now = ((each.title, source_for(each.body, by.tier)) for each in (brought, revision))
    says = revision.number if was == now else revision.number - 1
    for each in articles.translations(tx, brought.article_id):
        led = each.with_state(at, translation_of=revision.article_id, translates=says)
        _save(tx, by, translating.FOLLOWED, each, led, at)


def _bring_files(tx: Tx, by: Person, merged: Article, text: str, revision: Revision, at: datetime) -> None:
    """Give the older article the files of the newer text that the new one names as well."""
    wanted = references(text) & references(revision.body)
    for each in files.attached(tx, merged.id):
        if each.hash in wanted:
            files.attach(tx, revision.article_id, each.hash, each.name, by.id, at)


def _save(
    tx: Tx, by: Person, action: str, before: Article, after: Article, at: datetime, revision: Revision | None = None
) -> None:
    shown = revision if revision and after.published == revision.number else shown_revision(tx, after)
    save_article(tx, by, action, before, after, at, cut_shown(after, shown, at), revision)
    if revision is not None:
        translating.follow(tx, by, before, after, at, Lane.PEOPLE_LEXICAL)


def _move_links(tx: Tx, by: Person, merged: Article, kept: Article, at: datetime) -> int:
    """Link the interactions of the newer article to the older; one that it resolved stays resolved."""
    there = dict(interactions.linked_to(tx, ItemRef(Kind.ARTICLE, kept.id)))
    found = interactions.linked_to(tx, ItemRef(Kind.ARTICLE, merged.id))
    events = []
    for interaction_id, type_ in found:
        events.append(_event(by, EventKind.UNLINKED, merged, interaction_id, at, type=type_))
        if there.get(interaction_id) not in (type_, LinkType.RESOLUTION):
            was = there.get(interaction_id, "")
            events.append(_event(by, EventKind.LINKED, kept, interaction_id, at, type=type_, was=was))
    interactions.append(tx, events)
    return len(found)


def _links_back(tx: Tx, by: Person, merged: Article, kept: Article, merged_at: datetime, at: datetime) -> int:
    """Link again what the merge unlinked, and undo what it linked, as far as that still stands."""
    there = dict(interactions.linked_to(tx, ItemRef(Kind.ARTICLE, kept.id)))
    events = []
    for each in _moved(tx, merged, EventKind.UNLINKED, merged_at):
        events.append(_event(by, EventKind.LINKED, merged, str(each.interaction_id), at, type=each.data["type"]))
    count = len(events)
    for each in _moved(tx, kept, EventKind.LINKED, merged_at):
        if there.get(str(each.interaction_id)) == each.data["type"]:
            kind = EventKind.LINKED if each.data["was"] else EventKind.UNLINKED
            events.append(_event(by, kind, kept, str(each.interaction_id), at, type=each.data["was"]))
    interactions.append(tx, events)
    return count


def _moved(tx: Tx, article: Article, kind: EventKind, at: datetime) -> list[Event]:
    """The events by which a merge moved links."""
    found = interactions.about(tx, ItemRef(Kind.ARTICLE, article.id), [kind], at)
    return [each for each in found if each.at == at and each.data.get("merge")]


def _event(by: Person, kind: EventKind, article: Article, interaction_id: str, at: datetime, **data: object) -> Event:
    revision = article.published or article.latest
    return Event(kind, at, by.id, interaction_id, item_kind=Kind.ARTICLE, item_id=article.id, revision=revision,
                 data={"merge": True, **data})  # fmt: skip


def _last(tx: Tx, article: Article, at: datetime | None = None, action: str = MERGE) -> audit.Change | None:
    """What the last merge (or the one at that moment) did to an article."""
    changes = audit.of(tx, Kind.ARTICLE, article.id)
    found = [each for each in changes if each.action == action and at in (None, each.at)]
    return found[-1] if found else None


def _without_text(tx: Tx, by: Person, kept: Article, merged_at: datetime, at: datetime) -> Article | None:
    """The older article as it was, in a new revision; None, and nothing is done, if somebody has revised it since."""
    done = _last(tx, kept, merged_at)
    if done is None or done.after["latest"] != kept.latest:
        return None
    shown = done.before.get("published", kept.published)
    fields = {name: done.before[name] for name in ("translation_of", "translates") if name in done.before}
    after = replace(kept.revise(at), published=shown, published_at=at if shown else None, **fields)  # type: ignore[arg-type]
    was = articles.get_revision(tx, kept.id, int(str(done.before["latest"])))
    revision = Revision(kept.id, after.latest, was.title, was.body, by.id, at, "undo of a merge", was.size)
    improve.require_allowed(by, kept, after)
    _save(tx, by, UNMERGE, kept, after, at, revision)
    return after
