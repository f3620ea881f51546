"""The sentences that answer: chosen in every hit, and of the first one said to be the answer where that is certain.

What is certain is `kb.solve.certainty`'s to say. Everything is worked out from the hits that this reader is shown, so
nothing they may not read can move it.
"""

import functools
import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from typing import Final

from rank_bm25 import BM25Okapi

from kb.generation import Generation
from kb.query import Candidate, Hit, Query
from kb.search.lexical import K1, B
from kb.solve import certainty
from kb.solve.certainty import Evidence
from kb.text import template
from kb.text.analyzer import analyze
from kb.text.highlight import Span, joined, places_by_token
from kb.text.markdown import elements
from kb.text.script import han_count
from kb.text.sentences import sentences

COMPARED = 10
"""Hits that certainty is judged by, however many are asked for: three hits must not be surer than ten."""

NOTHING_CERTAIN: Final = "nothing_certain"
"""Why there is no answer."""

_SENTENCES = 3  # an answer has at most so many
_CHARACTERS = 500  # and so many, unless it is one sentence
_READ = 40  # sentences of a passage: a table or a log of a thousand lines is not read to its end
_CONTEXT = 0.25  # what a word that title, headings or issue have already counts in a sentence
_TITLED = "\x1f"  # before a token that title or headings have; no token begins so
_UNFINISHED = 0.5  # what a window that ends with a question or a colon keeps of its score


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as it stands in a passage; `highlights` are the places of the words asked for, in code points."""

    text: str
    highlights: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """The sentences of each hit, in their order, and how certain it is that those of the first answer.

    `confidence` is a probability. `evidence` is None where there is nothing to judge by: no hit, titles alone, or a
    number that was typed.
    """

    excerpts: tuple[tuple[Sentence, ...], ...]
    confidence: float = 0.0
    evidence: Evidence | None = None
    certain: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A passage in plain text.

    `spans` are the sentences that may answer: where there is a resolution its own, else those outside of issue and
    environment. `stated` are the places of the others and of headings. `size` is about how many words it has.
    """

    text: str
    spans: tuple[Span, ...]
    stated: tuple[Span, ...]
    size: float


@dataclass(frozen=True, slots=True)
class _Spoken:
    """What a hit says of what is asked: where each token stands, how often each sentence has it, what title, headings
    and issue state."""

    reading: Reading
    found: Mapping[str, Sequence[Span]]
    counts: tuple[Mapping[str, int], ...]
    context: frozenset[str]

    @property
    def tokens(self) -> frozenset[str]:
        """All that title, headings and text have, of what is asked."""
        return self.context.union(self.found)


def answer(
    query: Query,
    hits: Sequence[Hit],
    candidates: Iterable[Candidate],
    generation: Generation | None,
    also: Sequence[str] = (),
) -> Answered:
    """The sentences of all hits, and whether the first is the answer.

    `candidates` are those of items that were confirmed for this reader, `generation` that of the index they come from,
    `also` words that mean the same as some of the query. An item whose number was typed is certain.
    """
    if not hits:
        return Answered(())
    asked = list(dict.fromkeys(analyze(query.text)))
    wanted = list(dict.fromkeys([*asked, *analyze(" ".join(also))])) if also else asked
    spoken = [_spoken(wanted, hit) for hit in hits]
    chosen = _best_windows(wanted, spoken)
    excerpts = tuple(_excerpt(each, chosen.get(number) or _lead(each.reading)) for number, each in enumerate(spoken))
    if hits[0].why and hits[0].why[0].name == "article_number":
        return Answered(excerpts, 1.0, None, certain=True)
    holding = [each.tokens for each in spoken[:COMPARED]]
    items = [hit.item for hit in hits[:COMPARED]]
    evidence = certainty.evidence(asked, items, holding, spoken[0].reading.size, candidates)
    confidence, certain = certainty.judge(evidence, query.family, generation.encoder if generation else "")
    return Answered(excerpts, confidence, evidence, certain)


@functools.lru_cache(maxsize=2048)
def read(markdown: str) -> Reading:
    """A passage, read; kept, as few passages win often and parsing takes .5 ms."""
    parts = list(_parts(markdown))
    text = "\n\n".join(plain for _, plain in parts)
    han = han_count(text)
    answering = _answering({field for field, _ in parts})
    spans: list[Span] = []
    stated: list[Span] = []
    start = 0
    for field, plain in parts:
        if field in answering:
            spans += ((start + a, start + b) for a, b in islice(sentences(plain), _READ - len(spans)))
        elif field != "":
            stated.append((start, start + len(plain)))
        start += len(plain) + 2
    return Reading(text, tuple(spans), tuple(stated), han / 2 + (len(text) - han) / 6)


def _parts(markdown: str) -> Iterator[tuple[str, str]]:
    """The blocks in plain text, each with the field of the template that it stands in, or "heading"."""
    field, level = "", 0
    for element in elements(markdown)[0]:
        if element.kind == "heading":
            named = template.field_of(element.plain)
            if named or element.level <= level:
                field, level = named, element.level
        if element.plain:
            yield "heading" if element.kind == "heading" else field, element.plain


def _answering(fields: Set[str]) -> Set[str]:
    """The fields whose sentences may answer."""
    if "resolution" in fields:
        return {"resolution"}
    return fields - {"heading", "issue", "environment"} or fields - {"heading"} or fields


