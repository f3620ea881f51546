"""`kb person`: who may do what, and their keys."""

import getpass
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from kb import clock
from kb.audience import Audience
from kb.cli.options import begin
from kb.errors import Invalid, NotFound
from kb.person import EVERYDAY, SYSTEM, ApiKey, Person, Role, Scope

if TYPE_CHECKING:
    from kb.store.database import Database

app = typer.Typer(help="People, their roles, keys and passwords.", no_args_is_help=True, rich_markup_mode=None)

_Scopes = Annotated[
    list[Scope] | None, typer.Option(help="What the key opens; several times. Without: read, interact and write.")
]
_Expires = Annotated[str, typer.Option(help="When the key ends: 90d, 12h or 2030-12-31. Without: never.")]
_Who = Annotated[str, typer.Argument(help="Name or id.", metavar="PERSON")]


@app.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What the person (or program) is called.")],
    tier: Annotated[Audience, typer.Option(help="The widest circle of what they may read.")] = Audience.PUBLIC,
    role: Annotated[list[Role] | None, typer.Option(help="What they may do; several times for several.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="A group they belong to; several times.")] = None,
    scope: _Scopes = None,
    expires: _Expires = "",
) -> None:
    """Add a person and show their first key, which is never shown again."""
    from kb.solve import access

    until, opened = _until(expires), _scopes(scope)
    with database(context) as db:
        person, secret = access.add_person(
            db, SYSTEM, name, tier, roles=role or (), groups=group or (), expires_at=until, scopes=opened
        )
    _show_key(person, secret, opened)


@app.command("list")
def list_people(context: typer.Context) -> None:
    """List everybody: id, name, tier, roles, groups, login; below each their keys: id, label, scopes, until when."""
    from kb.store import logins, people

    with database(context) as db, db.read() as tx:
        found, keys, known = people.everyone(tx), people.keys(tx), logins.logins(tx)
    if not found:
        typer.echo("nobody yet; add somebody with: kb person add NAME --tier internal --role admin", err=True)
    for person in found:
        state = ["disabled"] if person.disabled else []
        typer.echo("\t".join((person.id, person.name, *_facts(person), known.get(person.id, "-"), *state)))
        for each in keys:
            if each.person_id == person.id:
                typer.echo("\t".join(("", each.id, each.label, ",".join(sorted(each.scopes)), _validity(each))))


@app.command()
def key(
    context: typer.Context,
    person: _Who,
    label: Annotated[str, typer.Option(help="What the key is for.")] = "another key",
    scope: _Scopes = None,
    expires: _Expires = "",
) -> None:
    """Show one more key for a person; it is never shown again."""
    from kb.solve import access

    until, opened = _until(expires), _scopes(scope)
    with database(context) as db:
        holder = find(db, person)
        secret = access.issue_key(db, SYSTEM, holder.id, label, until, opened)
    _show_key(holder, secret, opened)


@app.command()
def revoke(
    context: typer.Context,
    person: Annotated[str, typer.Argument(help="Name or id: closes every key.", metavar="PERSON")] = "",
    key: Annotated[str, typer.Option(help="Close only the key with this id, as `kb person list` shows it.")] = "",
) -> None:
    """Close keys, and end the sessions of whoever had them."""
    from kb.solve import access

    if bool(person) == bool(key):
        raise Invalid("name a person, or a key with --key ID")
    with database(context) as db:
        if key:
            access.revoke_key(db, SYSTEM, key)
            return typer.echo("the key is closed")
        holder = find(db, person)
        count = access.revoke_keys(db, SYSTEM, holder.id)
    return typer.echo(f"{count} keys of {holder.name} are closed")


@app.command()
def password(
    context: typer.Context,
    person: _Who,
    login: Annotated[str, typer.Option(help="What they type as their login; kept if they have one.")] = "",
) -> None:
    """Set a person's login and password, asked for here or read from a pipe, and end their sessions."""
    from kb.solve import passwords
    from kb.store import logins

    with database(context) as db:
        holder = find(db, person)
        with db.read() as tx:
            login = login or logins.login_of(tx, holder.id) or ""
        if not login:
            raise Invalid(f"{holder.name} has no login yet: say which with --login", "login")
        login = passwords.set_password(db, SYSTEM, holder.id, login, _read_password())
    typer.echo(f"{holder.name} signs in as {login}", err=True)


@app.command()
def disable(
    context: typer.Context,
    person: _Who,
    undo: Annotated[bool, typer.Option("--undo", help="Let them in again.")] = False,
) -> None:
    """Let a person in no more: keys, password, sessions and tokens all stop at once."""
    from kb.solve import access

    with database(context) as db:
        holder = access.disable(db, SYSTEM, find(db, person).id, not undo)
    typer.echo(f"{holder.name} is let in {'again' if undo else 'no more'}")


@app.command("sign-out")
def sign_out(context: typer.Context, person: _Who) -> None:
    """End every session of a person, in all browsers; their keys and password stay good."""
    from kb.solve.signing_in import SignIn

    with database(context) as db:
        holder = find(db, person)
        count = SignIn(db).leave_everywhere(SYSTEM, holder.id)
    typer.echo(f"{count} sessions of {holder.name} have ended")


@app.command()
def unlock(context: typer.Context, login: Annotated[str, typer.Argument(help="The login that has to wait.")]) -> None:
    """Forget the failed attempts for a login."""
    from kb.solve.signing_in import SignIn

    with database(context) as db:
        SignIn(db).unlock(SYSTEM, login)
    typer.echo(f"{login} need not wait any more")


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


def find(db: "Database", name: str) -> Person:
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


def _scopes(named: Iterable[Scope] | None) -> frozenset[Scope]:
    return frozenset(named or ()) or EVERYDAY


def _until(given: str) -> datetime | None:
    """When 90d, 12h or 2026-12-31 ends."""
    if not given:
        return None
    units = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
    with suppress(ValueError, OverflowError):
        if given[-1] in units:
            until = clock.now() + int(given[:-1]) * units[given[-1]]
        else:
            until = datetime.fromisoformat(given).astimezone(UTC)
        if until > clock.now():
            return until
    raise Invalid(f"{given} is no time to come: say 90d, 12h or 2030-12-31", "expires")


def _validity(each: ApiKey) -> str:
    if each.revoked_at is not None:
        return f"revoked {each.revoked_at:%Y-%m-%d}"
    return f"until {each.expires_at:%Y-%m-%d %H:%M} UTC" if each.expires_at else "no end"


def _read_password() -> str:
    """From the keyboard without showing it, or the first line of a pipe."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise Invalid("the two are not the same; nothing has been changed", "password")
    return first


def _show_key(person: Person, secret: str, scopes: Iterable[Scope]) -> None:
    """The key alone on stdout, so that a script can take it."""
    tier, roles, groups = _facts(person)
    typer.echo(f"{person.name} ({person.id}): tier {tier}, roles {roles}, groups {groups}", err=True)
    typer.echo(f"the key opens: {', '.join(sorted(scopes))}", err=True)
    typer.echo("the key, shown only now:", err=True)
    typer.echo(secret)
