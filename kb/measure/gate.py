"""The gate: every collection measured, compared with the floors, and the table in docs/relevance.md.

Each collection is measured in a process of its own, so that none of them profits from what another left in memory.
Floors stand in one file: set, leg, least nDCG@10, since when, and why; lowering one is a decision that shows.
"""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.errors import Invalid, KbError
from kb.measure.progress import Progress
from kb.settings import Settings
from kb.solve.significance import Difference, paired_bootstrap

BELOW_LEG = 0.003
"""How far both legs together may fall behind the better one."""

FIELDS = ("set", "leg", "floor", "since", "reason")
_TABLE = re.compile(r"(<!-- results -->\n).*?(<!-- /results -->)", re.DOTALL)

Result = Mapping[str, Any]
"""What `kb eval --json --per-query` says of a collection."""


@dataclass(frozen=True, slots=True)
class Floor:
    """What a leg of a collection must reach, since when and why."""

    dataset: str
    leg: str
    least: float
    since: str
    reason: str


def read_floors(path: Path) -> list[Floor]:
    """The floors in that file (tab-separated, with a header); raises Invalid with the line of a bad one."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}", "floors") from error
    rows = csv.DictReader(lines, delimiter="\t")
    if tuple(rows.fieldnames or ()) != FIELDS:
        raise Invalid(f"{path}: the first line has to be {' '.join(FIELDS)}, with tabs between", "floors")
    found = []
    for row in rows:
        try:
            if not row["since"] or not row["reason"]:
                raise ValueError("a floor needs a date and a reason")
            found.append(Floor(row["set"], row["leg"], float(row["floor"]), row["since"], row["reason"]))
        except (TypeError, ValueError) as error:
            raise Invalid(f"{path}:{rows.line_num}: {error}", "floors", line=rows.line_num) from error
    return found


def collections_in(folder: Path) -> list[Path]:
    """The collections in a folder, or the folder itself where it is one; raises Invalid where there is none."""
    if (folder / "corpus.jsonl").is_file() or (folder / "articles").is_dir():
        return [folder]
    found = sorted(each.parent for each in folder.glob("*/corpus.jsonl"))
    if not found:
        raise Invalid(f"there is no test collection in {folder}", "folder")
    return found


def measure_all(
    settings: Settings, folders: Sequence[Path], progress: Progress, calibrated: bool = False, limit: int | None = None
) -> Iterator[Result]:
    """The result of each collection, in a process each; raises KbError where one cannot be measured."""
    for number, folder in enumerate(folders):
        progress.begin(f"{folder.name} ({number + 1} of {len(folders)})")
        command = [sys.executable, "-m", "kb", "eval", str(folder), "--json", "--per-query"]
        command += ["--calibrate"] if calibrated else []
        command += ["--limit", str(limit)] if limit else []
        own = {"KB_DATA_DIR": str(settings.data_dir), "KB_EMBEDDING_MODEL": settings.embedding_model}
        done = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, check=False)
        if done.returncode:
            raise KbError(f"{folder} could not be measured:\n{done.stderr.strip()}")
        yield json.loads(done.stdout.splitlines()[-1])


def failures(results: Sequence[Result], floors: Sequence[Floor]) -> list[str]:
    """What does not hold: a floor, or that both legs together are no worse than the better of them."""
    found = []
    by_name = {each["dataset"]: each["legs"] for each in results}
    for floor in floors:
        legs = by_name.get(floor.dataset)
        if legs is not None and legs[floor.leg]["ndcg@10"] < floor.least:
            got = legs[floor.leg]["ndcg@10"]
            found.append(
                f"{floor.dataset} {floor.leg}: {got:.4f} is below {floor.least} ({floor.since}, {floor.reason})"
            )
    for name, legs in by_name.items():
        better = max(legs[leg]["ndcg@10"] for leg in ("lexical", "dense"))
        if legs["hybrid"]["ndcg@10"] < better - BELOW_LEG:
            found.append(f"{name}: both legs together {legs['hybrid']['ndcg@10']:.4f}, the better alone {better:.4f}")
    return found


def differences(before: Sequence[Result], after: Sequence[Result]) -> dict[str, Difference]:
    """By collection, how far the rankings of two runs are apart, over the queries that both have."""
    earlier = {each["dataset"]: each["per_query"] for each in before if each.get("per_query")}
    found = {}
    for each in after:
        old, new = earlier.get(each["dataset"], {}), each.get("per_query", {})
        both = [query for query in new if query in old]
        if both:
            found[each["dataset"]] = paired_bootstrap([old[q] for q in both], [new[q] for q in both])
    return found


def table(results: Sequence[Result]) -> str:
    """The table of docs/relevance.md, as Markdown."""
    rows = ["| set | queries | lexical | dense | hybrid | P@1 | R@100 |", "|---|---|---|---|---|---|---|"]
    for each in results:
        legs = each["legs"]
        hybrid = legs["hybrid"]
        figures = [f"{legs[leg]['ndcg@10']:.3f}" for leg in ("lexical", "dense")]
        shown = [*figures, f"**{hybrid['ndcg@10']:.3f}**", f"{hybrid['p@1']:.3f}", f"{hybrid['recall@100']:.3f}"]
        rows.append(f"| {each['dataset']} | {hybrid['queries']:,} | {' | '.join(shown)} |")
    return "\n".join(rows)


def write_table(path: Path, results: Sequence[Result]) -> None:
    """Put the table where the page has it; raises Invalid for a page that has no place for it."""
    page = path.read_text(encoding="utf-8")
    if not _TABLE.search(page):
        raise Invalid(f"{path} has no <!-- results --> ... <!-- /results -->", "write")
    path.write_text(_TABLE.sub(lambda match: f"{match[1]}{table(results)}\n{match[2]}", page), encoding="utf-8")
