"""Rows of a table from a file: CSV as spreadsheets write it, or JSON lines, one after the other.

A row that cannot be read is told of and stops nothing: a quote that is never closed costs its own line, not the file.
"""

import csv
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from kb.errors import Invalid

LARGEST = 1_000_000
"""Characters of a line, and of a row of several lines."""

_MOST_LINES = 200  # of one row: a note of a page
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_DELIMITERS = ",;\t|"
_JSON = {".jsonl", ".ndjson", ".json"}
_SURROGATES = "".join(map(chr, range(0xDC80, 0xDD00)))


@dataclass(frozen=True, slots=True)
class Row:
    """What stands on a line (and those that belong to it), by column; with `problem`, why it cannot be read."""

    line: int
    cells: dict[str, str]
    problem: str = ""


class Table:
    """A file of rows. `total` and `done` count bytes, `columns` are those of the header; of JSON lines there is none.

    Raises Invalid for a file without a header.
    """

    def __init__(self, path: Path, encoding: str = "") -> None:
        self.name = path.name
        self.total = path.stat().st_size
        self.done = 0
        self.is_json = path.suffix.lower() in _JSON
        self.columns: tuple[str, ...] = ()
        self._path = path
        self._encoding = encoding or _encoding_of(path)
        if not self.is_json:
            with self._open() as file:
                header = file.readline(LARGEST)
            if any(each in _SURROGATES for each in header):
                raise Invalid(self._undecoded())
            self._delimiter = max(_DELIMITERS, key=lambda each: len(_cells([header], each)))
            self.columns = _named(_cells([header], self._delimiter))
            if not any(self.columns):
                raise Invalid("there is no header with the names of the columns")

    def rows(self) -> Iterator[Row]:
        """Every row that is not empty."""
        with self._open() as file:
            lines = _Lines(file)
            for each in self._json(lines) if self.is_json else self._csv(lines):
                self.done = min(file.buffer.tell(), self.total)
                if each.problem or any(each.cells.values()):
                    yield each

    def _open(self) -> TextIO:
        return self._path.open(encoding=self._encoding, errors="surrogateescape", newline="")

    def _json(self, lines: "_Lines") -> Iterator[Row]:
        while (line := lines.next()) is not None:
            if line.strip():
                try:
                    yield Row(lines.number, self._checked(_object(line)))
                except Invalid as error:
                    yield Row(lines.number, {"": line.rstrip("\r\n")}, str(error))

    def _csv(self, lines: "_Lines") -> Iterator[Row]:
        lines.next()
        while (line := lines.next()) is not None:
            start = lines.number
            try:
                yield Row(start, self._checked(self._record(line, lines)))
            except Invalid as error:
                yield Row(start, {self.columns[0]: line.rstrip("\r\n")}, str(error))

    def _record(self, line: str, lines: "_Lines") -> dict[str, str]:
        """The row that begins with a line. If it cannot be read, the lines after the first are rows of their own."""
        used = [line]
        while True:
            try:
                cells = _cells(used, self._delimiter)
                if len(cells) > len(self.columns) and any(cells[len(self.columns) :]):
                    raise Invalid(f"there are {len(cells)} cells for {len(self.columns)} columns")
                if len(used) > 1 and len(cells) < len(self.columns):
                    raise Invalid("a quote is not closed")
                return dict(zip(self.columns, cells, strict=False))
            except csv.Error as error:
                open_quote = "unexpected end" in str(error)
                more = lines.next() if open_quote and len(used) < _MOST_LINES else None
                if more is not None and sum(map(len, used)) < LARGEST:
                    used.append(more)
                    continue
                lines.give_back([*used[1:], *([more] if more is not None else [])])
                raise Invalid("a quote is not closed" if open_quote or used[1:] else f"no CSV: {error}") from None
            except Invalid:
                lines.give_back(used[1:])
                raise

    def _checked(self, cells: dict[str, str]) -> dict[str, str]:
        if any(each in _SURROGATES for cell in cells.values() if not cell.isascii() for each in cell):
            raise Invalid(self._undecoded())
        return {name: cell.strip().replace("\0", "") for name, cell in cells.items()}

    def _undecoded(self) -> str:
        return f"not {self._encoding.upper()}; say --encoding, such as gb18030 or big5, or save the file as UTF-8"


class _Lines:
    """The lines of a file with their numbers, some of which are given back. One too long is cut, and told of by it."""

    def __init__(self, file: TextIO) -> None:
        self.number = 0
        self._file = file
        self._back: deque[str] = deque()

    def next(self) -> str | None:
        """The next line, None at the end."""
        line = self._back.popleft() if self._back else self._file.readline(LARGEST)
        if not line:
            return None
        self.number += 1
        if not line.endswith(("\n", "\r")) and len(line) >= LARGEST:
            while (rest := self._file.readline(LARGEST)) and not rest.endswith(("\n", "\r")):
                continue
        return line

    def give_back(self, lines: list[str]) -> None:
        """Take lines back, to be read once more."""
        self._back.extendleft(reversed(lines))
        self.number -= len(lines)


def _encoding_of(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(3)
    return next((name for mark, name in _MARKS.items() if head.startswith(mark)), "utf-8")


def _cells(lines: list[str], delimiter: str) -> list[str]:
    csv.field_size_limit(2 * LARGEST)
    return next(csv.reader(lines, delimiter=delimiter, strict=True), [])


def _named(cells: list[str]) -> tuple[str, ...]:
    """The names of columns, each once."""
    names: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = cell.strip() or f"column {place}"
        names.append(name if name not in names else f"{name} ({place})")
    return tuple(names) if any(cell.strip() for cell in cells) else ()


def _object(line: str) -> dict[str, str]:
    if len(line) >= LARGEST:
        raise Invalid(f"the line has more than {LARGEST:,} characters")
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"no JSON: {error}"[:200]) from None
    if not isinstance(found, dict):
        raise Invalid('the line is no object such as {"article": …, "cause": …}')
    nested = next((name for name, value in found.items() if isinstance(value, dict | list)), None)
    if nested is not None:
        raise Invalid(f"'{nested}' holds more than one value")
    return {name: _text(value) for name, value in found.items()}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = "" if value is None else str(value)
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")  # half a character, from an escape
