"""The command line as a whole: options for every command, and the commands."""

from pathlib import Path
from typing import Annotated, Any

import typer

from kb import __version__
from kb.cli import (
    calibrating,
    demo,
    dictionary,
    doctor,
    hosts,
    indexing,
    judgements,
    keeping,
    measuring,
    people,
    relevance,
    serving,
)
from kb.cli.options import Options, setting
from kb.settings import explain

app = typer.Typer(
    name="kb",
    help="Knowledge management and agent-assist search for contact centres.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "KB"},
)
for module in (serving, demo, indexing, calibrating, keeping, doctor, measuring, relevance):
    module.register(app)
app.add_typer(people.app, name="person")
app.add_typer(hosts.app, name="host")
app.add_typer(dictionary.app, name="dictionary")
app.add_typer(judgements.app, name="judgements")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback(invoke_without_command=True)
def everything(
    context: typer.Context,
    data_dir: Annotated[Path | None, setting("data_dir")] = None,
    database_url: Annotated[str | None, setting("database_url")] = None,
    qdrant_url: Annotated[str | None, setting("qdrant_url")] = None,
    embedding_model: Annotated[str | None, setting("embedding_model")] = None,
    log_level: Annotated[str | None, setting("log_level")] = None,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Show every setting, where it comes from, and end.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Options that stand before the command hold for all of them; each is an environment variable as well."""
    options: dict[str, Any] = {
        "data_dir": data_dir,
        "database_url": database_url,
        "qdrant_url": qdrant_url,
        "embedding_model": embedding_model,
        "log_level": log_level,
    }
    context.obj = Options(options)
    if print_config:
        _print(context.obj)
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _print(options: Options) -> None:
    rows = [("setting", "value", "from", "variable")]
    rows += [
        (each.name, each.value or "-", each.source, each.variable)
        for each in explain(options.settings(), options.given)
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        typer.echo("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]))
    raise typer.Exit
