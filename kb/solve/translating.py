"""Translations: which revision of its original each one says, and what an edit of the original does to them.

The original leads: an edit of a translation touches nothing else. A typo touches nothing, more than that leaves
translations behind, and a change of meaning takes away that they are validated.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kb import clock
from kb.article import Article, Confidence, Size
from kb.errors import Invalid
from kb.outbox import Lane
from kb.person import Person
from kb.solve import seeing
from kb.solve.publishing import cut_shown, save_article, shown_revision
from kb.store import articles
from kb.store.database import Database, Tx

FOLLOWED = "state"
"""What audit entries of a translation call what follows from its original: who may not read that learns no more."""


@dataclass(frozen=True, slots=True)
class Translation:
    """An article that says the same in another language. `behind` counts the edits of the original, typos aside, that
    it lacks, 0 for the original; `translates` is the revision that it says. Nothing is told of an original that is not
    there for the reader."""

    article: Article
    title: str
    is_original: bool
    behind: int
    translates: int | None


def linked(tx: Tx, by: Person, before: Article | None, after: Article) -> Article:
    """`after` with the revision of its original that it says: the present one when it has just become a translation.

    Raises Invalid for a revision that its original does not have, as far as `by` may know of that.
    """
    if after.translation_of != (before.translation_of if before else None):
        original = articles.by_ids(tx, filter(None, [after.translation_of])).get(after.translation_of or "")
        return replace(after, translates=(original.published or original.latest) if original else None)
    if before is not None and after.translates != before.translates:
        original = articles.by_ids(tx, filter(None, [after.translation_of])).get(after.translation_of or "")
        if original is None or not seeing.may_see(by, original.access, original.is_live(clock.now())):
            raise Invalid("this is the translation of no article that you see", "translates")
        if after.translates is None or not 1 <= after.translates <= original.latest:
            raise Invalid(f"its original has the revisions 1 to {original.latest}", "translates")
    return after


def follow(tx: Tx, by: Person, before: Article, after: Article, at: datetime, lane: Lane) -> None:
    """Take away that translations are validated when the original now says something else.

    Those that say the new meaning already stay as they are, and so does everything when an older revision is shown
    again: that takes a change back.
    """
    meant = new_meaning(tx, before, after)
    for each in articles.translations(tx, after.id) if meant else ():
        if each.confidence is Confidence.VALIDATED and (each.translates or 0) < meant:
            doubted = each.with_state(at, confidence=Confidence.NOT_VALIDATED)
            cut = cut_shown(doubted, shown_revision(tx, doubted), at)
            save_article(tx, by, FOLLOWED, each, doubted, at, cut, lane=lane)


def new_meaning(tx: Tx, before: Article, after: Article) -> int:
    """The latest of the revisions shown since `before` that changed the meaning; 0 if none did."""
    if after.published is None or after.published <= (before.published or 0):
        return 0
    sizes = articles.sizes(tx, [after.id])[after.id]
    meant = [number for number, size in sizes if size is Size.MEANING]
    return max((number for number in meant if (before.published or 0) < number <= after.published), default=0)


def listing(db: Database, by: Person, number: str) -> list[Translation]:
    """An article in all languages in which it is there for `by`, the original first; raises NotFound."""
    at = clock.now()
    with db.read() as tx:
        article = seeing.article(tx, by, number, at)
        found = articles.by_ids(tx, filter(None, [article.translation_of])).get(article.translation_of or "")
        # Behind an original that one may not read stands nothing: the article is then as good as one.
        original = found if found and seeing.may_see(by, found.access, found.is_live(at)) else article
        others = articles.translations(tx, original.id)
        seen = [original, *(each for each in others if seeing.may_see(by, each.access, each.is_live(at)))]
        behind = _behind(tx, original, seen)
        titles = [articles.get_revision(tx, each.id, each.published or each.latest).title for each in seen]
    return [
        Translation(each, title, each is original, count, None if each is original else each.translates)
        for each, title, count in zip(seen, titles, behind, strict=True)
    ]


def _behind(tx: Tx, original: Article, found: Sequence[Article]) -> list[int]:
    now = original.published or original.latest
    edits = [number for number, size in articles.sizes(tx, [original.id])[original.id] if size is not Size.TYPO]
    return [
        0 if each is original else sum((each.translates or 0) < number <= now for number in edits) for each in found
    ]
