"""What only the server engine has: a network, an alias."""

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from qdrant_client import models

from kb.audience import Audience, Reader
from kb.errors import IndexUnavailable
from kb.search.base import Leg
from kb.search.lexical import LEXICAL, query_vector
from kb.search.server import MEMORY, ServerIndex, collections, connect, drop_collection, swap_alias
from tests.qdrant_server import qdrant_server
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


@pytest.mark.parametrize("where", ["memory", "server"])
def test_an_alias_moves_from_one_collection_to_the_next(where: str, request: pytest.FixtureRequest) -> None:
    client = connect(MEMORY if where == "memory" else request.getfixturevalue("server_url"))
    alias = f"kb{uuid.uuid4().hex}"
    old, new = f"{alias}-1", f"{alias}-2"
    for name in (old, new):
        ServerIndex.create(client, name, 32).upsert(points([passage(name, "text")]))
        swap_alias(client, alias, name)
        assert [ref.item_id for ref in ServerIndex.open(client, alias).refs()] == [name]
    assert collections(client, f"{alias}-") == [old, new]
    drop_collection(client, old)
    drop_collection(client, old)
    assert collections(client, f"{alias}-") == [new]
    drop_collection(client, new)
    client.close()


def test_a_server_takes_several_clients_at_once(server_url: str) -> None:
    name = f"kb-{uuid.uuid4().hex}"
    clients = [connect(server_url) for _ in range(4)]
    ServerIndex.create(clients[0], name, 32)

    def write(number: int) -> None:
        index = ServerIndex.open(clients[number], name)
        for n in range(20):
            index.upsert(points([passage(f"a{number}-{n}", "restart the hub")]))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert ServerIndex.open(clients[0], name).count() == 80
    drop_collection(clients[0], name)
    for client in clients:
        client.close()


def test_a_killed_server_makes_the_index_unavailable_until_it_is_back_with_all_it_had(tmp_path: Path) -> None:
    with qdrant_server(tmp_path) as server:
        client = connect(server.url, timeout=1)
        index = ServerIndex.create(client, "kb-1", 32)
        index.upsert(points([passage("a1", "restart the hub")]))
        swap_alias(client, "kb", "kb-1")
        server.kill()
        with pytest.raises(IndexUnavailable):
            index.count()
        server.start()
        assert _answered(index.count) == ServerIndex.open(client, "kb").count() == 1
        server.pause()
        with pytest.raises(IndexUnavailable, match="timed out"):
            index.count()
        server.resume()
        server.fault(status=500, writes_only=True)
        with pytest.raises(IndexUnavailable, match="500"):
            index.upsert(points([passage("a2", "pay the bill")]))
        assert _answered(index.count) == 1
        server.fault()
        index.upsert(points([passage("a2", "pay the bill")]))
        assert _answered(index.count) == 2
        client.close()


def _answered(ask: Callable[[], int]) -> int:
    """The answer, when it comes: a question waits a second at most, and a busy machine has longer ones."""
    end = time.monotonic() + 30
    while True:
        try:
            return ask()
        except IndexUnavailable:
            if time.monotonic() > end:
                raise


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
