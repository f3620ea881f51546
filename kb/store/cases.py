"""Revision cases and their history in SQL."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kb.audience import Audience, Reader
from kb.case import TO_DO, Action, OpenCase, Proof, RevisionCase, Severity, State, Step
from kb.errors import Conflict, NotFound
from kb.flag import Cause
from kb.interaction import EventKind
from kb.outbox import Lane
from kb.passage import ItemRef, Kind
from kb.store import articles
from kb.store.case_tables import case_step, revision_case
from kb.store.database import Tx, batches, insert_missing
from kb.store.schema import article, columns, event, outbox, person, post

SUBJECT = "case"
"""What audit entries call a case."""

SENT = (EventKind.LINKED, EventKind.INSERTED, EventKind.COPIED)
"""The events by which an interaction used an item."""

_c = revision_case.c


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases a list holds; what is empty or None asks nothing. `text` is folded, `unassigned` nobody works on,
    `whose` is of whom one is owned or worked on."""

    states: tuple[State, ...] = ()
    causes: tuple[Cause, ...] = ()
    severities: tuple[Severity, ...] = ()
    owner_id: str = ""
    assignee_id: str = ""
    unassigned: bool = False
    whose: str = ""
    topic: str = ""
    item: ItemRef | None = None
    text: str = ""
    due_before: datetime | None = None


def insert_missing_case(tx: Tx, new: RevisionCase) -> None:
    """Add a case, unless an unfinished one has its key."""
    insert_missing(tx, revision_case, [_row(new)])


def unfinished(tx: Tx, fold: str) -> RevisionCase | None:
    """The unfinished case with that key, if there is one; locked for this transaction."""
    found = sa.select(revision_case).where(_c.fold == fold, _c.state.in_([*TO_DO, State.FIXED]))
    row = tx.execute(found.with_for_update()).first()
    return None if row is None else _case(row)


def get(tx: Tx, case_id: str, to_change: bool = False) -> RevisionCase:
    """The case with that id; raises NotFound. If it is `to_change`, others who want to change it wait."""
    wanted = sa.select(revision_case).where(_c.id == case_id)
    row = tx.execute(wanted.with_for_update() if to_change else wanted).first()
    if row is None:
        raise NotFound(f"no case {case_id}")
    return _case(row)


def by_ids(tx: Tx, ids: Collection[str]) -> dict[str, RevisionCase]:
    """The cases with these ids, as far as they exist."""
    found: dict[str, RevisionCase] = {}
    for batch in batches(sorted(ids)):
        found |= {row.id: _case(row) for row in tx.execute(sa.select(revision_case).where(_c.id.in_(batch)))}
    return found


def update(tx: Tx, before: RevisionCase, after: RevisionCase) -> None:
    """Write a changed case; raises Conflict if somebody else wrote it since `before` was read."""
    same = (_c.id == before.id) & (_c.version == before.version)
    if tx.execute(sa.update(revision_case).where(same).values(_row(after))).rowcount != 1:
        raise Conflict("somebody else changed the case: read it again and repeat your change")


def listing(tx: Tx, reader: Reader, wanted: Wanted, after: tuple[int, str] | None, limit: int) -> list[RevisionCase]:
    """Cases that a reader may know of, the most pressing first, behind the (demand, id) of the last one read."""
    found = sa.select(revision_case).where(may_see(reader), _having(wanted))
    if after is not None:
        demand, case_id = after
        found = found.where((_c.demand < demand) | ((_c.demand == demand) & (_c.id < case_id)))
    rows = tx.execute(found.order_by(_c.demand.desc(), _c.id.desc()).limit(limit))
    return [_case(row) for row in rows]


def count(tx: Tx, reader: Reader, wanted: Wanted, most: int) -> int:
    """How many cases `listing` holds, `most` at most."""
    found = sa.select(_c.id).where(may_see(reader), _having(wanted)).limit(most)
    return int(tx.execute(sa.select(sa.func.count()).select_from(found.subquery())).scalar() or 0)


