"""One ranking out of two legs: a convex combination of standardised scores, weighted query by query.

    score = w * z(dense) + (1 - w) * z(lexical)

Bruch, Gai and Ingber, *An Analysis of Fusion Functions for Hybrid Retrieval*, ACM TOIS 42 (2023): a convex
combination beats reciprocal rank fusion in and out of domain. On the support collections measured for this project RRF
fell behind the better of its two legs on 3 of 4, and no constant weight suits all (docs/relevance.md): so the weight
follows how near the best passage is to the question.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from kb.passage import PassageRef
from kb.query import Candidate
from kb.search.index import Legs, Scored
from kb.text.identifiers import identifiers, is_identifier
from kb.text.words import QUOTED

FEW = 10
"""A lexical leg of fewer hits is filled up with zeros: a word that only one passage has must stand out."""

NARROW_LEXICAL = 0.02  # of the best score; a spread below that is no difference worth stretching
NARROW_DENSE = 0.03  # cosine

_WORD = re.compile(r"[^\W_][\w.-]*|[\u3400-\u9fff]{2}")


@dataclass(frozen=True, slots=True)
class Weights:
    """How much the dense leg counts: `base` + `slope` * the best cosine, between `least` and `most`.

    A near passage is one that the encoder understood; where even the best one is far, words are the better guide.
    `exact` replaces it for queries made of identifiers or quoted phrases: these mean what they say.
    """

    base: float = 0.35
    slope: float = 0.45
    least: float = 0.4
    most: float = 0.85
    exact: float = 0.4

    def of(self, query: str, best_cosine: float) -> float:
        """The weight for one query."""
        if means_exactly(query):
            return self.exact
        return min(max(self.base + self.slope * best_cosine, self.least), self.most)


def fuse(legs: Legs, weight: float) -> list[Candidate]:
    """The union of both legs, best first, scores in [0, 1]; equal scores in order of reference.

    Each leg is standardised over its own hits (z: standard deviations above the mean); 1/8 of the scale is one
    deviation, 1/4 the mean. A leg that hardly distinguishes is not stretched, so that priors decide among equals.

    An empty leg gives its weight to the other. A passage that a leg did not return counts with that leg's lowest
    score: it scored no better, its vector is still to come, or the encoder cannot read its language. The weight does
    not follow the passage's language: with two scales in one ranking Chinese passages that merely share "Hub 6" with
    an English question stood above English answers.
    """
    lexical, low_lexical = _lexical(legs.lexical)
    dense, low_dense = _standardised(legs.dense, NARROW_DENSE)
    w = effective(weight, legs)
    raw_lexical = {each.ref: each.score for each in legs.lexical}
    raw_dense = {each.ref: each.score for each in legs.dense}
    languages = {each.ref: each.language for each in (*legs.lexical, *legs.dense)}
    candidates = []
    for ref, language in languages.items():
        z = w * dense.get(ref, low_dense) + (1 - w) * lexical.get(ref, low_lexical)
        score = min(max((z + 2) / 8, 0.0), 1.0)
        candidates.append(Candidate(ref, score, language, raw_lexical.get(ref), raw_dense.get(ref)))
    return sorted(candidates, key=lambda each: (-each.score, each.ref))


def _lexical(leg: Sequence[Scored]) -> tuple[dict[PassageRef, float], float]:
    best = max((each.score for each in leg), default=0.0)
    return _standardised(leg, NARROW_LEXICAL * best, zeros=max(0, FEW - len(leg))) if best > 0 else ({}, 0.0)


def _standardised(leg: Sequence[Scored], narrow: float, zeros: int = 0) -> tuple[dict[PassageRef, float], float]:
    """Deviations from the mean over the leg and `zeros` further passages that scored nothing; and the lowest."""
    if not leg:
        return {}, 0.0
    count = len(leg) + zeros
    mean = sum(each.score for each in leg) / count
    square = (sum((each.score - mean) ** 2 for each in leg) + zeros * mean**2) / count
    deviation = max(sqrt(square), narrow)
    found = {each.ref: (each.score - mean) / deviation for each in leg}
    return found, -mean / deviation if zeros else min(found.values())


def means_exactly(text: str) -> bool:
    """Whether a query means what it says to the letter: two thirds are quoted, or a third of it are identifiers.

    Quotes within a question (what is "capsules theory"?) are words like the others of it.
    """
    words = len(_WORD.findall(text))
    quoted = sum(len(_WORD.findall(each)) for each in QUOTED.findall(text))
    if (quoted and 3 * quoted >= 2 * words) or is_identifier(text):
        return True
    return 3 * len(identifiers(text)) >= max(1, words)


def effective(weight: float, legs: Legs) -> float:
    """The dense leg's weight where one of the legs may be empty, or found nothing that scored."""
    if not legs.dense:
        return 0.0
    return weight if any(each.score > 0 for each in legs.lexical) else 1.0
