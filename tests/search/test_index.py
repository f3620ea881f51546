"""The contract of the passage index, on every engine."""

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from kb.audience import ANYONE, Audience, Reader
from kb.errors import IndexUnavailable, Invalid
from kb.passage import ItemRef, Kind, PassageRef
from kb.query import Filters
from kb.search.edge import EdgeIndex
from kb.search.index import Legs, PassageIndex, Request, payload_of
from kb.search.lexical import Sparse, query_vector
from tests.search.corpus import (
    READERS,
    any_filters,
    any_query,
    average_length,
    by_item,
    dense_query,
    meets,
    passage,
    passages,
    points,
    same_scores,
    same_up_to_ties,
    scores,
)

INTERNAL = Reader(Audience.INTERNAL)
ITEM = ItemRef(Kind.ARTICLE, "a1")


def ask(words: str, reader: Reader = ANYONE, filters: Filters | None = None, k: int = 1000) -> Request:
    tokens = words.split()
    return Request(query_vector(tokens), dense_query(tokens), reader, filters or Filters(), k)


def test_a_passage_is_found_by_its_words_and_by_its_vector(index: PassageIndex) -> None:
    index.upsert(points([passage("a1", "restart the hub"), passage("a2", "pay the bill")]))
    legs = index.retrieve(ask("hub"))
    assert [hit.ref.item_id for hit in legs.lexical] == ["a1"]
    assert [hit.ref.item_id for hit in legs.dense] == ["a1", "a2"]
    assert legs.dense[0].language == "en"


def test_a_passage_without_its_vector_is_found_by_its_words_and_later_by_both(index: PassageIndex) -> None:
    one = passage("a1", "restart the hub")
    index.upsert(points([one], dense=False))
    assert [len(leg) for leg in (index.retrieve(ask("hub")).lexical, index.retrieve(ask("hub")).dense)] == [1, 0]
    assert list(index.without_dense()) == [one.ref]

    assert index.set_dense([(one.ref, dense_query(["restart", "the", "hub"]))]) == 1
    assert index.retrieve(ask("restart the hub")).dense[0].score == pytest.approx(1, abs=1e-5)
    assert index.retrieve(ask("hub")).lexical[0].ref == one.ref
    assert list(index.without_dense()) == []


def test_a_vector_for_a_passage_that_has_gone_is_skipped(index: PassageIndex) -> None:
    one, gone = passage("a1"), PassageRef(Kind.ARTICLE, "gone", 1, 0)
    index.upsert(points([one], dense=False))
    vector = dense_query(["hub"])
    assert index.set_dense([(gone, vector), (one.ref, vector)]) == 1
    assert list(index.refs()) == [one.ref]


def test_writing_a_passage_again_changes_nothing(index: PassageIndex) -> None:
    corpus = passages(20)
    index.upsert(points(corpus))
    before = index.retrieve(ask("word1 word2"))
    index.upsert(points(corpus))
    assert index.count() == 20
    assert same_scores(index.retrieve(ask("word1 word2")), before)


def test_replacing_an_item_leaves_exactly_its_new_passages(index: PassageIndex) -> None:
    other = passage("a2", "pay the bill")
    index.upsert(points([passage("a1", "old text"), passage("a1", "old tail", ordinal=1), other]))
    new = passage("a1", "new text", revision=2)
    for _ in range(2):  # any number of times
        index.replace(by_item(points([new])))
        assert set(index.refs()) == {new.ref, other.ref}
    assert list(index.refs(ITEM)) == [new.ref]
    assert index.retrieve(ask("old")).lexical == []


def test_replacing_by_nothing_removes_the_item(index: PassageIndex) -> None:
    index.upsert(points([passage("a1"), passage("a2")]))
    index.replace({ITEM: (), ItemRef(Kind.POST, "never there"): ()})
    assert [ref.item_id for ref in index.refs()] == ["a2"]