def may_see(reader: Reader) -> sa.ColumnElement[bool]:
    """The SQL twin of `kb.solve.seeing.case`: for one, and of an item that one may read or that is gone."""
    tiers = [tier.value for tier in Audience if tier.rank <= reader.tier.rank]
    an_article = sa.select(article.c.id).where(article.c.id == _c.item_id)
    a_post = sa.select(post.c.id).where(post.c.id == _c.item_id)
    hidden = sa.case(
        (_c.item_kind == Kind.ARTICLE.value, an_article.where(~articles.may_read(reader)).exists()),
        (_c.item_kind == Kind.POST.value, a_post.where(post.c.audience.not_in(tiers)).exists()),
        else_=sa.false(),
    )
    member = [_c.groups.contains(f":{group}:", autoescape=True) for group in sorted(reader.groups)]
    return _c.audience.in_(tiers) & sa.or_(_c.groups == "", *member) & ~hidden


def of_item(tx: Tx, item: ItemRef, states: Collection[State]) -> list[RevisionCase]:
    """The cases about an item in these states, locked for this transaction, in order of id."""
    about = (_c.item_kind == item.kind.value) & (_c.item_id == item.id) & _c.state.in_(sorted(states))
    rows = tx.execute(sa.select(revision_case).where(about).order_by(_c.id).with_for_update())
    return [_case(row) for row in rows]


def severe(tx: Tx, items: Iterable[ItemRef]) -> dict[ItemRef, OpenCase]:
    """The oldest severe case to do of each of these items that has one."""
    by_id = {item.id: item for item in items}
    found: dict[ItemRef, OpenCase] = {}
    for batch in batches(sorted(by_id)):
        rows = tx.execute(_SEVERE, {"ids": batch})
        for case_id, kind, item_id, cause, opened_at in rows:
            found.setdefault(ItemRef(Kind(kind), item_id), OpenCase(case_id, Cause(cause), opened_at))
    return found


_SEVERE = (
    sa.select(_c.id, _c.item_kind, _c.item_id, _c.cause, _c.opened_at)
    .where(_c.item_id.in_(sa.bindparam("ids", expanding=True)))
    .where(_c.state.in_([each.value for each in TO_DO]), _c.severity == Severity.SEVERE.value)
    .order_by(_c.opened_at, _c.id)
)


def to_prove(tx: Tx, limit: int) -> list[str]:
    """Ids of fixed cases whose item the index has, so that their queries can be asked again."""
    waits = sa.select(outbox.c.id).where(outbox.c.kind == _c.item_kind, outbox.c.item_id == _c.item_id)
    # A row for a date to come is due later and has not been tried; one that failed is due later as well.
    due = (outbox.c.due_at <= _c.fixed_at) | (outbox.c.attempts > 0)
    lexical = [lane.value for lane in Lane if not lane.is_dense]
    pending = waits.where(outbox.c.lane.in_(lexical), outbox.c.created_at <= _c.fixed_at, due)
    found = sa.select(_c.id).where(_c.proof == Proof.WAITING.value, ~pending.exists()).order_by(_c.fixed_at)
    return list(tx.scalars(found.limit(limit)))


def without_owner(tx: Tx, limit: int) -> list[str]:
    """Ids of cases to do that nobody owns any more, or somebody who has left."""
    gone = sa.select(person.c.id).where(person.c.disabled.is_(True))
    states = [each.value for each in TO_DO]
    unowned = (_c.owner_id.is_(None), _c.owner_id.in_(gone))  # two questions, each by the index of owners
    found = [sa.select(_c.id).where(_c.state.in_(states), each).limit(limit) for each in unowned]
    return [case_id for each in found for case_id in tx.scalars(each)][:limit]


def reuse(tx: Tx, item: ItemRef, since: datetime) -> int:
    """How many interactions used an item since then: it was linked, inserted or copied in them."""
    used = (event.c.item_kind == item.kind.value) & (event.c.item_id == item.id)
    used &= event.c.kind.in_([each.value for each in SENT]) & (event.c.at >= since)
    counted = sa.select(sa.func.count(event.c.interaction_id.distinct())).where(used)
    return int(tx.execute(counted).scalar() or 0)


def finished_at(tx: Tx, item: ItemRef, fold: str, before: datetime | None = None) -> datetime | None:
    """When the last finished case about an item with that key was closed or declined, if asked up to `before`."""
    found = sa.select(sa.func.max(_c.closed_at)).where(_c.item_id == item.id, _c.fold == fold)
    if before is not None:
        found = found.where(_c.closed_at <= before)
    at: datetime | None = tx.execute(found).scalar()
    return at


