"""The difference between two texts in words, and in characters where they are Chinese."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from kb.text.script import HAN_RUN

LIMIT = 4_000_000
"""Pairs of pieces compared at most (some tenths of a second); beyond it a stretch counts as replaced whole."""

_HAN = HAN_RUN.pattern.removeprefix("[").removesuffix("]+")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_SENTENCE = re.compile(r"[^.!?。！？；]+[.!?。！？；]*\s*|[.!?。！？；]+\s*")
_WORD = re.compile(rf"[{_HAN}]|[^\W{_HAN}]+|\s+|.", re.DOTALL)

_Cut = Callable[[str], list[str]]
_CUTS: tuple[_Cut, ...] = (_LINE.findall, _SENTENCE.findall, _WORD.findall)


class Change(StrEnum):
    """What became of a stretch of text."""

    EQUAL = "equal"
    DELETE = "delete"
    INSERT = "insert"


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of text and what became of it."""

    change: Change
    text: str


def difference(old: str, new: str) -> list[Step]:
    """How `new` came from `old`: its equal and deleted steps joined are `old`, equal and inserted ones `new`.

    Lines are compared first, then sentences and words inside what changed, so that the effort stays bounded.
    """
    steps: list[Step] = []
    for step in _compare(old, new, _CUTS):
        if steps and steps[-1].change is step.change:
            steps[-1] = Step(step.change, steps[-1].text + step.text)
        else:
            steps.append(step)
    return steps


def _compare(old: str, new: str, cuts: Sequence[_Cut]) -> Iterator[Step]:
    """Each cut loses nothing: its pieces joined are the text."""
    cut, *finer = cuts
    before, after = cut(old), cut(new)
    if len(before) * len(after) > LIMIT:
        yield from _replaced(old, new)
        return
    # Spaces are too many to start a match from, and join the one beside them.
    matcher = SequenceMatcher(str.isspace, before, after, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        was, now = "".join(before[i1:i2]), "".join(after[j1:j2])
        if tag == "equal":
            yield Step(Change.EQUAL, was)
        elif tag == "replace" and finer:
            yield from _compare(was, now, finer)
        else:
            yield from _replaced(was, now)


def _replaced(was: str, now: str) -> Iterator[Step]:
    if was:
        yield Step(Change.DELETE, was)
    if now:
        yield Step(Change.INSERT, now)