def test_items_of_different_kinds_with_one_id_do_not_meet(index: PassageIndex) -> None:
    index.upsert(points([passage("a1"), passage("a1", kind=Kind.POST)]))
    index.replace({ITEM: ()})
    assert [ref.kind for ref in index.refs()] == [Kind.POST]


def test_a_point_of_another_item_is_refused(index: PassageIndex) -> None:
    with pytest.raises(Invalid, match="another item"):
        index.replace({ITEM: points([passage("a2")])})
    assert index.count() == 0


def test_more_passages_than_one_batch_holds_are_all_written_and_all_removed(index: PassageIndex) -> None:
    some = points([passage("a1", f"word{n}", ordinal=n) for n in range(600)])
    index.replace({ITEM: some})
    assert sorted(index.refs(ITEM)) == [point.ref for point in some]
    index.replace({ITEM: some[:1]})
    assert index.count() == 1


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: "+".join(reader.keys))
def test_both_legs_return_what_the_reader_may_read_and_nothing_else(index: PassageIndex, reader: Reader) -> None:
    corpus = [replace(one, text=f"{one.text} everywhere") for one in passages(80)]
    index.upsert(points(corpus))
    legs = index.retrieve(ask("everywhere", reader))
    readable = {one.ref for one in corpus if reader.may_read(one.access)}
    assert set(scores(legs.lexical)) == set(scores(legs.dense)) == readable


def test_every_filter_holds_in_both_legs(index: PassageIndex) -> None:
    corpus = [replace(one, text=f"{one.text} everywhere") for one in passages(80)]
    index.upsert(points(corpus))
    rng = random.Random(3)
    for filters in [any_filters(rng) for _ in range(30)]:
        legs = index.retrieve(ask("everywhere", INTERNAL, filters))
        expected = {one.ref for one in corpus if INTERNAL.may_read(one.access) and meets(one, filters)}
        assert expected
        assert set(scores(legs.lexical)) == set(scores(legs.dense)) == expected


@pytest.mark.parametrize(
    "request_",
    [Request(), Request(Sparse((), ())), Request(dense=np.zeros(0, np.float32))],
    ids=["none", "no", "empty"],
)
def test_a_leg_that_is_asked_nothing_answers_nothing(index: PassageIndex, request_: Request) -> None:
    index.upsert(points([passage()]))
    assert index.retrieve(request_) == Legs([], [])


def test_each_leg_may_be_asked_alone(index: PassageIndex) -> None:
    index.upsert(points([passage()]))
    both = index.retrieve(ask("hub"))
    assert index.retrieve(Request(lexical=query_vector(["hub"]))) == Legs(both.lexical, [])
    assert index.retrieve(Request(dense=dense_query(["hub"]))) == Legs([], both.dense)


def test_an_empty_index_and_an_unknown_word_find_nothing(index: PassageIndex) -> None:
    assert index.retrieve(ask("hub")) == Legs([], [])
    index.upsert(points([passage()]))
    assert index.retrieve(ask("unknown")).lexical == []


def test_equal_scores_come_in_order_of_reference(index: PassageIndex) -> None:
    index.upsert(points([passage(f"a{n}", "same words") for n in range(20)]))
    ids = [hit.ref for hit in index.retrieve(ask("same")).lexical]
    assert ids == sorted(ids)


def test_no_more_than_k_come_back(index: PassageIndex) -> None:
    index.upsert(points([passage(f"a{n}", f"hub {n}") for n in range(20)]))
    legs = index.retrieve(ask("hub", k=5))
    assert (len(legs.lexical), len(legs.dense)) == (5, 5)


@pytest.mark.parametrize(
    "vector", [np.ones(31, np.float32), np.full(32, np.nan, np.float32), np.ones((1, 32), np.float32)]
)
def test_a_bad_vector_is_refused_before_anything_is_written(index: PassageIndex, vector: np.ndarray) -> None:
    good, bad = points([passage("a1"), passage("a2")])
    with pytest.raises(Invalid):
        index.upsert([good, replace(bad, dense=vector)])
    with pytest.raises(Invalid):
        index.set_dense([(good.ref, vector)])
    with pytest.raises(Invalid):
        index.retrieve(Request(dense=vector))
    assert index.count() == 0


