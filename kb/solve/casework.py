"""Work on cases: lists, one case with all of it, and each step that people take. Each step is one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kb import clock
from kb.case import MOST_DEMAND, Action, News, Replayed, RevisionCase, Rules, Severity, State, Step
from kb.errors import Invalid, KbError, NotAllowed, NotFound
from kb.flag import Flag
from kb.person import SYSTEM, Person, Right
from kb.solve import announcing, rating, seeing
from kb.solve.folding import change, owner_for, words
from kb.solve.rating import Ratings
from kb.store import audit, cases, flags, notifications, people
from kb.store.cases import Wanted
from kb.store.database import Database, Tx
from kb.text.hygiene import tidy
from kb.webhook import Event

LONGEST_TEXT = 2_000
"""Characters of a comment or a reason."""


@dataclass(frozen=True, slots=True)
class Told:
    """A case with its flags, history and proofs; of `not_helpful` with what readers said."""

    case: RevisionCase
    flags: tuple[Flag, ...]
    steps: tuple[Step, ...]
    proofs: tuple[Replayed, ...]
    ratings: Ratings | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one case of many: the case after the step, or why not."""

    case_id: str
    case: RevisionCase | None
    error: KbError | None = None


def listing(db: Database, by: Person, wanted: Wanted, after: str, limit: int) -> list[RevisionCase]:
    """The cases that are there for `by`, the most pressing first. `after` is `cursor` of the last one read."""
    by.require(Right.FLAG)
    wanted = replace(wanted, text=words(wanted.text.strip()))
    with db.read() as tx:
        return cases.listing(tx, by.reader, wanted, _place(after), limit)


def cursor(case: RevisionCase) -> str:
    """Where a case stands in the list."""
    return f"{case.demand}-{case.id}"


def read(db: Database, by: Person, case_id: str) -> Told:
    """One case with all of it; raises NotFound, NotAllowed."""
    by.require(Right.FLAG)
    with db.read() as tx:
        found = seeing.case(tx, by, cases.get(tx, case_id), clock.now())
        return Told(
            found,
            tuple(flags.of_case(tx, found.id)),
            tuple(cases.steps(tx, found.id)),
            tuple(flags.proofs(tx, found.id)),
            rating.of_case(tx, by, found),
        )


def assign(db: Database, by: Person, case_id: str, person_id: str | None, version: int | None = None) -> RevisionCase:
    """Give a case to somebody who works on it, oneself or another, or to nobody. Needs the right to fix."""

    def step(tx: Tx, before: RevisionCase, at: datetime) -> RevisionCase:
        by.require(Right.FIX)
        if person_id is not None:
            _worker(tx, person_id, before, at)
        after = before.assign(at, person_id)
        if person_id != by.id:
            notifications.tell(tx, [person_id], News.ASSIGNED, after, at)
        return after

    return _step(db, by, case_id, Action.ASSIGNED, step, version, whom_id=person_id)


def own(db: Database, by: Person, case_id: str, person_id: str, version: int | None = None) -> RevisionCase:
    """Make somebody the owner of a case. Needs the right to fix."""

    def step(tx: Tx, before: RevisionCase, at: datetime) -> RevisionCase:
        by.require(Right.FIX)
        _worker(tx, person_id, before, at)
        notifications.tell(tx, [person_id], News.OPENED, before, at)
        return before.touched(at, owner_id=person_id)

    return _step(db, by, case_id, Action.ASSIGNED, step, version, whom_id=person_id)


def comment(db: Database, by: Person, case_id: str, text: str) -> RevisionCase:
    """Say something about a case. For who flagged it, and for who may fix.

    Whose work it is hears of it, and of what these say, or ask, those who flagged it.
    """

    def step(tx: Tx, before: RevisionCase, at: datetime) -> RevisionCase:
        _flagger_or_fixer(tx, by, before)
        flaggers = set(flags.flaggers(tx, case_id))
        heard = {before.owner_id, before.assignee_id} | (set() if by.id in flaggers else flaggers)
        notifications.tell(tx, heard - {by.id}, News.COMMENTED, before, at, anew=True)
        return before.touched(at)

    return _step(db, by, case_id, Action.COMMENTED, step, None, _said(text, "text"))


def weigh(db: Database, by: Person, case_id: str, severity: Severity, version: int | None = None) -> RevisionCase:
    """Say how bad it is, whatever the flags said. Needs the right to fix."""

    def step(tx: Tx, before: RevisionCase, at: datetime) -> RevisionCase:
        by.require(Right.FIX)
        return before.weigh(at, severity)

    return _step(db, by, case_id, Action.WEIGHED, step, version, severity.value)


