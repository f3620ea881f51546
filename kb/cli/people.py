"""`kb person`: who may do what, and their keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from kb.audience import Audience
from kb.cli.options import begin
from kb.errors import Invalid, NotFound
from kb.person import SYSTEM, Person, Role

if TYPE_CHECKING:
    from kb.store.database import Database

app = typer.Typer(help="People, their roles and their keys.", no_args_is_help=True, rich_markup_mode=None)

_Who = Annotated[str, typer.Argument(help="Name or id.", metavar="PERSON")]


@app.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What the person (or program) is called.")],
    tier: Annotated[Audience, typer.Option(help="The widest circle of what they may read.")] = Audience.PUBLIC,
    role: Annotated[list[Role] | None, typer.Option(help="What they may do; several times for several.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="A group they belong to; several times.")] = None,
) -> None:
    """Add a person and show their first key, which is never shown again."""
    from kb.solve import access

    with database(context) as db:
        person, secret = access.add_person(db, SYSTEM, name, tier, roles=role or (), groups=group or ())
    _show_key(person, secret)


@app.command("list")
def list_people(context: typer.Context) -> None:
    """List everybody: id, name, tier, roles, groups."""
    from kb.store import people

    with database(context) as db, db.read() as tx:
        found = people.everyone(tx)
    if not found:
        typer.echo("nobody yet; add somebody with: kb person add NAME --tier internal --role admin", err=True)
    for person in found:
        typer.echo("\t".join((person.id, person.name, *_facts(person))))


@app.command()
def key(
    context: typer.Context,
    person: _Who,
    label: Annotated[str, typer.Option(help="What the key is for.")] = "another key",
) -> None:
    """Show one more key for a person; it is never shown again."""
    from kb.solve import access

    with database(context) as db:
        holder = _find(db, person)
        secret = access.issue_key(db, SYSTEM, holder.id, label)
    _show_key(holder, secret)


@app.command()
def revoke(context: typer.Context, person: _Who) -> None:
    """Close every key of a person."""
    from kb.solve import access

    with database(context) as db:
        holder = _find(db, person)
        count = access.revoke_keys(db, SYSTEM, holder.id)
    typer.echo(f"{count} keys of {holder.name} are closed")


@contextmanager
def database(context: typer.Context) -> "Iterator[Database]":
    """The record, brought to the present schema."""
    from kb.store.database import Database
    from kb.store.migrate import migrate

    db = Database(begin(context).database)
    try:
        migrate(db)
        yield db
    finally:
        db.close()


def _find(db: "Database", name: str) -> Person:
    """The person with that id or, if only one has it, that name."""
    from kb.store import people

    with db.read() as tx:
        everyone = people.everyone(tx)
    found = [each for each in everyone if each.id == name] or [each for each in everyone if each.name == name]
    if not found:
        raise NotFound(f"there is nobody called {name!r}; `kb person list` shows everybody")
    if len(found) > 1:
        ids = ", ".join(each.id for each in found)
        raise Invalid(f"{len(found)} people are called {name!r}; name one by id: {ids}")
    return found[0]


def _facts(person: Person) -> tuple[str, str, str]:
    return person.tier.value, ",".join(sorted(person.roles)) or "-", ",".join(sorted(person.groups)) or "-"


def _show_key(person: Person, secret: str) -> None:
    """The key alone on stdout, so that a script can take it."""
    tier, roles, groups = _facts(person)
    typer.echo(f"{person.name} ({person.id}): tier {tier}, roles {roles}, groups {groups}", err=True)
    typer.echo("the key, shown only now:", err=True)
    typer.echo(secret)
