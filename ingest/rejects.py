"""The rows that could not be taken in, in a file like the one they came from: correct them there and feed it again."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ingest.contract import Problem
from ingest.feedback import KEY, LINE, REASON
from ingest.run import Report, Watch


class Rejects:
    """A watch that writes down what failed, with the reason, and passes everything on. The file appears with the first
    row; `count` is how many there are."""

    def __init__(self, path: Path, columns: Sequence[str], screen: Watch, *, is_json: bool) -> None:
        self.count = 0
        self._path = path
        self._columns = [*(each for each in columns if each not in (KEY, LINE, REASON)), KEY, LINE, REASON]
        self._screen = screen
        self._is_json = is_json

    def __enter__(self) -> Self:
        self._file = self._path.open("w", encoding="utf-8" if self._is_json else "utf-8-sig", newline="")
        if not self._is_json:
            csv.writer(self._file).writerow(self._columns)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        if not self.count:
            self._path.unlink()

    def problem(self, problem: Problem) -> None:
        """Write it down, at once: a run may be cut short."""
        row = {**(problem.row or {}), KEY: problem.key or "", LINE: str(problem.line or ""), REASON: problem.reason}
        row = {name: _storable(cell) for name, cell in row.items()}
        if self._is_json:
            self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
        else:
            csv.DictWriter(self._file, self._columns, extrasaction="ignore").writerow(row)
        self._file.flush()
        self.count += 1
        self._screen.problem(problem)

    def note(self, text: str) -> None:
        """Pass it on."""
        self._screen.note(text)

    def progress(self, report: Report, done: int, total: int) -> None:
        """Pass it on."""
        self._screen.progress(report, done, total)


def _storable(cell: str) -> str:
    """A cell whose bytes were no text of the encoding says so with �."""
    return cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
