"""History: the revisions of an article, what differs between two, and who changed its state.

For staff. A reader sees a revision if they could read the article when it was written, or if it is the one that is
shown now: making an article public opens what it says today, not what it said while it was internal. A text comes as
it was written, with the markers of its narrowed blocks, without the blocks that are for others: that is what to edit.
What an editor was not shown stays where it stands (`kb.text.withholding`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from kb import clock
from kb.article import Article, Revision
from kb.audience import Access, Audience
from kb.errors import NotFound
from kb.passage import ItemRef, Kind
from kb.person import Person, Right
from kb.solve import seeing
from kb.solve.access import require_staff
from kb.store import articles, audit, flags
from kb.store.database import Database, Tx
from kb.text.difference import Step, difference
from kb.text.hygiene import tidy
from kb.text.withholding import source_for

_LINKS = ("superseded_by", "translation_of")
_OF_ORIGINAL = frozenset({"translates"})


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two revisions, as far as this reader may see them."""

    old: Revision
    new: Revision
    title: list[Step]
    body: list[Step]


def revisions(db: Database, by: Person, number: str) -> tuple[Article, list[Revision]]:
    """An article and those of its revisions that `by` may see, trimmed, oldest first; raises NotFound, NotAllowed."""
    with db.read() as tx:
        article = _article(tx, by, number)
        return article, visible(tx, by, article)


def credited(db: Database, by: Person, article: Article) -> dict[int, list[tuple[str, str]]]:
    """Whose better way each revision of an article took up: person ids, with what a source calls those whom kb does not
    know. Nobody for who may not see the cases."""
    if not by.may(Right.FLAG):
        return {}
    with db.read() as tx:
        return flags.better_ways(tx, by.reader, ItemRef(Kind.ARTICLE, article.id))


def visible(tx: Tx, by: Person, article: Article) -> list[Revision]:
    """The revisions of an article that staff may see, trimmed, oldest first."""
    accesses = _accesses(tx, article)
    found = articles.revisions(tx, article.id)
    return [_trimmed(by, each) for each in found if _may_see(by, article, accesses, each.number)]


def revision(db: Database, by: Person, number: str, revision_number: int) -> tuple[Article, Revision]:
    """One revision, trimmed; raises NotFound, NotAllowed."""
    with db.read() as tx:
        article = _article(tx, by, number)
        found = one(tx, by, article, revision_number)
    return article, _trimmed(by, found)


def seen_revision(tx: Tx, by: Person, article: Article, number: int) -> Revision:
    """One revision of an article that is there for `by`, trimmed; raises NotFound."""
    return _trimmed(by, one(tx, by, article, number))


def compare(db: Database, by: Person, number: str, old: int, new: int) -> Comparison:
    """What differs between two revisions, compared after they were trimmed; raises NotFound, NotAllowed."""
    with db.read() as tx:
        article = _article(tx, by, number)
        before, after = (_trimmed(by, one(tx, by, article, each)) for each in (old, new))
    return Comparison(before, after, difference(before.title, after.title), difference(before.body, after.body))


def compare_draft(db: Database, by: Person, number: str, old: int, title: str, body: str) -> Comparison:
    """What differs between a revision and a text that is not saved yet; raises NotFound, NotAllowed."""
    with db.read() as tx:
        article = _article(tx, by, number)
        before = seen_revision(tx, by, article, old)
    draft = replace(before, number=article.latest + 1, title=title, body=tidy(body))
    return Comparison(before, draft, difference(before.title, draft.title), difference(before.body, draft.body))


