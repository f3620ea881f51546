"""The sentences that answer: chosen in every hit, and of the first one said to be the answer where that is certain.

What is certain is `kb.solve.certainty`'s to say. Everything is worked out from the hits that this reader is shown, so
nothing they may not read can move it.
"""

import functools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from rank_bm25 import BM25Okapi

from kb.generation import Generation
from kb.query import Candidate, Hit, Query
from kb.solve import certainty
from kb.solve.certainty import Evidence
from kb.text.analyzer import analyze
from kb.text.highlight import Span, places
from kb.text.markdown import plain
from kb.text.sentences import sentences

COMPARED = 10
"""Hits that certainty is judged by, however many are asked for: three hits must not be surer than ten."""

NOTHING_CERTAIN: Final = "nothing_certain"
"""Why there is no answer."""

_K1, _B = 1.5, 0.75  # as for passages (kb.search.lexical)
_SENTENCES = 3  # an answer has at most so many
_CHARACTERS = 500  # and so many, unless it is one sentence
_READ = 40  # sentences of a passage: a table or a log of a thousand lines is not read to its end
_CONTEXT = 0.25  # what a word that title or headings have already counts in a sentence
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
    """A passage in plain text: where its sentences stand and the tokens of each."""

    text: str
    spans: tuple[Span, ...]
    terms: tuple[Mapping[str, int], ...]
    lengths: tuple[int, ...]


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
    readings = [read(hit.passage.text) for hit in hits]
    weights = _weights(wanted, readings)
    excerpts = tuple(_excerpt(wanted, weights, hit, reading) for hit, reading in zip(hits, readings, strict=True))
    if hits[0].why and hits[0].why[0].name == "article_number":
        return Answered(excerpts, 1.0, None, certain=True)
    holding = [_terms(hit, reading) for hit, reading in islice(zip(hits, readings, strict=True), COMPARED)]
    evidence = certainty.evidence(asked, [hit.item for hit in hits[:COMPARED]], holding, candidates)
    confidence, certain = certainty.judge(evidence, generation.encoder if generation else "")
    return Answered(excerpts, confidence, evidence, certain)


@functools.lru_cache(maxsize=2048)
def read(markdown: str) -> Reading:
    """A passage, read; kept, as few passages win often and parsing takes .5 ms."""
    text = plain(markdown)
    spans = tuple(islice(sentences(text), _READ))
    terms = tuple(Counter(analyze(text[start:end])) for start, end in spans)
    return Reading(text, spans, terms, tuple(sum(each.values()) for each in terms))


@functools.lru_cache(maxsize=2048)
def _context(title: str, heading: tuple[str, ...]) -> frozenset[str]:
    return frozenset(analyze(" ".join((title, *heading))))


def _terms(hit: Hit, reading: Reading) -> frozenset[str]:
    """All that the hit's passage, title and headings say."""
    return _context(hit.passage.title, hit.passage.heading).union(*reading.terms)


def _weights(asked: Sequence[str], readings: Sequence[Reading]) -> dict[str, float]:
    """Lucene's IDF of what is asked, over the sentences of all hits: what they all say tells none of them apart."""
    count = sum(len(reading.spans) for reading in readings)
    weights = {}
    for token in asked:
        df = sum(token in terms for reading in readings for terms in reading.terms)
        weights[token] = math.log((count - df + 0.5) / (df + 0.5) + 1)
    return weights


def _excerpt(asked: Sequence[str], weights: Mapping[str, float], hit: Hit, reading: Reading) -> tuple[Sentence, ...]:
    """One to three sentences in a row, those that say most of what is asked and the title does not say already."""
    if not reading.spans:
        return ()
    context = _context(hit.passage.title, hit.passage.heading)
    first, last = _lead(reading)
    if not context.issuperset(asked):  # else the title is the question, and the text begins to answer it
        counted = {token: weight * (_CONTEXT if token in context else 1.0) for token, weight in weights.items()}
        first, last = _best_window(counted, reading) or (first, last)
    found = places(asked, reading.text)
    return tuple(_sentence(reading.text, span, found) for span in reading.spans[first:last])


def _lead(reading: Reading) -> Span:
    """The first two sentences that ask nothing."""
    ask = [_asks(reading, number) for number in range(len(reading.spans))]
    first = ask.index(False) if False in ask else 0
    short = first + 1 < len(ask) and _size(reading, first, first + 2) <= _CHARACTERS
    return first, first + (2 if short else 1)


def _best_window(weights: Mapping[str, float], reading: Reading) -> Span | None:
    """The sentences [first, last) of the best score, the earliest and fewest of equals; None if none has a word."""
    spoken = [{token: terms[token] for token in weights if token in terms} for terms in reading.terms]
    windows = [
        (first, last)
        for first in range(len(spoken))
        for last in range(first + 1, min(first + _SENTENCES, len(spoken)) + 1)
        if any(spoken[first:last]) and (last == first + 1 or _size(reading, first, last) <= _CHARACTERS)
    ]
    if not windows:
        return None
    scores = _Windows(windows, spoken, reading.lengths, weights).get_scores(list(weights))
    for number, (_, last) in enumerate(windows):
        if reading.text[reading.spans[last - 1][1] - 1] in ":：?？":
            scores[number] *= _UNFINISHED
    return windows[int(scores.argmax())]


def _size(reading: Reading, first: int, last: int) -> int:
    return reading.spans[last - 1][1] - reading.spans[first][0]


def _asks(reading: Reading, number: int) -> bool:
    return reading.text[reading.spans[number][1] - 1] in "?？"


def _sentence(text: str, span: Span, found: Sequence[Span]) -> Sentence:
    start, end = span
    within = tuple((max(a, start) - start, min(b, end) - start) for a, b in found if a < end and b > start)
    return Sentence(text[start:end], within)


class _Windows(BM25Okapi):  # type: ignore[misc]  # rank_bm25 has no types
    """rank_bm25's scores for sentences in a row, as documents.

    Its own constructor counts IDF over the documents, here those of one passage: a word that half of them have would
    weigh nothing. So it is not called, and weights come from outside.
    """

    def __init__(
        self,
        windows: Sequence[Span],
        spoken: Sequence[Mapping[str, int]],
        lengths: Sequence[int],
        weights: Mapping[str, float],
    ) -> None:
        self.k1, self.b = _K1, _B
        self.corpus_size = len(windows)
        self.doc_freqs = [_together(spoken[first:last]) for first, last in windows]
        self.doc_len = [sum(lengths[first:last]) for first, last in windows]
        self.avgdl = max(sum(self.doc_len) / len(windows), 1.0)
        self.idf = dict(weights)


def _together(spoken: Sequence[Mapping[str, int]]) -> Mapping[str, int]:
    if len(spoken) == 1:
        return spoken[0]
    total: dict[str, int] = {}
    for terms in spoken:
        for token, count in terms.items():
            total[token] = total.get(token, 0) + count
    return total
