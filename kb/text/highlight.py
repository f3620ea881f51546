"""Which words of a text answer a query, as they are written there and where they stand."""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping

from kb.text.analyzer import analyze
from kb.text.script import HAN_RUN, mainland, simplified

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
    joined: list[Span] = []
    for start, end in sorted(_found(tokens, text)):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _found(tokens: Iterable[str], text: str) -> Iterator[Span]:
    words, runs = _taken_apart(text)
    for token in set(tokens):
        yield from words.get(token, ())
        if HAN_RUN.fullmatch(token):
            for start, folded in runs:
                yield from _within(start, folded, token)


@functools.lru_cache(maxsize=1024)
def _taken_apart(text: str) -> tuple[Mapping[str, list[Span]], list[tuple[int, str]]]:
    """Where words stand, by token, and the runs of Han in folded forms; kept, as few passages win often."""
    words: dict[str, list[Span]] = {}
    for match in _WORD.finditer(HAN_RUN.sub(lambda run: " " * len(run[0]), text)):
        for token in set(analyze(match[0])) if len(match[0]) <= _LONGEST_WORD else ():
            words.setdefault(token, []).append(match.span())
    runs = [
        (run.start(), folded)
        for run in HAN_RUN.finditer(text)
        for folded in dict.fromkeys((simplified(run[0]), mainland(run[0])))
        if len(folded) == len(run[0])  # else a word was replaced by a longer or shorter one: places do not correspond
    ]
    return words, runs


def _within(start: int, folded: str, token: str) -> Iterator[Span]:
    at = folded.find(token)
    while at >= 0:
        yield start + at, start + at + len(token)
        at = folded.find(token, at + 1)
