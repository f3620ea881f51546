"""Which words of a text answer a query, as they are written there and where they stand."""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kb.text.analyzer import analyze
from kb.text.script import HAN_RUN, han_count, mainland, simplified

Span = tuple[int, int]
"""[start, end) in a text, counted in code points."""

_WORD = re.compile(r"[^\W_]+(?:[-_.'’][^\W_]+)*")
_LONGEST_WORD = 64  # longer ones are pasted blobs, not words somebody reads


def highlights(query: str, text: str) -> list[str]:
    """The words of a plain text that share a token with the query, each once, longest first.

    They are spelt as in the text, so that a caller marks them by plain comparison: "routers" for a query with
    "router", 路由器 in the script of the text whatever the script of the query.
    """
    found = {text[start:end] for start, end in _found(analyze(query), text)}
    return sorted(found, key=lambda word: (-len(word), word))


def places(tokens: Iterable[str], text: str) -> list[Span]:
    """Where words of a plain text stand that share one of the tokens, in order; those that touch are one."""
    return joined(_found(tokens, text))


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same places in order; those that touch are one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def places_by_token(tokens: Iterable[str], text: str) -> dict[str, list[Span]]:
    """The same for each token that the text has."""
    return {token: spans for token in tokens if (spans := list(dict.fromkeys(_of_token(token, text))))}


def _found(tokens: Iterable[str], text: str) -> Iterator[Span]:
    for token in set(tokens):
        yield from _of_token(token, text)


def _of_token(token: str, text: str) -> Iterator[Span]:
    words, runs = _taken_apart(text)
    yield from words.get(token, ())
    if HAN_RUN.fullmatch(token):
        for start, folded in runs:
            yield from _within(start, folded, token)


@functools.lru_cache(maxsize=2048)
def _taken_apart(text: str) -> tuple[Mapping[str, Sequence[Span]], Sequence[tuple[int, str]]]:
    """Where words stand, by token, and what it is folded; kept, as few passages win often."""
    words: dict[str, list[Span]] = {}
    for match in _WORD.finditer(_without_han(text)):
        for token in _tokens(match[0]) if len(match[0]) <= _LONGEST_WORD else ():
            words.setdefault(token, []).append(match.span())
    return words, list(dict.fromkeys(_folded(text))) if han_count(text) else []


@functools.lru_cache(maxsize=1 << 16)
def _tokens(word: str) -> frozenset[str]:
    return frozenset(analyze(word))


def _folded(text: str) -> Iterator[tuple[int, str]]:
    """The text in the forms that tokens of Han have: as a whole, or its runs of Han with their places."""
    for fold in (simplified, mainland):
        whole = fold(text)
        # Where a word was replaced by a longer or shorter one, places no longer correspond: then run by run.
        if _without_han(whole) == _without_han(text):
            yield 0, whole
        else:
            folded = ((run.start(), run[0], fold(run[0])) for run in HAN_RUN.finditer(text))
            yield from ((start, form) for start, run, form in folded if len(form) == len(run))


def _without_han(text: str) -> str:
    return HAN_RUN.sub(lambda run: " " * len(run[0]), text)


def _within(start: int, folded: str, token: str) -> Iterator[Span]:
    at = folded.find(token)
    while at >= 0:
        yield start + at, start + at + len(token)
        at = folded.find(token, at + 1)
