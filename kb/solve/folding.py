"""From flags to cases: which flags are one case, who owns it, and what it weighs.

What calls this has checked who is asking, and is in a transaction.
"""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kb.audience import Access, Audience
from kb.case import LATELY, SEVERITY, Action, News, RevisionCase, Rules, Severity, Step, demand_of, due_at, fold_key
from kb.errors import Conflict, NotFound
from kb.flag import ROADS, Cause, Road
from kb.passage import ItemRef, Kind
from kb.person import SYSTEM, Person, Right, Role
from kb.solve import announcing
from kb.standing import Standing
from kb.store import articles, audit, cases, domains, notifications, people, posts
from kb.store.database import Tx
from kb.text.script import fold
from kb.text.sentences import sentences
from kb.webhook import Event

_TRIES = 3
_TAKES = {Road.COMPLIANCE: Right.GOVERN, Road.SEARCH: Right.TUNE}
_DEPUTIES = (Role.COACH, Role.PUBLISHER, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class About:
    """What a case is about: an item with its revision and passage, or, without one, a query."""

    cause: Cause
    audience: Audience
    standing: Standing | None = None
    revision: int | None = None
    ordinal: int | None = None
    heading: tuple[str, ...] = ()
    quote: str = ""
    query: str = ""

    @property
    def item(self) -> ItemRef | None:
        """The item it is about."""
        return self.standing.item if self.standing else None

    @property
    def access(self) -> Access:
        """What it takes to see the case: the tier of who flags, and the groups that the item is for."""
        return Access(self.audience, self.standing.access.groups if self.standing else frozenset())

    @property
    def fold(self) -> str:
        """The key of its case."""
        return fold_key(self.cause, self.access, self.item, self.passage)

    @property
    def passage(self) -> str:
        """What its passage is known by."""
        return passage_key(self.query or self.quote, self.heading)


def passage_key(said: str, heading: Iterable[str]) -> str:
    """What a passage is known by across revisions: its quoted text, else the headings above it; a gap by the query.

    Ordinals shift with every heading that is put in above, and passages are cut anew with every revision. The
    sentence that is wrong stays what it is until it is put right; scripts, case and spaces aside.
    """
    return " ".join(fold(said or " > ".join(heading)).split())


def words(*texts: str) -> str:
    """Texts as a case is searched by them: either script of Chinese, upper and lower case are the same."""
    return "\n".join(fold(each) for each in texts if each)


def whole_sentences(text: str, quote: str) -> str:
    """The sentences of a plain text that a quote touches, so that two people who mark more or less mean the same.

    The quote itself where it does not stand there, such as one from a table.
    """
    said = quote.split()
    found = re.search(r"\s+".join(map(re.escape, said)), text) if said else None
    touched = [(a, b) for a, b in sentences(text) if found and a < found.end() and b > found.start()]
    return " ".join((text[touched[0][0] : touched[-1][1]] if touched else quote).split())


def case_of(tx: Tx, by: Person, about: About, rules: Rules, at: datetime) -> RevisionCase:
    """The unfinished case that this belongs to, opened if there is none; locked until the transaction ends.

    However many come at once, one of them opens it. Its owner is told, once.
    """
    found = cases.unfinished(tx, about.fold)
    if found is not None:
        return found
    new = _new(tx, about, rules, at)
    for _ in range(_TRIES):
        cases.insert_missing_case(tx, new)
        if found := cases.unfinished(tx, about.fold):
            break
    if found is None:
        raise Conflict("the case is being closed at this very moment; try again")
    if found.id == new.id:
        cases.add_steps(tx, [Step(found.id, at, by.id, Action.OPENED, found.state)])
        audit.write(tx, [change(by, "open", None, found, at)])
        notifications.tell(tx, [found.owner_id], News.OPENED, found, at)
        announcing.case_moved(tx, Event.CASE_OPENED, found, at)
    return found


def weighed(tx: Tx, found: RevisionCase, count: int, severity: Severity, at: datetime) -> RevisionCase:
    """The case with so many voices, weighed with how much its item is used lately."""
    used = cases.reuse(tx, found.item, at - LATELY) if found.item else 0
    return found.weighed(at, count, max(severity, found.severity, key=lambda each: each.rank), used)


def owner_for(tx: Tx, road: Road, item: ItemRef | None, topic: str, audience: Audience, rules: Rules) -> str:
    """Who owns a case: the item's owner, else that of its domain, else the fallback.

    Only who may read the item and do what the road takes. kb itself where there is nobody.
    """
    article = articles.by_ids(tx, [item.id]).get(item.id) if item and item.kind is Kind.ARTICLE else None
    named = [article.owner_id if article else None, *domains.owners(tx, topic), rules.fallback_owner]
    access = [article.access] if article else []
    for each in (*_known(tx, named), *_deputies(tx)):
        reads = each.tier.rank >= audience.rank and all(map(each.reader.may_read, access))
        if reads and not each.disabled and each.may(Right.FIX) and each.may(_TAKES.get(road, Right.FIX)):
            return each.id
    return SYSTEM.id


def change(by: Person, action: str, before: RevisionCase | None, after: RevisionCase, at: datetime) -> audit.Change:
    """The audit entry of a changed case. Texts stand in the flags and the history."""
    old, new = audit.difference(_facts(before) if before else {}, _facts(after))
    return audit.Change(by.id, action, cases.SUBJECT, after.id, old, new, at)


def _facts(case: RevisionCase) -> dict[str, object]:
    names = ("state", "severity", "count", "owner_id", "assignee_id", "fixed_revision", "changes_meaning", "round")
    facts: dict[str, object] = {name: getattr(case, name) for name in names}
    return facts | {"cause": case.cause, "item": list(case.item) if case.item else None}


def _new(tx: Tx, about: About, rules: Rules, at: datetime) -> RevisionCase:
    topic = _topic(tx, about.item)
    severity = SEVERITY[about.cause]
    title = about.standing.title if about.standing else about.query
    used = cases.reuse(tx, about.item, at - LATELY) if about.item else 0
    return RevisionCase(
        id=uuid.uuid4().hex,
        fold=about.fold,
        cause=about.cause,
        severity=severity,
        audience=about.audience,
        groups=about.access.groups,
        opened_at=at,
        changed_at=at,
        due_at=due_at(at, severity, used),
        item=about.item,
        label=about.standing.label if about.standing else "",
        title=title,
        topic=topic,
        revision=about.revision,
        ordinal=about.ordinal,
        heading=about.heading,
        quote=about.quote,
        reuse=used,
        demand=demand_of(severity, 0, used),
        words=words(about.standing.label if about.standing else "", title, about.quote),
        owner_id=owner_for(tx, ROADS[about.cause], about.item, topic, about.audience, rules),
    )


def _topic(tx: Tx, item: ItemRef | None) -> str:
    if item is None:
        return ""
    if item.kind is Kind.ARTICLE:
        return articles.get(tx, item.id).topic
    found = posts.by_ids(tx, [item.id]).get(item.id)
    return found.topic if found else ""


def _known(tx: Tx, ids: Iterable[str | None]) -> Iterable[Person]:
    for each in ids:
        if each:
            try:
                yield people.get(tx, each)
            except NotFound:
                continue  # erased since


def _deputies(tx: Tx) -> Iterable[Person]:
    """Coaches, then publishers, then admins, by name: somebody there is always."""
    everyone = people.everyone(tx)
    for role in _DEPUTIES:
        yield from (each for each in everyone if role in each.roles)
