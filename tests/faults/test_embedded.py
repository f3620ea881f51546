"""The embedded index: damaged, failing, without room."""

import os
import shutil
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from kb.search import engines
from kb.settings import Settings
from kb.solve import generations
from tests.api.conftest import House
from tests.faults.conftest import converged, found, publish, ready, running, soon, until

pytestmark = pytest.mark.slow

Usage = namedtuple("Usage", "total used free")


def prepared(house: House, folder: Path) -> str:
    """A house with an article in its index; the name of that index."""
    assert publish(house).status_code == 201
    converged(house, folder)
    assert found(house, "restart") == (["Red light"], [])
    generation = house.service.live.generation
    assert generation is not None
    return generation.name


@pytest.mark.parametrize(
    ("damaged", "size"),
    [
        ("edge_config.json", 10),  # cannot be opened
        ("segments/*/vector_storage-dense/vectors/status.dat", 2),  # the engine panics
        ("segments/*/payload_storage/page_0.dat", 0),  # it opens, and every search fails
    ],
)
def test_a_damaged_index_is_built_anew_while_titles_answer(
    settings: Callable[..., Settings], folder: Path, damaged: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "BROKEN_S", 0.5)
    with running(settings()) as house:
        before = prepared(house, folder)
    for path in (folder / "index" / before).glob(damaged):
        os.truncate(path, size)
    monkeypatch.setattr(generations.Generations, "begin", _held(generations.Generations.begin))
    with running(settings()) as house:
        until(lambda: house.service.catalogue.complete)
        assert found(house, "red light") == (["Red light"], ["index"])
        assert ready(house)["parts"]["index"]["state"] == "away"
        assert soon(lambda: publish(house, "Invoice", "It comes by post.")).status_code == 201
        _held.go = True
        until(lambda: house.service.live.generation is not None and house.service.live.generation.name != before)
        converged(house, folder)
        assert found(house, "restart")[0][0] == "Red light"
        assert found(house, "post")[0][0] == "Invoice"
        assert [path.name for path in (folder / "index").iterdir()] == [house.service.live.generation.name]


def _held(begin: Any) -> Any:
    """Wait with a build until the test has seen what comes before it."""
    _held.go = False

    def held(self: Any, why: str) -> None:
        if _held.go:
            begin(self, why)

    return held


class Broken:
    """An engine of which every call fails."""

    def __getattr__(self, name: str) -> Any:
        def fail(*args: object) -> None:
            raise RuntimeError("the engine has had enough")

        return fail


def test_an_engine_that_fails_for_a_while_is_asked_again(settings: Callable[..., Settings], folder: Path) -> None:
    with running(settings()) as house:
        before = prepared(house, folder)
        index, _ = house.service.live.get()
        shard, index._shard = index._shard, Broken()
        assert found(house, "red light") == (["Red light"], ["index"])
        assert soon(lambda: publish(house, "Invoice", "It comes by post.")).status_code == 201
        until(lambda: ready(house)["parts"]["indexer"]["state"] == "paused")
        index._shard = shard
        converged(house, folder)
        assert house.service.live.generation.name == before
        assert found(house, "post")[0][0] == "Invoice"


def test_an_engine_that_goes_on_failing_is_replaced(
    settings: Callable[..., Settings], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "BROKEN_S", 1.0)
    with running(settings()) as house:
        before = prepared(house, folder)
        index, _ = house.service.live.get()
        shard, index._shard = index._shard, Broken()
        assert found(house, "red light") == (["Red light"], ["index"])
        until(lambda: house.service.live.generation.name != before)
        converged(house, folder)
        assert found(house, "restart") == (["Red light"], [])
        shard.close()


