"""`kb calibrate`: learns how much titles and legs count in this collection."""

import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kb.cli.options import begin
from kb.cli.people import database

if TYPE_CHECKING:
    from kb.settings import Settings
    from kb.solve.calibrating import Calibration
    from kb.store.database import Database

_GENTLY = 10  # niceness of one that nobody waits for


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(calibrate)


def calibrate(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be chosen.")] = False,
    if_due: Annotated[
        bool, typer.Option("--if-due", help="Only if the index was not calibrated yet; at low priority.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Learn how much titles and each leg count here, from questions with known answers; needs no labels.

    A choice that does not win on questions held back is not taken. Running processes go by it within seconds, or,
    where titles count differently, once the new index is built.
    """
    settings = begin(context)
    with database(context) as db:
        if if_due:
            from kb.solve.calibrating import due

            os.nice(_GENTLY)
            with db.read() as tx:
                if not due(tx):
                    return
        found = _found(settings, db)
        asked = False if dry_run else _publish(db, found)
    if as_json:
        typer.echo(json.dumps({"source": found.source, "choices": [asdict(each) for each in found.choices]}))
        return
    for each in found.choices:
        taken = "taken" if each.taken else "not taken"
        typer.echo(
            f"{each.what}: {each.chosen}, {taken} (held back: {each.before:.4f} -> {each.after:.4f}, p {each.p:.2f}, "
            f"{each.questions} questions)"
        )
    typer.echo("nothing has been changed" if dry_run else "a new index is being built" if asked else "in force now")


def _found(settings: "Settings", db: "Database") -> "Calibration":
    from kb.bootstrap import wanted_encoder
    from kb.search.loading import load_encoder
    from kb.solve import calibrating

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    # Beside the index, not in /tmp, which may be memory.
    with tempfile.TemporaryDirectory(prefix="calibration-", dir=settings.data_dir) as folder:
        encoder = load_encoder(wanted_encoder(settings))
        return calibrating.calibrate(db, encoder, Path(folder), lambda what: typer.echo(what, err=True))


def _publish(db: "Database", found: "Calibration") -> bool:
    from kb.solve import calibrating

    return calibrating.publish(db, found)
