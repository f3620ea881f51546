import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from kb.errors import EncoderUnavailable
from kb.query import Hit, Query, Reason
from kb.search.reranking import PAIRS, SECOND_LOOK, CrossEncoderScorer, PairScorer, Reranked, Reranker, shifts
from kb.solve.reranking import rerank
from kb.text.passages import indexed_text
from tests.examples import a_passage
from tests.toys import tiny_cross_encoder

GENEROUS_MS = 20_000.0


class Toy:
    """Scores a passage by its length; takes `pair_s` for each, and stops where `gate` is shut."""

    def __init__(self, pair_s: float = 0.0) -> None:
        self.pair_s = pair_s
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.batches: list[int] = []

    def score(self, question: str, passages: Sequence[str]) -> list[float]:
        self.entered.set()
        threading.Event().wait(self.pair_s * len(passages))
        assert self.gate.wait(10)
        if "fail" in question:
            raise RuntimeError("out of memory")
        self.batches.append(len(passages))
        return [min(len(passage) / 100, 1.0) for passage in passages]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny cross-encoder."""
    return tiny_cross_encoder(tmp_path_factory.mktemp("model") / "tiny")


Make = Callable[[PairScorer, float], Reranker]


@pytest.fixture
def ready() -> Iterator[Make]:
    """Makes rerankers that are loaded, and closes them."""
    made: list[Reranker] = []

    def make(scorer: PairScorer, budget_ms: float) -> Reranker:
        reranker = Reranker(lambda: scorer, budget_ms).start()
        made.append(reranker)
        assert reranker.wait(10)
        return reranker

    yield make
    for each in made:
        each.close()


def test_passages_are_scored_up_to_a_number(ready: Make) -> None:
    scores, report = ready(Toy(), GENEROUS_MS).scores("q", ["x" * n for n in range(30)])
    assert scores == [n / 100 for n in range(PAIRS)]
    assert (report.used, report.pairs, report.skipped) == (True, PAIRS, "")
    assert report.took_ms > 0


def test_no_more_are_scored_than_the_budget_has_time_for(ready: Make) -> None:
    toy = Toy(pair_s=0.004)
    scores, report = ready(toy, 40.0).scores("q", ["x"] * 20)
    assert len(scores) < 20
    assert report.skipped in {"", "timeout"}  # a busy machine
    assert 2 <= toy.batches[-1] <= 10


def test_it_is_skipped_where_even_two_would_take_too_long(ready: Make) -> None:
    toy = Toy(pair_s=0.01)
    assert ready(toy, 15.0).scores("q", ["x"] * 20) == ([], Reranked(skipped="budget"))


def test_a_search_waits_no_longer_than_the_budget_and_the_next_not_at_all(ready: Make) -> None:
    toy = Toy()
    reranker = ready(toy, 500.0)
    toy.gate.clear()
    toy.entered.clear()
    scores, report = reranker.scores("q", ["x", "y"])
    assert (scores, report.used, report.skipped) == ([], False, "timeout")
    assert report.took_ms < 10_000
    assert toy.entered.wait(10)
    time.sleep(0.6)  # by now it has been at it for longer than anybody would wait
    assert reranker.scores("q", ["x", "y"]) == ([], Reranked(skipped="busy"))
    toy.gate.set()


def test_a_model_that_fails_is_reported_and_asked_again(ready: Make, caplog: pytest.LogCaptureFixture) -> None:
    reranker = ready(Toy(), GENEROUS_MS)
    assert reranker.scores("fail", ["secret words", "y"])[1].skipped == "error"
    assert "secret" not in caplog.text
    assert reranker.scores("q", ["x", "y"])[1].used


def test_while_it_loads_and_where_it_cannot_search_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    gate, tried = threading.Event(), threading.Event()

    def load() -> PairScorer:
        assert gate.wait(10)
        tried.set()
        raise EncoderUnavailable("no such model")

    reranker = Reranker(load, GENEROUS_MS).start()
    try:
        assert reranker.scores("q", ["x", "y"]) == ([], Reranked(skipped="loading"))
        gate.set()
        assert tried.wait(10)
        while reranker.state == "loading":
            pass
        assert reranker.scores("q", ["x", "y"]) == ([], Reranked(skipped="failed"))
        assert "no such model" in caplog.text
    finally:
        reranker.close()


def test_hits_move_by_deviations_within_a_bound() -> None:
    assert shifts([]) == []
    assert shifts([0.5, 0.5]) == [0.0, 0.0]
    assert shifts([0.1, 0.9]) == pytest.approx([-SECOND_LOOK / 2, SECOND_LOOK / 2])
    assert max(shifts([0.0] * 19 + [1.0])) == SECOND_LOOK
    assert abs(shifts([0.500, 0.501])[0]) < SECOND_LOOK / 50, "no difference worth stretching"


@pytest.mark.slow
def test_a_real_cross_encoder_scores_pairs(tiny: Path, ready: Make) -> None:
    scorer = CrossEncoderScorer(str(tiny))
    passages = ["hold the button", "pay the bill on monday", "the light is red"]
    expected = scorer.score("the red light", passages)
    assert len(set(expected)) == 3
    assert all(0 < score < 1 for score in expected)
    scores, report = ready(scorer, GENEROUS_MS).scores("the red light", passages)
    assert scores == pytest.approx(expected, abs=1e-5)
    assert report.used


@pytest.mark.slow
def test_hits_take_the_order_of_the_second_look_and_say_why(tiny: Path, ready: Make) -> None:
    scorer = CrossEncoderScorer(str(tiny))
    passages = [
        a_passage(f"a{n}", text=text) for n, text in enumerate(["hold the button", "pay the bill", "red light"])
    ]
    liked = scorer.score("the red light", [indexed_text(each) for each in passages])
    worst_first = [each for _, each in sorted(zip(liked, passages, strict=True), key=lambda pair: pair[0])]
    hits = [Hit(each.ref.item, each, 0.5, (Reason("relevance", 0.5),)) for each in worst_first]
    found, report = rerank(ready(scorer, GENEROUS_MS), Query("the red light"), hits)
    assert [hit.item for hit in found] == [hit.item for hit in reversed(hits)]
    assert report.pairs == 3
    for hit in found:
        assert [reason.name for reason in hit.why] == ["relevance", "cross_encoder"]
        assert hit.score == pytest.approx(sum(reason.value for reason in hit.why), abs=1e-4)
        assert abs(hit.why[1].value) <= SECOND_LOOK


def test_what_was_not_looked_at_stays_behind_and_a_number_that_was_typed_stays_first(ready: Make) -> None:
    passages = [a_passage(f"a{n:02}", text="x" * n) for n in range(PAIRS + 3)]
    hits = [Hit(each.ref.item, each, 0.5, (Reason("relevance", 0.5),)) for each in passages]
    typed = Hit(passages[0].ref.item, passages[0], 1.0, (Reason("article_number", 1.0),))
    found, _ = rerank(ready(Toy(), GENEROUS_MS), Query("q"), [typed, *hits[1:]])
    assert found[0] is typed
    assert found[1].item == hits[PAIRS].item
    assert found[-2:] == hits[-2:]


def test_without_the_second_look_the_order_stays(ready: Make) -> None:
    passages = [a_passage(f"a{n}", text="x" * n) for n in range(5)]
    hits = [Hit(each.ref.item, each, 0.5, (Reason("relevance", 0.5),)) for each in passages]
    assert rerank(ready(Toy(), GENEROUS_MS), Query("fail"), hits)[0] == hits


@pytest.mark.slow
def test_a_model_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailable, match="cannot load the cross-encoder"):
        CrossEncoderScorer(str(tmp_path))
