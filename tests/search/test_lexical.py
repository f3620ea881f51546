"""BM25 as sparse vectors, with rank_bm25 as the oracle."""

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

import kb.search.lexical as lexical
from kb.audience import Reader
from kb.search.edge import EdgeIndex
from kb.search.index import Request
from kb.search.lexical import document_vector, query_vector, token_index
from tests.search.corpus import READERS, any_query, average_length, passages, points, scores


class Oracle(BM25Okapi):  # type: ignore[misc]
    """rank_bm25's term-frequency part with Lucene's IDF; its own differs from Qdrant's."""

    def _calc_idf(self, nd: dict[str, int]) -> None:
        self.idf = {word: math.log((self.corpus_size - df + 0.5) / (df + 0.5) + 1) for word, df in nd.items()}


def test_a_token_always_has_the_same_32_bit_index() -> None:
    assert token_index("router") == 1171452453
    assert 0 <= token_index("路由器") < 2**32


def test_a_term_of_average_length_weighs_as_the_formula_says() -> None:
    vector = document_vector(["a", "b", "a"], average_length=3)
    assert dict(zip(vector.indices, vector.values, strict=True)) == pytest.approx(
        {token_index("a"): 2 * 2.5 / (2 + 1.5), token_index("b"): 1.0}
    )


def test_a_longer_passage_weighs_less_and_an_unknown_average_counts_as_average() -> None:
    assert document_vector(["a"] * 3, 1.0).values < document_vector(["a"] * 3, 3.0).values
    assert document_vector(["a"], 0.0).values == (1.0,)


def test_tokens_that_share_a_hash_are_summed_and_never_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexical, "token_index", lambda token: 7)
    assert document_vector(["a", "b"], 2) == document_vector(["a", "a"], 2)
    assert query_vector(["a", "b"]) == lexical.Sparse((7,), (2.0,))


@given(st.lists(st.text(max_size=3)), st.floats(0, 1e6))
def test_any_tokens_make_a_vector_with_distinct_indices_and_finite_values(tokens: list[str], average: float) -> None:
    vector = document_vector(tokens, average)
    assert len(set(vector.indices)) == len(vector.indices) == len(vector.values)
    assert all(map(math.isfinite, vector.values))


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: "+".join(reader.keys))
def test_scores_are_bm25_over_what_the_reader_may_read(edge: EdgeIndex, reader: Reader) -> None:
    corpus = passages(300)
    edge.upsert(points(corpus, dense=False))
    readable = [one for one in corpus if reader.may_read(one.access)]
    oracle = Oracle([one.text.split() for one in readable])
    # What is restricted to groups counts for nobody, not even for their members.
    counted = Oracle([one.text.split() for one in readable if not one.access.groups])
    rarest = math.log((counted.corpus_size + 0.5) / 0.5 + 1)
    oracle.idf = {word: counted.idf.get(word, rarest) for word in oracle.idf}
    oracle.avgdl = average_length(corpus)
    rng = random.Random(2)
    for words in [any_query(rng) for _ in range(40)]:
        ours = edge.retrieve(Request(lexical=query_vector(words), reader=reader, k=len(corpus))).lexical
        theirs = dict(zip((one.ref for one in readable), _scores(oracle, words), strict=True))
        assert scores(ours) == pytest.approx({ref: score for ref, score in theirs.items() if score}, rel=1e-5)
        assert [hit.score for hit in ours] == sorted((hit.score for hit in ours), reverse=True)


def _scores(oracle: Oracle, words: Sequence[str]) -> list[float]:
    return [float(score) for score in oracle.get_scores(list(words))]
