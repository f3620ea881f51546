from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from kb.article import Article
from kb.audience import Audience
from kb.measure.progress import Progress, clock_time
from kb.measure.speed import CLIENTS, measure_index
from kb.measure.synthetic import DIMENSION, Maker
from kb.settings import Settings
from tests.toys import ToyEncoder


def test_a_small_bench_measures_everything(tmp_path: Path) -> None:
    found = measure_index(Settings(data_dir=tmp_path), 150, Progress(), ToyEncoder, questions=12)
    assert found["passages"] == 150
    assert list(found["legs"]) == ["lexical", "dense", "hybrid"]
    for leg in found["legs"].values():
        for stage in ("engine", "search"):
            assert list(leg[stage]) == ["p50_ms", "p95_ms", "p99_ms"]
            assert 0 < leg[stage]["p50_ms"] <= leg[stage]["p95_ms"] <= leg[stage]["p99_ms"]
        assert leg["engine"]["p50_ms"] < leg["search"]["p50_ms"]
    whole = found["whole"]
    assert 0 < whole["encoded_found_confirmed"]["p50_ms"] < whole["answered"]["p50_ms"]
    assert [int(many) for many in whole["clients"]] == list(CLIENTS)
    for name in ("upserts_per_s", "indexed_per_s", "index_mb", "record_mb", "peak_memory_mb", "hits_per_query"):
        assert found[name] > 0


def test_made_items_have_the_shape_of_a_real_collection() -> None:
    made = list(Maker().items(2_000))
    passages = [passage for item in made for passage in item.passages]
    assert len(passages) == 2_000
    assert {passage.access.audience for passage in passages} == set(Audience)
    assert any(passage.access.groups for passage in passages)
    assert len({passage.language for passage in passages}) == 3
    assert 0.1 < np.mean([isinstance(item.content, Article) for item in made]) < 0.3
    assert len({passage.hash for passage in passages}) == 2_000
    vectors = np.array([vector for item in made for vector in item.vectors])
    assert vectors.shape == (2_000, DIMENSION)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_passages_of_one_item_are_nearer_to_each_other_than_to_others() -> None:
    items = [item for item in islice(Maker().items(400), 100) if len(item.vectors) > 1]
    within = np.mean([item.vectors[0] @ item.vectors[1] for item in items])
    across = np.mean([a.vectors[0] @ b.vectors[0] for a, b in pairwise(items)])
    assert within > across + 0.2


def test_the_same_seed_asks_the_same_questions() -> None:
    def asked() -> list[str]:
        maker = Maker(seed=7)
        return [each.query.text for each in maker.questions(list(maker.items(100)), 20)]

    assert asked() == asked()


@pytest.mark.parametrize(("seconds", "shown"), [(7, "0:07"), (62.4, "1:02"), (3723, "1:02:03")])
def test_time_left_is_shown_as_a_clock_does(seconds: float, shown: str) -> None:
    assert clock_time(seconds) == shown


class Terminal:
    """A stream that is a terminal, or not."""

    def __init__(self, watched: bool) -> None:
        self.written, self.watched = "", watched

    def isatty(self) -> bool:
        return self.watched

    def write(self, text: str) -> int:
        self.written += text
        return len(text)

    def flush(self) -> None:
        pass


def test_progress_is_shown_to_a_person_and_to_nobody_else() -> None:
    for watched in (True, False):
        terminal = Terminal(watched)
        progress = Progress(terminal)  # type: ignore[arg-type]
        progress.begin("encoding", 10)
        progress.update(5)
        progress.end()
        assert ("encoding 0 of 10" in terminal.written) is watched
        assert bool(terminal.written) is watched
