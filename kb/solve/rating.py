"""What readers say of an item: that it helped or did not, and what was missing (KCS: everyone can rate and comment).

A rating is an event of the trail like any other. What somebody adds in words is theirs: it stands in that event alone,
goes when they or their interaction are erased, and is shown to those who could read what they read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kb import clock
from kb.audience import Access, Audience
from kb.case import LATELY, RevisionCase
from kb.errors import Conflict, Invalid
from kb.flag import Cause
from kb.interaction import LONGEST_COMMENT, RATINGS, Event, EventKind
from kb.passage import ItemRef
from kb.person import Person
from kb.store import cases, content, interactions
from kb.store.database import Tx
from kb.text.hygiene import tidy

COMMENT = "comment"
"""In the data of a rating: what was said with it."""

_FOR = ("audience", "groups")  # beside it: for whom it is, the tier of who said it and the groups of the item
_LATEST = 100  # comments that somebody who works on a case will read


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said of a revision."""

    at: datetime
    helped: bool
    revision: int
    text: str


@dataclass(frozen=True, slots=True)
class Ratings:
    """How many rated an item either way, each once, and the latest of what they said, newest first."""

    helpful: int
    not_helpful: int
    comments: tuple[Comment, ...]


def check(tx: Tx, by: Person, events: Sequence[Event]) -> None:
    """Raise Invalid for a comment that is none, Conflict for an item that somebody rates twice in an interaction.

    A comment may follow what was rated without one: whoever goes away before writing it has been heard all the same.
    """
    for place, event in enumerate(events):
        if COMMENT in event.data and event.kind not in RATINGS:
            raise Invalid(f"a {event.kind} event has no comment", f"events.{place}.comment")
        if len(_said(event)) > LONGEST_COMMENT:
            raise Invalid(f"a comment has at most {LONGEST_COMMENT} characters", f"events.{place}.comment")
        if event.kind in RATINGS and event.interaction_id is not None:
            known = interactions.rated(tx, event.interaction_id, by.id, _item(event))
            _check_once(event, [*known, *(each for each in events[:place] if _same(each, event))])


def kept(tx: Tx, by: Person, event: Event) -> Event:
    """The event as it is written: with a comment stands who may read it."""
    text = _said(event)
    rest = {name: value for name, value in event.data.items() if name != COMMENT}
    if not text:
        return replace(event, data=rest)
    standing = content.standings(tx, [_item(event)], clock.now())[_item(event)]
    whom = {"audience": by.tier.value, "groups": sorted(standing.access.groups)}
    return replace(event, data=rest | {COMMENT: text} | whom)


def without_comment(event: Event) -> Event:
    """The event for somebody who may know of it and not of what was said with it."""
    return replace(event, data={name: each for name, each in event.data.items() if name not in (COMMENT, *_FOR)})


def may_read(by: Person, event: Event) -> bool:
    """Whether the comment of an event is for somebody."""
    groups = event.data["groups"]
    return by.reader.may_read(
        Access(Audience(str(event.data["audience"])), frozenset(groups if isinstance(groups, list) else ()))
    )


def of_case(tx: Tx, by: Person, case: RevisionCase) -> Ratings | None:
    """What was said that made a case of it: since the last such case was finished, until this one was."""
    if case.cause is not Cause.NOT_HELPFUL or case.item is None:
        return None
    finished = cases.finished_at(tx, case.item, case.fold, before=case.opened_at)
    since = max(case.opened_at - LATELY, finished or case.opened_at - LATELY)
    until = case.closed_at or clock.now()
    counted = interactions.voices(tx, case.item, since, until)
    said = interactions.comments(tx, case.item, since, until, _LATEST)
    read = [each for each in said if may_read(by, each)]
    return Ratings(counted[EventKind.HELPFUL], counted[EventKind.NOT_HELPFUL], tuple(map(_comment, read)))


def _comment(event: Event) -> Comment:
    return Comment(event.at, event.kind is EventKind.HELPFUL, event.revision or 0, _said(event))


def _said(event: Event) -> str:
    """What was said with a rating; spaces and what nobody sees are nothing."""
    return tidy(str(event.data.get(COMMENT, ""))).strip()


def _check_once(event: Event, before: Sequence[Event]) -> None:
    said = [each for each in before if _said(each) or each.kind is not event.kind]
    if before and (said or not _said(event)):
        raise Conflict("in this interaction you have rated that already")


def _same(one: Event, other: Event) -> bool:
    rated = one.kind in RATINGS and one.interaction_id == other.interaction_id
    return rated and _item(one) == _item(other)


def _item(event: Event) -> ItemRef:
    assert event.item_kind  # a rating names its item: `trail` has looked
    assert event.item_id
    return ItemRef(event.item_kind, event.item_id)
