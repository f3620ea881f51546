"""The words of what people may read: how many items hold each, counted apart for every tier.

As with the statistics of BM25, text restricted to groups counts for nobody, and text for a narrower circle does not
count for a wider one: what somebody is offered as a spelling stands in text that they may read.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kb.audience import Audience
from kb.passage import ItemRef, Passage
from kb.text.words import words

MOST = 500_000
"""Words at most, some 60 MB. Whatever is not counted beyond is never a correction, and harms none."""

_RANKS = len(Audience)
_PACK = 4  # word * _PACK + rank

Counted = Mapping[str, int]
"""The words of an item, each with the rank of the widest audience that may read it there."""


def counted(passages: Iterable[Passage]) -> Counted:
    """What an item adds to the vocabulary."""
    found: dict[str, int] = {}
    for passage in sorted(passages, key=lambda each: -each.access.audience.rank):
        if not passage.access.groups:
            text = "\n".join((passage.title, *passage.heading, passage.environment, passage.text))
            found.update(dict.fromkeys(words(text), passage.access.audience.rank))
    return found


class Vocabulary:
    """Counts words of items, for any number of threads. A change is seen by the next look-up."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._shapes: dict[tuple[str, int], list[str]] = {}
        self._counts: NDArray[np.int32] = np.zeros((_RANKS, 1024), np.int32)
        self._totals = np.zeros(_RANKS, np.int64)
        self._items: dict[ItemRef, NDArray[np.int32]] = {}
        self._writing = threading.Lock()

    def __len__(self) -> int:
        return len(self._numbers)

    def df(self, word: str, tier: Audience) -> int:
        """How many items hold the word in text that the whole tier may read."""
        number = self._numbers.get(word)
        return 0 if number is None else int(self._counts[tier.rank, number])

    def items(self, tier: Audience) -> int:
        """How many items the tier may read anything of."""
        return int(self._totals[tier.rank])

    def shaped(self, first: str, length: int) -> Sequence[str]:
        """English words that begin with that letter and are that long; some may be in nobody's text any more."""
        return self._shapes.get((first, length), ())

    def update(self, changed: Mapping[ItemRef, Counted]) -> None:
        """Count these items as they are now; one without words leaves."""
        with self._writing:
            for item, found in changed.items():
                self._add(self._items.pop(item, None), -1)
                packed = self._packed(found)
                if packed.size:
                    self._items[item] = packed
                    self._add(packed, 1)

    def _add(self, packed: NDArray[np.int32] | None, by: int) -> None:
        if packed is None:
            return
        numbers, ranks = np.divmod(packed, _PACK)
        for rank in range(int(ranks.min()), _RANKS):
            self._counts[rank, numbers[ranks <= rank]] += by
            self._totals[rank] += by

    def _packed(self, found: Counted) -> NDArray[np.int32]:
        numbers = ((self._number(word), rank) for word, rank in found.items())
        return np.array([number * _PACK + rank for number, rank in numbers if number is not None], np.int32)

    def _number(self, word: str) -> int | None:
        number = self._numbers.get(word)
        if number is None and len(self._numbers) < MOST:
            number = len(self._numbers)
            if number == self._counts.shape[1]:  # before the word is known: nobody looks where nothing is
                self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)], axis=1)
            self._numbers[word] = number
            if word.isascii():
                self._shapes.setdefault((word[0], len(word)), []).append(word)
        return number
