"""Sets of judged queries in SQL."""

import hashlib
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kb.audience import Audience
from kb.errors import NotFound
from kb.judgement import JudgedQuery, JudgedSet, Judgement
from kb.passage import ItemRef, Kind
from kb.store.database import Tx, batches, insert_missing
from kb.store.schema import columns, judged_query, judged_set, judgement


def add_set(tx: Tx, new: JudgedSet) -> None:
    """Add a set. A name that is there already is refused by the database."""
    tx.execute(sa.insert(judged_set).values(**{name: getattr(new, name) for name in columns(judged_set)}))


def rename_set(tx: Tx, set_id: str, name: str) -> None:
    """Give a set another name."""
    tx.execute(sa.update(judged_set).where(judged_set.c.id == set_id).values(name=name))


def delete_set(tx: Tx, set_id: str) -> None:
    """Delete a set with all its queries and judgements."""
    of_set = sa.select(judged_query.c.id).where(judged_query.c.set_id == set_id)
    tx.execute(sa.delete(judgement).where(judgement.c.query_id.in_(of_set)))
    tx.execute(sa.delete(judged_query).where(judged_query.c.set_id == set_id))
    tx.execute(sa.delete(judged_set).where(judged_set.c.id == set_id))


def sets(tx: Tx) -> list[JudgedSet]:
    """All sets, by name."""
    return [JudgedSet(**row._mapping) for row in tx.execute(sa.select(judged_set).order_by(judged_set.c.name))]


def get_set(tx: Tx, set_id: str) -> JudgedSet:
    """The set with that id; raises NotFound."""
    return _set(tx, judged_set.c.id == set_id, set_id)


def set_named(tx: Tx, name: str) -> JudgedSet:
    """The set with that name; raises NotFound."""
    return _set(tx, judged_set.c.name == name, name)


def queries(tx: Tx, set_id: str) -> list[JudgedQuery]:
    """All queries of a set, oldest first."""
    found = sa.select(judged_query).where(judged_query.c.set_id == set_id)
    return [_query(row) for row in tx.execute(found.order_by(judged_query.c.created_at, judged_query.c.id))]


def ensure_queries(tx: Tx, set_id: str, new: Sequence[JudgedQuery]) -> list[JudgedQuery]:
    """These queries, or those that the set has already with the same words for the same audience; in order."""
    insert_missing(tx, judged_query, [_row(each) for each in new])
    there = {(each.key, each.audience): each for each in queries(tx, set_id)}
    return [there[each.key, each.audience] for each in new]


def judge(tx: Tx, new: Sequence[Judgement]) -> None:
    """Add judgements, or take their grades for those of the ones that are there."""
    rows = [
        {
            "query_id": each.query_id,
            "item_kind": each.item.kind.value,
            "item_id": each.item.id,
            "grade": each.grade,
            "judged_by": each.judged_by,
            "judged_at": each.judged_at,
        }
        for each in new
    ]
    insert_missing(tx, judgement, rows)
    key = ("query_id", "item_kind", "item_id")
    same = sa.and_(*(judgement.c[name] == sa.bindparam(f"is_{name}") for name in key))
    graded: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in ("grade", "judged_by", "judged_at")}
    if rows:
        values = [{(f"is_{name}" if name in key else f"new_{name}"): row[name] for name in row} for row in rows]
        tx.execute(sa.update(judgement).where(same).values(**graded), values)


def take_back(tx: Tx, query_id: str, item: ItemRef) -> None:
    """Delete a judgement, if it is there, and the query with its last one."""
    tx.execute(sa.delete(judgement).where(_is(query_id, item)))
    judged = sa.select(judgement.c.query_id).where(judgement.c.query_id == query_id).exists()
    tx.execute(sa.delete(judged_query).where(judged_query.c.id == query_id, ~judged))


def of_queries(tx: Tx, query_ids: Sequence[str]) -> dict[str, list[Judgement]]:
    """The judgements of each query, best grade first; a query without any is present and empty."""
    found: dict[str, list[Judgement]] = {each: [] for each in query_ids}
    for batch in batches(list(query_ids)):
        rows = tx.execute(
            sa.select(judgement)
            .where(judgement.c.query_id.in_(batch))
            .order_by(judgement.c.grade.desc(), judgement.c.item_kind, judgement.c.item_id)
        )
        for row in rows:
            item = ItemRef(Kind(row.item_kind), row.item_id)
            found[row.query_id].append(Judgement(row.query_id, item, row.grade, row.judged_by, row.judged_at))
    return found


def _set(tx: Tx, condition: sa.ColumnElement[bool], called: str) -> JudgedSet:
    row = tx.execute(sa.select(judged_set).where(condition)).first()
    if row is None:
        raise NotFound(f"no set of judged queries {called}")
    return JudgedSet(**row._mapping)


def _row(each: JudgedQuery) -> dict[str, object]:
    fields = {name: getattr(each, name) for name in columns(judged_query) if name != "text_hash"}
    hashed = hashlib.sha256(each.key.encode()).hexdigest()
    return fields | {"audience": each.audience.value, "text_hash": hashed}


def _query(row: sa.Row[tuple[object, ...]]) -> JudgedQuery:
    fields = {name: value for name, value in row._mapping.items() if name != "text_hash"}
    return JudgedQuery(**fields | {"audience": Audience(fields["audience"])})


def _is(query_id: str, item: ItemRef) -> sa.ColumnElement[bool]:
    named = (judgement.c.item_kind == item.kind.value) & (judgement.c.item_id == item.id)
    return (judgement.c.query_id == query_id) & named
