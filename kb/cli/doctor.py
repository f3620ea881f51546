"""`kb doctor`: looks at everything kb depends on, and says what is wrong and what to do."""

import json
from typing import Annotated

import typer

from kb.cli.options import begin

_SIGNS = {"ok": "ok  ", "warning": "WARN", "problem": "FAIL"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    drift: Annotated[
        bool, typer.Option("--drift", help="Also compare every passage of the index with the database (minutes).")
    ] = False,
) -> None:
    """Check every dependency and say what to do. Exit code 1 when something is broken."""
    from kb.cli.checks import every_check

    settings = begin(context)
    found = []
    for check in every_check(settings, drift):
        found.append(check)
        if not as_json:
            typer.echo(f"{_SIGNS[check.state]}  {check.name}: {check.found}")
            if check.advice:
                typer.echo(f"      -> {check.advice}")
    broken = sum(check.state == "problem" for check in found)
    if as_json:
        checks = [{"name": c.name, "state": c.state, "found": c.found, "advice": c.advice} for c in found]
        typer.echo(json.dumps({"ok": not broken, "checks": checks}, ensure_ascii=False))
    else:
        typer.echo(f"{broken} of {len(found)} checks failed" if broken else "all is well")
    if broken:
        raise typer.Exit(1)
