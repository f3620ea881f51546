"""`kb eval` and `kb bench`."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kb.cli.options import begin
from kb.errors import Invalid

if TYPE_CHECKING:
    from kb.measure.evaluation import Evaluation

_AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]


class Split(StrEnum):
    """Parts of the queries, by the first hex digit of sha1(_id): 0-7 dev, 8-f test."""

    DEV = "dev"
    TEST = "test"


class Gain(StrEnum):
    """What a grade g is worth in nDCG: g, or 2^g - 1."""

    LINEAR = "linear"
    EXP = "exp"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("eval")(evaluate)
    app.command()(bench)


def evaluate(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(help="A test collection: BEIR's layout, or that of content/.")
    ] = None,
    as_json: _AsJson = False,
    judged_set: Annotated[
        str | None,
        typer.Option("--set", help="Instead of a folder: a set from the workbench, over a copy of the record."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many queries, always the same sample.")] = None,
    split: Annotated[Split | None, typer.Option(help="Only the queries of this part.")] = None,
    gain: Annotated[Gain, typer.Option(help="What a grade is worth in nDCG: g, or 2^g - 1.")] = Gain.LINEAR,
    calibrated: Annotated[
        bool, typer.Option("--calibrate", help="Calibrate first, on made-up questions; no label is looked at.")
    ] = False,
    per_query: Annotated[bool, typer.Option("--per-query", help="With --json: also nDCG@10 of each query.")] = False,
    noise: Annotated[
        bool, typer.Option("--noise", help="Instead: what one slip in each query costs, and correcting wins back.")
    ] = False,
    answers: Annotated[
        bool,
        typer.Option(
            "--answers",
            help="Instead: how often we are certain of an answer, and wrong, over all collections in the folder; "
            "and what a model fitted on their dev queries would do.",
        ),
    ] = False,
    scripts: Annotated[
        bool, typer.Option("--scripts", help="Instead: how often both scripts of Chinese have the same best answer.")
    ] = False,
) -> None:
    """Measure how well search finds, on judged queries, over the production path in a temporary index."""
    if judged_set is not None:
        from kb.measure.judged import evaluate_set

        if folder is not None or answers or noise or scripts:
            raise Invalid("--set takes no folder, and neither --noise nor --scripts nor --answers", "set")
        found = evaluate_set(begin(context), judged_set, limit=limit, split=split, gain=gain.value)
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False) if as_json else _table_of(found))
        return
    if folder is None:
        raise Invalid("name the folder of a test collection, or a set from the workbench with --set", "folder")
    if answers:
        from kb.measure.answers import measure as measure_answers

        certain = measure_answers(begin(context), folder, limit)
        typer.echo(json.dumps(certain.as_json()) if as_json else certain.as_text())
        return
    if noise or scripts:
        from kb.measure.noise import measure_noise, measure_scripts

        slips = (measure_noise if noise else measure_scripts)(begin(context), folder, limit, split)
        typer.echo(json.dumps(slips.as_json()) if as_json else "\n".join(_lines(slips.as_json())))
        return
    from kb.measure.evaluation import evaluate as measure

    settings = begin(context)
    found = measure(settings, folder, limit=limit, split=split, gain=gain.value, calibrated=calibrated)
    typer.echo(json.dumps(found.as_json(per_query), ensure_ascii=False) if as_json else _table_of(found))


def bench(
    context: typer.Context,
    passages: Annotated[int, typer.Option(min=1, help="How many passages to search in.")] = 10_000,
    as_json: _AsJson = False,
    freshness: Annotated[
        bool, typer.Option("--freshness", help="Instead: how soon a publish is found while 20,000 posts come in.")
    ] = False,
    flood: Annotated[
        bool, typer.Option("--flood", help="Instead: what others notice while one key asks ten times too fast.")
    ] = False,
    minutes: Annotated[float, typer.Option(min=0.05, help="How long to flood.")] = 1 / 3,
    restore: Annotated[
        bool, typer.Option("--restore", help="Instead: backup and restore of so many articles, and the same answers.")
    ] = False,
    articles: Annotated[int, typer.Option(min=1, help="How many articles to restore.")] = 20_000,
    queue: Annotated[
        bool, typer.Option("--queue", help="Instead: the editors' queue with 20,000 cases and 50,000 articles.")
    ] = False,
    encoder: Annotated[
        bool, typer.Option("--encoder", help="Instead: the encoder by PyTorch, ONNX Runtime and with 8-bit queries.")
    ] = False,
) -> None:
    """Measure how fast search is, over synthetic passages in a temporary index of the embedded engine."""
    if freshness:
        from kb.measure.freshness import measure as measure_freshness

        typer.echo(json.dumps(measure_freshness(begin(context)).as_json()))
        return
    if flood:
        from kb.measure.flood import measure as measure_flood
        from kb.measure.progress import Progress

        found = measure_flood(begin(context), minutes * 60, Progress())
    elif encoder:
        from kb.measure.encoding import compare

        found = compare(begin(context))
    elif queue:
        from kb.measure.progress import Progress
        from kb.measure.queue import bench as measure_queue

        begin(context)
        found = measure_queue(20_000, 50_000, 40, Progress())
    elif restore:
        from kb.measure.progress import Progress
        from kb.measure.restoring import measure as measure_restore

        found = measure_restore(begin(context), articles, Progress())
    else:
        from kb.measure.speed import bench as measure

        found = measure(begin(context), passages)
    typer.echo(json.dumps(found) if as_json else "\n".join(_lines(found)))


def _table_of(found: "Evaluation") -> str:
    legs: Mapping[str, Mapping[str, float]] = found.as_json()["legs"]
    names = list(next(iter(legs.values())))
    rows = [["", *names], *([leg, *(_number(values[name]) for name in names)] for leg, values in legs.items())]
    title = f"{found.dataset}: {found.documents:,} documents, encoder {found.encoder}"
    return "\n".join([title, *_aligned(rows)])


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}".rstrip("0") if value < 10 else f"{value:.1f}"


def _lines(found: Mapping[str, Any], above: str = "") -> list[str]:
    """A nested result as "name value" lines."""
    lines = []
    for name, value in found.items():
        path = f"{above}{name}"
        lines += _lines(value, f"{path} ") if isinstance(value, Mapping) else [f"{path:<40} {value}"]
    return lines