def decline(db: Database, by: Person, case_id: str, reason: str, version: int | None = None) -> RevisionCase:
    """Refuse a case; those who flagged it are told the reason. Needs the right to fix."""

    def step(tx: Tx, before: RevisionCase, at: datetime) -> RevisionCase:
        by.require(Right.FIX)
        after = before.decline(at, _said(reason, "reason"))
        notifications.tell(tx, flags.flaggers(tx, before.id), News.DECLINED, after, at)
        return after

    return _step(db, by, case_id, Action.DECLINED, step, version, _said(reason, "reason"))


def accept(db: Database, by: Person, case_id: str) -> RevisionCase:
    """Say that the fix is one, which closes the case. For who flagged it, and for who may fix. Twice is once."""

    def step(tx: Tx, before: RevisionCase, at: datetime) -> RevisionCase:
        _flagger_or_fixer(tx, by, before)
        if before.state is State.CLOSED:
            return before
        announcing.case_moved(tx, Event.CASE_ACCEPTED, after := before.accept(at), at)
        return after

    return _step(db, by, case_id, Action.ACCEPTED, step, None)


def reopen(db: Database, by: Person, case_id: str, reason: str, version: int | None = None) -> RevisionCase:
    """Say that it is not done. For who flagged it, and for who may fix. Raises Conflict if another is open by now."""

    def step(tx: Tx, before: RevisionCase, at: datetime) -> RevisionCase:
        _flagger_or_fixer(tx, by, before)
        return reopened(tx, by, before, None, "", at)

    return _step(db, by, case_id, Action.REOPENED, step, version, _said(reason, "reason"))


def many(case_ids: Sequence[str], step: Callable[[str], RevisionCase]) -> list[Done]:
    """One step for each of these cases, each for itself: what cannot be done keeps none of the others back."""
    done = []
    for case_id in dict.fromkeys(case_ids):
        try:
            done.append(Done(case_id, step(case_id)))
        except KbError as error:
            done.append(Done(case_id, None, error))
    return done


def reopened(tx: Tx, by: Person, before: RevisionCase, action: Action | None, text: str, at: datetime) -> RevisionCase:
    """The case to do again, its owner and who works on it told. With an `action`, the step is written as well."""
    after = before.reopen(at)
    if action is not None:
        cases.add_steps(tx, [Step(before.id, at, by.id, action, after.state, text)])
    notifications.tell(tx, {after.owner_id, after.assignee_id} - {by.id}, News.REOPENED, after, at)
    return after


def adopt(db: Database, rules: Rules, limit: int = 50) -> int:
    """Give every case to do that nobody owns any more an owner, who is told. Returns how many there were."""
    at = clock.now()
    with db.read() as tx:
        ids = cases.without_owner(tx, limit)
    for case_id in ids:
        with db.write() as tx:
            before = cases.get(tx, case_id, to_change=True)
            owner = owner_for(tx, before.road, before.item, before.topic, before.audience, rules)
            after = before.touched(at, owner_id=owner)
            cases.update(tx, before, after)
            audit.write(tx, [change(SYSTEM, "adopt", before, after, at)])
            notifications.tell(tx, [owner], News.OPENED, after, at)
    return len(ids)


def _step(
    db: Database,
    by: Person,
    case_id: str,
    action: Action,
    step: Callable[[Tx, RevisionCase, datetime], RevisionCase],
    version: int | None,
    text: str = "",
    whom_id: str | None = None,
) -> RevisionCase:
    by.require(Right.FLAG)
    at = clock.now()
    with db.write() as tx:
        before = seeing.case(tx, by, cases.get(tx, case_id, to_change=True), at).expect(version)
        after = step(tx, before, at)
        if after is before:
            return before
        cases.update(tx, before, after)
        cases.add_steps(tx, [Step(case_id, at, by.id, action, after.state, text, whom_id)])
        audit.write(tx, [change(by, action.value, before, after, at)])
    return after


def _flagger_or_fixer(tx: Tx, by: Person, case: RevisionCase) -> None:
    if not by.may(Right.FIX) and by.id not in flags.flaggers(tx, case.id):
        raise NotAllowed("this is for those who flagged it and those who may fix it")


def _worker(tx: Tx, person_id: str, case: RevisionCase, at: datetime) -> None:
    """Raise Invalid unless that person may work on the case."""
    try:
        found = people.get(tx, person_id)
        seeing.case(tx, found, case, at)
    except NotFound:
        found = None
    if found is None or found.disabled or not found.may(Right.FIX):
        raise Invalid("this person is not there, or may not work on this case", "person_id")


def _said(text: str, field: str) -> str:
    said = tidy(text).strip()
    if not said or len(said) > LONGEST_TEXT:
        raise Invalid(f"say it in 1 to {LONGEST_TEXT} characters", field)
    return said


def _place(after: str) -> tuple[int, str] | None:
    if not after:
        return None
    demand, _, case_id = after.partition("-")
    known = demand.isascii() and demand.isdigit() and len(demand) <= len(str(MOST_DEMAND)) and case_id
    if not known or int(demand) > MOST_DEMAND:
        raise Invalid("that is no `next` of this list: begin again", "after")
    return int(demand), case_id
