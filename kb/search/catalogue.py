"""The catalogue: what can be found by title, in memory. Suggests while people type, answers when the index is away.

A snapshot holds immutable segments, grouped by what it takes to read them; readers work on the snapshot they got.
A change marks the old entry as dead and adds a small segment, which is merged with its neighbour before they grow
many (the logarithmic method, as in Lucene): one change costs little, and no search ever waits for one.
"""

import math
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rank_bm25 import BM25Okapi

from kb.audience import Reader
from kb.errors import Invalid
from kb.language import Language
from kb.passage import ItemRef
from kb.query import Filters
from kb.search.lexical import K1, B
from kb.search.postings import Mask
from kb.search.segment import Document, Entry, Key, Segment
from kb.search.subjects import chosen, mentions
from kb.search.typed import Typed, preference, typed, typed_by_sound, typed_tolerantly
from kb.text.analyzer import analyze

__all__ = ["Catalogue", "Entry", "Suggestion"]

_TYPED_LIMIT = 200  # characters; more is pasted, and no title has all of its words
_MERGE = 4  # a segment is merged with what follows once that is a quarter of it: at most 9 segments for 100,000


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An item offered while somebody types."""

    item: ItemRef
    title: str


@dataclass(frozen=True, slots=True)
class _Part:
    """A segment and which of its documents are still valid."""

    segment: Segment
    live: Mask
    size: int

    @classmethod
    def of(cls, documents: Sequence[Document]) -> "_Part":
        return cls(Segment(documents), np.ones(len(documents), np.bool_), len(documents))

    def without(self, numbers: Sequence[int]) -> "_Part":
        live = self.live.copy()
        live[list(numbers)] = False
        return _Part(self.segment, live, int(live.sum()))

    def find(self, item: ItemRef) -> int | None:
        number = self.segment.numbers.get(item)
        return number if number is not None and self.live[number] else None


_Snapshot = Mapping[Key, tuple[_Part, ...]]


class Catalogue:
    """All entries, for any number of threads."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._snapshot: _Snapshot = {}
        self._writing = threading.Lock()
        self.complete = False
        """Whether everything has been loaded."""
        self.replace(entries)

    def __len__(self) -> int:
        return sum(part.size for parts in self._snapshot.values() for part in parts)

    def replace(self, entries: Iterable[Entry]) -> None:
        """Make exactly these the entries; of two for the same item the later one counts."""
        groups: dict[Key, list[Document]] = {}
        for entry in {entry.item: entry for entry in entries}.values():
            groups.setdefault(Key.of(entry), []).append(Document.of(entry))
        with self._writing:
            self._snapshot = {key: (_Part.of(documents),) for key, documents in groups.items()}

    def update(self, changed: Mapping[ItemRef, Entry | None]) -> None:
        """Set these entries; None takes one out. Raises Invalid for an entry under another item's name.

        About 1 ms for one entry among 100,000; one call in some 25,000 merges the largest segment (seconds).
        """
        if wrong := [item for item, entry in changed.items() if entry is not None and entry.item != item]:
            raise Invalid(f"the entry given for {wrong[0]} belongs to another item")
        with self._writing:
            self._snapshot = _changed(self._snapshot, changed)

    def suggest(self, text: str, reader: Reader, filters: Filters, limit: int) -> list[Suggestion]:
        """Up to `limit` items this reader may read, best first, for a text that is still being typed.

        Every word must occur, the last one as a prefix; Han is matched as a substring. Titles that start with the
        text come first, then those with its words in a row, in order, in any order, then those that need the issue
        statement for it; within each the language of the text, then the shorter title. If nothing matches, one typo
        is forgiven in each word of four letters or more, and the words of a Han run may stand apart; if still nothing
        does, its characters may be others that sound or look alike.
        For a text of more than 200 characters, which nobody types, there is nothing to suggest.
        """
        if limit <= 0 or len(text) > _TYPED_LIMIT:
            return []
        for read in (typed, typed_tolerantly, typed_by_sound):
            if not (texts := read(text)):
                return []
            if found := self._first(texts, reader, filters, preference(text), limit):
                return found
        return []

    def _first(
        self, texts: Sequence[Typed], reader: Reader, filters: Filters, near: Mapping[Language, int], limit: int
    ) -> list[Suggestion]:
        segments: list[Segment] = []
        searches = []
        for part, statement_too in self._readable(reader):
            segments.append(part.segment)
            searches.append(part.segment.tiers(texts, part.segment.meeting(filters, part.live), statement_too))
        found: list[Suggestion] = []
        # In step through the tiers of all segments: a lower tier is computed only while the list is not full.
        for tier in zip(*searches, strict=True):
            best = [
                placed
                for segment, numbers in zip(segments, tier, strict=True)
                for placed in segment.nearest(numbers, near, limit)
            ]
            best.sort(key=lambda placed: (placed[0], placed[1].order))
            found += [Suggestion(entry.item, entry.title) for _, entry in best]
            if len(found) >= limit:
                break
        return found[:limit]

    def subject(self, text: str, reader: Reader) -> frozenset[ItemRef]:
        """The items that stand under the name that a text mentions last, as far as this reader may read them.

        See `kb.search.subjects`. Empty where nothing is named.
        """
        keys = mentions(text)
        parts = [part for part, _ in self._readable(reader)] if keys else []
        found: dict[int, list[ItemRef]] = {}
        for part in parts:
            for each, items in part.segment.titled(keys, part.live).items():
                found.setdefault(each, []).extend(items)
        return chosen(keys, found, sum(part.size for part in parts)) if found else frozenset()

    def fallback(self, text: str, reader: Reader, filters: Filters, limit: int) -> list[tuple[ItemRef, float]]:
        """Up to `limit` items this reader may read with their BM25 scores (above 0), best first.

        Title and issue statement are searched. N, document frequencies and the average length are counted over
        what this reader may read and nothing else, whatever the filters. The first call analyses all entries this
        reader may read: see `prepare_fallback`.
        """
        terms = analyze(text)
        parts = self._readable(reader)
        statistics = _Statistics()
        found: list[tuple[Entry, dict[str, int], int]] = []
        for part, statement_too in parts:
            found += statistics.add(part, statement_too, terms, filters)
        if not found or limit <= 0:
            return []
        bm25 = _Bm25(statistics, [counts for _, counts, _ in found], [length for _, _, length in found])
        scores = bm25.get_scores(terms)
        # Only those that reach the limit or tie with the last are worth sorting.
        lowest = np.partition(scores, -limit)[-limit] if limit < scores.size else 0.0
        reaching = [(float(scores[n]), found[n][0]) for n in np.flatnonzero((scores >= lowest) & (scores > 0)).tolist()]
        reaching.sort(key=lambda scored: (-scored[0], scored[1].order))
        return [(entry.item, score) for score, entry in reaching[:limit]]

    def prepare_fallback(self) -> None:
        """Analyse all entries now, so that the first `fallback` need not: 2 to 5 s for 100,000."""
        for key, parts in self._snapshot.items():
            for part in parts:
                for statement_too in {True, key.title == key.statement}:
                    part.segment.analysed(statement_too)

    def _readable(self, reader: Reader) -> list[tuple[_Part, bool]]:
        """What this reader may read, each with whether that includes the issue statements."""
        return [
            (part, key.opens_statement(reader))
            for key, parts in self._snapshot.items()
            if key.opens_title(reader)
            for part in parts
        ]


