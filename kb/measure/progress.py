"""Progress with the time left, on stderr and only where a person watches."""

import sys
import time
from typing import TextIO

_EVERY_S = 0.2


class Progress:
    """One line that is written over, with how much is done and how long the rest will take.

    `done` may jump; the rate is that of the whole phase. Silent where `stream` is no terminal.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._shown = self._stream.isatty()
        self._label, self._total = "", 0
        self._began = self._written = 0.0
        self._width = 0

    def begin(self, label: str, total: int = 0) -> None:
        """A new phase of `total` steps; 0 where nobody knows."""
        self._label, self._total, self._began = label, total, time.monotonic()
        self._written = 0.0
        self.update(0)

    def update(self, done: int) -> None:
        """So many steps of the phase are done."""
        now = time.monotonic()
        if self._shown and now - self._written >= _EVERY_S:
            self._written = now
            self._write(self._line(done, now - self._began))

    def end(self) -> None:
        """Leave the line empty for what comes next."""
        if self._shown:
            self._write("")
            self._stream.write("\r")
            self._stream.flush()

    def _line(self, done: int, seconds: float) -> str:
        if not self._total:
            return f"{self._label} {seconds:.0f} s"
        left = f", {clock_time(seconds * (self._total - done) / done)} left" if 0 < done < self._total else ""
        return f"{self._label} {done:,} of {self._total:,}{left}"

    def _write(self, line: str) -> None:
        self._stream.write(f"\r{line:<{self._width}}")
        self._stream.flush()
        self._width = len(line)


def clock_time(seconds: float) -> str:
    """Seconds as "0:07" or "1:02:03"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