@contextmanager
def little_room(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(engines.shutil, "disk_usage", lambda path: Usage(10 << 30, 10 << 30, 1 << 20))
        yield


def test_a_disk_that_is_almost_full_pauses_indexing_and_nothing_else(
    settings: Callable[..., Settings], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(settings()) as house:
        before = prepared(house, folder)
        with little_room(monkeypatch):
            assert soon(lambda: publish(house, "Invoice", "It comes by post.")).status_code == 201
            until(lambda: ready(house)["parts"]["indexer"]["state"] == "paused")
            assert "disk is almost full" in ready(house)["parts"]["indexer"]["wrong"]
            assert "kb_indexing_paused 1.0" in house.get("/metrics", "admin").text
            assert found(house, "restart") == (["Red light"], [])
            assert "Invoice" not in found(house, "post")[0]
        converged(house, folder)
        assert found(house, "post")[0][0] == "Invoice"
        assert "kb_indexing_paused 0.0" in house.get("/metrics", "admin").text
        assert house.service.live.generation.name == before


def test_a_start_without_room_waits_for_it_and_takes_the_index_it_had(
    settings: Callable[..., Settings], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(settings()) as house:
        before = prepared(house, folder)
    with ExitStack() as until_there_is_room:
        until_there_is_room.enter_context(little_room(monkeypatch))
        with running(settings()) as house:
            until(lambda: house.service.catalogue.complete)
            assert found(house, "red light") == (["Red light"], ["index"])
            until_there_is_room.close()
            converged(house, folder)
            assert house.service.live.generation.name == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 128 MB, for real: the engine's memory maps meet its end.

    Not a file system in memory: there, a hole of a file takes room as soon as it is read.
    """
    image, folder = tmp_path / "image", tmp_path / "disk"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(128 << 20)
    for command in (["mkfs.ext4", "-q", "-m", "0", image], ["mount", "-o", "loop", image, folder]):
        done = subprocess.run(command, capture_output=True) if shutil.which(command[0]) else None
        if done is None or done.returncode:
            pytest.skip(f"{command[0]} is not there or not permitted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def on_small_disk(small_disk: Path, sqlite_template: Path) -> Iterator["Child"]:
    """A service in a process of its own, since a guard that fails ends the process."""
    shutil.copy(sqlite_template, small_disk / "kb.db")
    child = Child(small_disk)
    yield child
    child.end()


class Child:
    """`serving.py` on a folder, asked over loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        script = Path(__file__).with_name("serving.py")
        self.process = subprocess.Popen([sys.executable, script, self.folder], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url, self.key = self.process.stdout.readline().split()
        self.client = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=10)

    def post(self, path: str, body: object) -> httpx.Response:
        return self.client.post(f"/api/v1/{path}", json=body)

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def end(self) -> int:
        self.client.close()
        self.process.terminate()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(timeout=30)


def _write(child: Child, title: str, body: str) -> httpx.Response:
    draft = {"title": title, "body": body, "language": "en", "audience": "public", "publish": True}
    return child.post("articles", draft)


def test_a_disk_that_fills_up_kills_nobody(on_small_disk: Child) -> None:
    child, ballast = on_small_disk, on_small_disk.folder / "ballast"

    def titles(query: str) -> tuple[list[str], list[str]]:
        answer = soon(lambda: child.post("search", {"query": query}))
        assert answer.status_code == 200, answer.text
        return [hit["title"] for hit in answer.json()["hits"]], answer.json()["degraded"]

    assert _write(child, "Red light", "Restart the hub.").status_code == 201
    until(lambda: titles("restart") == (["Red light"], []))
    time.sleep(1)  # an index that is built while the disk fills up is given up, which makes room
    until(lambda: len(list((child.folder / "index").iterdir())) == 1)
    _fill(ballast, child.folder, leave=6 << 20)  # below a tenth of the disk
    for number in range(40):
        assert soon(lambda n=number: _write(child, f"Invoice {n}", "It comes by post. " * 40)).status_code == 201
    until(lambda: child.get("/readyz").json()["parts"]["indexer"]["state"] == "paused")
    _fill(ballast, child.folder, leave=0)
    refused = next(
        answer
        for n in range(200)
        if (answer := soon(lambda n=n: _write(child, f"More {n}", "x " * 9_000))).status_code != 201
    )
    assert (refused.status_code, "disk of the database is full" in refused.text) == (503, True)
    assert titles("restart") == (["Red light"], [])
    assert child.end() in (0, -15)
    child.start()  # on a full disk: opening the index would write to it
    until(lambda: titles("red light")[0] == ["Red light"])
    ballast.unlink()
    until(lambda: len(titles("post")[0]) == 10 and titles("post")[1] == [])


def _fill(ballast: Path, folder: Path, leave: int) -> None:
    with ballast.open("ab") as file:
        free = shutil.disk_usage(folder).free
        if free > leave:
            try:
                file.write(bytes(free - leave))
            except OSError:
                assert not leave
