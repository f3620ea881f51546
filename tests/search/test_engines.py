"""Generations: whole indexes beside each other."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.errors import Conflict, IndexUnavailable, Invalid
from kb.search.engines import EdgeEngine, Engine, ServerEngine
from kb.search.server import MEMORY
from tests.search.corpus import passage, points


@pytest.fixture(params=["edge", "memory", "server"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "edge":
        embedded = EdgeEngine(tmp_path / "indexes")
        yield embedded
        for generation in embedded.generations():
            embedded.open(generation).close()
    else:
        url = MEMORY if request.param == "memory" else request.getfixturevalue("server_url")
        server = ServerEngine(url, alias=f"kb-{uuid.uuid4().hex}")
        yield server
        for generation in server.generations():
            server.drop(generation)
        server.close()


def test_a_new_generation_is_filled_beside_the_old_one(engine: Engine) -> None:
    assert engine.generations() == []
    old, new = engine.create("g1", 32), engine.create("g2", 16)
    old.upsert(points([passage()]))
    assert engine.generations() == ["g1", "g2"]
    assert (old.count(), new.count()) == (1, 0)
    assert engine.open("g1").count() == 1
    assert (engine.open("g1").dimension, engine.open("g2").dimension) == (32, 16)
    engine.make_live("g2")


def test_a_dropped_generation_is_gone_and_dropping_it_again_is_fine(engine: Engine) -> None:
    engine.create("g1", 32)
    engine.drop("g1")
    engine.drop("g1")
    assert engine.generations() == []
    with pytest.raises(IndexUnavailable):
        engine.open("g1")
    assert engine.create("g1", 32).count() == 0


def test_a_generation_is_never_made_twice(engine: Engine) -> None:
    engine.create("g1", 32)
    with pytest.raises(Conflict):
        engine.create("g1", 32)


@pytest.mark.parametrize("name", ["", "../g", "a b", "-"])
def test_a_name_that_could_leave_its_folder_is_refused(engine: Engine, name: str) -> None:
    for use in (engine.open, engine.drop, lambda given: engine.create(given, 32)):
        with pytest.raises(Invalid):
            use(name)


def test_a_closed_generation_can_be_opened_again(tmp_path: Path) -> None:
    engine = EdgeEngine(tmp_path)
    index = engine.create("g1", 32)
    assert engine.open("g1") is index
    index.close()
    again = engine.open("g1")
    assert again.count() == 0
    again.close()
