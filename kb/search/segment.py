"""A segment of the catalogue: entries that the same readers may read, searchable by title. Immutable.

What a reader may not read lies in segments that are not even opened for them: it can take no place in a list,
use up no bound, and count in no statistic.
"""

import functools
import operator
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kb.audience import Access, Reader
from kb.language import Language
from kb.passage import ItemRef
from kb.query import Filters
from kb.search.postings import Ints, Mask, Numbers, Postings, Rows
from kb.search.subjects import LONGEST, key
from kb.search.typed import Typed, rows
from kb.text.analyzer import analyze

_NOBODY: Ints = np.empty(0, np.int32)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the catalogue knows of one item.

    `statement` is the issue statement, "" where there is none; `statement_access` is its own access, equal to
    `access` unless the section is narrowed: who may not read it neither sees it nor finds anything by it.
    """

    item: ItemRef
    title: str
    statement: str
    language: Language
    access: Access
    statement_access: Access
    topic: str = ""
    products: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    confidence: str = ""
    source: str = ""

    @property
    def order(self) -> tuple[int, str, ItemRef]:
        """The place among equals: shorter titles first."""
        return len(self.title), self.title, self.item

    @property
    def values(self) -> list[tuple[str, str]]:
        """What `Filters` can ask of it, as (field of `Filters`, value)."""
        parts = self.topic.split("/") if self.topic else []
        return [
            ("kinds", self.item.kind),
            ("languages", self.language),
            *(("products", product) for product in self.products),
            *(("topics", "/".join(parts[: n + 1])) for n in range(len(parts))),
            *(("tags", tag) for tag in self.tags),
            ("confidence", self.confidence),
            ("sources", self.source),
        ]


@dataclass(frozen=True, slots=True)
class Key:
    """What it takes to read the titles of a segment, and what its issue statements."""

    title: Access
    statement: Access

    @classmethod
    def of(cls, entry: Entry) -> "Key":
        """The key of the segment an entry belongs to; an empty statement needs no access of its own."""
        return cls(entry.access, entry.statement_access if entry.statement else entry.access)

    def opens_title(self, reader: Reader) -> bool:
        """Whether the reader may read the entries at all."""
        return reader.may_read(self.title)

    def opens_statement(self, reader: Reader) -> bool:
        """Whether the reader may read the issue statements too."""
        return reader.may_read(self.title) and reader.may_read(self.statement)


@dataclass(frozen=True, slots=True)
class Document:
    """An entry with its tokens, so that merging segments analyses nothing twice.

    `analysed` are the tokens for BM25, with (True) and without (False) the issue statement, as far as they are known.
    """

    entry: Entry
    title: Rows
    statement: Rows
    analysed: dict[bool, Rows] = field(default_factory=dict)

    @classmethod
    def of(cls, entry: Entry) -> "Document":
        """An entry, cut into tokens."""
        return cls(entry, rows(entry.title), rows(entry.statement) if entry.statement else ())


class Segment:
    """Some entries of one key. Documents are numbered by their place among equals."""

    def __init__(self, documents: Sequence[Document]) -> None:
        documents = sorted(documents, key=lambda document: document.entry.order)
        self.entries: Sequence[Entry] = [document.entry for document in documents]
        self.numbers: Mapping[ItemRef, int] = {entry.item: number for number, entry in enumerate(self.entries)}
        self._titles = Postings(document.title for document in documents)
        self._statements = Postings(document.statement for document in documents)
        languages = list(Language)
        self._language = np.array([languages.index(entry.language) for entry in self.entries], np.int8)
        values: dict[tuple[str, str], list[int]] = {}
        for number, entry in enumerate(self.entries):
            for value in entry.values:
                values.setdefault(value, []).append(number)
        self._values: dict[tuple[str, str], Ints] = {key: np.array(found, np.int32) for key, found in values.items()}
        named = sorted(
            {(key(row), number) for number, each in enumerate(documents) for row in each.title if len(row) <= LONGEST}
        )
        self._named_keys = np.array([each for each, _ in named], np.int64)
        self._named_numbers = np.array([number for _, number in named], np.int32)
        self._analysed: dict[bool, Postings] = {}
        self._analysing = threading.Lock()
        for statement_too in (True, False):
            known = sum(statement_too in document.analysed for document in documents)
            if 2 * known > len(documents):
                self._analysed[statement_too] = Postings(
                    document.analysed.get(statement_too) or _analysed(document.entry, statement_too)
                    for document in documents
                )

    def __len__(self) -> int:
        return len(self.entries)

    def documents(self, live: Mask) -> list[Document]:
        """The live entries as documents again."""
        titles, statements = self._titles.texts(), self._statements.texts()
        analysed = {flag: postings.texts() for flag, postings in self._analysed.items()}
        return [
            Document(
                self.entries[number],
                titles[number],
                statements[number],
                {flag: texts[number] for flag, texts in analysed.items()},
            )
            for number in np.flatnonzero(live).tolist()
        ]

    def meeting(self, filters: Filters, live: Mask) -> Mask:
        """Which live entries meet all filters."""
        mask = live
        for name, wanted in (
            ("kinds", filters.kinds),
            ("languages", filters.languages),
            ("products", filters.products),
            ("topics", filters.topics),
            ("tags", filters.tags),
            ("confidence", filters.confidence),
            ("sources", filters.sources),
        ):
            if wanted:
                any_of = np.zeros(len(self), np.bool_)
                for value in wanted:
                    any_of[self._values.get((name, value), _NOBODY)] = True
                mask = mask & any_of
        return mask

    def tiers(self, texts: Sequence[Typed], allowed: Mask, statement_too: bool) -> Iterator[Numbers]:
        """The allowed documents that match, in five tiers, best first, ascending within each.

        The title starts with the text, has its words in a row, in order, has them all; title and statement have them.
        Exact, nothing is sampled: a tier costs some nanoseconds for each posting of its tokens, and only when drawn.
        """
        left = allowed.copy()
        for mask in self._tiers(texts, left, statement_too):
            numbers = np.flatnonzero(mask & left)
            left[numbers] = False
            yield numbers

    def _tiers(self, texts: Sequence[Typed], left: Mask, statement_too: bool) -> Iterator[Mask]:
        titles = self._titles
        slots = [text.slots(titles) for text in texts]
        in_a_row = [titles.phrase([slot for word in words for slot in word]) for words in slots]
        yield _any(titles.mask(titles.at_start(positions)) for positions in in_a_row)
        yield _any(titles.mask(positions) for positions in in_a_row)
        apart = [[titles.phrase(word) for word in words] for words in slots]
        every = [_all((titles.mask(positions) for positions in words), left) for words in apart]
        yield _any(titles.in_order(words, among) for words, among in zip(apart, every, strict=True))
        yield _any(every)
        said, among = self._statements, left if statement_too else np.zeros_like(left)
        yield _any(
            _all((titles.mask(a) | said.mask(said.phrase(b)) for a, b in pairs), among)
            for pairs in (zip(words, text.slots(said), strict=True) for words, text in zip(apart, texts, strict=True))
        )

    def titled(self, keys: Sequence[int], live: Mask) -> dict[int, list[ItemRef]]:
        """The live entries whose whole title has one of these keys (`kb.search.subjects`)."""
        low = np.searchsorted(self._named_keys, keys, "left")
        high = np.searchsorted(self._named_keys, keys, "right")
        return {
            keys[at]: [self.entries[n].item for n in self._named_numbers[low[at] : high[at]].tolist() if live[n]]
            for at in np.flatnonzero(high > low).tolist()
        }

    def nearest(self, numbers: Numbers, preference: Mapping[Language, int], limit: int) -> list[tuple[int, Entry]]:
        """The best `limit` of these documents, each with how near its language is: nearest first, then their order.

        `numbers` are ascending.
        """
        if not numbers.size:
            return []
        levels = np.array([preference[language] for language in Language], np.int8)[self._language[numbers]]
        best = np.argsort(levels, kind="stable")[:limit]
        return [
            (level, self.entries[n]) for level, n in zip(levels[best].tolist(), numbers[best].tolist(), strict=True)
        ]

    def analysed(self, statement_too: bool) -> Postings:
        """The index for BM25 over title and, if `statement_too`, issue statement; built when first asked for.

        A document has one row. Analysing takes 20 to 50 us an entry.
        """
        found = self._analysed.get(statement_too)
        if found is None:
            with self._analysing:
                found = self._analysed.get(statement_too)
                if found is None:
                    found = Postings([_analysed(entry, statement_too) for entry in self.entries])
                    self._analysed[statement_too] = found
        return found


def _analysed(entry: Entry, statement_too: bool) -> Rows:
    return [analyze(f"{entry.title}\n{entry.statement}" if statement_too else entry.title)]


def _any(masks: Iterable[Mask]) -> Mask:
    return functools.reduce(operator.or_, masks)


def _all(masks: Iterable[Mask], among: Mask) -> Mask:
    for mask in masks:
        if not among.any():
            break
        among = among & mask
    return among
