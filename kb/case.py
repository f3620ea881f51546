"""Revision cases: one folds many flags, has an owner, a due time and a state, and ends by proof.

A case is always a *revision case*; a customer's request is an interaction.
"""

import hashlib
import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from kb.audience import Access, Audience
from kb.errors import Conflict
from kb.flag import ROADS, Cause, Road
from kb.passage import ItemRef

LATELY = timedelta(days=30)
"""How far back reuse is counted."""

REUSE_UNIT = 10
"""Interactions lately at which the time to fix something halves for the first time."""

MOST_WORDS = 8_000
"""Characters that a case is searched by: the notes of the first who flag it."""

MOST_DEMAND = 1_000_000_000


class Severity(StrEnum):
    """How bad it is while it stands."""

    LOW = "low"
    NORMAL = "normal"
    SEVERE = "severe"

    @property
    def rank(self) -> int:
        """0 for low up to 2 for severe."""
        return list(Severity).index(self)


SEVERITY: dict[Cause, Severity] = {
    Cause.WRONG_ARTICLE: Severity.LOW,
    Cause.WRONG_FACT: Severity.NORMAL,
    Cause.HARD_TO_USE: Severity.LOW,
    Cause.DUPLICATE: Severity.LOW,
    Cause.INTERNAL_SHOWN: Severity.SEVERE,
    Cause.NOTHING_ANSWERS: Severity.NORMAL,
    Cause.BETTER_WAY: Severity.LOW,
    Cause.NOT_HELPFUL: Severity.NORMAL,
}

UNUSED: dict[Severity, timedelta] = {
    Severity.LOW: timedelta(days=20),
    Severity.NORMAL: timedelta(days=5),
    Severity.SEVERE: timedelta(hours=8),
}
"""How long the fix of something that nobody uses may take. KCS names no times; these are a month, a week and a day of
work, to be halved by use."""

WEIGHT: dict[Severity, int] = {Severity.LOW: 1, Severity.NORMAL: 4, Severity.SEVERE: 64}
"""What one voice or use counts by severity: sixteen who meet a wrong fact are as pressing as one who is harmed."""


class State(StrEnum):
    """Where a case stands. `fixed` waits for somebody to accept; a case that is reopened is open again."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    FIXED = "fixed"
    CLOSED = "closed"
    DECLINED = "declined"


TO_DO = (State.OPEN, State.IN_PROGRESS)
"""What somebody has to work on; while it is severe, the item says so."""

_LEADS_TO: dict[State, frozenset[State]] = {
    State.OPEN: frozenset({State.OPEN, State.IN_PROGRESS, State.FIXED, State.DECLINED}),
    State.IN_PROGRESS: frozenset({State.OPEN, State.IN_PROGRESS, State.FIXED, State.DECLINED}),
    State.FIXED: frozenset({State.OPEN, State.IN_PROGRESS, State.CLOSED}),
    State.CLOSED: frozenset({State.OPEN, State.IN_PROGRESS}),
    State.DECLINED: frozenset({State.OPEN, State.IN_PROGRESS}),
}


class Proof(StrEnum):
    """Whether the flagged queries have been asked again since the fix."""

    NONE = ""
    WAITING = "waiting"  # for the index to have the fix
    DONE = "done"


class Action(StrEnum):
    """What happens to a case, as its history names it."""

    OPENED = "opened"
    FLAGGED = "flagged"
    ASSIGNED = "assigned"
    COMMENTED = "commented"
    WEIGHED = "weighed"
    FIXED = "fixed"
    PROVED = "proved"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REOPENED = "reopened"
    UNDONE = "undone"  # the fix was taken back
    MOVED = "moved"  # its article was merged into another one, or taken out again
    FOLDED = "folded"  # of two that became one by that, each says so


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator decides about cases.

    `fallback_owner` is the id of who owns what nobody else does ("": the first coach, else publisher, else admin).
    `not_helpful` is how many customers within `LATELY` make a case.
    """

    fallback_owner: str = ""
    not_helpful: int = 5


