"""The index that answers now. Swapping it for a newer one is one assignment: no search waits, none fails."""

import threading

from kb.errors import IndexUnavailable
from kb.generation import Generation
from kb.search.index import PassageIndex


class LiveIndex:
    """Holds the live index with its generation, for any number of threads."""

    def __init__(self) -> None:
        self._current: tuple[PassageIndex, Generation] | None = None
        self._changed = threading.Condition()

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

    def swap(self, index: PassageIndex, generation: Generation) -> PassageIndex | None:
        """Make this the live index; returns the one before, which the caller closes."""
        with self._changed:
            before, self._current = self._current, (index, generation)
            self._changed.notify_all()
        return before[0] if before and before[0] is not index else None

    def close(self) -> None:
        """Close the live index, if any."""
        with self._changed:
            before, self._current = self._current, None
        if before:
            before[0].close()

    def wait(self, timeout: float) -> bool:
        """Whether an index is live within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._current is not None, timeout)
