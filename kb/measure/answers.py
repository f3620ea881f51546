"""How often we are certain of an answer, and wrong: measured, and the constants of `kb.solve.certainty` fitted.

Right is what the judgements say is relevant. They are incomplete, so figures are on the hard side: many an answer
counted as wrong says the same as the one that was judged.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kb import clock
from kb.measure.collection import split_of
from kb.measure.evaluation import Bench, prepared
from kb.measure.progress import Progress
from kb.person import Person
from kb.query import Query
from kb.search.loading import BackgroundEncoder
from kb.settings import Settings
from kb.solve.certainty import BOTH, BOTH_FEATURES, CERTAIN, WORDS, WORDS_FEATURES, Evidence, Model

UNANSWERABLE = "queries_noanswer.jsonl"
"""Questions that nothing in the collection answers, where a collection has them."""

_RIDGE = 1.0  # on the squared coefficients of standardised features


@dataclass(frozen=True, slots=True)
class Judged:
    """The first hit for one query: what speaks for it, and whether it was judged relevant.

    `split` is "dev" or "test", or "no answer" for a question that has none.
    """

    dataset: str
    split: str
    evidence: Evidence
    right: bool


Model_of = Callable[[str, bool], Model]
"""The model to judge a query of a set with, both legs or words alone."""


@dataclass(frozen=True, slots=True)
class Certainty:
    """What `kb eval --answers` found: the shares of `report` for the models that serve, for those fitted just now,
    and for those fitted without the set they judge; and the fitted ones as constants."""

    serving: Mapping[str, Any]
    fitted: Mapping[str, Any]
    left_out: Mapping[str, Any]
    constants: str

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {"serving": self.serving, "fitted": self.fitted, "left_out": self.left_out, "constants": self.constants}

    def as_text(self) -> str:
        """A line for each set, split and model."""
        lines = []
        for name, rows in (("serving", self.serving), ("fitted", self.fitted), ("left out", self.left_out)):
            for legs, splits in rows.items():
                for split, sets in splits.items():
                    lines += [f"{name}, {legs}, {split}: {each} {_line(shares)}" for each, shares in sets.items()]
        return "\n".join([*lines, self.constants])


def _line(shares: Mapping[str, float]) -> str:
    return " ".join(f"{name} {value}" for name, value in shares.items())


def measure(
    settings: Settings, folder: Path, limit: int | None = None, encoder: BackgroundEncoder | None = None
) -> Certainty:
    """Measure and fit on the collection in that folder, or on all that lie below it; raises like `evaluate`."""
    below = sorted(each for each in folder.iterdir() if (each / "corpus.jsonl").is_file()) if folder.is_dir() else []
    judged = gather(settings, below or [folder], limit, Progress(), encoder)
    both, words = fitted(judged)
    return Certainty(
        report(judged, present),
        report(judged, lambda _, dense: both if dense else words),
        report(judged, left_out(judged)),
        constants(both, words),
    )


def gather(
    settings: Settings,
    folders: Sequence[Path],
    limit: int | None,
    progress: Progress,
    encoder: BackgroundEncoder | None = None,
) -> list[Judged]:
    """The first hits for the queries of some collections, `limit` of each."""
    found: list[Judged] = []
    for folder in folders:
        with prepared(settings, folder, limit, None, encoder, progress) as bench:
            found += _of_collection(bench, folder, limit)
    return found


def _of_collection(bench: Bench, folder: Path, limit: int | None) -> Iterator[Judged]:
    collection, loaded = bench.collection, bench.loaded
    asked = [(split_of(id), text, collection.qrels[id]) for id, text in collection.queries.items()]
    asked += [("no answer", text, {}) for text in _unanswerable(folder, limit)]
    bench.learn(text for _, text, _ in asked)
    by, at = Person("evaluation", "Evaluation", loaded.reader.tier, groups=loaded.reader.groups), clock.now()
    for split, text, grades in asked:
        answer = bench.service.finder.find(by, Query(text), at)
        if (evidence := answer.answered.evidence) is not None:
            yield Judged(collection.name, split, evidence, grades.get(loaded.ids[answer.hits[0].item], 0) > 0)


def _unanswerable(folder: Path, limit: int | None) -> list[str]:
    path = folder / UNANSWERABLE
    if not path.is_file():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [str(line["text"]) for line in sorted(lines, key=lambda line: split_of(line["_id"]))][:limit]


def report(judged: Sequence[Judged], model_of: Model_of) -> dict[str, Any]:
    """By model, split and set: queries, answers that were certain, those of them that were wrong, and their shares."""
    rows: dict[str, Any] = {}
    for legs, dense in (("both", True), ("words", False)):
        for split in ("dev", "test", "no answer"):
            part = [each for each in judged if each.evidence.dense == dense and each.split == split]
            if part:
                sets = sorted({each.dataset for each in part})
                table = {name: _shares([x for x in part if x.dataset == name], model_of) for name in sets}
                rows.setdefault(legs, {})[split] = table | {"all": _shares(part, model_of)}
    return rows


def _shares(part: Sequence[Judged], model_of: Model_of) -> dict[str, float]:
    certain = [x for x in part if model_of(x.dataset, x.evidence.dense).probability(x.evidence) >= CERTAIN]
    wrong = sum(not each.right for each in certain)
    return {
        "queries": len(part),
        "certain": len(certain),
        "wrong": wrong,
        "wrong/certain": round(wrong / len(certain), 4) if certain else 0.0,
        "wrong/queries": round(wrong / len(part), 4),
    }


def present(dataset: str, dense: bool) -> Model:
    """The model that serves."""
    return BOTH if dense else WORDS


def fitted(judged: Sequence[Judged]) -> tuple[Model, Model]:
    """Models for both legs and for words alone, from the dev queries. Sets count the same, whatever their size."""
    dev = [each for each in judged if each.split == "dev"]
    both, words = [each for each in dev if each.evidence.dense], [each for each in dev if not each.evidence.dense]
    return _fit(both, BOTH_FEATURES), _fit(words, WORDS_FEATURES)


def left_out(judged: Sequence[Judged]) -> Model_of:
    """For each set, models that have not seen it."""
    sets = {each.dataset for each in judged}
    models = {name: fitted([each for each in judged if each.dataset != name]) for name in sets}
    return lambda dataset, dense: models[dataset][0 if dense else 1]


def _fit(dev: Sequence[Judged], names: Sequence[str]) -> Model:
    """Logistic regression, weighted so that sets count the same (iteratively reweighted least squares)."""
    if not dev:
        return Model(-50.0, {})  # nothing to learn from: nothing is certain
    features = np.array([[float(getattr(each.evidence, name)) for name in names] for each in dev])
    right = np.array([each.right for each in dev], dtype=np.float64)
    sizes: dict[str, int] = {}
    for each in dev:
        sizes[each.dataset] = sizes.get(each.dataset, 0) + 1
    weights = np.array([len(dev) / len(sizes) / sizes[each.dataset] for each in dev])
    mean, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-9)
    found = _regression((features - mean) / deviation, right, weights)
    coefficients = found[1:] / deviation
    intercept = float(found[0] - coefficients @ mean)
    return Model(round(intercept, 3), {n: round(float(c), 3) for n, c in zip(names, coefficients, strict=True)})


def _regression(
    features: npt.NDArray[np.float64], right: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Intercept and coefficients, shape (1 + features,)."""
    rows = np.column_stack([np.ones(len(features)), features])
    ridge = np.diag([0.0] + [_RIDGE] * features.shape[1])
    found = np.zeros(rows.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(rows @ found, -50, 50)))
        slope = rows.T @ (weights * (right - chance)) - ridge @ found
        curve = (rows.T * (weights * np.maximum(chance * (1 - chance), 1e-9))) @ rows + ridge
        step = np.linalg.solve(curve, slope)
        found += step
        if np.abs(step).max() < 1e-9:
            break
    return found


def constants(both: Model, words: Model) -> str:
    """The models as `kb/solve/certainty.py` has them."""
    return f"BOTH = {_written(both)}\nWORDS = {_written(words)}"


def _written(model: Model) -> str:
    coefficients: Mapping[str, float] = model.coefficients
    inside = ", ".join(f'"{name}": {by}' for name, by in coefficients.items())
    return f"Model({model.intercept}, {{{inside}}})"
