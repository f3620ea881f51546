"""The difference between two texts in words, and in characters where they are Chinese."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from kb.text.script import HAN_RUN

LIMIT = 2_000_000
"""Pairs of pieces compared at most for two texts, some seconds at worst; from there on what changed counts as
replaced whole. Two texts of a thousand lines each need half of it."""

_HAN = HAN_RUN.pattern.removeprefix("[").removesuffix("]+")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_SENTENCE = re.compile(r"[^.!?。！？；]+[.!?。！？；]*\s*|[.!?。！？；]+\s*")
_WORD = re.compile(rf"[{_HAN}]|[^\W{_HAN}]+|\s+|.", re.DOTALL)

Cut = Callable[[str], list[str]]
"""Takes a text into pieces and loses nothing: joined they are the text."""

lines: Cut = _LINE.findall
words: Cut = _WORD.findall
"""Words, single Han characters, runs of spaces, and every other character by itself."""

_CUTS: tuple[Cut, ...] = (lines, _SENTENCE.findall, words)


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


@dataclass(slots=True)
class Effort:
    """How many pairs may still be compared."""

    left: int

    def take(self, pairs: int) -> bool:
        """Whether that many more may be."""
        self.left -= pairs
        return self.left >= 0


def difference(old: str, new: str) -> list[Step]:
    """How `new` came from `old`: its equal and deleted steps joined are `old`, equal and inserted ones `new`.

    Lines are compared first, then sentences and words inside what changed, so that the effort stays bounded.
    """
    steps: list[Step] = []
    for step in _compare(old, new, _CUTS, Effort(LIMIT)):
        if steps and steps[-1].change is step.change:
            steps[-1] = Step(step.change, steps[-1].text + step.text)
        else:
            steps.append(step)
    return steps


def _compare(old: str, new: str, cuts: Sequence[Cut], effort: Effort) -> Iterator[Step]:
    """Each cut loses nothing: its pieces joined are the text."""
    cut, *finer = cuts
    before, after = cut(old), cut(new)
    if not effort.take(len(before) * len(after)):
        yield from _replaced(old, new)
        return
    # Spaces, and in long texts what is frequent (difflib's own rule), start no match but join the one beside them:
    # with them, 2,000 lines of which half are the same took 37 s.
    matcher = SequenceMatcher(str.isspace, before, after)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        was, now = "".join(before[i1:i2]), "".join(after[j1:j2])
        if tag == "equal":
            yield Step(Change.EQUAL, was)
        elif tag == "replace" and finer:
            yield from _compare(was, now, finer, effort)
        else:
            yield from _replaced(was, now)


def _replaced(was: str, now: str) -> Iterator[Step]:
    if was:
        yield Step(Change.DELETE, was)
    if now:
        yield Step(Change.INSERT, now)
