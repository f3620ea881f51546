"""One ranking out of two legs: a convex combination of normalised scores.

    score = w * dense' + (1 - w) * lexical'

Bruch, Gai and Ingber, *An Analysis of Fusion Functions for Hybrid Retrieval*, ACM TOIS 42 (2023): a convex
combination beats reciprocal rank fusion in and out of domain with a single parameter. On the support collections
measured for this project RRF fell behind the better of its two legs on 3 of 4 (docs/relevance.md).
"""

import re
from dataclasses import dataclass

from kb.query import Candidate
from kb.search.index import Legs
from kb.text.identifiers import identifiers, is_identifier

_QUOTED = re.compile(r"\"[^\"]{2,}\"|“[^”]{2,}”|「[^」]{2,}」|『[^』]{2,}』")
_WORD = re.compile(r"[^\W_][\w.-]*|[\u3400-\u9fff]{2}")


@dataclass(frozen=True, slots=True)
class Weights:
    """How much the dense leg counts.

    `exact` replaces `dense` for queries made of identifiers or quoted phrases: these mean what they say.
    """

    dense: float = 0.88
    exact: float = 0.4

    def of(self, query: str) -> float:
        """The weight for one query."""
        return self.exact if means_exactly(query) else self.dense


def fuse(legs: Legs, weight: float) -> list[Candidate]:
    """The union of both legs, best first, scores in [0, 1]; equal scores in order of reference.

    Lexical scores are divided by the query's best, dense ones are cosines as they are. An absolute scale keeps a
    narrow difference narrow, also where few passages compete; min-max over the leg, the usual choice, stretches
    whatever there is to [0, 1] (docs/relevance.md has both).

    An empty leg gives its weight to the other. A passage that the dense leg did not return counts with that leg's
    lowest score: it scored no better, its vector is still to come, or the encoder cannot read its language. The weight
    does not depend on the passage's language: two scales in one ranking let Chinese passages that merely share "Hub 6"
    with an English question stand above English answers. One without a common word scores 0 lexically.
    """
    best = max((each.score for each in legs.lexical), default=0.0)
    lexical = {each.ref: each.score / best for each in legs.lexical} if best > 0 else {}
    dense = {each.ref: max(each.score, 0.0) for each in legs.dense}
    lowest = min(dense.values(), default=0.0)
    raw_lexical = {each.ref: each.score for each in legs.lexical}
    raw_dense = {each.ref: each.score for each in legs.dense}
    languages = {each.ref: each.language for each in (*legs.lexical, *legs.dense)}
    candidates = []
    w = _effective(weight, bool(lexical), bool(dense))
    for ref, language in languages.items():
        score = w * dense.get(ref, lowest) + (1 - w) * lexical.get(ref, 0.0)
        candidates.append(Candidate(ref, score, language, raw_lexical.get(ref), raw_dense.get(ref)))
    return sorted(candidates, key=lambda each: (-each.score, each.ref))


def means_exactly(text: str) -> bool:
    """Whether a query means what it says to the letter: it is quoted, or identifiers make up a third of it."""
    if _QUOTED.search(text) or is_identifier(text):
        return True
    return 3 * len(identifiers(text)) >= max(1, len(_WORD.findall(text)))


def _effective(weight: float, has_lexical: bool, has_dense: bool) -> float:
    if not has_dense:
        return 0.0
    return weight if has_lexical else 1.0
