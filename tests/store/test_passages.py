from collections.abc import Sequence

import numpy as np
import pytest
import sqlalchemy as sa

from kb.audience import Access, Audience
from kb.language import Language
from kb.passage import ItemRef, Kind, Passage, PassageRef
from kb.store import passages
from kb.store.database import Database, Tx
from kb.store.schema import vector
from tests.examples import a_passage

A1 = ItemRef(Kind.ARTICLE, "a1")
A2 = ItemRef(Kind.ARTICLE, "a2")
P1 = ItemRef(Kind.POST, "a1")  # the same id, another kind

FULL = a_passage(
    "a1",
    1,
    title="紅燈",
    heading=("解決方法", "手動"),
    text="按住按鈕十秒鐘。",
    language=Language.TRADITIONAL,
    access=Access(Audience.INTERNAL, frozenset({"fraud", "tier-2"})),
    field="resolution",
    environment="hub-6 · 2026",
    topic="broadband/faults",
    products=("hub-6",),
    tags=("red",),
    confidence="validated",
    source="markdown",
)


def put(tx: Tx, *each: Passage, length: int = 10) -> None:
    items: dict[ItemRef, list[tuple[Passage, int]]] = {}
    for one in each:
        items.setdefault(one.ref.item, []).append((one, length))
    passages.replace(tx, items)


def keep(tx: Tx, kept: Sequence[Passage], encoder: str = "e") -> None:
    passages.keep_vectors(tx, encoder, {each.hash: np.full(4, n, "f4") for n, each in enumerate(kept)})


def kept_hashes(tx: Tx) -> set[str]:
    return set(tx.scalars(sa.select(vector.c.hash)))


def test_a_passage_comes_back_as_it_was(db: Database) -> None:
    plain = a_passage("a1", 0)
    with db.write() as tx:
        put(tx, FULL, plain)
    with db.read() as tx:
        assert passages.of_items(tx, [A1, A2]) == {A1: [plain, FULL], A2: []}
        assert passages.get(tx, [FULL.ref, PassageRef(Kind.ARTICLE, "a1", 9, 0)]) == {FULL.ref: FULL}
        assert passages.count(tx) == 2


def test_only_the_passages_with_these_references_are_read_and_none_is_looked_for_in_the_whole_table(
    db: Database,
) -> None:
    new, twin = a_passage("a1", 1, revision=12), a_passage("a1", 1, revision=12, kind=Kind.POST)
    old, mixed = PassageRef(Kind.ARTICLE, "a1", 1, 21), PassageRef(Kind.POST, "a1", 1, 1)
    statements: list[str] = []
    with db.write() as tx:
        put(tx, new, a_passage("a1", 2, revision=12), twin, a_passage("a2", 1, revision=12))
        sa.event.listen(tx, "before_cursor_execute", lambda *about: statements.append(about[2]))
        assert passages.get(tx, [new.ref, twin.ref, old, mixed]) == {new.ref: new, twin.ref: twin}
        if db.is_sqlite:
            plan = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statements[0]}", ("",) * statements[0].count("?"))
            assert not any(row.detail.startswith("SCAN") for row in plan)
        many = [PassageRef(Kind.ARTICLE, "a1", 1, ordinal) for ordinal in range(1_000)]
        assert passages.get(tx, [*many, new.ref]) == {new.ref: new}


def test_replacing_leaves_the_new_passages_and_touches_no_other_item(db: Database) -> None:
    other, twin = a_passage("a2"), a_passage("a1", kind=Kind.POST)
    new = a_passage("a1", 0, revision=2, text="New.")
    with db.write() as tx:
        put(tx, a_passage("a1", 0), a_passage("a1", 1), other, twin)
        put(tx, new)
    with db.read() as tx:
        assert passages.of_items(tx, [A1, A2, P1]) == {A1: [new], A2: [other], P1: [twin]}


def test_replacing_by_nothing_removes(db: Database) -> None:
    with db.write() as tx:
        put(tx, a_passage("a1"), a_passage("a2"))
        passages.replace(tx, {A1: []})
        passages.replace(tx, {})
    with db.read() as tx:
        assert passages.of_items(tx, [A1])[A1] == []
        assert passages.count(tx) == 1


def test_a_thousand_items_are_replaced_at_once(db: Database) -> None:
    many = [a_passage(f"a{n}") for n in range(1000)]
    with db.write() as tx:
        put(tx, *many)
        put(tx, *many)
    with db.read() as tx:
        assert passages.count(tx) == 1000
        assert len(passages.get(tx, [each.ref for each in many])) == 1000


