"""`kb dictionary`: words that mean the same, as files and lists."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kb.cli.people import database
from kb.errors import Invalid
from kb.person import SYSTEM

app = typer.Typer(help="Synonyms and acronyms that searches go by.", no_args_is_help=True, rich_markup_mode=None)


@app.command("import")
def import_entries(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV: terms, means, audience, active, note. - for a pipe.")],
    dry_run: Annotated[bool, typer.Option(help="Only say what would be done.")] = False,
) -> None:
    """Add the entries of a CSV file, all or none; nothing is taken out. Running processes go by them in seconds."""
    from kb.solve.dictionary_files import read_csv

    try:
        text = (sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} cannot be read as UTF-8: {error}", "file") from error
    with database(context) as db:
        done = read_csv(db, SYSTEM, text, dry_run)
    told = f"{done.created} new, {done.changed} changed, {done.unchanged} there already"
    typer.echo(f"{told}; nothing has been written" if dry_run else told)


@app.command()
def export(context: typer.Context) -> None:
    """Write all entries to stdout, as CSV that can be imported again."""
    from kb.solve.dictionary_files import write_csv

    with database(context) as db:
        typer.echo(write_csv(db, SYSTEM), nl=False)


@app.command("list")
def list_entries(
    context: typer.Context,
    search: Annotated[str, typer.Option(help="Only entries with this in a term, a meaning or the note.")] = "",
) -> None:
    """List entries: terms, what they also ask for, audience, whether in use; the one changed last first."""
    from kb.dictionary import MOST_ENTRIES
    from kb.solve.dictionary import listing

    with database(context) as db:
        found = listing(db, SYSTEM, text=search, limit=4 * MOST_ENTRIES)
    for each in found.entries:
        meaning = each.meaning
        said = ", ".join(meaning.terms), ", ".join(meaning.means) or "(each other)"
        typer.echo("\t".join((*said, meaning.audience, "in use" if meaning.active else "off")))
    if not found.entries:
        typer.echo("no entries", err=True)
