from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kb.audience import Access, Audience
from kb.language import Language
from kb.passage import ItemRef, Kind, PassageRef
from kb.query import Candidate, Context
from kb.search import ranking
from kb.search.ranking import group, priors, rank
from kb.standing import Standing

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def item(name: str) -> ItemRef:
    return ItemRef(Kind.ARTICLE, name)


def a_standing(name: str = "a", **fields: Any) -> Standing:
    return Standing(
        **{
            "item": item(name),
            "revision": 1,
            "access": Access(Audience.PUBLIC),
            "live": True,
            "title": name,
            "changed_at": NOW,
            "confidence": "validated",
            **fields,
        }
    )


def a_candidate(name: str, score: float, ordinal: int = 0) -> Candidate:
    return Candidate(PassageRef(Kind.ARTICLE, name, 1, ordinal), score)


def order(*found: tuple[str, float, dict[str, Any]], context: Context | None = None) -> list[str]:
    standings = {item(name): a_standing(name, **fields) for name, _, fields in found}
    candidates = [a_candidate(name, score) for name, score, _ in found]
    ranked = rank(group(candidates), standings.__getitem__, context or Context(), NOW)
    return [each.found.item.id for each in ranked]


def test_the_best_passage_stands_for_its_item() -> None:
    [a, b] = group([a_candidate("a", 0.9, 2), a_candidate("b", 0.8), a_candidate("a", 0.7, 0)])
    assert (a.best.ref.ordinal, [ref.ordinal for ref in a.refs]) == (2, [2, 0])
    assert b.item == item("b")


def test_text_that_is_clearly_better_beats_every_prior_together() -> None:
    worst = {"confidence": "work_in_progress", "trust": 0.0, "changed_at": NOW - timedelta(days=9_999)}
    assert order(("a", 0.9, worst), ("b", 0.4, {"resolved": 10_000}))[0] == "a"


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ({"confidence": "not_validated"}, {}),
        ({"confidence": "work_in_progress"}, {"confidence": "not_validated"}),
        ({"superseded_by": ItemRef(Kind.ARTICLE, "a2")}, {}),
        ({"changed_at": NOW - timedelta(days=2_000)}, {}),
        ({"trust": 0.3}, {"trust": 0.6}),
        ({}, {"resolved": 1}),
    ],
)
def test_among_equals_the_state_decides(worse: dict[str, Any], better: dict[str, Any]) -> None:
    assert order(("a", 0.5, worse), ("b", 0.5, better)) == ["b", "a"]


@pytest.mark.parametrize(
    ("context", "fields"),
    [
        (Context(product="hub-6"), {"products": ("hub-6",)}),
        (Context(language=Language.TRADITIONAL), {"language": "zh-Hant"}),
        (Context(language=Language.TRADITIONAL), {"language": "zh-Hans"}),
        (Context(tags=("billing",)), {"tags": ("billing", "april")}),
    ],
)
def test_the_situation_lifts_what_fits(context: Context, fields: dict[str, Any]) -> None:
    other = {"products": ("tv-box",), "language": "en"}
    assert order(("a", 0.5, other), ("b", 0.5, other | fields), context=context) == ["b", "a"]


def test_what_the_customer_already_read_sinks() -> None:
    assert order(("a", 0.6, {}), ("b", 0.5, {}), context=Context(already_read=(item("a"),))) == ["b", "a"]


def test_evidence_is_bounded_and_grows_ever_slower() -> None:
    values = [
        next((r.value for r in priors(a_standing(resolved=n), Context(), NOW)), 0.0) for n in (0, 1, 3, 10, 10**6)
    ]
    assert values == sorted(values)
    assert values[2] == pytest.approx(ranking.EVIDENCE / 2, abs=1e-4)
    assert values[-1] == pytest.approx(ranking.EVIDENCE)


def test_why_adds_up_to_the_score_and_names_only_what_counted() -> None:
    [ranked] = rank(
        group([a_candidate("a", 0.5)]), lambda _: a_standing(confidence="not_validated", resolved=3), Context(), NOW
    )
    assert {reason.name for reason in ranked.why} == {"relevance", "confidence", "evidence"}
    assert ranked.score == pytest.approx(sum(reason.value for reason in ranked.why))
