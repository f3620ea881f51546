"""A positional inverted index in memory: which token stands where, for short texts. Immutable once built.

All rows of all documents lie in one stream of token ids, each row after a gap. A token's postings are its positions
in that stream, and the vocabulary is sorted: the postings of a prefix are one slice, a phrase is a look at the
neighbours, and both are NumPy operations whose cost is the number of postings read, a few nanoseconds each.
"""

import functools
import string
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int32]
Numbers: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
Ranges: TypeAlias = Sequence[tuple[int, int]]
"""Alternatives for one token: half-open ranges of token ids."""

Rows: TypeAlias = Sequence[Sequence[str]]
"""The tokens of one document: rows that phrases do not cross."""

_GAP = -1
_AFTER_ANY = "\U0010ffff"


class Postings:
    """The index over documents 0 to n - 1."""

    def __init__(self, texts: Iterable[Rows]) -> None:
        ids: defaultdict[str, int] = defaultdict()
        ids.default_factory = ids.__len__
        stream: list[int] = []
        sizes: list[int] = []
        for rows in texts:
            before = len(stream)
            for row in rows:
                stream.append(_GAP)
                stream += [ids[token] for token in row]
            sizes.append(len(stream) - before)
        self._vocabulary = sorted(ids)
        in_order = np.empty(len(ids) + 1, np.int32)
        in_order[[ids[token] for token in self._vocabulary]] = np.arange(len(ids), dtype=np.int32)
        in_order[_GAP] = _GAP  # the last element, which is where a gap looks
        self._stream: Ints = in_order[np.array(stream, np.int32)]
        self._document: Ints = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        positions = np.argsort(self._stream, kind="stable").astype(np.int32)
        self._starts = np.searchsorted(self._stream[positions], np.arange(len(ids) + 1))
        self._positions: Ints = positions
        self.lengths: NDArray[np.int64] = np.bincount(self._document[self._stream != _GAP], minlength=len(sizes))
        """Tokens of each document."""

    def token(self, token: str) -> Ranges:
        """The token itself, if it occurs."""
        at = bisect_left(self._vocabulary, token)
        known = at < len(self._vocabulary) and self._vocabulary[at] == token
        return ((at, at + 1),) if known else ()

    def prefix(self, prefix: str) -> Ranges:
        """All tokens that start so."""
        found = self._starting(prefix, 0, len(self._vocabulary))
        return (found,) if found else ()

    def near(self, token: str, open_end: bool) -> Ranges:
        """The token and all within one typo of it; with `open_end`, all tokens that start so."""
        found: set[tuple[int, int]] = set()
        low, high = 0, len(self._vocabulary)
        # What changes at one letter keeps those before it: once no token starts with these, none is near.
        for at, spellings in enumerate(typos(token)):
            kept = self._starting(token[:at], low, high)
            if not kept:
                break
            low, high = kept
            for spelling in (*spellings, token):
                if starting := self._starting(spelling, low, high):
                    exact = self._vocabulary[starting[0]] == spelling
                    if open_end:
                        found.add(starting)
                    elif exact:
                        found.add((starting[0], starting[0] + 1))
        return tuple(found)

    def _starting(self, prefix: str, low: int, high: int) -> tuple[int, int] | None:
        low = bisect_left(self._vocabulary, prefix, low, high)
        if low == high or not self._vocabulary[low].startswith(prefix):
            return None
        return low, bisect_left(self._vocabulary, prefix + _AFTER_ANY, low, high)

    def phrase(self, slots: Sequence[Ranges]) -> Ints:
        """Where tokens of these slots stand one after the other in a row: positions of the first, in no order.

        A position may come twice where the ranges of a slot overlap. The slot with the fewest postings is looked
        up, the others are checked beside it.
        """
        if not slots or not all(slots):
            return self._positions[:0]
        sizes = [sum(self._starts[high] - self._starts[low] for low, high in ranges) for ranges in slots]
        rarest = min(range(len(slots)), key=sizes.__getitem__)
        slices = [self._positions[self._starts[low] : self._starts[high]] for low, high in slots[rarest]]
        found = (slices[0] if len(slices) == 1 else np.concatenate(slices)) - np.int32(rarest)
        if len(slots) > 1:
            found = found[(found > 0) & (found <= self._stream.size - len(slots))]
        for place, ranges in enumerate(slots):
            if place != rarest:
                tokens = self._stream[found + place]
                found = found[np.logical_or.reduce([(low <= tokens) & (tokens < high) for low, high in ranges])]
        return found

    def at_start(self, positions: Ints) -> Ints:
        """Those positions that begin a row."""
        starting: Ints = positions[self._stream[positions - 1] == _GAP]
        return starting

    def documents(self, positions: Ints) -> Ints:
        """The document of each position."""
        return self._document[positions]

    def mask(self, positions: Ints) -> Mask:
        """Which documents hold any of the positions, shape (n,)."""
        mask = np.zeros(self.lengths.size, np.bool_)
        mask[self._document[positions]] = True
        return mask

    def in_order(self, words: Sequence[Ints], among: Mask) -> Mask:
        """Which of the documents `among` hold a position of each word, each after that of the word before."""
        if len(words) == 1 or not among.any():
            return among
        never = np.iinfo(np.int32).max
        reached = np.full(self.lengths.size, _GAP, np.int32)
        for positions in words:
            positions = positions[among[self._document[positions]]]
            documents = self._document[positions]
            later = positions > reached[documents]
            reached = np.full(self.lengths.size, never, np.int32)
            np.minimum.at(reached, documents[later], positions[later])
        return reached < never

    def texts(self) -> list[Rows]:
        """What it was built from, document by document."""
        found: list[list[list[str]]] = [[] for _ in range(self.lengths.size)]
        for document, token in zip(self._document.tolist(), self._stream.tolist(), strict=True):
            if token == _GAP:
                found[document].append([])
            else:
                found[document][-1].append(self._vocabulary[token])
        return list(found)


@functools.lru_cache(maxsize=64)  # the same word is looked for in every segment
def typos(word: str) -> tuple[tuple[str, ...], ...]:
    """Its spellings with one typo, by the place of the typo: a letter missing, added, wrong, or swapped (Damerau)."""
    found: list[tuple[str, ...]] = []
    for at in range(len(word) + 1):
        before, after = word[:at], word[at:]
        spellings = [before + letter + after for letter in string.ascii_lowercase]
        if after:
            spellings += [before + after[1:], *(before + letter + after[1:] for letter in string.ascii_lowercase)]
        if len(after) > 1:
            spellings.append(before + after[1] + after[0] + after[2:])
        found.append(tuple(spellings))
    return tuple(found)
