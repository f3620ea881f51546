"""A second look at the best passages: a cross-encoder reads question and passage together, if there is time.

Optional, and slow: a small model takes 10 to 50 ms a pair on a processor. So a thread of its own scores as many pairs
as fit a budget, going by how long the last ones took; a search that cannot have it in time goes on without.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Protocol

from kb.errors import EncoderUnavailable

log = logging.getLogger(__name__)

PAIRS = 20
"""Passages looked at again at most."""

SECOND_LOOK = 0.25
"""The most it moves a hit, for two standard deviations among the pairs: one weighs as much as one of both legs' score
(kb.search.fusion: 1/8 of the scale)."""

_LEAST = 2  # pairs that are worth it: one alone has nothing to be compared with
_NARROW = 0.02  # of a score in [0, 1]; a spread below that is no difference worth stretching
_TOKENS = 256  # of question and passage together
_CHARACTERS = 2_000  # of a passage; more is not tokens' worth
_LATEST = 0.3  # what the latest batch counts in the estimate
_PROBE_S = 10.0  # after so long without one, two pairs are scored that nobody waits for: the machine may be idle again
_RETRY_S = 60.0
_WARM = ("how do I reset the hub", "Unplug the hub, wait ten seconds and plug it in again. " * 8)


class PairScorer(Protocol):
    """Says how well passages answer a question: a number in [0, 1] each."""

    def score(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        """As many scores as passages."""


@dataclass(frozen=True, slots=True)
class Reranked:
    """What became of the second look: whether it counted, at how many pairs, in how many milliseconds.

    `skipped` says why it did not: "loading", "failed", "busy" (with other searches), "budget" (even two pairs would
    take too long), "timeout", "error"; empty otherwise.
    """

    used: bool = False
    pairs: int = 0
    took_ms: float = 0.0
    skipped: str = ""


class CrossEncoderScorer:
    """A sentence-transformers CrossEncoder, by name or folder. Raises EncoderUnavailable where it cannot be had."""

    def __init__(self, model: str) -> None:
        try:
            from sentence_transformers import CrossEncoder  # here: it takes up to 9 s
            from transformers.utils.logging import disable_progress_bar

            disable_progress_bar()  # type: ignore[no-untyped-call]  # it would draw over JSON lines
            self._model = CrossEncoder(model, max_length=_TOKENS, local_files_only=Path(model).is_dir())
        except Exception as error:  # whatever a model's files, its code or the hub can raise
            raise EncoderUnavailable(f"cannot load the cross-encoder {model!r}: {error}") from error
        if self._model.num_labels != 1:
            raise EncoderUnavailable(f"the cross-encoder {model!r} gives {self._model.num_labels} scores a pair, not 1")

    def score(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        """See `PairScorer`."""
        from torch.nn import Sigmoid  # here: loaded by now, and heavy before

        pairs = [(question, passage[:_CHARACTERS]) for passage in passages]
        scores = self._model.predict(pairs, show_progress_bar=False, activation_fn=Sigmoid())
        return [float(score) for score in scores]


class Reranker:
    """Scores pairs within `budget_ms` for any number of threads, or says why not. Loads in the background."""

    def __init__(self, load: Callable[[], PairScorer], budget_ms: float) -> None:
        self._load = load
        self._budget_s = budget_ms / 1000
        self._queue: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0  # pairs
        self._pair_s = 0.0
        self._since: float | None = None
        self._measured = 0.0
        self._state = "loading"
        self._closed = threading.Event()
        self._loaded = threading.Event()
        # A daemon: one that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="reranker", daemon=True)

    def start(self) -> "Reranker":
        """Begin to load."""
        self._thread.start()
        return self

    def wait(self, timeout: float) -> bool:
        """Whether it is loaded within `timeout` seconds."""
        return self._loaded.wait(timeout)

    @property
    def state(self) -> str:
        """ "loading", "ready" or "failed"."""
        return self._state

    def close(self) -> None:
        """Score no more."""
        self._closed.set()
        self._queue.put(None)

    def scores(self, question: str, passages: Sequence[str]) -> tuple[list[float], Reranked]:
        """Scores of the first passages, as many as fit the budget; none, with the reason, where it would be missed."""
        start = time.monotonic()
        asked = self._admit(question, passages, start)
        if isinstance(asked, str):
            return [], Reranked(skipped=asked)
        if not asked.answered.wait(self._budget_s):
            asked.given_up = True
            return [], Reranked(took_ms=_ms(start), skipped="timeout")
        if asked.scores is None:
            return [], Reranked(took_ms=_ms(start), skipped="error")
        return asked.scores, Reranked(True, len(asked.scores), _ms(start))

    def _admit(self, question: str, passages: Sequence[str], now: float) -> "_Asked | str":
        """A place in the queue for as many pairs as will be scored in time; else why there is none."""
        with self._lock:
            since = self._since
            if self._state != "ready":
                return self._state
            if since is not None and now - since > self._budget_s:
                return "busy"
            fits = int((self._budget_s - self._waiting * self._pair_s) / self._pair_s)
            pairs = min(fits, len(passages), PAIRS)
            if pairs >= _LEAST:
                return self._ask(question, passages[:pairs])
            if self._waiting:
                return "busy"
            if len(passages) >= _LEAST and now - self._measured > _PROBE_S:
                self._ask(question, passages[:_LEAST])
            return "budget"

    def _ask(self, question: str, passages: Sequence[str]) -> "_Asked":
        asked = _Asked(question, passages)
        self._waiting += len(passages)
        self._queue.put(asked)
        return asked

    def _run(self) -> None:
        scorer = self._loaded_scorer()
        while scorer is not None and (asked := self._queue.get()) is not None:
            self._since = time.monotonic()
            if not asked.given_up:
                try:
                    asked.scores = list(scorer.score(asked.question, asked.passages))
                except Exception as error:  # whatever a model can raise, a search does not fail for it
                    log.warning("the cross-encoder failed: %s", type(error).__name__)
            self._done(asked, time.monotonic() - self._since)

    def _done(self, asked: "_Asked", took_s: float) -> None:
        with self._lock:
            self._since = None
            self._waiting -= len(asked.passages)
            if asked.scores is not None:
                self._measured = time.monotonic()
                self._pair_s += _LATEST * (took_s / len(asked.passages) - self._pair_s)
        asked.answered.set()

    def _loaded_scorer(self) -> PairScorer | None:
        """The model after its first pairs, which give the first estimate; tried again until `close`."""
        while not self._closed.is_set():
            try:
                scorer = self._load()
                question, passage = _WARM
                scorer.score(question, [passage] * _LEAST)
                start = time.monotonic()
                scorer.score(question, [passage] * 8)
                self._pair_s = max((time.monotonic() - start) / 8, 1e-6)
                self._measured = time.monotonic()
                self._state = "ready"
                self._loaded.set()
                return scorer
            except Exception as error:  # a model that cannot be loaded must not take the service down
                log.error("the cross-encoder cannot be loaded: %s", str(error) or type(error).__name__)
                self._state = "failed"
            self._closed.wait(_RETRY_S)
        return None


class _Asked:
    """Pairs on their way through the thread that scores."""

    def __init__(self, question: str, passages: Sequence[str]) -> None:
        self.question = question
        self.passages = passages
        self.answered = threading.Event()
        self.given_up = False
        self.scores: list[float] | None = None


def shifts(scores: Sequence[float]) -> list[float]:
    """By how much each hit moves: standard deviations above the mean of the pairs, within `SECOND_LOOK`."""
    if not scores:
        return []
    mean = sum(scores) / len(scores)
    deviation = max(sqrt(sum((score - mean) ** 2 for score in scores) / len(scores)), _NARROW)
    return [SECOND_LOOK * min(max((score - mean) / deviation / 2, -1.0), 1.0) for score in scores]


def _ms(start: float) -> float:
    return round((time.monotonic() - start) * 1000, 3)
