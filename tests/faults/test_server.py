"""A Qdrant server that is away, slow, full or empty."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from kb.settings import Settings
from kb.solve.generations import Generations, ask_for_rebuild
from tests.api.conftest import House
from tests.faults.conftest import converged, found, publish, ready, running, soon, timed, until
from tests.qdrant_server import QdrantServer, qdrant_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[QdrantServer]:
    """A server that each test leaves as it found it."""
    within = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with TemporaryDirectory(dir=within, prefix="kb-fault-") as folder, qdrant_server(Path(folder)) as each:
        yield each


@pytest.fixture
def scaled(settings: Callable[..., Settings], server: QdrantServer) -> Settings:
    """Settings with that server."""
    return settings(qdrant_url=server.url, qdrant_alias=f"t{uuid.uuid4().hex[:8]}")


@contextmanager
def killed(server: QdrantServer) -> Iterator[None]:
    server.kill()
    try:
        yield
    finally:
        server.start()


@contextmanager
def hanging(server: QdrantServer) -> Iterator[None]:
    server.pause()
    try:
        yield
    finally:
        server.resume()


@contextmanager
def slow(server: QdrantServer) -> Iterator[None]:
    server.fault(delay_s=10)
    try:
        yield
    finally:
        server.fault()


@contextmanager
def failing(server: QdrantServer) -> Iterator[None]:
    server.fault(status=500)
    try:
        yield
    finally:
        server.fault()


@contextmanager
def full(server: QdrantServer) -> Iterator[None]:
    server.fault(status=507, writes_only=True)
    try:
        yield
    finally:
        server.fault()


def prepared(house: House, folder: Path) -> None:
    assert publish(house).status_code == 201
    converged(house, folder)
    assert found(house, "restart") == (["Red light"], [])


@pytest.mark.parametrize("fault", [killed, hanging, slow, failing])
def test_titles_answer_while_the_server_does_not_and_all_converges_afterwards(
    server: QdrantServer, scaled: Settings, folder: Path, fault: Callable[..., contextmanager]
) -> None:
    with running(scaled) as house:
        prepared(house, folder)
        with fault(server):
            assert found(house, "red light") == (["Red light"], ["index"])
            _, seconds = timed(lambda: found(house, "red light"))
            assert seconds < 0.9, "the second one waited as well"
            assert soon(lambda: publish(house, "Invoice", "It comes by post.")).status_code == 201
            state = ready(house)
            assert (state["ready"], state["parts"]["index"]["state"]) == (True, "away")
            until(lambda: ready(house)["parts"]["indexer"]["state"] == "paused")
        converged(house, folder)
        assert found(house, "post")[0][0] == "Invoice"


def test_a_full_server_goes_on_to_answer_and_takes_changes_when_there_is_room(
    server: QdrantServer, scaled: Settings, folder: Path
) -> None:
    with running(scaled) as house:
        prepared(house, folder)
        with full(server):
            for number in range(70):  # more than one batch
                assert publish(house, f"Invoice {number}", "It comes by post.").status_code == 201
            assert found(house, "restart") == (["Red light"], [])
            assert "Invoice 1" not in found(house, "post")[0]
            until(lambda: ready(house)["parts"]["indexer"]["state"] == "paused")
            assert ready(house)["ready"]
        converged(house, folder)
        assert len(found(house, "post")[0]) == 10


def test_a_service_that_starts_without_its_server_takes_up_the_index_it_had(
    server: QdrantServer, scaled: Settings, folder: Path
) -> None:
    with running(scaled) as house:
        prepared(house, folder)
        before = house.service.live.generation
    server.kill()
    with running(scaled) as house:
        until(lambda: house.service.catalogue.complete)
        assert found(house, "red light") == (["Red light"], ["index"])
        server.start()
        converged(house, folder)
        assert house.service.live.generation == before


def test_an_index_that_is_gone_is_built_anew(server: QdrantServer, scaled: Settings, folder: Path) -> None:
    with running(scaled) as house:
        prepared(house, folder)
        before = house.service.live.generation
        server.kill()
        (server.folder / "collections").rename(server.folder / f"lost-{uuid.uuid4().hex}")
        server.start()
        until(lambda: found(house, "red light") == (["Red light"], []) and house.service.live.generation != before)
        converged(house, folder)
        assert found(house, "restart") == (["Red light"], [])


def test_an_index_that_goes_while_it_is_built_is_begun_again(
    server: QdrantServer, scaled: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance, left = Generations.advance, [1]

    def losing(self: Generations, *args: object) -> None:
        if left and self._build is not None:
            left.pop()
            self._engine.drop(self._build.target.generation.name)
        advance(self, *args)  # type: ignore[arg-type]

    with running(scaled) as house:
        prepared(house, folder)
        before = house.service.live.generation
        monkeypatch.setattr(Generations, "advance", losing)
        ask_for_rebuild(house.service.patient_db)
        until(lambda: not left)
        assert found(house, "restart") == (["Red light"], [])
        assert publish(house, "Invoice", "It comes by post.").status_code == 201
        until(lambda: house.service.live.generation != before)
        converged(house, folder)
        assert found(house, "post")[0][0] == "Invoice"
