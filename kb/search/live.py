"""The index that answers now. Swapping it for a newer one is one assignment: no search waits, none fails.

After a failed search nobody asks the index until a thread of its own has seen it answer: an index that hangs costs
one search its time, not each of them, and the others are answered from titles at once.
"""

import contextlib
import logging
import threading
import time

import numpy as np

from kb.audience import Audience, Reader
from kb.errors import IndexUnavailable
from kb.generation import Generation
from kb.search.index import Legs, PassageIndex, Request
from kb.search.lexical import Sparse
from kb.search.tuning import Tuning

log = logging.getLogger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 4.0


class LiveIndex:
    """Holds the live index with its generation, for any number of threads."""

    def __init__(self) -> None:
        self._current: tuple[PassageIndex, Generation] | None = None
        self._tuning = Tuning()
        self._changed = threading.Condition()
        self._failure: tuple[PassageIndex, IndexUnavailable, float] | None = None
        self._watch: threading.Thread | None = None

    def get(self) -> tuple[PassageIndex, Generation]:
        """The live index and its generation; raises IndexUnavailable while there is none."""
        current = self._current
        if current is None:
            raise IndexUnavailable("the index is not open yet")
        return current

    @property
    def generation(self) -> Generation | None:
        """The live generation, if there is one."""
        current = self._current
        return current[1] if current else None

    @property
    def tuning(self) -> Tuning:
        """What calibration chose for it."""
        return self._tuning

    @property
    def failure(self) -> IndexUnavailable | None:
        """Why searches are not answered by the live index at the moment; None if they are."""
        failure, current = self._failure, self._current
        return failure[1] if failure and current and failure[0] is current[0] else None

    @property
    def failing_s(self) -> float:
        """For how many seconds that has been so; 0 if it is not."""
        failure = self._failure
        return time.monotonic() - failure[2] if failure and self.failure else 0.0

    def check(self) -> None:
        """Nothing, or IndexUnavailable where a search would not be answered."""
        self.get()
        if failure := self.failure:
            raise IndexUnavailable(f"{failure} (not asked again until it answers)")

    def retrieve(self, request: Request) -> Legs:
        """What the live index finds. IndexUnavailable where it fails, and at once while it is known to."""
        self.check()
        index, _ = self.get()
        try:
            return index.retrieve(request)
        except IndexUnavailable as error:
            newer, _ = self.get()
            if newer is not index:
                return newer.retrieve(request)  # it was swapped out under our hands
            self.failed(index, error)
            raise

    def failed(self, index: PassageIndex, error: IndexUnavailable) -> None:
        """Searches leave that index alone until it answers again, which a thread finds out."""
        with self._changed:
            if self._failure is None or self._failure[0] is not index:
                log.warning("searching titles only: %s", error)
                self._failure = index, error, time.monotonic()
            if self._watch is None:
                self._watch = threading.Thread(target=self._until_it_answers, name="index-watch", daemon=True)
                self._watch.start()

    def swap(self, index: PassageIndex, generation: Generation) -> PassageIndex | None:
        """Make this the live index; returns the one before, which the caller closes."""
        tuning = Tuning.from_json(generation.tuning)
        with self._changed:
            before, self._current, self._tuning = self._current, (index, generation), tuning
            self._changed.notify_all()
        return before[0] if before and before[0] is not index else None

    def close(self) -> None:
        """Close the live index, if any."""
        with self._changed:
            before, self._current = self._current, None
            watch = self._watch
            self._changed.notify_all()
        if watch is not None:
            watch.join(timeout=5)
        if before:
            with contextlib.suppress(IndexUnavailable):  # a broken one
                before[0].close()

    def wait(self, timeout: float) -> bool:
        """Whether an index is live within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._current is not None, timeout)

    def _until_it_answers(self) -> None:
        pause = _FIRST_PAUSE_S
        while failure := self._failure:
            index = failure[0]
            try:
                # Not the search that failed: if only that one does, the others must not suffer.
                index.retrieve(_neutral(index.dimension))
                break
            except IndexUnavailable:
                with self._changed:
                    if self._changed.wait_for(lambda: self._replaced(index), pause):  # noqa: B023  # called here
                        break
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        with self._changed:
            self._failure = self._watch = None
        if self._current is not None:
            log.info("the index answers again")

    def _replaced(self, index: PassageIndex) -> bool:
        return self._current is None or self._current[0] is not index


def _neutral(dimension: int) -> Request:
    """A search of both legs that is nobody's."""
    vector = np.full(dimension, dimension**-0.5, np.float32)
    return Request(Sparse((1,), (1.0,)), vector, Reader(Audience.INTERNAL), k=1)
