"""From passages to items, and what besides the text moves a hit: named, bounded, shown.

Relevance is the fused score of the item's best passage, in [0, 1], with what its text is worth besides
(`kb.search.rescoring`, `kb.search.subjects`). Every prior is an addition bounded by its
constant below, and is listed in the hit's `why`. Lessons of others: votes that move weights without bound made
results inconsistent and were taken out again (onyx#5125); so evidence is capped and explained.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from kb.article import Confidence
from kb.language import Language
from kb.passage import ItemRef, PassageRef
from kb.query import Candidate, Context, Reason
from kb.standing import Standing

NOT_VALIDATED = -0.03
WORK_IN_PROGRESS = -0.08
SUPERSEDED = -0.15
STALE = -0.02
DISTRUST = -0.10
EVIDENCE = 0.05
SAME_PRODUCT = 0.05
OTHER_PRODUCT = -0.03
SAME_LANGUAGE = 0.05
SAME_TAG = 0.02
ALREADY_READ = -0.20
OPEN_CASE = -0.10
"""While a severe case about it is to do. As much as what nobody here has checked: of two texts that answer alike the
other comes first, and what alone answers still does."""

PRIORS = frozenset(
    {"confidence", "superseded", "age", "trust", "evidence", "product", "language", "tags", "already_read", "open_case"}
)
"""The names of all priors."""

_BY_CONFIDENCE = {Confidence.NOT_VALIDATED.value: NOT_VALIDATED, Confidence.WORK_IN_PROGRESS.value: WORK_IN_PROGRESS}
_STALE_YEARS = 3.0  # where half of STALE is reached
_EVIDENCE_HALF = 3.0  # resolved interactions at which half of EVIDENCE is reached


class Found(NamedTuple):
    """An item with its candidates, best first."""

    item: ItemRef
    candidates: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate:
        """The candidate the item is ranked by."""
        return self.candidates[0]

    @property
    def refs(self) -> tuple[PassageRef, ...]:
        """All its passages that were found, best first."""
        return tuple(candidate.ref for candidate in self.candidates)


class Ranked(NamedTuple):
    """An item with its standing, final score and the reasons for it."""

    found: Found
    standing: Standing
    score: float
    why: tuple[Reason, ...]


def group(candidates: Iterable[Candidate]) -> list[Found]:
    """Passages to items: the best passage wins, items in order of their best passage."""
    by_item: dict[ItemRef, list[Candidate]] = {}
    for candidate in candidates:
        by_item.setdefault(candidate.ref.item, []).append(candidate)
    return [Found(item, tuple(found)) for item, found in by_item.items()]


def rank(
    found: Iterable[Found],
    standing: Callable[[ItemRef], Standing],
    context: Context,
    at: datetime,
    factors: Mapping[str, float] = MappingProxyType({}),
) -> list[Ranked]:
    """Items by relevance plus priors, best first; equal scores in order of the item. `factors`: see `priors`."""
    ranked = []
    for each in found:
        here = standing(each.item)
        why = (Reason("relevance", round(each.best.score, 4)), *each.best.bonus, *priors(here, context, at, factors))
        # The sum of what is shown, which is rounded: the last digits of an engine's sum depend on what else it holds,
        # and would tell of what somebody may not read.
        ranked.append(Ranked(each, here, sum(reason.value for reason in why), why))
    return sorted(ranked, key=lambda each: (-each.score, each.found.item))


def priors(
    standing: Standing, context: Context, at: datetime, factors: Mapping[str, float] = MappingProxyType({})
) -> tuple[Reason, ...]:
    """What moves an item besides its text; parts that are zero are left out.

    `factors` are for trials: a prior named there counts so many times, 0 switches it off.
    """
    parts = {
        "confidence": _BY_CONFIDENCE.get(standing.confidence, 0.0),
        "superseded": SUPERSEDED if standing.superseded else 0.0,
        "age": STALE * _saturated((at - standing.changed_at).total_seconds() / 31_557_600, _STALE_YEARS),
        "trust": DISTRUST * (1 - standing.trust),
        "evidence": EVIDENCE * _saturated(standing.resolved, _EVIDENCE_HALF),
        "product": _product(standing, context),
        "language": _language(standing, context),
        "tags": SAME_TAG if context.tags and set(standing.tags) & set(context.tags) else 0.0,
        "already_read": ALREADY_READ if standing.item in context.already_read else 0.0,
        "open_case": OPEN_CASE if standing.open_case else 0.0,
    }
    reasons = []
    for name, value in parts.items():
        counted = value * factors.get(name, 1.0) if factors else value
        if abs(counted) >= 5e-5:
            reasons.append(Reason(name, round(counted, 4)))
    return tuple(reasons)


def _saturated(amount: float, half: float) -> float:
    """From 0 towards 1, at 1/2 when `amount` is `half`."""
    return 1 - math.pow(2, -max(0.0, amount) / half)


def _product(standing: Standing, context: Context) -> float:
    if not context.product or not standing.products:
        return 0.0
    return SAME_PRODUCT if context.product in standing.products else OTHER_PRODUCT


def _language(standing: Standing, context: Context) -> float:
    """A text in the reader's own script first; the other script of Chinese still helps half as much."""
    if context.language is None or not standing.language:
        return 0.0
    if standing.language == context.language:
        return SAME_LANGUAGE
    same_family = Language(standing.language).family == context.language.family
    return SAME_LANGUAGE / 2 if same_family else 0.0