@pytest.mark.parametrize(
    "vector",
    [Sparse((1, 1), (1.0, 1.0)), Sparse((2**32,), (1.0,)), Sparse((1,), (float("inf"),)), Sparse((1, 2), (1.0,))],
    ids=["twice", "too large", "infinite", "uneven"],
)
def test_a_bad_lexical_vector_is_refused(index: PassageIndex, vector: Sparse) -> None:
    with pytest.raises(Invalid):
        index.upsert([replace(points([passage()])[0], lexical=vector)])
    assert index.count() == 0


def test_a_closed_index_is_unavailable(index: PassageIndex) -> None:
    index.close()
    index.close()
    with pytest.raises(IndexUnavailable):
        index.count()
    with pytest.raises(IndexUnavailable):
        index.retrieve(ask("hub"))


def test_scores_after_removals_and_edits_equal_a_clean_rebuild(new_index: Callable[[], PassageIndex]) -> None:
    index, rebuilt = new_index(), new_index()
    corpus = passages(120)
    length = average_length(corpus)
    index.upsert(points(corpus, length))
    final = [one for one in corpus if int(one.ref.item_id[4:]) % 4]  # a quarter of the items goes
    narrowed = [replace(one, access=corpus[0].access) if n % 5 == 0 else one for n, one in enumerate(final)]
    left = by_item(points(narrowed, length))
    gone = {one.ref.item for one in corpus} - set(left)
    index.replace(left)
    index.replace(dict.fromkeys(gone, ()))
    rebuilt.upsert(points(narrowed, length))
    rng = random.Random(4)
    for reader in READERS:
        for words in [" ".join(any_query(rng)) for _ in range(15)]:
            assert same_scores(index.retrieve(ask(words, reader)), rebuilt.retrieve(ask(words, reader)))


def test_hidden_text_moves_no_score_that_a_reader_sees(new_index: Callable[[], PassageIndex]) -> None:
    corpus = passages(120)
    length = average_length(corpus)
    everything = new_index()
    everything.upsert(points(corpus, length))
    rng = random.Random(5)
    for reader in READERS:
        visible = new_index()
        readable = [one for one in corpus if reader.may_read(one.access)]
        visible.upsert(points(readable, length))
        for words in [" ".join(any_query(rng)) for _ in range(15)]:
            assert same_scores(everything.retrieve(ask(words, reader)), visible.retrieve(ask(words, reader)))


def test_both_engines_agree_on_500_random_filtered_hybrid_queries(edge: EdgeIndex, memory: PassageIndex) -> None:
    corpus = passages(150)
    for index in (edge, memory):
        index.upsert(points(corpus))
    rng = random.Random(6)
    for _ in range(500):
        words = any_query(rng)
        request = replace(ask(" ".join(words), rng.choice(READERS), any_filters(rng), k=10), exact=True)
        ours, theirs = edge.retrieve(request), memory.retrieve(request)
        assert same_up_to_ties(ours.lexical, theirs.lexical), request
        assert same_up_to_ties(ours.dense, theirs.dense), request


def test_a_payload_holds_ids_and_filter_fields_and_no_text() -> None:
    one = passage(text="secret words", title="Secret title", heading=("Secret",), tags=("slow",))
    assert payload_of(one) == {
        "item": "article/a1",
        "kind": "article",
        "revision": 1,
        "ordinal": 0,
        "reader": [
            *("public", "customer", "partner", "internal"),
            *("public/article", "customer/article", "partner/article", "internal/article"),
            *("public/en", "customer/en", "partner/en", "internal/en"),
        ],
        "language": "en",
        "tag": "slow",
    }
