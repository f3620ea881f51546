import json
from pathlib import Path

import numpy as np
import pytest

from kb.measure.answers import Judged, constants, fitted, left_out, measure, report
from kb.search.loading import BackgroundEncoder
from kb.settings import Settings
from kb.solve import certainty
from kb.solve.certainty import Evidence, Model
from tests.toys import ToyEncoder


def some(dataset: str, split: str, dense: bool, many: int = 300, seed: int = 0) -> list[Judged]:
    """Queries whose first hit is right the likelier, the further it is ahead."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(many):
        near, ahead, above, covers_more = random.random(4).tolist()
        right = random.random() < 1 / (1 + np.exp(-8 * (ahead + covers_more + above - 1.5)))
        evidence = Evidence(dense, near, ahead, above, covers_more, asked=1.5, said=4.0)
        found.append(Judged(dataset, split, evidence, bool(right)))
    return found


JUDGED = [
    *some("easy", "dev", True),
    *some("easy", "test", True, seed=1),
    *some("hard", "dev", False, many=100, seed=2),
    *some("hard", "dev", True, many=50, seed=3),
    *some("easy", "dev", False, seed=4),
]


def test_what_is_fitted_tells_right_from_wrong() -> None:
    for model, dense in zip(fitted(JUDGED), (True, False), strict=True):
        chances = [(model.probability(each.evidence), each.right) for each in some("new", "test", dense, seed=9)]
        right, wrong = ([chance for chance, truth in chances if truth is wanted] for wanted in (True, False))
        assert np.mean(right) > np.mean(wrong) + 0.15


def test_constants_are_written_as_the_module_has_them() -> None:
    both, words = fitted(JUDGED)
    names: dict[str, object] = {}
    exec(constants(both, words), {"Model": Model}, names)
    assert (names["BOTH"], names["WORDS"]) == (both, words)
    assert tuple(both.coefficients) == certainty.BOTH_FEATURES


def test_the_report_counts_certain_answers_and_wrong_ones() -> None:
    sure, unsure = Model(9.0, {}), Model(-9.0, {})
    rows = report(JUDGED, lambda dataset, _: sure if dataset == "easy" else unsure)
    test, dev = rows["both"]["test"], rows["both"]["dev"]
    wrong = sum(not each.right for each in some("easy", "test", True, seed=1))
    assert test["easy"]["certain"] == test["easy"]["queries"] == 300
    assert test["easy"]["wrong"] == wrong
    assert test["easy"]["wrong/certain"] == pytest.approx(wrong / 300, abs=1e-4)
    assert (dev["hard"]["certain"], dev["hard"]["wrong/certain"], dev["all"]["queries"]) == (0, 0.0, 350)


def test_a_set_that_is_left_out_is_judged_by_what_the_others_teach() -> None:
    models = left_out(JUDGED)
    easy, _ = fitted([each for each in JUDGED if each.dataset == "easy"])
    assert models("hard", True) == easy != models("easy", True)


def test_collections_below_a_folder_are_measured_over_the_production_path(tmp_path: Path) -> None:
    for name, noun in (("one", "hub"), ("two", "phone")):
        folder = tmp_path / "sets" / name
        folder.mkdir(parents=True)
        texts = {f"d{n}": f"The {noun} number {n} has a button{n}." for n in range(4)}
        lines = [{"_id": id, "title": "", "text": text, "lang": "en"} for id, text in texts.items()]
        (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, lines)))
        queries = [{"_id": f"q{n}", "text": f"button{n} of the {noun}"} for n in range(4)]
        (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
        rows = [f"q{n}\td{n}\t1" for n in range(4)]
        (folder / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *rows]))
        (folder / "queries_noanswer.jsonl").write_text(json.dumps({"_id": "n", "text": "banana"}))
    toy = ToyEncoder(languages={"en"})
    encoder = BackgroundEncoder(lambda: toy, toy.identity)
    found = measure(Settings(data_dir=tmp_path / "data"), tmp_path / "sets", encoder=encoder).as_json()
    both = found["serving"]["both"]
    assert sum(both[split]["all"]["queries"] for split in ("dev", "test")) == 8
    assert both["no answer"]["all"]["queries"] == 2
    assert found["constants"].startswith("BOTH = Model(")