def _changed(snapshot: _Snapshot, changed: Mapping[ItemRef, Entry | None]) -> _Snapshot:
    fresh: dict[Key, list[Document]] = {}
    dead: dict[tuple[Key, int], list[int]] = {}
    for item, entry in changed.items():
        found = _find(snapshot, item)
        if found is not None:
            key, at, number = found
            if snapshot[key][at].segment.entries[number] == entry:
                continue
            dead.setdefault((key, at), []).append(number)
        if entry is not None:
            fresh.setdefault(Key.of(entry), []).append(Document.of(entry))
    after = dict(snapshot)
    for key in {*fresh, *(key for key, _ in dead)}:
        parts = [
            part.without(dead[key, at]) if (key, at) in dead else part for at, part in enumerate(snapshot.get(key, ()))
        ]
        after[key] = _merged(parts, fresh.get(key, []))
    return {key: parts for key, parts in after.items() if parts}


def _find(snapshot: _Snapshot, item: ItemRef) -> tuple[Key, int, int] | None:
    for key, parts in snapshot.items():
        for at, part in enumerate(parts):
            number = part.find(item)
            if number is not None:
                return key, at, number
    return None


def _merged(parts: Sequence[_Part], fresh: list[Document]) -> tuple[_Part, ...]:
    """The parts, largest first, with the fresh documents in one more and nothing that is mostly dead."""
    kept: list[_Part] = []
    for part in parts:
        if 2 * part.size >= len(part.segment):
            kept.append(part)
        else:
            fresh = fresh + part.segment.documents(part.live)
    while kept and fresh and kept[-1].size <= _MERGE * len(fresh):
        part = kept.pop()
        fresh = fresh + part.segment.documents(part.live)
    return (*kept, _Part.of(fresh)) if fresh else tuple(kept)


