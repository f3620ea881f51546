"""How certain it is that the first hit answers: a probability, calibrated on judged queries.

A logistic regression over a few features of the hits, one where both legs answered and one where words alone did.
The features are raw scores of the legs and what the passages say: neither weights of fusion nor priors are in them.
Constants come from `kb eval --answers DIR...` (kb.measure.answers), which prints them.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kb.passage import ItemRef
from kb.query import Candidate
from kb.search.encoder import packaged_identity

_OTHERS = 10  # hits whose words are compared by their mean


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for the first hit. Everything but `near`, `nearer` and the logarithms lies in [-1, 1].

    near: its cosine. nearer: by how much that is above the best of the others. ahead, behind: its share of the best
    BM25 score by which it leads, or (negative) falls behind, the best of the others; above: by which it leads the mean
    of the ten best. both: near, times ahead and behind. covered: the share of what is asked, by weight, that passage,
    title and headings have; covers_more: by how much that is above the best of the others. asked, said: the logarithm
    of the number of words asked, and said by the hit. dense: whether that leg answered.
    """

    dense: bool
    near: float
    nearer: float
    ahead: float
    behind: float
    above: float
    both: float
    covered: float
    covers_more: float
    asked: float
    said: float


@dataclass(frozen=True, slots=True)
class Model:
    """Coefficients of the features, and the least probability that counts as certain."""

    intercept: float
    coefficients: Mapping[str, float]
    certain: float

    def probability(self, evidence: Evidence) -> float:
        """That the first hit answers, in (0, 1)."""
        total = self.intercept + sum(by * float(getattr(evidence, name)) for name, by in self.coefficients.items())
        return 1 / (1 + math.exp(-max(min(total, 50.0), -50.0)))


BOTH_FEATURES = ("near", "nearer", "ahead", "behind", "both", "covered", "covers_more", "asked")
WORDS_FEATURES = ("above", "covered", "covers_more", "said")
"""Chosen by the share of wrong answers on sets left out of the fit (docs/relevance.md)."""

KNOWN_ENCODER = packaged_identity().digest

BOTH = Model(
    -1.044,
    {
        "near": 1.473,
        "nearer": 7.964,
        "ahead": 6.667,
        "behind": 4.667,
        "both": -6.674,
        "covered": 0.519,
        "covers_more": 1.26,
        "asked": -0.25,
    },
    certain=0.95,
)
WORDS = Model(-5.832, {"above": 7.412, "covered": -0.038, "covers_more": 1.901, "said": 0.872}, certain=0.95)


def evidence(
    asked: Sequence[str], items: Sequence[ItemRef], holding: Sequence[frozenset[str]], candidates: Iterable[Candidate]
) -> Evidence | None:
    """What speaks for the first of some items, best first, that hold these tokens.

    None where no leg has a score for any of them: titles alone answered.
    """
    cosines, words = _best(candidates)
    if not cosines and not words:
        return None
    first = items[0]
    near = cosines.get(first, min(cosines.values(), default=0.0))
    nearest = max((score for item, score in cosines.items() if item != first), default=0.0)
    own = words.get(first, 0.0)
    other = max((score for item, score in words.items() if item != first), default=0.0)
    best = max(own, other)
    lead = (own - other) / best if best else 0.0
    top = sorted(words.values(), reverse=True)[:_OTHERS]
    shares = _shares(asked, holding)
    return Evidence(
        dense=bool(cosines),
        near=near,
        nearer=near - nearest,
        ahead=max(lead, 0.0),
        behind=min(lead, 0.0),
        above=(own - sum(top) / len(top)) / own if own else -1.0,
        both=near * lead,
        covered=shares[0],
        covers_more=shares[0] - max(shares[1:], default=0.0),
        asked=math.log(1 + len(asked)),
        said=math.log(1 + len(holding[0])),
    )


def judge(evidence: Evidence | None, encoder: str = "") -> tuple[float, bool]:
    """The probability that the first hit answers, and whether that is enough to say so.

    `encoder` is the digest of the one that the cosines come from. Another one's lie elsewhere on the scale: with it,
    words alone are judged.
    """
    if evidence is None:
        return 0.0, False
    model = BOTH if evidence.dense and encoder == KNOWN_ENCODER else WORDS
    probability = model.probability(evidence)
    return round(probability, 4), probability >= model.certain


def _best(candidates: Iterable[Candidate]) -> tuple[dict[ItemRef, float], dict[ItemRef, float]]:
    """The best score of each item in the dense leg, and in the lexical one."""
    cosines: dict[ItemRef, float] = {}
    words: dict[ItemRef, float] = {}
    for each in candidates:
        item = each.ref.item
        if each.dense is not None:
            cosines[item] = max(cosines.get(item, -1.0), each.dense)
        if each.lexical is not None:
            words[item] = max(words.get(item, 0.0), each.lexical)
    return cosines, words


def _shares(asked: Sequence[str], holding: Sequence[frozenset[str]]) -> list[float]:
    """How much of what is asked each has, by Lucene's IDF over them: what all have tells none apart."""
    weights = {}
    for token in asked:
        df = sum(token in tokens for tokens in holding)
        weights[token] = math.log((len(holding) - df + 0.5) / (df + 0.5) + 1)
    total = sum(weights.values())
    return [sum(weights[token] for token in asked if token in tokens) / total if total else 0.0 for tokens in holding]
