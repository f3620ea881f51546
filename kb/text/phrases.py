"""Phrases: neighbouring words of a question that stand side by side in a text as well. Pure."""

import re
from itertools import pairwise

from kb.text.script import HAN_RUN, fold
from kb.text.stopwords import STOP_WORDS

LOOKED_AT = 4_000
"""Characters of a text in which phrases are looked for; a passage has fewer."""

MOST = 40
"""Pairs of a question that are looked for: a pasted chat has more, and is found by what it says."""

_UNIT = re.compile(r"[\u3400-\u9fff]|[^\W_]+(?:['-][^\W_]+)*")
_BETWEEN = '_*`"“”()[]-'
_HALF = 0.5


def pairs(question: str) -> dict[str, float]:
    """Its neighbouring words, and neighbouring Han characters, with what each is worth; a pair of stop words nothing.

    A Han character carries about half of a word, and so does a pair with one stop word.
    """
    units = _UNIT.findall(fold(question))
    found: dict[str, float] = {}
    for one, other in pairwise(units):
        stops = (one in STOP_WORDS) + (other in STOP_WORDS)
        if stops < 2 and len(found) < MOST:
            han = one >= "\u3400" and other >= "\u3400"
            pair = one + other if han else f"{_apart(one)} {_apart(other)}"
            found[pair] = (_HALF if han else 1.0) * (_HALF if stops else 1.0)
    return found


def plain(text: str) -> str:
    """A text, which may be Markdown, as `pairs` are looked for in it: folded, one blank between words."""
    return f" {_apart(fold(text[:LOOKED_AT]))} "


def share(wanted: dict[str, float], text: str) -> float:
    """How much of the pairs a text has (as `plain` gives it), from 0 to 1.

    Looked for as written: matching stems instead found nothing more worth having (docs/relevance.md), and a search
    for a string costs a microsecond.
    """
    worth = sum(wanted.values())
    return sum(value for pair, value in wanted.items() if pair in text) / worth if worth else 0.0


def han_pairs(text: str) -> list[str]:
    """Each two neighbouring Han characters of a text, folded to Simplified, with repetitions."""
    if text.isascii():
        return []
    return [run[at : at + 2] for run in HAN_RUN.findall(fold(text)) for at in range(len(run) - 1)]


def _apart(text: str) -> str:
    for sign in _BETWEEN:  # sign by sign: a third of the time of a regular expression
        text = text.replace(sign, " ")
    return " ".join(text.split())