def test_walking_meets_every_item_once(db: Database) -> None:
    with db.write() as tx:
        put(
            tx,
            *[a_passage(f"a{n}", ordinal) for n in range(5) for ordinal in range(3)],
            a_passage("a1", kind=Kind.POST),
        )
    met: list[ItemRef] = []
    with db.read() as tx:
        while page := passages.page(tx, met[-1] if met else None, 2):
            met += page
    assert met == [ItemRef(Kind.ARTICLE, f"a{n}") for n in range(5)] + [P1]


def test_a_vector_comes_back_bit_for_bit(db: Database) -> None:
    values = np.random.default_rng(1).standard_normal(384).astype("f4")
    each = a_passage()
    with db.write() as tx:
        put(tx, each)
        passages.keep_vectors(tx, "e", {each.hash: values})
    with db.read() as tx:
        found = passages.vectors(tx, "e", [each.hash, "unknown"])
        assert passages.vectors(tx, "other", [each.hash]) == {}
    assert list(found) == [each.hash]
    assert found[each.hash].dtype == np.dtype("f4")
    assert found[each.hash].tobytes() == values.tobytes()


def test_a_vector_of_a_text_that_is_gone_is_not_kept(db: Database) -> None:
    with db.write() as tx:
        keep(tx, [a_passage()])
        assert kept_hashes(tx) == set()


def test_keeping_a_vector_twice_keeps_the_first(db: Database) -> None:
    each = a_passage()
    with db.write() as tx:
        put(tx, each)
        passages.keep_vectors(tx, "e", {each.hash: np.zeros(2, "f4")})
        passages.keep_vectors(tx, "e", {each.hash: np.ones(2, "f4")})
        assert passages.vectors(tx, "e", [each.hash])[each.hash].tolist() == [0, 0]


def test_a_text_that_vanishes_takes_its_vectors_of_every_encoder_along(db: Database) -> None:
    stays, goes = a_passage("a1", 0), a_passage("a1", 1)
    with db.write() as tx:
        put(tx, stays, goes)
        keep(tx, [stays, goes], "e")
        keep(tx, [stays, goes], "f")
        put(tx, stays)
        assert kept_hashes(tx) == {stays.hash}


def test_a_text_that_another_item_still_holds_keeps_its_vector(db: Database) -> None:
    mine, theirs = a_passage("a1", text="Same."), a_passage("a2", text="Same.")
    with db.write() as tx:
        put(tx, mine, theirs)
        keep(tx, [mine])
        passages.replace(tx, {A1: []})
        assert kept_hashes(tx) == {mine.hash}
        passages.replace(tx, {A2: []})
        assert kept_hashes(tx) == set()


def test_a_new_revision_with_the_same_text_keeps_its_vector(db: Database) -> None:
    with db.write() as tx:
        put(tx, a_passage(revision=1))
        keep(tx, [a_passage(revision=1)])
        put(tx, a_passage(revision=2))
        assert kept_hashes(tx) == {a_passage().hash}


def test_vectors_of_other_encoders_can_be_dropped(db: Database) -> None:
    each = a_passage()
    with db.write() as tx:
        put(tx, each)
        keep(tx, [each], "old")
        keep(tx, [each], "new")
        assert passages.forget_other_vectors(tx, "new") == 1
        assert passages.vectors(tx, "new", [each.hash]).keys() == {each.hash}


@pytest.mark.postgres
def test_no_vector_is_kept_of_a_text_that_somebody_is_deleting_right_now(postgres_db: Database) -> None:
    each = a_passage()
    with postgres_db.write() as tx:
        put(tx, each)
    with postgres_db.write() as eraser:
        passages.replace(eraser, {A1: []})
        with postgres_db.write() as encoder:  # did not see the deletion, and does not wait for it
            keep(encoder, [each])
    with postgres_db.read() as tx:
        assert kept_hashes(tx) == set()


def test_average_lengths_nest_like_the_tiers(db: Database) -> None:
    with db.write() as tx:
        for item, audience, length in [
            ("a", Audience.PUBLIC, 10),
            ("b", Audience.PARTNER, 40),
            ("c", Audience.INTERNAL, 70),
        ]:
            put(tx, a_passage(item, access=Access(audience)), length=length)
        averages = passages.average_lengths(tx)
    assert averages == {"public": 10, "customer": 10, "partner": 25, "internal": 40}


def test_restricted_text_does_not_move_what_others_see(db: Database) -> None:
    with db.write() as tx:
        put(tx, a_passage("a"), length=10)
        before = passages.average_lengths(tx)
        put(tx, a_passage("b", access=Access(Audience.PUBLIC, frozenset({"fraud"}))), length=1000)
        assert passages.average_lengths(tx) == before


def test_tiers_that_may_read_nothing_have_no_average(db: Database) -> None:
    with db.write() as tx:
        assert passages.average_lengths(tx) == {}
        put(tx, a_passage(access=Access(Audience.INTERNAL)), length=5)
        assert passages.average_lengths(tx) == {"internal": 5}
