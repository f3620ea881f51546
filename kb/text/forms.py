"""The form in which a word or phrase is recognised in a text, however either is written.

"Wi-Fi", "wi fi" and "WIFI" have one form, so have "set-top boxes" and "set top box", 光貓 and 光猫. Unlike tokens, a
form keeps the order of words, stop words included ("log in" is not "log"), and Han character by character: where a
word that only this company uses ends is not known to any segmenter.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kb.text.analyzer import WORD, analyze
from kb.text.script import HAN_RUN, mainland, normalise, simplified

_PIECE = re.compile(rf"({WORD.pattern})|[\n.!?;。！？；]")
_HYPHEN = re.compile("[-_']")

BREAK = "\n"
"""Stands in a form where a sentence ends: no phrase goes on after it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a text: its `form`, and for each place where a word may begin or end, where that is in the text.

    `starts` and `ends` map places in the form to places in the text, None where that is not known.
    """

    form: str
    starts: dict[int, int | None]
    ends: dict[int, int | None]


def forms(term: str) -> set[str]:
    """The forms of a term: one, or two where Taiwan says it with another word than the mainland."""
    return {reading.form.strip(BREAK) for reading in readings(term)}


def readings(text: str) -> list[Reading]:
    """The ways to read a text: as it is written and, where that makes a difference, in the mainland's words."""
    normal = normalise(text)
    found = [_reading(simplified(normal), len(text))]
    if not normal.isascii() and (other := mainland(normal)) != simplified(normal):
        found.append(_reading(other, len(text)))
    return found


def _reading(normal: str, length: int) -> Reading:
    """Places are known where folding has kept the length, which it nearly always does."""
    known = len(normal) == length
    form: list[str] = []
    starts: dict[int, int | None] = {}
    ends: dict[int, int | None] = {}
    at = 0
    for piece, start, end in _pieces(normal):
        if piece != BREAK:
            starts[at] = start if known else None
            ends[at + len(piece)] = end if known else None
        form.append(piece)
        at += len(piece)
    return Reading("".join(form), starts, ends)


def _pieces(normal: str) -> Iterator[tuple[str, int, int]]:
    """Words, single Han characters and breaks in order, with their places."""
    blank = HAN_RUN.sub(lambda run: " " * len(run[0]), normal)
    found = [(_word(match[1]) if match[1] else BREAK, *match.span()) for match in _PIECE.finditer(blank)]
    for run in HAN_RUN.finditer(normal):
        found += [(char, at, at + 1) for at, char in enumerate(run[0], run.start())]
    found.sort(key=lambda each: each[1])
    yield from found


def _word(word: str) -> str:
    """The whole of a word, stemmed: what stands first among its tokens."""
    joined = _HYPHEN.sub("", word)
    return analyze(joined)[0] if joined else word
