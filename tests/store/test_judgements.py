from dataclasses import replace
from datetime import timedelta

import pytest

from kb.audience import Audience
from kb.errors import Conflict, NotFound
from kb.judgement import JudgedQuery, JudgedSet, Judgement
from kb.passage import ItemRef, Kind
from kb.store import judgements
from kb.store.database import Database
from tests.examples import NOON

SET = JudgedSet("s1", "Broadband", "ada", NOON)
QUERY = JudgedQuery("q1", "s1", "Red light", Audience.PUBLIC, "ada", NOON)
A, B = ItemRef(Kind.ARTICLE, "a"), ItemRef(Kind.POST, "b")


def judged(item: ItemRef, grade: int, **fields: object) -> Judgement:
    return replace(Judgement("q1", item, grade, "ada", NOON), **fields)  # type: ignore[arg-type]


def test_sets_come_back_by_name_and_a_name_stands_for_one(db: Database) -> None:
    with db.write() as tx:
        judgements.add_set(tx, SET)
        judgements.add_set(tx, JudgedSet("s0", "Accounts", "ada", NOON))
    with db.read() as tx:
        assert [each.name for each in judgements.sets(tx)] == ["Accounts", "Broadband"]
        assert judgements.set_named(tx, "Broadband") == judgements.get_set(tx, "s1") == SET
        with pytest.raises(NotFound):
            judgements.set_named(tx, "broadband")
    with pytest.raises(Conflict), db.write() as tx:
        judgements.rename_set(tx, "s1", "Accounts")


def test_a_query_stands_once_in_a_set_however_it_is_typed(db: Database) -> None:
    with db.write() as tx:
        judgements.add_set(tx, SET)
        assert judgements.ensure_queries(tx, "s1", [QUERY]) == [QUERY]
        again = replace(QUERY, id="q2", text="ＲＥＤ   light", created_at=NOON + timedelta(days=1))
        other = replace(again, id="q3", audience=Audience.CUSTOMER)
        assert judgements.ensure_queries(tx, "s1", [other, again]) == [other, QUERY]
        assert judgements.queries(tx, "s1") == [QUERY, other]


def test_a_judgement_changes_its_grade_and_the_query_goes_with_its_last(db: Database) -> None:
    with db.write() as tx:
        judgements.add_set(tx, SET)
        judgements.ensure_queries(tx, "s1", [QUERY])
        judgements.judge(tx, [judged(A, 1), judged(B, 2)])
        judgements.judge(tx, [judged(A, 3, judged_by="bob")])
        assert judgements.of_queries(tx, ["q1", "q9"]) == {
            "q1": [judged(A, 3, judged_by="bob"), judged(B, 2)],
            "q9": [],
        }
        judgements.take_back(tx, "q1", A)
        judgements.take_back(tx, "q1", A)
        assert judgements.queries(tx, "s1") == [QUERY]
        judgements.take_back(tx, "q1", B)
        assert judgements.queries(tx, "s1") == []


def test_a_set_goes_with_all_that_is_in_it(db: Database) -> None:
    with db.write() as tx:
        judgements.add_set(tx, SET)
        judgements.ensure_queries(tx, "s1", [QUERY])
        judgements.judge(tx, [judged(A, 1)])
        judgements.delete_set(tx, "s1")
        assert judgements.sets(tx) == []
        assert judgements.of_queries(tx, ["q1"]) == {"q1": []}
