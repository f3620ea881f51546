"""How certain it is that the first hit answers: a probability, calibrated on judged queries.

A logistic regression over a few features of the hits, one where both legs answered and one where words alone do.
The features are raw scores of the legs and what the passages say: neither weights of fusion nor priors are in them.
Constants come from `kb eval --answers DIR` (kb.measure.answers), which prints them.
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
    """What speaks for the first hit.

    dense: whether that leg answered. near: its cosine. ahead: by how much its BM25 score leads the best of the others,
    as a share of it, or 0; above: the same for the mean of the ten best, -1 without a score. covers_more: the share of
    what is asked, by weight, that passage, title and headings have, less that of the best of the others. asked, said:
    the logarithm of the number of words asked, and said by its passage.
    """

    dense: bool
    near: float
    ahead: float
    above: float
    covers_more: float
    asked: float
    said: float


@dataclass(frozen=True, slots=True)
class Model:
    """Coefficients of the features."""

    intercept: float
    coefficients: Mapping[str, float]

    def probability(self, evidence: Evidence) -> float:
        """That the first hit answers, in (0, 1)."""
        total = self.intercept + sum(by * float(getattr(evidence, name)) for name, by in self.coefficients.items())
        return 1 / (1 + math.exp(-max(min(total, 50.0), -50.0)))


BOTH_FEATURES = ("near", "ahead", "covers_more", "asked")
WORDS_FEATURES = ("above", "covers_more", "said")
"""Chosen by the share of wrong answers on sets left out of the fit (docs/relevance.md)."""

CERTAIN = 0.95
"""The least probability that counts as certain: on the judged sets fewer than 1 in 50 of these answers are wrong."""

KNOWN_ENCODER = packaged_identity().digest

# `kb eval --answers --limit 500` over ten judged sets, 2,306 dev queries, November 2026 (docs/relevance.md).
BOTH = Model(-1.962, {"near": 5.561, "ahead": 3.494, "covers_more": 1.548, "asked": -0.831})
WORDS = Model(-4.796, {"above": 5.407, "covers_more": 3.064, "said": 0.723})


def evidence(
    asked: Sequence[str],
    items: Sequence[ItemRef],
    holding: Sequence[frozenset[str]],
    size: float,
    candidates: Iterable[Candidate],
) -> Evidence | None:
    """What speaks for the first of some items, best first, that hold these tokens; `size` is its words, about.

    None where no leg has a score for any of them: titles alone answered.
    """
    cosines, words = _best(candidates)
    if not cosines and not words:
        return None
    first = items[0]
    own = words.get(first, 0.0)
    other = max((score for item, score in words.items() if item != first), default=0.0)
    top = sorted(words.values(), reverse=True)[:_OTHERS]
    shares = _shares(asked, holding)
    return Evidence(
        dense=bool(cosines),
        near=cosines.get(first, min(cosines.values(), default=0.0)),
        ahead=max(own - other, 0.0) / own if own else 0.0,
        above=max((own - sum(top) / len(top)) / own, -1.0) if own else -1.0,
        covers_more=shares[0] - max(shares[1:], default=0.0),
        asked=math.log(1 + len(asked)),
        said=math.log(1 + size),
    )


def judge(evidence: Evidence | None, family: str, encoder: str = "") -> tuple[float, bool]:
    """The probability that the first hit answers, and whether that is enough to say so.

    `family` is that of the query, `encoder` the digest of the one that the cosines come from: another one's lie
    elsewhere on the scale. Without them words are judged in Chinese, where they suffice; in English words alone
    were wrong in 1 of 10 answers that seemed certain (se-ai: 1 of 4), so that nothing is.
    """
    if evidence is None:
        return 0.0, False
    if evidence.dense and encoder == KNOWN_ENCODER:
        probability = BOTH.probability(evidence)
    elif family == "zh":
        probability = WORDS.probability(evidence)
    else:
        return 0.0, False
    return round(probability, 4), probability >= CERTAIN


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