@dataclass(frozen=True, slots=True)
class OpenCase:
    """The warning that an item carries while a severe case about it is to do."""

    id: str
    cause: Cause
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class RevisionCase:
    """Flags of one cause about one passage of one item; of `nothing_answers` about one query.

    `label` and `title` are the item's number and title as they were, so that the case stays readable whatever becomes
    of it. `audience` is the tier of who flagged and `groups` those that the item was for: quotes and notes are theirs,
    and nobody else is told of them, even if the item is opened to more later.
    `words` is what it can be searched by. `fold` makes two flags the same case until it is closed or declined. `round`
    counts fixes, `version` changes, which guards against lost edits.
    """

    id: str
    fold: str
    cause: Cause
    severity: Severity
    audience: Audience
    groups: frozenset[str]
    opened_at: datetime
    changed_at: datetime
    due_at: datetime
    item: ItemRef | None = None
    label: str = ""
    title: str = ""
    topic: str = ""
    revision: int | None = None
    ordinal: int | None = None
    heading: tuple[str, ...] = ()
    quote: str = ""
    words: str = ""
    state: State = State.OPEN
    count: int = 0
    reuse: int = 0
    demand: int = 0
    owner_id: str | None = None
    assignee_id: str | None = None
    reason: str = ""
    fixed_at: datetime | None = None
    fixed_revision: int | None = None
    replaced_revision: int | None = None
    changes_meaning: bool = False
    round: int = 0
    proof: Proof = Proof.NONE
    closed_at: datetime | None = None
    turn_around_s: float | None = None
    version: int = 1

    @property
    def access(self) -> Access:
        """What it takes to see it, besides seeing the item."""
        return Access(self.audience, self.groups)

    @property
    def road(self) -> Road:
        """Whose work it is."""
        return ROADS[self.cause]

    @property
    def to_do(self) -> bool:
        """Whether somebody has to work on it."""
        return self.state in TO_DO

    def expect(self, version: int | None) -> "RevisionCase":
        """This case, if it still has the version the caller read; raises Conflict otherwise."""
        if version is not None and version != self.version:
            raise Conflict(f"the case is now at version {self.version}, you changed {version}: read it again")
        return self

    def weighed(self, at: datetime, count: int, severity: Severity, reuse: int) -> "RevisionCase":
        """The case with so many voices; its due time only ever comes nearer by itself."""
        due = min(self.due_at, due_at(self.opened_at, severity, reuse))
        demand = demand_of(severity, count, reuse)
        return self._changed(at, count=count, severity=severity, reuse=reuse, demand=demand, due_at=due)

    def weigh(self, at: datetime, severity: Severity) -> "RevisionCase":
        """The case with the severity that an editor gives it, and the due time that follows."""
        demand = demand_of(severity, self.count, self.reuse)
        due = due_at(self.opened_at, severity, self.reuse)
        return self._changed(at, severity=severity, demand=demand, due_at=due)

    def assign(self, at: datetime, person_id: str | None) -> "RevisionCase":
        """The case with somebody who works on it, or with nobody."""
        if not self.to_do:
            raise Conflict(f"a case that is {self.state} has nothing to be done; reopen it first")
        return self._move(at, State.IN_PROGRESS if person_id else State.OPEN, assignee_id=person_id)

    def fix(
        self, at: datetime, item: ItemRef, revision: int, replaced: int | None, changes_meaning: bool
    ) -> "RevisionCase":
        """The case once a revision that fixes it is published: it waits for proof and for somebody to accept."""
        fixed = {
            "item": item, "fixed_at": at, "fixed_revision": revision, "replaced_revision": replaced,
            "changes_meaning": changes_meaning, "round": self.round + 1, "proof": Proof.WAITING,
        }  # fmt: skip
        return self._move(at, State.FIXED, **fixed)

    def proved(self, at: datetime) -> "RevisionCase":
        """The case after its queries have been asked again."""
        return self._changed(at, proof=Proof.DONE)

    def accept(self, at: datetime) -> "RevisionCase":
        """The case closed; its turn-around is from the first flag to here."""
        turn_around = (at - self.opened_at).total_seconds()
        return self._move(at, State.CLOSED, closed_at=at, turn_around_s=turn_around)

    def decline(self, at: datetime, reason: str) -> "RevisionCase":
        """The case refused, with the reason that its flaggers are told."""
        return self._move(at, State.DECLINED, reason=reason, closed_at=at)

    def reopen(self, at: datetime) -> "RevisionCase":
        """The case to do again."""
        if self.to_do:
            raise Conflict("the case is open")
        cleared = {
            "reason": "", "fixed_at": None, "fixed_revision": None, "replaced_revision": None,
            "proof": Proof.NONE, "closed_at": None, "turn_around_s": None, "changes_meaning": False,
            "item": None if self.cause is Cause.NOTHING_ANSWERS else self.item,
        }  # fmt: skip
        return self._move(at, State.IN_PROGRESS if self.assignee_id else State.OPEN, **cleared)

    def folded(self, at: datetime) -> "RevisionCase":
        """The case that goes on as another one: closed, and nothing to measure."""
        return self._changed(at, state=State.CLOSED, closed_at=at, proof=Proof.NONE)

    def said(self, at: datetime, words: str) -> "RevisionCase":
        """The case that can be found by these words as well, as long as there is room."""
        more = f"{self.words}\n{words}" if words and words not in self.words else self.words
        return self._changed(at, words=more if len(more) <= MOST_WORDS else self.words)

    def touched(self, at: datetime, **fields: object) -> "RevisionCase":
        """The case with other particulars that are no step of its life, such as its owner."""
        return self._changed(at, **fields)

    def _move(self, at: datetime, to: State, **fields: object) -> "RevisionCase":
        if to not in _LEADS_TO[self.state]:
            raise Conflict(f"a case that is {self.state} cannot become {to}")
        return self._changed(at, state=to, **fields)

    def _changed(self, at: datetime, **fields: object) -> "RevisionCase":
        return replace(self, changed_at=at, version=self.version + 1, **fields)  # type: ignore[arg-type]


