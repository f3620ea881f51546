"""Calibration: what is learned from questions with known answers, and what is not believed."""

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kb import clock
from kb.errors import Conflict
from kb.generation import GenerationState
from kb.language import Language
from kb.post import Post
from kb.search.encoder import EncoderIdentity, Identified, packaged_folder
from kb.search.fusion import Weights
from kb.search.index import Vector
from kb.search.transformer import SentenceTransformerEncoder
from kb.search.tuning import FieldWeights, Tuning
from kb.solve import calibrating, known_items, publishing
from kb.solve.calibrating import GAIN, calibrate, due, publish
from kb.solve.known_items import ENOUGH, Asked
from kb.store import generations
from kb.store.database import Database
from tests.solve.conftest import Works
from tests.toys import ToyEncoder

CONTENT = Path(__file__).parents[2] / "content" / "articles"
WORDS = [f"{a}{b}{c}" for a in ("bo", "ra", "ti", "lu", "ne") for b in ("mel", "dor", "vik", "san") for c in "aeiouy"]


class Noise(Identified):
    """Vectors that say nothing: what an encoder makes of a language it was not trained on."""

    identity = EncoderIdentity("noise", "9" * 64, 16, 256)

    def encode_queries(self, texts: Sequence[str]) -> Vector:
        return self.encode_passages(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vector:
        seeds = [int.from_bytes(hashlib.sha1(text.encode()).digest()[:4]) for text in texts]
        rows = np.array([np.random.default_rng(seed).normal(size=16) for seed in seeds], np.float32)
        return np.ascontiguousarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def posts(number: int) -> Iterator[Post]:
    """Each about words of its own, some of which the title has too."""
    chance = random.Random(3)
    for each in range(number):
        own = chance.sample(WORDS, 8)
        body = "\n\n".join(f"{' '.join(chance.sample(own, 5)).capitalize()}." for _ in range(4))
        yield Post(
            id=f"{each:03}", source="test", source_key=str(each), title=" ".join(own[:3]), body=body,
            language=Language.ENGLISH, author="", created_at=clock.now(),
        )  # fmt: skip


def save(db: Database, made: Sequence[Post]) -> None:
    cuts = publishing.cut_posts(made)
    with db.write() as tx:
        publishing.save_posts(tx, made, [], cuts, clock.now())


def test_an_encoder_that_says_nothing_gets_no_weight(sqlite_db: Database, tmp_path: Path) -> None:
    save(sqlite_db, list(posts(150)))
    found = calibrate(sqlite_db, Noise(), tmp_path)
    assert found.source == "made up"
    assert found.tuning.weights("en").of("anything", 0.9) <= 0.2
    choice = next(each for each in found.choices if each.what == "legs, en")
    assert choice.taken
    assert choice.after > choice.before + GAIN


@pytest.mark.slow
def test_an_english_encoder_finds_its_weight_in_chinese_near_zero(sqlite_db: Database, tmp_path: Path) -> None:
    # By its folder nobody knows what it was trained on.
    encoder = SentenceTransformerEncoder(str(packaged_folder()))
    assert encoder.identity.serves("zh")
    pages = sorted((CONTENT / "zh-hans").rglob("*.md"))
    sections = [each for path in pages for each in path.read_text().split("---", 2)[-1].split("\n## ")]
    made = [
        Post(
            id=f"{n:03}", source="test", source_key=str(n), title="", body=f"## {each}",
            language=Language.SIMPLIFIED, author="", created_at=clock.now(),
        )
        for n, each in enumerate(sections)
    ]  # fmt: skip
    save(sqlite_db, made)
    found = calibrate(sqlite_db, encoder, tmp_path)
    assert found.tuning.weights("zh").of("重启路由器", 0.9) <= 0.2


def test_what_wins_by_chance_alone_is_not_believed() -> None:
    asked = [Asked(f"question {n}", frozenset()) for n in range(200)]
    chance = random.Random(1)
    default = [0.5] * len(asked)
    lucky = [0.9 if not each.held_back else chance.choice([0.3, 0.6]) for each in asked]
    chosen, choice = calibrating._choice("test", asked, {"default": default, "lucky": lucky}, str)
    assert (chosen, choice.taken, choice.chosen) == ("default", False, "lucky")
    better = [0.8] * len(asked)
    assert calibrating._choice("test", asked, {"default": default, "better": better}, str)[0] == "better"


def test_too_few_questions_are_said_to_be(sqlite_db: Database, tmp_path: Path) -> None:
    save(sqlite_db, list(posts(5)))
    with pytest.raises(Conflict, match="too few questions"):
        calibrate(sqlite_db, ToyEncoder(), tmp_path)


def test_weights_of_legs_are_in_force_at_once_and_those_of_fields_with_the_next_index(works: Works) -> None:
    save(works.db, list(posts(3)))
    works.settle()
    legs = calibrating.Calibration(Tuning(legs={"en": Weights(base=0.1)}), "made up", ())
    assert not publish(works.db, legs)
    works.generations.follow()
    assert works.live.tuning.weights("en") == Weights(base=0.1)
    before = works.live.generation
    titles = calibrating.Calibration(Tuning(FieldWeights(title=3.0, stretch=1.5), {}), "made up", ())
    assert publish(works.db, titles)
    works.settle()
    assert works.live.generation is not None
    assert before is not None
    assert works.live.generation.name != before.name
    assert works.live.tuning.fields == FieldWeights(title=3.0, stretch=1.5)


def test_a_rebuild_keeps_what_was_calibrated(works: Works) -> None:
    save(works.db, list(posts(3)))
    works.settle()
    publish(works.db, calibrating.Calibration(Tuning(legs={"en": Weights(base=0.1)}), "made up", ()))
    with works.db.write() as tx:
        calibrating.want_rebuild(tx)
    works.settle()
    assert works.live.tuning.weights("en") == Weights(base=0.1)


def test_it_is_due_once_for_each_encoder_and_analyzer(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    save(works.db, list(posts(3)))
    works.settle()
    with works.db.read() as tx:
        assert not due(tx), "there is little to learn"
    monkeypatch.setattr(calibrating, "LARGE", 1)
    with works.db.read() as tx:
        assert due(tx)
    publish(works.db, calibrating.Calibration(Tuning(), "made up", ()))
    with works.db.read() as tx:
        assert not due(tx)
        live = generations.live(tx)
    assert live is not None
    assert json.loads(json.dumps(live.tuning))["note"]["source"] == "made up"
    with works.db.write() as tx:
        generations.save(tx, replace(live, encoder="another"))
    with works.db.read() as tx:
        assert due(tx)
        assert generations.every(tx, GenerationState.WANTED) == []


def test_questions_are_taken_out_of_what_should_answer_them() -> None:
    cut = [each for found in publishing.cut_posts(list(posts(40))).values() for each, _ in found]
    asked, without = known_items.sentences_of(cut, random.Random(0))
    assert asked
    changed = [new for old, new in zip(cut, without, strict=True) if old != new]
    assert len(changed) == len(asked)
    for each in asked:
        (target,) = [one for one in changed if one.ref.item in each.right]
        assert each.text not in target.text


def test_a_language_with_few_questions_is_left_alone() -> None:
    few = [Asked(f"a question {n}", frozenset()) for n in range(ENOUGH - 1)]
    assert known_items.by_family(few) == {}
    assert list(known_items.by_family([*few, Asked("one more", frozenset())])) == ["en"]
