"""What a run shows while it works, on stderr: a bar on a terminal, JSON lines elsewhere. stdout is for the result."""

import json
import time
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from ingest.contract import Problem
from ingest.run import Report

_EVERY_S = 2.0
_COUNTS = ("seen", "created", "updated", "unchanged", "removed", "failed")


class Bar:
    """A progress bar with the time left; problems scroll by above it."""

    def __init__(self, name: str, stream: TextIO) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[counts]}"),
            TimeRemainingColumn(), console=Console(file=stream),
        )  # fmt: skip
        self._task = self._progress.add_task(name, total=None, counts="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()

    def problem(self, problem: Problem) -> None:
        """Show what failed."""
        self._print(str(problem))

    def note(self, text: str) -> None:
        """Show what to know."""
        self._print(text)

    def progress(self, report: Report, done: int, total: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=done, total=total, counts=summary(report))

    def _print(self, text: str) -> None:
        # No markup: a file may be called "[red]".
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)


class Lines:
    """One JSON object a line: `progress` every two seconds and at the end, `failed` and `note` when they happen."""

    def __init__(self, name: str, stream: TextIO) -> None:
        self._name = name
        self._stream = stream
        self._began = self._last = time.monotonic()
        self._newest: tuple[Report, int, int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._newest is not None:
            self._write_progress(*self._newest)

    def problem(self, problem: Problem) -> None:
        """Write what failed."""
        self._write(
            {"event": "failed", "where": problem.where, "file": problem.file, "line": problem.line,
             "reason": problem.reason}
        )  # fmt: skip

    def note(self, text: str) -> None:
        """Write what to know."""
        self._write({"event": "note", "text": text})

    def progress(self, report: Report, done: int, total: int) -> None:
        """Write how far it is, now and then."""
        self._newest = report, done, total
        if time.monotonic() - self._last >= _EVERY_S:
            self._write_progress(report, done, total)

    def _write_progress(self, report: Report, done: int, total: int) -> None:
        self._newest = None
        self._last = time.monotonic()
        passed = self._last - self._began
        eta = round(passed * (total - done) / done, 1) if done else None
        counts = {name: getattr(report, name) for name in _COUNTS}
        self._write({"event": "progress", "done": done, "total": total, "eta_s": eta, **counts})

    def _write(self, event: dict[str, object]) -> None:
        print(json.dumps({"source": self._name, **event}, ensure_ascii=False), file=self._stream, flush=True)


def watch(name: str, stream: TextIO) -> Bar | Lines:
    """What suits the stream."""
    return Bar(name, stream) if stream.isatty() else Lines(name, stream)


def summary(report: Report) -> str:
    """The counts that are not zero, for people."""
    counts = ((name, getattr(report, name)) for name in _COUNTS)
    return ", ".join(f"{count} {name}" for name, count in counts if count) or "nothing seen"
