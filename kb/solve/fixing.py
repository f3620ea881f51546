"""What publishing does to cases: it fixes those it names, and opens again those whose fix it takes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kb.article import Article
from kb.case import Action, News, RevisionCase, State, Step
from kb.errors import Conflict, Invalid, NotFound
from kb.flag import Cause
from kb.passage import ItemRef, Kind
from kb.person import Person, Right
from kb.solve import announcing, seeing
from kb.solve.casework import reopened
from kb.solve.folding import change
from kb.store import audit, cases, flags, notifications
from kb.store.database import Tx
from kb.webhook import Event


@dataclass(frozen=True, slots=True)
class Fixes:
    """The cases that a publish fixes. `changes_meaning`: who received what was wrong has to be told."""

    cases: Sequence[str] = ()
    changes_meaning: bool = False


NOTHING = Fixes()


def published(tx: Tx, by: Person, before: Article | None, after: Article, fixes: Fixes, at: datetime) -> None:
    """Follow a change of an article in its transaction. Raises Invalid for a case that it cannot fix, NotAllowed.

    The revision that is shown may be published again to name what it has fixed, or what needed no other text.
    """
    shown, was = after.published, before.published if before else None
    drafted = before is not None and after.latest != before.latest and shown != after.latest
    if fixes.cases and (shown is None or drafted):
        raise Invalid("a case is fixed by a revision that is published: publish it", "fixes")
    if was is not None and (shown or 0) < was:
        _undo(tx, by, after, shown or 0, at)
    for case_id in sorted(set(fixes.cases)):  # in one order: two who fix the same gaps do not wait for each other
        _fix(tx, by, case_id, f"fixes.{fixes.cases.index(case_id)}", after, was, fixes.changes_meaning, at)
    if fixes.cases and fixes.changes_meaning:
        announcing.recalled(tx, after, at, "corrected", was)


def _fix(
    tx: Tx, by: Person, case_id: str, field: str, article: Article, was: int | None, meaning: bool, at: datetime
) -> None:
    by.require(Right.FIX)
    item = ItemRef(Kind.ARTICLE, article.id)
    try:
        found = seeing.case(tx, by, cases.get(tx, case_id, to_change=True), at)
    except NotFound:
        raise Invalid("there is no such case, or it is not for you", field) from None
    if found.item != item and not (found.cause is Cause.NOTHING_ANSWERS and found.item is None):
        raise Invalid("that case is about something else", field)
    try:
        fixed = found.fix(at, item, article.published or 0, was, meaning)
    except Conflict as error:
        raise Invalid(str(error), field) from error
    _save(tx, by, Action.FIXED, found, fixed, f"revision {article.published} of {article.number}", at)
    notifications.tell(tx, flags.flaggers(tx, case_id), News.FIXED, fixed, at)
    announcing.case_moved(tx, Event.CASE_FIXED, fixed, at)


def _undo(tx: Tx, by: Person, article: Article, shown: int, at: datetime) -> None:
    """Open again what a revision had fixed that is shown no more; `shown` is 0 where none is."""
    back = f"revision {shown} is back" if shown else "it is a draft again"
    found = cases.of_item(tx, ItemRef(Kind.ARTICLE, article.id), (State.FIXED, State.CLOSED))
    for each in found:
        if each.fixed_revision is not None and each.fixed_revision > shown:
            if each.state is State.CLOSED and cases.unfinished(tx, each.fold):
                continue  # somebody has flagged it anew since: that case is open
            notifications.tell(tx, set(flags.flaggers(tx, each.id)) - {by.id}, News.REOPENED, each, at)
            _save(tx, by, Action.UNDONE, each, reopened(tx, by, each, None, "", at), back, at)


def _save(tx: Tx, by: Person, action: Action, old: RevisionCase, new: RevisionCase, text: str, at: datetime) -> None:
    cases.update(tx, old, new)
    cases.add_steps(tx, [Step(new.id, at, by.id, action, new.state, text)])
    audit.write(tx, [change(by, action.value, old, new, at)])