@functools.lru_cache(maxsize=2048)
def _context(title: str, heading: tuple[str, ...]) -> frozenset[str]:
    return frozenset(analyze(" ".join((title, *heading))))


def _spoken(wanted: Sequence[str], hit: Hit) -> _Spoken:
    reading = read(hit.passage.text)
    found = places_by_token(wanted, reading.text)
    counts: tuple[dict[str, int], ...] = tuple({} for _ in reading.spans)
    ends = [end for _, end in reading.spans]
    for token, places in found.items():
        for start, _ in places:
            at = bisect_right(ends, start)
            if at < len(counts) and start >= reading.spans[at][0]:
                counts[at][token] = counts[at].get(token, 0) + 1
    context = _context(hit.passage.title, hit.passage.heading).intersection(wanted)
    stated = {
        token for token, places in found.items() if any(a <= at < b for at, _ in places for a, b in reading.stated)
    }
    return _Spoken(reading, found, counts, context | stated)


def _excerpt(spoken: _Spoken, window: Span) -> tuple[Sentence, ...]:
    found = joined(span for spans in spoken.found.values() for span in spans)
    text = spoken.reading.text
    return tuple(_sentence(text, span, found) for span in spoken.reading.spans[slice(*window)])


def _sentence(text: str, span: Span, found: Sequence[Span]) -> Sentence:
    start, end = span
    within = tuple((max(a, start) - start, min(b, end) - start) for a, b in found if a < end and b > start)
    return Sentence(text[start:end], within)


def _lead(reading: Reading) -> Span:
    """The first two sentences that ask nothing, as [first, last)."""
    ask = [_ends(reading, number) in "?？" for number in range(len(reading.spans))]
    first = ask.index(False) if False in ask else 0
    short = first + 1 < len(ask) and _size(reading, first, first + 2) <= _CHARACTERS
    return first, first + (2 if short else 1)


def _best_windows(wanted: Sequence[str], spoken: Sequence[_Spoken]) -> dict[int, Span]:
    """For each hit the sentences in a row, [first, last), that say most of what is asked, by BM25 over all of them.

    What title, headings or issue say already counts less; where they say all of it, they are the question and the
    text begins to answer it. So a hit can have none. Of equals the earliest and fewest.
    """
    docs, places = [], []
    for number, each in enumerate(spoken):
        if each.context.issuperset(wanted):
            continue
        counts = [{_key(token, each): many for token, many in terms.items()} for terms in each.counts]
        for first, last in _windows(counts, each.reading):
            docs.append((_together(counts[first:last]), _size(each.reading, first, last)))
            places.append((number, first, last))
    if not docs:
        return {}
    weights = _weights(wanted, spoken)
    scores = _Bm25(docs, weights).get_scores([token for token in weights if any(token in doc for doc, _ in docs)])
    best: dict[int, tuple[float, Span]] = {}
    for score, (number, first, last) in zip(scores.tolist(), places, strict=True):
        if _ends(spoken[number].reading, last - 1) in ":：?？":
            score *= _UNFINISHED
        if number not in best or score > best[number][0]:
            best[number] = score, (first, last)
    return {number: window for number, (_, window) in best.items()}


def _windows(counts: Sequence[Mapping[str, int]], reading: Reading) -> Iterator[Span]:
    for first in range(len(counts)):
        for last in range(first + 1, min(first + _SENTENCES, len(counts)) + 1):
            if any(counts[first:last]) and (last == first + 1 or _size(reading, first, last) <= _CHARACTERS):
                yield first, last


def _key(token: str, spoken: _Spoken) -> str:
    """A token of the title is another term, which weighs less."""
    return f"{_TITLED}{token}" if token in spoken.context else token


def _weights(wanted: Sequence[str], spoken: Sequence[_Spoken]) -> dict[str, float]:
    """Lucene's IDF of what is asked, over the sentences of all hits: what they all say tells none of them apart."""
    count = sum(len(each.counts) for each in spoken)
    weights = {}
    for token in wanted:
        df = sum(token in terms for each in spoken for terms in each.counts)
        weights[token] = math.log((count - df + 0.5) / (df + 0.5) + 1)
        weights[f"{_TITLED}{token}"] = _CONTEXT * weights[token]
    return weights


def _size(reading: Reading, first: int, last: int) -> int:
    return reading.spans[last - 1][1] - reading.spans[first][0]


def _ends(reading: Reading, number: int) -> str:
    return reading.text[reading.spans[number][1] - 1]


def _together(counts: Sequence[Mapping[str, int]]) -> Mapping[str, int]:
    if len(counts) == 1:
        return counts[0]
    total: dict[str, int] = {}
    for terms in counts:
        for token, many in terms.items():
            total[token] = total.get(token, 0) + many
    return total


class _Bm25(BM25Okapi):  # type: ignore[misc]  # rank_bm25 has no types
    """rank_bm25's scores for sentences in a row as documents: (tokens with their counts, length in characters).

    Its own constructor counts IDF over the documents, which here share their sentences; weights come from outside.
    """

    def __init__(self, docs: Sequence[tuple[Mapping[str, int], int]], weights: Mapping[str, float]) -> None:
        self.k1, self.b = K1, B
        self.corpus_size = len(docs)
        self.doc_freqs = [counts for counts, _ in docs]
        self.doc_len = [length for _, length in docs]
        self.avgdl = max(sum(self.doc_len) / len(docs), 1.0)
        self.idf = weights