def changes(db: Database, by: Person, number: str) -> list[audit.Change]:
    """Every change of an article's state, oldest first, less the groups and articles that `by` may not know of.

    Raises NotFound, NotAllowed.
    """
    with db.read() as tx:
        found = audit.of(tx, Kind.ARTICLE, _article(tx, by, number).id)
        linked = {side.get(name) for each in found for side in (each.before, each.after) for name in _LINKS}
        known = seeing.numbers(tx, by, [str(each) for each in linked if each], clock.now())
    seen = [_change_for(by, each, known) for each in found]
    if not {str(each) for each in linked if each} <= known.keys():  # a revision of what may be hidden
        seen = [replace(each, before=_without(each.before, _OF_ORIGINAL), after=_without(each.after, _OF_ORIGINAL))
                for each in seen]  # fmt: skip
    return [each for each in seen if each.before or each.after]


def _change_for(by: Person, each: audit.Change, known: Collection[str]) -> audit.Change:
    """A change with what `by` may not know of cut from both sides, and without the fields that then are equal."""
    before, after = (_state_for(by, side, known) for side in (each.before, each.after))
    if by.tier is not Audience.INTERNAL and each.person_id != by.id:
        before, after = (_without(side, {"file"}) for side in (before, after))  # it may stand in a block for others
    same = {name for name in {*before, *after} if before.get(name) == after.get(name)}
    return replace(each, before=_without(before, same), after=_without(after, same))


def _state_for(by: Person, side: Mapping[str, object], known: Collection[str]) -> dict[str, object]:
    state = dict(side)
    if isinstance(named := state.get("groups"), list):
        state["groups"] = sorted(seeing.groups(by, named))
    return state | {name: None for name in _LINKS if name in state and state[name] not in known}


def _without(state: Mapping[str, object], names: Collection[str]) -> dict[str, object]:
    return {name: value for name, value in state.items() if name not in names}


def _article(tx: Tx, by: Person, number: str) -> Article:
    article = seeing.article(tx, by, number, clock.now())
    require_staff(by)
    return article


def shown_at(tx: Tx, article: Article, at: datetime) -> int | None:
    """The revision that readers were shown at that moment, as the audit log has it; None if there was none."""
    shown = None
    for change in audit.of(tx, Kind.ARTICLE, article.id):
        if change.at <= at and isinstance(number := change.after.get("published"), int):
            shown = number
    return shown


def shown_before(tx: Tx, by: Person, article: Article) -> Revision | None:
    """The revision that readers were shown before the present one, if it was written for somebody like `by`."""
    shown: list[int] = []
    for change in audit.of(tx, Kind.ARTICLE, article.id):
        if isinstance(number := change.after.get("published"), int) and shown[-1:] != [number]:
            shown.append(number)
    if len(shown) < 2 or shown[-1] != article.published:
        return None
    written_for = _accesses(tx, article).get(shown[-2])
    return articles.get_revision(tx, article.id, shown[-2]) if written_for and by.reader.may_read(written_for) else None


def one(tx: Tx, by: Person, article: Article, number: int) -> Revision:
    """One revision that staff may see, not trimmed; raises NotFound."""
    found = articles.get_revision(tx, article.id, number)
    if not _may_see(by, article, _accesses(tx, article), number):
        raise NotFound(f"no revision {number}")
    return found


def _trimmed(by: Person, each: Revision) -> Revision:
    return replace(each, body=source_for(each.body, by.tier))


def _may_see(by: Person, article: Article, accesses: dict[int, Access], number: int) -> bool:
    shown = number == (article.published or article.latest)
    written_for = accesses.get(number, Access(Audience.INTERNAL, article.groups))
    return shown or by.reader.may_read(written_for)


def _accesses(tx: Tx, article: Article) -> dict[int, Access]:
    """What it took to read the article when each revision was written, from the audit log."""
    state: dict[str, object] = {}
    found = {}
    for change in audit.of(tx, Kind.ARTICLE, article.id):
        state |= change.after
        if "latest" in change.after:
            groups = state.get("groups")
            access = Access(Audience(str(state["audience"])), frozenset(groups if isinstance(groups, list) else ()))
            found[int(str(change.after["latest"]))] = access
    return found
