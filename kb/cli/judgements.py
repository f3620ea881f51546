"""`kb judgements`: sets of judged queries from the workbench, brought in and taken out."""

from pathlib import Path
from typing import Annotated

import typer

from kb.cli.people import database
from kb.errors import Invalid

app = typer.Typer(
    help="Sets of judged queries: `kb eval --set` measures with them.", no_args_is_help=True, rich_markup_mode=None
)

_Name = Annotated[str, typer.Argument(help="The set.", metavar="NAME")]


@app.command("list")
def list_sets(context: typer.Context) -> None:
    """List all sets: name, queries, judgements."""
    from kb.measure.judged import operator
    from kb.solve import judging

    with database(context) as db:
        with db.read() as tx:
            by = operator(tx)
        for each in judging.listing(db, by):
            typer.echo(f"{each.set.name}\t{each.queries}\t{each.judgements}")


@app.command("import")
def import_set(
    context: typer.Context,
    name: _Name,
    table: Annotated[
        Path, typer.Argument(help="Lines of query, article number or post/id, grade 0-3[, audience], with tabs.")
    ],
) -> None:
    """Read a table into a set, new or there already: all of it or, if a line is wrong, nothing."""
    from kb.measure.judged import operator
    from kb.solve import judging

    try:
        text = table.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise Invalid(f"{table} cannot be read: {error}") from error
    with database(context) as db:
        with db.read() as tx:
            by = operator(tx)
        made, count = judging.load(db, by, name, text)
    typer.echo(f"{made.name}: {count} judgements")


@app.command("export")
def export_set(
    context: typer.Context,
    name: _Name,
    folder: Annotated[Path, typer.Argument(help="A new folder, in BEIR's layout. It holds internal text.")],
) -> None:
    """Write a set, and everything that is shown to anybody, as a folder that `kb eval` and other programs read."""
    from kb.measure import judged

    with database(context) as db:
        count = judged.export_set(db, name, folder)
    typer.echo(f"{folder}: {count} queries")
