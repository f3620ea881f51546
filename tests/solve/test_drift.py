"""Looking whether the index holds what the record says, on every engine."""

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from kb import clock
from kb.article import Article
from kb.audience import Reader
from kb.outbox import Lane
from kb.passage import ItemRef
from kb.person import SYSTEM
from kb.search.engines import EdgeEngine, ServerEngine
from kb.search.index import PassageIndex, Point, payload_of
from kb.search.lexical import Sparse
from kb.search.server import MEMORY
from kb.solve import improve
from kb.solve.drift import DriftChecker, Report
from kb.store import outbox, passages
from kb.store.database import Database
from tests.qdrant_server import QdrantServer, qdrant_server
from tests.solve.conftest import Works, ready
from tests.toys import ToyEncoder

Write = Callable[..., Article]
NONE = {"missing": 0, "extra": 0, "stale": 0}


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: making an index costs fsyncs."""
    yield from _memory()


@pytest.fixture(scope="module")
def server() -> Iterator[QdrantServer]:
    for folder in _memory():
        with qdrant_server(folder) as each:
            yield each


def _memory() -> Iterator[Path]:
    within = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with TemporaryDirectory(dir=within, prefix="kb-drift-") as folder:
        yield Path(folder)


@pytest.fixture(params=["edge", "memory", "server"])
def works(request: pytest.FixtureRequest, sqlite_db: Database, memory: Path, write: Write) -> Iterator[Works]:
    """Ten articles in an index of each engine."""
    engine: EdgeEngine | ServerEngine = EdgeEngine(memory / "index")
    if request.param != "edge":
        url = MEMORY if request.param == "memory" else request.getfixturevalue("server").url
        engine = ServerEngine(url, alias=f"t{uuid.uuid4().hex[:8]}")
    made = Works.open(sqlite_db, engine, ready(ToyEncoder()))
    for number in range(10):
        write(f"Red light {number}", f"Restart hub number {number}.", tags=["led"], products=["hub", "router"])
    made.settle()
    yield made
    made.close()


def look(works: Works) -> dict[str, int]:
    """What a whole look finds."""
    return dict(works.indexer.drift.run().passages)


def healed(works: Works) -> None:
    """After the indexer had its turn nothing differs, and the index is as it was built."""
    before = works.contents()
    works.settle()
    assert look(works) == NONE
    assert works.contents() != before


def index_of(works: Works) -> PassageIndex:
    return works.live.get()[0]


def points_of(works: Works, count: int) -> list[Point]:
    """Some points as they should be."""
    with works.db.read() as tx:
        items = passages.page(tx, None, count)
        found = [each for held in passages.of_items(tx, items).values() for each in held]
    vectors = ToyEncoder().encode_passages([each.text for each in found])
    return [
        Point(each.ref, payload_of(each), Sparse((1,), (1.0,)), vector)
        for each, vector in zip(found, vectors, strict=True)
    ]


def test_nothing_differs_in_a_healthy_index(works: Works) -> None:
    report = works.indexer.drift.run()
    assert report.passages == NONE
    assert report.at is not None


def test_points_that_vanished_are_missed_and_come_back(works: Works) -> None:
    index_of(works).remove([point.ref.point_id for point in points_of(works, 3)])
    assert look(works) == NONE | {"missing": 3}
    healed(works)


def test_points_that_say_other_things_of_themselves_are_written_anew(works: Works) -> None:
    """The worst of them says that everybody may read it."""
    points = [replace(each, payload=dict(each.payload, reader=["internal"])) for each in points_of(works, 2)]
    points[1] = replace(points[1], payload={key: value for key, value in points[1].payload.items() if key != "tag"})
    index_of(works).upsert(points)
    assert look(works) == NONE | {"stale": 2}
    healed(works)


def test_points_of_nobody_and_no_points_of_ours_go(works: Works) -> None:
    stranger, revision, broken = points_of(works, 3)
    lost = stranger.ref._replace(item_id="nobody")
    old = revision.ref._replace(revision=7)
    strange = broken.ref._replace(ordinal=99)
    index_of(works).upsert(
        [
            replace(stranger, ref=lost, payload=dict(stranger.payload, item="article/nobody")),
            replace(revision, ref=old, payload=dict(revision.payload, revision=7)),
            replace(broken, ref=strange, payload={"item": "nonsense", "reader": ["public"]}),
        ]
    )
    assert index_of(works).count() == 13
    assert works.found("red light", Reader())  # a damaged point is passed over
    assert look(works) == NONE | {"extra": 3}
    healed(works)
    assert index_of(works).count() == 10


def test_a_point_that_lost_its_vector_gets_it_again(works: Works) -> None:
    index_of(works).upsert([replace(each, dense=None) for each in points_of(works, 2)])
    assert look(works) == NONE | {"stale": 2}
    healed(works)
    assert list(index_of(works).without_dense()) == []


def test_what_is_on_its_way_is_no_drift(works: Works, write: Write) -> None:
    write("Invoice", "It comes by post.")
    assert look(works) == NONE
    with works.db.write() as tx:  # being worked on
        assert outbox.claim(tx, Lane.PEOPLE_LEXICAL, 10, clock.now())
    assert look(works) == NONE
    works.generations.start()
    works.settle()
    assert look(works) == NONE
    assert works.found("post")


def test_a_change_between_two_looks_is_no_drift(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made and indexed after the record was read and before the index was."""
    index, changes = index_of(works), ["led", "alarm"]
    stored = index.stored

    def late(items: list[ItemRef]) -> object:
        if changes:
            improve.set_state(works.db, SYSTEM, items[0].id, {"tags": (changes.pop(),)})
            works.settle()
        return stored(items)

    monkeypatch.setattr(index, "stored", late)
    assert look(works) == NONE


def test_a_date_that_passed_unnoticed_is_noticed(works: Works, write: Write) -> None:
    with works.db.read() as tx:
        item = passages.page(tx, None, 1)[0]
    with works.db.write() as tx:
        passages.replace(tx, {item: []})
    works.indexer.drift.run()
    assert look(works) == NONE  # it has been asked for already
    works.settle()
    assert look(works) == NONE
    assert item.id in works.found("red light")


def test_a_look_comes_by_itself_in_slices_and_heals(works: Works) -> None:
    works.indexer.drift = DriftChecker(works.db, works.live, works.indexer.reads, every_s=0.0)
    index_of(works).remove([point.ref.point_id for point in points_of(works, 3)])
    found: list[Report] = []
    for _ in range(40):
        works.indexer.step()
        works.indexer.encode_step()
        if works.indexer.drift.report not in found:
            found.append(works.indexer.drift.report)
    assert [each.passages["missing"] for each in found[1:3]] == [3, 0]
    assert look(works) == NONE


def test_a_look_that_may_not_heal_changes_nothing(works: Works) -> None:
    index_of(works).remove([point.ref.point_id for point in points_of(works, 3)])
    checker = DriftChecker(works.db, works.live, works.indexer.reads, every_s=1.0, heal=False)
    assert checker.run().passages == NONE | {"missing": 3}
    works.settle()
    assert checker.run().passages == NONE | {"missing": 3}
