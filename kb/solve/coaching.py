"""The content standard: results are kept with each revision that somebody wrote, for the author, coaches and
administrators only (KCS PA-05)."""

from collections.abc import Mapping
from dataclasses import dataclass

from kb import clock
from kb.article import Article, Confidence, Revision
from kb.checklist import Check, Checklist, Tick
from kb.errors import NotAllowed
from kb.person import Person, Right
from kb.solve import history, seeing
from kb.solve.access import require_staff
from kb.store import articles, audit, checklists
from kb.store.database import Database, Tx
from kb.text import bounds
from kb.text.standard import checked, linked_numbers
from kb.text.withholding import source_for

SUBJECT = "checklist"
"""What audit entries call a checklist."""


@dataclass(frozen=True, slots=True)
class Result:
    """A checklist with the article and the revision that it is about."""

    article: Article
    revision: Revision
    checklist: Checklist


def computed(tx: Tx, by: Person, title: str, body: str) -> dict[Check, bool]:
    """Which checks a text passes, as far as its author sees it: no check may tell of blocks for others."""
    body = source_for(body, by.tier)
    return checked(title, body, _alive(tx, by, body))


def check_draft(db: Database, by: Person, title: str, body: str) -> dict[Check, bool]:
    """The same for a text that is not saved. For writers."""
    by.require(Right.DRAFT)
    bounds.check(body)
    with db.read() as tx:
        return computed(tx, by, title, body)


def read(db: Database, by: Person, number: str, revision_number: int) -> Result:
    """The checklist of a revision. Raises NotFound, and NotAllowed for anybody but author, coach and administrator."""
    article, revision = history.revision(db, by, number, revision_number)
    _require_close(by, revision.author_id)
    with db.read() as tx:
        return Result(article, revision, checklists.get(tx, article.id, revision_number))


def tick(
    db: Database,
    by: Person,
    number: str,
    revision_number: int,
    ticked: Mapping[Tick, bool],
    remark: str,
    version: int,
) -> Result:
    """Say what no program can check. Needs the right to coach; raises NotFound, NotAllowed, Conflict."""
    article, revision = history.revision(db, by, number, revision_number)
    by.require(Right.COACH)
    at = clock.now()
    with db.write() as tx:
        before = checklists.get(tx, article.id, revision_number)
        after = before.tick(ticked, remark, version, by.id, at)
        checklists.update(tx, before, after)
        old, new = audit.difference(_facts(before), _facts(after))
        subject = f"{article.id}/{revision_number}"
        audit.write(tx, [audit.Change(by.id, "tick", SUBJECT, subject, old, new, at)])
    return Result(article, revision, after)


def of_author(db: Database, by: Person, author_id: str, limit: int) -> list[Result]:
    """The checklists of what somebody wrote, newest first, of articles that are there for `by`; raises NotAllowed."""
    require_staff(by)
    _require_close(by, author_id)
    at = clock.now()
    found = []
    with db.read() as tx:
        kept = checklists.of_author(tx, author_id, limit)
        known = articles.by_ids(tx, {each.article_id for each in kept})
        seen = {key: each for key, each in known.items() if seeing.may_see(by, each.access, each.is_live(at))}
        written = {key: {each.number: each for each in history.visible(tx, by, seen[key])} for key in seen}
    for each in kept:
        if revision := written.get(each.article_id, {}).get(each.revision):
            found.append(Result(seen[each.article_id], revision, each))
    return found


def _alive(tx: Tx, by: Person, body: str) -> bool:
    """Whether every article that a text links to is there, for its author and not archived."""
    numbers = linked_numbers(body)
    ids = articles.ids_of(tx, numbers)
    found = articles.by_ids(tx, ids.values()).values()
    at = clock.now()
    there = [each for each in found if seeing.may_see(by, each.access, each.is_live(at))]
    return len(there) == len(numbers) and all(each.confidence is not Confidence.ARCHIVED for each in there)


def _require_close(by: Person, author_id: str) -> None:
    if by.id != author_id and not by.may(Right.COACH) and not by.may(Right.ADMINISTER):
        raise NotAllowed("a checklist is for the author, coaches and administrators")


def _facts(checklist: Checklist) -> dict[str, object]:
    return {"ticked": {key.value: value for key, value in checklist.ticked.items()}, "remark": checklist.remark}
