"""A whole service with everything running behind HTTP, to take parts away from.

Each test shows what a person sees meanwhile, measured, and that all converges by itself afterwards.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kb import clock
from kb.app import create_app
from kb.audience import Audience, Reader
from kb.bootstrap import Service
from kb.errors import IndexUnavailable
from kb.person import EVERYTHING, SYSTEM, Role
from kb.search import live, loading
from kb.search.edge import EdgeIndex
from kb.search.index import PassageIndex, Request
from kb.search.lexical import query_vector
from kb.search.loading import BackgroundEncoder
from kb.settings import Settings
from kb.solve import draining, indexing
from kb.solve.access import add_person
from kb.store import content, outbox
from kb.text.analyzer import analyze
from tests.api.conftest import UNHURRIED, House
from tests.toys import ToyEncoder

SOON_S = 2.0
"""The promise: an answer, degraded or a clear error, within so many seconds."""

NOISE_S = 1.0
"""What a busy machine may add to it in a test."""

PEOPLE: dict[str, dict[str, Any]] = {
    "publisher": {"tier": Audience.INTERNAL, "roles": [Role.PUBLISHER]},
    "admin": {"tier": Audience.INTERNAL, "roles": [Role.ADMIN], "scopes": EVERYTHING},
}


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is tried again sooner."""
    monkeypatch.setattr(live, "_LONGEST_PAUSE_S", 0.5)
    monkeypatch.setattr(indexing, "FAILED_S", 0.2)
    monkeypatch.setattr(indexing, "FOLLOW_S", 0.2)
    monkeypatch.setattr(indexing, "MEND_S", 1.0)
    monkeypatch.setattr(loading, "RETRY_S", 0.3)
    monkeypatch.setattr(draining, "OUTAGE_BACKOFF", draining.OUTAGE_BACKOFF / 10)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: the pace of the disk teaches nothing here."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None, prefix="kb-fault-") as made:
        yield Path(made)


def toy() -> BackgroundEncoder:
    """A toy encoder as a service has it: bounded in time."""
    encoder = ToyEncoder()
    background = BackgroundEncoder(lambda: encoder, encoder.identity).start()
    background.wait()
    return background


@pytest.fixture
def settings(folder: Path, sqlite_template: Path) -> Callable[..., Settings]:
    """Settings for a service in that folder."""

    def _settings(**more: Any) -> Settings:
        if not (folder / "kb.db").exists():
            shutil.copy(sqlite_template, folder / "kb.db")
        return Settings(**UNHURRIED | {"data_dir": folder, "_env_file": None} | more)

    return _settings


@contextmanager
def running(settings: Settings, encoder: BackgroundEncoder | None = None) -> Iterator[House]:
    """A service that indexes in the background, with keys for `PEOPLE`."""
    service = Service(settings, encoder=encoder or toy(), indexing=True)
    with TestClient(create_app(service)) as client:
        house = House(service, client)
        for name, fields in PEOPLE.items():
            _, house.keys[name] = add_person(service.patient_db, SYSTEM, name, **fields)
        yield house


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """What it returns and the seconds it took."""
    start = time.monotonic()
    found = call()
    return found, time.monotonic() - start


def soon(call: Callable[[], Any], within_s: float = SOON_S) -> Any:
    """What it returns, in time."""
    found, seconds = timed(call)
    assert seconds < within_s + NOISE_S, f"took {seconds:.2f} s"
    return found


def ask(house: House, query: str = "red light") -> Any:
    """A search by the public."""
    return house.post("search", {"query": query})


def publish(house: House, title: str = "Red light", body: str = "Restart the hub.") -> Any:
    """Somebody publishes an article."""
    draft = {"title": title, "body": body, "language": "en", "audience": "public", "publish": True}
    return house.post("articles", draft, "publisher")


def found(house: House, query: str) -> tuple[list[str], list[str]]:
    """The titles found and what was missing, in time."""
    response = soon(lambda: ask(house, query))
    assert response.status_code == 200, response.text
    return [hit["title"] for hit in response.json()["hits"]], response.json()["degraded"]


def ready(house: House) -> dict[str, Any]:
    """What /readyz says, in time."""
    body: dict[str, Any] = soon(lambda: house.get("/readyz")).json()
    return body


def until(what: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until it is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not converge"
        time.sleep(0.05)


def converged(house: House, folder: Path) -> None:
    """Ready again, nothing waits, nothing differs, and the index equals one built afresh from the record."""
    until(lambda: _settled(house))
    before = house.service.live.generation
    try:
        _compare(house, folder)
    except (AssertionError, IndexUnavailable):
        if house.service.live.generation is before:
            raise
        converged(house, folder)  # another index took its place meanwhile, as it may


def _compare(house: House, folder: Path) -> None:
    assert house.service.indexer.drift.run().passages == {"missing": 0, "extra": 0, "stale": 0}
    index, generation = house.service.live.get()
    afresh = EdgeIndex.create(folder / f"afresh-{generation.name}", index.dimension)
    with house.service.db.read() as tx:
        items = content.page(tx, None, 100_000)
    indexer = house.service.indexer
    indexer._fill(afresh, generation, indexer._read(items))
    try:
        assert _contents(index) == _contents(afresh)
    finally:
        afresh.close()
        shutil.rmtree(folder / f"afresh-{generation.name}")


def _settled(house: House) -> bool:
    with house.service.db.read() as tx:
        waiting = sum(each.waiting for each in outbox.backlog(tx, clock.now()))
    state = ready(house)
    return not waiting and state["ready"] and state["degraded"] == []


def _contents(index: PassageIndex) -> dict[str, object]:
    """Every point, with the scores that a few searches of each tier give it."""
    held: dict[str, object] = {"points": sorted(index.refs()), "waiting": sorted(index.without_dense())}
    for text in ("red light", "restart the hub", "invoice"):
        dense = ToyEncoder(index.dimension).encode_queries([text])[0]
        for tier in Audience:
            legs = index.retrieve(Request(query_vector(analyze(text)), dense, Reader(tier), k=10_000, exact=True))
            held[f"{text}/{tier}"] = [
                sorted((each.ref, round(each.score, 4)) for each in leg) for leg in (legs.lexical, legs.dense)
            ]
    return held