class _Statistics:
    """What BM25 has to know of all documents a reader may read."""

    def __init__(self) -> None:
        self.documents = 0
        self.tokens = 0
        self.frequencies: Counter[str] = Counter()

    @property
    def average_length(self) -> float:
        """Tokens a document."""
        return self.tokens / self.documents

    def idf(self, term: str) -> float:
        """Lucene's, as in Qdrant: ln((N - df + .5) / (df + .5) + 1), always above 0."""
        df = self.frequencies[term]
        return math.log((self.documents - df + 0.5) / (df + 0.5) + 1)

    def add(
        self, part: _Part, statement_too: bool, terms: Iterable[str], filters: Filters
    ) -> list[tuple[Entry, dict[str, int], int]]:
        """Count a part; returns its entries that hold any term and meet the filters, with frequencies and length."""
        postings = part.segment.analysed(statement_too)
        allowed = part.segment.meeting(filters, part.live)
        self.documents += part.size
        self.tokens += int(postings.lengths[part.live].sum())
        counts: dict[int, dict[str, int]] = {}
        for term in dict.fromkeys(terms):
            holding = postings.documents(postings.phrase([postings.token(term)]))
            numbers, frequencies = np.unique(holding[part.live[holding]], return_counts=True)
            self.frequencies[term] += numbers.size
            meeting = allowed[numbers]
            for number, count in zip(numbers[meeting].tolist(), frequencies[meeting].tolist(), strict=True):
                counts.setdefault(number, {})[term] = count
        lengths = postings.lengths
        return [(part.segment.entries[number], found, int(lengths[number])) for number, found in counts.items()]


class _Bm25(BM25Okapi):  # type: ignore[misc]  # rank_bm25 has no types
    """rank_bm25's scores for some documents, with the statistics of all and Lucene's IDF.

    Its own constructor counts a corpus, anew for every change and reader, fails on an empty one, and gives a term in
    half of the documents no weight. Everything is counted already, so it is not called.
    """

    def __init__(self, all_readable: _Statistics, frequencies: list[dict[str, int]], lengths: list[int]) -> None:
        self.k1, self.b = K1, B
        self.corpus_size = len(frequencies)
        self.avgdl = all_readable.average_length
        self.doc_freqs = frequencies
        self.doc_len = lengths
        self.idf = {term: all_readable.idf(term) for term in all_readable.frequencies}
