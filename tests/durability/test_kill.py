"""kill -9 at random moments of ingest, publish and reindex: nothing acknowledged is lost, nothing is there twice,
and the index equals a clean rebuild."""

import contextlib
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kb.article import Confidence
from kb.passage import ItemRef, Kind
from kb.query import Query
from kb.store import articles, content, generations, passages, posts
from kb.store.database import Database
from tests.solve.conftest import INTERNAL, Works, ready
from tests.toys import ToyEncoder

ROUNDS = 20


@pytest.mark.slow
def test_no_acknowledged_write_is_lost_to_kill_9(tmp_path: Path) -> None:
    chance = random.Random(20261121)
    told: dict[str, tuple[str, int, str]] = {}
    for round_number in range(ROUNDS):
        for kind, item_id, revision, text in _run_and_kill(tmp_path, round_number, chance.uniform(0.05, 1.0)):
            told[item_id] = (kind, revision, text)
        works = Works.open(Database(f"sqlite:///{tmp_path / 'kb.db'}"), tmp_path / "index", ready(ToyEncoder()))
        works.settle()
        _check_record(works.db, told)
        _check_index(works, told, tmp_path / "clean")
        works.live.close()
        works.db.close()
    assert len(told) > ROUNDS


def _run_and_kill(folder: Path, seed: int, delay: float) -> list[tuple[str, str, int, str]]:
    """Start the victim, let it acknowledge a first write, kill it `delay` seconds later; what it had said."""
    victim = Path(__file__).with_name("victim.py")
    said = folder / f"said-{seed}"
    with said.open("wb") as out, (folder / "errors").open("wb") as errors:
        process = subprocess.Popen([sys.executable, str(victim), str(folder), str(seed)], stdout=out, stderr=errors)
    while not said.stat().st_size:
        assert process.poll() is None, (folder / "errors").read_text()[-3000:]
        time.sleep(0.01)
    time.sleep(delay)
    process.kill()
    process.wait()
    whole = said.read_text().split("\n")[:-1]  # a line cut off by the kill was not acknowledged
    return [tuple(json.loads(line)) for line in whole]


def _check_record(db: Database, told: dict[str, tuple[str, int, str]]) -> None:
    with db.read() as tx:
        for item_id, (kind, revision, text) in told.items():
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


def _check_index(works: Works, told: dict[str, tuple[str, int, str]], folder: Path) -> None:
    index, _ = works.live.get()
    with works.db.read() as tx:
        shown = {ref for item in content.page(tx, None, 1_000_000) for ref in _refs(tx, item)}
    refs = list(index.refs())
    assert len(refs) == len(set(refs)), "a passage is there twice"
    assert set(refs) == shown
    assert list(index.without_dense()) == []
    for item_id in list(told)[-5:]:
        kind, _, text = told[item_id]
        if kind == "article":
            item = ItemRef(Kind.ARTICLE, item_id)
            found = works.searcher.retrieve(Query(text[-32:], reader=INTERNAL), legs=frozenset({"lexical"}))
            with works.db.read() as tx:
                if any(text[-32:] in each.text for each in passages.of_items(tx, [item])[item]):
                    assert found.candidates[0].ref.item == item
    clean = _rebuilt(works, folder)
    _assert_equal(works, clean)
    clean.live.close()
    clean.db.close()
    shutil.rmtree(folder)


def _rebuilt(works: Works, folder: Path) -> Works:
    """The same record with an index built afresh, all in another folder."""
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(folder / "kb.db")) as copy, works.db.read() as tx:
        tx.connection.driver_connection.backup(copy)
    db = Database(f"sqlite:///{folder / 'kb.db'}")
    with db.write() as tx:
        generations.delete(tx, [each.name for each in generations.every(tx)])
    return Works.open(db, folder / "index", ready(ToyEncoder())).settle()


def _refs(tx, item: ItemRef) -> list:  # type: ignore[no-untyped-def, type-arg]
    return [each.ref for each in passages.of_items(tx, [item])[item]]


def _assert_equal(works: Works, clean: Works) -> None:
    grown, afresh = works.contents(), clean.contents()
    assert grown["points"] == afresh["points"]
    assert grown["average"] == afresh["average"]
    assert grown["waiting"] == afresh["waiting"] == []
    for key, scores in afresh["scores"].items():
        assert grown["scores"][key] == pytest.approx(scores, abs=2e-5), key