def unhelped(tx: Tx, item: ItemRef, since: datetime) -> int:
    """How many different people (interactions, where they are known) an item did not help since then."""
    about = (event.c.item_kind == item.kind.value) & (event.c.item_id == item.id)
    said = about & (event.c.kind == EventKind.NOT_HELPFUL.value) & (event.c.at >= since)
    who = sa.func.coalesce(event.c.interaction_id, event.c.person_id)
    return int(tx.execute(sa.select(sa.func.count(who.distinct())).where(said)).scalar() or 0)


def states(tx: Tx, at: datetime) -> tuple[dict[State, int], int, tuple[int, float]]:
    """Cases by state, how many of those to do are overdue, and the turn-arounds so far: how many and their sum."""
    counted = dict(map(tuple, tx.execute(sa.select(_c.state, sa.func.count()).group_by(_c.state))))
    late = _c.state.in_([each.value for each in TO_DO]) & (_c.due_at < at)
    overdue = int(tx.execute(sa.select(sa.func.count()).where(late)).scalar() or 0)
    times = tx.execute(sa.select(sa.func.count(_c.turn_around_s), sa.func.sum(_c.turn_around_s))).one()
    return {each: counted.get(each.value, 0) for each in State}, overdue, (int(times[0]), float(times[1] or 0.0))


def add_steps(tx: Tx, steps: Sequence[Step]) -> None:
    """Add to the history of cases."""
    rows = [{name: getattr(each, name) for name in columns(case_step) if name != "id"} for each in steps]
    if rows:
        tx.execute(sa.insert(case_step), rows)


def steps(tx: Tx, case_id: str) -> list[Step]:
    """The history of a case, oldest first."""
    rows = tx.execute(sa.select(case_step).where(case_step.c.case_id == case_id).order_by(case_step.c.id))
    return [
        Step(row.case_id, row.at, row.person_id, Action(row.action), State(row.state), row.text, row.whom_id, row.id)
        for row in rows
    ]


def _having(wanted: Wanted) -> sa.ColumnElement[bool]:
    condition: sa.ColumnElement[bool] = sa.true()
    if wanted.states:
        # Written out: SQLite uses the indexes of what is to do only for a statement that names these states.
        named = [each.value for each in wanted.states]
        condition &= _c.state.in_(sa.bindparam(None, named, expanding=True, literal_execute=True))
    chosen: Mapping[str, Sequence[str]] = {
        "cause": wanted.causes, "severity": wanted.severities,
        "owner_id": (wanted.owner_id,) if wanted.owner_id else (),
        "assignee_id": (wanted.assignee_id,) if wanted.assignee_id else (),
    }  # fmt: skip
    for name, values in chosen.items():
        if values:
            condition &= _c[name].in_([str(each) for each in values])
    if wanted.unassigned:
        condition &= _c.assignee_id.is_(None)
    if wanted.whose:
        condition &= (_c.owner_id == wanted.whose) | (_c.assignee_id == wanted.whose)
    if wanted.topic:
        condition &= articles.under(_c.topic, wanted.topic)
    if wanted.item is not None:
        condition &= (_c.item_kind == wanted.item.kind.value) & (_c.item_id == wanted.item.id)
    if wanted.due_before is not None:
        condition &= _c.state.in_([each.value for each in TO_DO]) & (_c.due_at < wanted.due_before)
    if wanted.text:
        condition &= _c.words.contains(wanted.text, autoescape=True)
    return condition


def _row(each: RevisionCase) -> dict[str, Any]:
    row = {name: getattr(each, name) for name in columns(revision_case) if not name.startswith("item_")}
    enums = ("cause", "severity", "audience", "state", "proof")
    item = {"item_kind": each.item.kind.value if each.item else None, "item_id": each.item.id if each.item else None}
    lists = {"heading": list(each.heading), "groups": _joined(each)}
    return row | {name: row[name].value for name in enums} | item | lists


def _joined(each: RevisionCase) -> str:
    """The groups, each between colons, which no name of a group has."""
    return f":{':'.join(sorted(each.groups))}:" if each.groups else ""


def _case(row: Any) -> RevisionCase:
    fields: dict[str, Any] = {name: each for name, each in row._mapping.items() if not name.startswith("item_")}
    return RevisionCase(
        **fields
        | {
            "cause": Cause(row.cause),
            "severity": Severity(row.severity),
            "audience": Audience(row.audience),
            "groups": frozenset(filter(None, row.groups.split(":"))),
            "state": State(row.state),
            "proof": Proof(row.proof),
            "heading": tuple(row.heading),
            "item": ItemRef(Kind(row.item_kind), row.item_id) if row.item_id else None,
        }
    )
