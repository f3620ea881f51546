"""Which words of a text answer a query, as they are written there."""

import functools
import re
from collections.abc import Iterator

from kb.text.analyzer import analyze
from kb.text.script import HAN_RUN, mainland, simplified

_WORD = re.compile(r"[^\W_]+(?:[-_.'’][^\W_]+)*")
_LONGEST_WORD = 64  # longer ones are pasted blobs, not words somebody reads


def highlights(query: str, text: str) -> list[str]:
    """The words of a plain text that share a token with the query, each once, longest first.

    They are spelt as in the text, so that a caller marks them by plain comparison: "routers" for a query with
    "router", 路由器 in the script of the text whatever the script of the query.
    """
    words, runs = _taken_apart(text)
    found: set[str] = set()
    for token in set(analyze(query)):
        found.update(words.get(token, ()))
        if HAN_RUN.fullmatch(token):
            found.update(spelt for run, folded in runs for spelt in _places(run, folded, token))
    return sorted(found, key=lambda word: (-len(word), word))


@functools.lru_cache(maxsize=1024)
def _taken_apart(text: str) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """The words of a text by token, and its runs of Han with a folded form of each; kept, as few passages win often."""
    words: dict[str, list[str]] = {}
    for word in set(_WORD.findall(HAN_RUN.sub(" ", text))):
        for token in analyze(word) if len(word) <= _LONGEST_WORD else ():
            words.setdefault(token, []).append(word)
    runs = {(run, folded) for run in HAN_RUN.findall(text) for folded in (simplified(run), mainland(run))}
    # Where a word was replaced by a longer or shorter one, places no longer correspond.
    return words, [(run, folded) for run, folded in runs if len(run) == len(folded)]


def _places(run: str, folded: str, token: str) -> Iterator[str]:
    at = folded.find(token)
    while at >= 0:
        yield run[at : at + len(token)]
        at = folded.find(token, at + 1)