def due_at(opened_at: datetime, severity: Severity, reuse: int) -> datetime:
    """When a case is due: UNUSED[severity] / (1 + log2(1 + reuse / REUSE_UNIT)) after it was opened.

    `reuse` counts the interactions lately that the item resolved or was sent in. The logarithm keeps a popular
    article from being due at once: 10 halve the time, 70 leave a quarter, 1,000 an eighth.
    """
    return opened_at + UNUSED[severity] / (1 + math.log2(1 + reuse / REUSE_UNIT))


def demand_of(severity: Severity, count: int, reuse: int) -> int:
    """What a queue is ordered by: WEIGHT[severity] x (flags + reuse)."""
    return min(WEIGHT[severity] * (count + reuse), MOST_DEMAND)


def fold_key(cause: Cause, access: Access, item: ItemRef | None, passage: str) -> str:
    """What makes flags one case, as hex SHA-256. `passage` is what a passage is known by across revisions."""
    what = f"{item.kind}/{item.id}" if item else ""
    parts = (cause, access.audience, ":".join(sorted(access.groups)), what, passage)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Step:
    """One step in a case's history; `text` is a comment or a reason, `whom_id` who was given the case."""

    case_id: str
    at: datetime
    person_id: str
    action: Action
    state: State
    text: str = ""
    whom_id: str | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a query finds the item: its 1-based rank (None: not among those looked at), revision and passage."""

    rank: int | None
    revision: int | None
    ordinal: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """A flagged query, then and now. `flag_id` is the flag that it came with."""

    case_id: str
    round: int
    flag_id: str
    before: Place
    after: Place
    at: datetime


class News(StrEnum):
    """What somebody is told about a case, or about an article of theirs."""

    OPENED = "opened"  # its owner
    ASSIGNED = "assigned"  # who works on it
    COMMENTED = "commented"  # its owner and who works on it; of what these say, who flagged it
    FIXED = "fixed"  # who flagged it
    DECLINED = "declined"  # who flagged it
    REOPENED = "reopened"  # its owner and who works on it; who flagged it, when the fix was taken back
    EXPIRING = "expiring"  # who owns an article that ends soon
    EXPIRED = "expired"  # who owns one that has ended: readers are not shown it any more
    CHANGED = "changed"  # who used an article lately that says something else now


@dataclass(frozen=True, slots=True)
class Notification:
    """What one person is told once about one round of a case, or about the end or change of an article (`due`)."""

    id: int
    person_id: str
    news: News
    case_id: str | None
    round: int
    at: datetime
    read_at: datetime | None = None
    article_id: str | None = None
    due: datetime | None = None
