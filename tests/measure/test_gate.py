"""The gate: floors that hold, and differences that are real."""

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kb.cli.app import app
from kb.errors import Invalid
from kb.measure import gate
from kb.measure.gate import Floor, differences, failures, read_floors, table, write_table

ROOT = Path(__file__).parents[2]
FLOORS = ROOT / "tests" / "relevance" / "floors.tsv"
SHARED = ROOT.parent / "shared" / "eval"


def result(name: str = "toy", lexical: float = 0.5, dense: float = 0.6, hybrid: float = 0.7, **queries: float) -> dict:
    def leg(value: float) -> dict:
        return {"ndcg@10": value, "p@1": value, "recall@100": 1.0, "queries": 3}

    legs = {"lexical": leg(lexical), "dense": leg(dense), "hybrid": leg(hybrid)}
    return {"dataset": name, "legs": legs, "per_query": queries}


def test_a_floor_that_does_not_hold_is_named_with_its_reason() -> None:
    floor = Floor("toy", "hybrid", 0.71, "2026-11-22", "measured")
    assert failures([result()], [floor]) == ["toy hybrid: 0.7000 is below 0.71 (2026-11-22, measured)"]
    assert failures([result(hybrid=0.71)], [floor]) == []
    assert failures([result("another")], [floor]) == []


def test_both_legs_together_are_no_worse_than_the_better_one() -> None:
    assert failures([result(dense=0.702)], []) == []
    assert failures([result(dense=0.704)], []) == ["toy: both legs together 0.7000, the better alone 0.7040"]


def test_a_difference_on_few_queries_is_chance_and_one_on_all_is_real() -> None:
    before = result(**{f"q{n}": 0.5 for n in range(60)})
    lucky = result(**{f"q{n}": 0.5 + (0.3 if n == 0 else 0.0) for n in range(60)})
    better = result(**{f"q{n}": 0.55 for n in range(60)}, new=0.0)
    assert differences([before], [lucky])["toy"].p > 0.1
    assert differences([before], [better])["toy"].p < 0.01
    assert differences([before], [better])["toy"].mean == pytest.approx(0.05)
    assert differences([], [better]) == {}


def test_the_table_takes_its_place_in_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("above\n<!-- results -->\nold\n<!-- /results -->\nbelow\n")
    write_table(page, [result()])
    assert page.read_text() == f"above\n<!-- results -->\n{table([result()])}\n<!-- /results -->\nbelow\n"
    page.write_text("nothing")
    with pytest.raises(Invalid, match="has no"):
        write_table(page, [result()])


@pytest.mark.parametrize("text", ["set\tleg\n", "set\tleg\tfloor\tsince\treason\na\thybrid\tmuch\t2026\twhy\n",
                                  "set\tleg\tfloor\tsince\treason\na\thybrid\t.5\t2026-01-01\t\n"])  # fmt: skip
def test_a_floor_without_figure_date_or_reason_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "floors.tsv"
    path.write_text(text)
    with pytest.raises(Invalid):
        read_floors(path)


def test_every_floor_has_a_date_and_the_page_has_its_table() -> None:
    floors = read_floors(FLOORS)
    assert floors
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", each.since) for each in floors)
    assert "<!-- results -->" in (ROOT / "docs" / "relevance.md").read_text()


@pytest.mark.slow
def test_search_in_content_is_as_good_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path))
    done = CliRunner().invoke(app, ["relevance", str(ROOT / "content"), "--floors", str(FLOORS)])
    assert done.exit_code == 0, done.output
    assert "| content |" in done.output


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the judged collections of other people are not at hand")
def test_search_in_a_small_chinese_collection_is_as_good_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path))
    command = ["relevance", str(SHARED / "drcd-dev"), "--limit", "300", "--floors", str(FLOORS)]
    done = CliRunner().invoke(app, [*command, "--save", str(tmp_path / "before.json")])
    assert done.exit_code == 0, done.output
    kept = json.loads((tmp_path / "before.json").read_text())
    assert len(kept[0]["per_query"]) == 300


def test_a_folder_without_collections_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no test collection"):
        gate.collections_in(tmp_path)
    shutil.copytree(ROOT / "content" / "articles" / "en", tmp_path / "x" / "articles" / "en")
    assert gate.collections_in(tmp_path / "x") == [tmp_path / "x"]
