"""What only the server engine has: a network, an alias."""

import pytest
from qdrant_client import models

from kb.audience import Audience, Reader
from kb.errors import IndexUnavailable
from kb.search.base import Leg
from kb.search.lexical import LEXICAL, query_vector
from kb.search.server import MEMORY, ServerIndex, collections, connect, drop_collection, swap_alias
from tests.search.corpus import passage, points

GROUP = ("reader", tuple(Reader(Audience.INTERNAL, frozenset({"fraud"})).keys))


def test_a_server_that_is_away_makes_the_index_unavailable() -> None:
    client = connect("http://127.0.0.1:1", timeout=1)
    with pytest.raises(IndexUnavailable, match="did not serve the collection kb-1"):
        ServerIndex.open(client, "kb-1")
    client.close()


def test_a_missing_collection_cannot_be_opened() -> None:
    client = connect(MEMORY)
    with pytest.raises(IndexUnavailable):
        ServerIndex.open(client, "none")
    client.close()


def test_an_alias_moves_from_one_collection_to_the_next() -> None:
    client = connect(MEMORY)
    for name, text in (("kb-1", "old"), ("kb-2", "new")):
        ServerIndex.create(client, name, 32).upsert(points([passage(name, text)]))
        swap_alias(client, "kb", name)
        assert [ref.item_id for ref in ServerIndex.open(client, "kb").refs()] == [name]
    assert collections(client, "kb-") == ["kb-1", "kb-2"]
    drop_collection(client, "kb-1")
    drop_collection(client, "kb-1")
    assert collections(client, "kb-") == ["kb-2"]
    client.close()


def test_a_real_server_is_asked_to_rescore_and_to_count_over_what_the_reader_may_read() -> None:
    client = connect("http://127.0.0.1:1")
    leg = Leg(LEXICAL, query_vector(["hub"]), [GROUP], GROUP, 10, exact=False)
    params = ServerIndex(client, "kb-1", 32)._params(leg)
    assert params == models.SearchParams(
        exact=False,
        quantization=models.QuantizationSearchParams(ignore=False, rescore=True),
        idf=models.IdfCorpusParams(
            corpus=models.Filter(
                must=[models.FieldCondition(key="reader", match=models.MatchAny(any=["internal", "internal:fraud"]))]
            )
        ),
    )
    client.close()
