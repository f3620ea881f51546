"""Indexes to test: the same contract for every engine."""

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kb.search.edge import EdgeIndex
from kb.search.index import PassageIndex
from kb.search.server import MEMORY, ServerIndex, connect, drop_collection
from tests.qdrant_server import qdrant_server
from tests.toys import copy_index

DIMENSION = 32

NewIndex = Callable[[], PassageIndex]


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an empty index, to be copied."""
    folder = tmp_path_factory.mktemp("blank") / "index"
    EdgeIndex.create(folder, DIMENSION).close()
    return folder


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A Qdrant server: the one that KB_TEST_QDRANT_URL names, else a stand-in of ours."""
    if url := os.environ.get("KB_TEST_QDRANT_URL"):
        yield url
        return
    memory = "/dev/shm"
    within = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=within, prefix="kb-test-") as folder, qdrant_server(Path(folder)) as server:
        yield server.url


@pytest.fixture(params=["edge", "memory", "server"])
def new_index(request: pytest.FixtureRequest, blank: Path, tmp_path: Path) -> Iterator[NewIndex]:
    """Makes empty indexes of one engine, as many as the test wants."""
    if request.param == "edge":
        yield from edge_indexes(blank, tmp_path)
    else:
        yield from server_indexes(MEMORY if request.param == "memory" else request.getfixturevalue("server_url"))


@pytest.fixture
def index(new_index: NewIndex) -> PassageIndex:
    """One empty index of each engine."""
    return new_index()


@pytest.fixture
def edge(blank: Path, tmp_path: Path) -> Iterator[PassageIndex]:
    """An empty embedded index."""
    for new in edge_indexes(blank, tmp_path):
        yield new()


@pytest.fixture
def memory() -> Iterator[PassageIndex]:
    """An empty index behind the server's client, without a server."""
    for new in server_indexes(MEMORY):
        yield new()


def edge_indexes(blank: Path, folder: Path) -> Iterator[NewIndex]:
    made: list[EdgeIndex] = []

    def new() -> PassageIndex:
        made.append(EdgeIndex.open(copy_index(blank, folder / f"index-{len(made)}")))
        return made[-1]

    yield new
    for index in made:
        index.close()


def server_indexes(url: str) -> Iterator[NewIndex]:
    client = connect(url)
    made: list[str] = []

    def new() -> PassageIndex:
        made.append(f"test-{uuid.uuid4().hex}")
        return ServerIndex.create(client, made[-1], DIMENSION)

    yield new
    for name in made:
        drop_collection(client, name)
    client.close()
