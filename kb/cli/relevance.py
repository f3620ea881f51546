"""`kb relevance`: is search as good as it was?"""

import json
from pathlib import Path
from typing import Annotated

import typer

from kb.cli.options import begin


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(relevance)


def relevance(
    context: typer.Context,
    folders: Annotated[list[Path], typer.Argument(help="Test collections, or folders of them.")],
    floors: Annotated[Path | None, typer.Option(help="Fail where nDCG@10 is below what stands in this file.")] = None,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="Calibrate each one first.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many queries of each.")] = None,
    save: Annotated[Path | None, typer.Option(help="Keep the results, query by query, in this file.")] = None,
    against: Annotated[
        Path | None, typer.Option(help="Compare with results kept before: is the difference real?")
    ] = None,
    write: Annotated[Path | None, typer.Option(help="Put the table into this page.")] = None,
) -> None:
    """Measure collections one after the other. Exit code 1 where a floor does not hold."""
    from kb.measure import gate
    from kb.measure.progress import Progress

    settings, progress = begin(context), Progress()
    least = gate.read_floors(floors) if floors else []
    earlier = json.loads(against.read_text(encoding="utf-8")) if against else []
    found = [each for folder in folders for each in gate.collections_in(folder)]
    results = list(gate.measure_all(settings, found, progress, calibrate, limit))
    progress.end()
    typer.echo(gate.table(results))
    if save:
        save.write_text(json.dumps(results), encoding="utf-8")
    if write:
        gate.write_table(write, results)
    for name, each in gate.differences(earlier, results).items():
        real = "real" if each.p < 0.05 else "may be chance"
        typer.echo(f"{name}: {each.mean:+.4f} [{each.low:+.4f}, {each.high:+.4f}], p {each.p:.3f}: {real}")
    wrong = gate.failures(results, least)
    for line in wrong:
        typer.echo(f"below: {line}", err=True)
    if wrong:
        raise typer.Exit(1)
