"""May this person see that? The one place that answers, below every surface.

The rule itself is the nouns': `Reader.may_read` for tier and groups (`kb.audience`), and what is live
(`Article.is_live`, `Standing.live`). Whoever is not told more sees least, and nothing tells what is not for somebody
from what does not exist. Three places have to ask before they rank or count, and put the same rule in their own terms:
the keys in the index (`Access.reader_keys`), the segments of the catalogue (`kb.search.segment.Key`) and the
conditions of SQL lists (`kb.store.articles.may_read`); tests hold each equal to the rule. Items that they let through
are asked for again here before they leave.
Inside a text `kb.text.markdown.narrow` cuts, and `kb.text.withholding` for who edits it.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from kb.article import Article, Confidence
from kb.audience import Access
from kb.case import RevisionCase
from kb.errors import NotFound
from kb.number import parse_number
from kb.passage import ItemRef
from kb.person import SYSTEM, Person, Right
from kb.standing import Standing
from kb.store import articles, content
from kb.store.database import Tx


def may_see(by: Person, access: Access, live: bool) -> bool:
    """Whether something with that access is there for somebody: for staff in any state, for others while it is live."""
    return by.reader.may_read(access) and (live or by.is_staff)


def belongs(by: Person, access: Access) -> bool:
    """Whether they are among its readers. kb itself, which imports, belongs to every group."""
    return by == SYSTEM or by.reader.may_read(access)


def article(tx: Tx, by: Person, number: str, at: datetime) -> Article:
    """The article with that number, as people write or say it, if it is there for `by`; raises NotFound."""
    canonical = parse_number(number)
    if canonical is None:
        raise NotFound(f"no article {number}")
    found = articles.by_number(tx, canonical)
    if not may_see(by, found.access, found.is_live(at)):
        raise NotFound(f"no article {canonical}")
    return found


def article_or_successor(tx: Tx, by: Person, number: str, at: datetime) -> tuple[Article, str | None]:
    """The article with that number, and the number of the one that took its place, if it has been archived.

    Staff get the archived one; readers, who are shown it no more, the one that took its place. Raises NotFound, also
    for a reader who never could read it: an old address tells nobody of what was not theirs.
    """
    found = articles.by_number(tx, parse_number(number) or "")
    successor = _successor(tx, by, found, at)
    if may_see(by, found.access, found.is_live(at)):
        return found, successor.number if successor else None
    was_shown = found.published is not None and (found.valid_from is None or found.valid_from <= at)
    if successor is None or not was_shown or not by.reader.may_read(found.access):
        raise NotFound(f"no article {number}")
    return successor, successor.number


def _successor(tx: Tx, by: Person, found: Article, at: datetime) -> Article | None:
    """Who took the place of an archived article in the end, if that is there for `by`."""
    passed = [found]
    while passed[-1].confidence is Confidence.ARCHIVED and passed[-1].superseded_by:
        following = articles.by_ids(tx, [passed[-1].superseded_by]).get(passed[-1].superseded_by)
        if following is None or following in passed:
            return None
        passed.append(following)
    last = passed[-1]
    return last if last is not found and may_see(by, last.access, last.is_live(at)) else None


def standings(tx: Tx, by: Person, items: Iterable[ItemRef], at: datetime) -> dict[ItemRef, Standing]:
    """Where those of these items stand that are there for `by`. A successor counts only if it is there as well."""
    seen = _seen(by, content.standings(tx, items, at))
    successors = {each.superseded_by for each in seen.values() if each.superseded_by}
    known = _seen(by, content.standings(tx, successors, at)) if successors else {}
    for item, each in seen.items():
        if each.superseded_by and each.superseded_by not in known:
            seen[item] = replace(each, superseded_by=None)
    return seen


def numbers(tx: Tx, by: Person, ids: Iterable[str | None], at: datetime) -> dict[str, str]:
    """The numbers of those of these articles that are there for `by`: a link to any other is not shown."""
    found = articles.by_ids(tx, {each for each in ids if each})
    return {key: each.number for key, each in found.items() if may_see(by, each.access, each.is_live(at))}


def case(tx: Tx, by: Person, found: RevisionCase, at: datetime) -> RevisionCase:
    """The case, if it is there for `by`; raises NotFound. `kb.store.cases.may_see` is the same for lists.

    Its quotes and notes are of somebody of its audience and groups: nobody else is told of them. Nor is anybody who may
    not see the item; one that is gone can be seen by nobody, and its case still by those it was for.
    """
    standing = content.standings(tx, [found.item], at).get(found.item) if found.item else None
    needed = [found.access, *([standing.access] if standing else [])]
    if not by.is_staff or not all(map(by.reader.may_read, needed)):
        raise NotFound(f"no case {found.id}")
    return found


def groups(by: Person, named: Collection[str]) -> frozenset[str]:
    """Those of these groups that somebody may know of: their own, and all for who administers people."""
    known = by == SYSTEM or by.may(Right.ADMINISTER)
    return frozenset(named) if known else frozenset(named) & by.groups


def _seen(by: Person, found: dict[ItemRef, Standing]) -> dict[ItemRef, Standing]:
    return {item: each for item, each in found.items() if may_see(by, each.access, each.live)}
