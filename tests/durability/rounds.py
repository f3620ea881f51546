"""A round: processes write and index, are killed at a random moment, and what is left is checked.

Rounds are played in campaigns of a few on one record, so that each kill meets what the kills before it left behind
and the record stays small enough to compare the index with a clean rebuild after every single one.
"""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from kb import clock
from kb.article import Confidence
from kb.passage import PassageRef
from kb.search.engines import EdgeEngine, Engine, ServerEngine
from kb.store import articles, content, generations, passages, posts
from kb.store.database import Database
from tests.solve.conftest import Works, ready
from tests.toys import ToyEncoder

VICTIM = Path(__file__).with_name("victim.py")
BETWEEN = timedelta(minutes=10)
"""How far each round lies after the one before: longer than any lease of a process that is gone."""

_real_now = clock.now


def set_clock(ahead: timedelta) -> None:
    """Live in the future from now on."""
    clock.now = lambda: _real_now() + ahead


def opened(db: Database, index: str) -> Works:
    """The parts that index and find, on a folder or a server."""
    engine: Engine = EdgeEngine(Path(index))
    if index.startswith("http"):
        engine = ServerEngine(index, None, "kill", 1, 1, 10.0)
    return Works.open(db, engine, ready(ToyEncoder()), alone=not index.startswith("http"))


@dataclass
class Campaign:
    """A record and an index that rounds are played on, and everything that was acknowledged so far."""

    folder: Path
    database_url: str
    index: str
    roles: tuple[str, ...]
    rebuilt: Callable[[], Works]
    """The same record with an index built afresh elsewhere."""
    told: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    ahead: timedelta = timedelta(0)

    def play(self, rounds: int, seed: int) -> None:
        """That many rounds; fails at the first thing lost, doubled or different."""
        chance = random.Random(seed)
        try:
            for number in range(rounds):
                self.ahead += BETWEEN
                for kind, item_id, revision, text in self._kill(seed * 1000 + number, chance):
                    self.told[item_id] = (kind, revision, text)
                self._check()
        finally:
            set_clock(timedelta(0))
        assert len(self.told) > rounds, "nearly nothing was acknowledged: the rounds prove little"

    def _kill(self, seed: int, chance: random.Random) -> list[tuple[str, str, int, str]]:
        """Start the victims, let them go when all are ready, kill them in a random order; what they had said."""
        said = [self.folder / f"said-{seed}-{role}" for role in self.roles]
        victims = [self._start(role, seed, path) for role, path in zip(self.roles, said, strict=True)]
        for victim, path in zip(victims, said, strict=True):
            self._await_word(victim, path)
        for victim in victims:
            assert victim.stdin is not None
            victim.stdin.close()  # go
        time.sleep(chance.uniform(0.0, 1.0))
        for place in chance.sample(range(len(victims)), len(victims)):
            victims[place].kill()
            time.sleep(chance.choice((0.0, 0.1)))
        for victim in victims:
            victim.wait()
        # A line cut off by the kill was not acknowledged.
        lines = [line for path in said for line in path.read_text().split("\n")[:-1]]
        return [(kind, *more) for kind, *more in map(json.loads, lines) if kind != "ready"]

    def _start(self, role: str, seed: int, said: Path) -> "subprocess.Popen[bytes]":
        command = [sys.executable, str(VICTIM), role, self.database_url, self.index, str(seed)]
        with said.open("wb") as out, (self.folder / "errors").open("ab") as err:
            return subprocess.Popen(
                [*command, str(self.ahead.total_seconds())], stdin=subprocess.PIPE, stdout=out, stderr=err
            )

    def _await_word(self, victim: "subprocess.Popen[bytes]", said: Path) -> None:
        while not said.stat().st_size:
            assert victim.poll() is None, (self.folder / "errors").read_text()[-3000:]
            time.sleep(0.01)

    def _check(self) -> None:
        set_clock(self.ahead + BETWEEN / 2)
        works = opened(Database(self.database_url), self.index).settle()
        self._check_record(works.db)
        _check_index(works)
        works.close()
        works.db.close()
        clean = self.rebuilt()
        works = opened(Database(self.database_url), self.index)
        _assert_equal(works, clean)
        for each in (works, clean):
            each.close()
            each.db.close()

    def _check_record(self, db: Database) -> None:
        with db.read() as tx:
            for item_id, (kind, revision, text) in self.told.items():
                if kind == "post":
                    assert posts.by_ids(tx, [item_id])[item_id].body == text
                    continue
                article = articles.get(tx, item_id)
                # A change that was not acknowledged may still have happened: then it is newer, never older.
                assert article.latest >= revision
                if kind == "archived":
                    assert article.confidence is Confidence.ARCHIVED
                else:
                    assert articles.get_revision(tx, item_id, revision).body == text
            everything = content.page(tx, None, 1_000_000)
            assert len(everything) == len(set(everything))


def shown(db: Database) -> set[PassageRef]:
    """The passages that readers are shown, by the record."""
    with db.read() as tx:
        found = passages.of_items(tx, content.page(tx, None, 1_000_000))
    return {passage.ref for each in found.values() for passage in each}


def forget_indexes(db: Database) -> None:
    """Let a copy of a record know of no index, so that it builds one."""
    with db.write() as tx:
        generations.delete(tx, [each.name for each in generations.every(tx)])


def _check_index(works: Works) -> None:
    index, _ = works.live.get()
    refs = list(index.refs())
    assert len(refs) == len(set(refs)), "a passage is there twice"
    assert set(refs) == shown(works.db)
    assert list(index.without_dense()) == []


def _assert_equal(works: Works, clean: Works) -> None:
    grown, afresh = works.contents(), clean.contents()
    assert grown["points"] == afresh["points"]
    assert grown["average"] == afresh["average"]
    assert grown["waiting"] == afresh["waiting"] == []
    for key, scores in afresh["scores"].items():
        assert grown["scores"][key] == pytest.approx(scores, abs=2e-5), key
