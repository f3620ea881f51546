"""`kb host`: foreign pages that sign tokens for their agents or customers."""

from pathlib import Path
from typing import Annotated

import typer

from kb.audience import Audience
from kb.cli.people import database, find
from kb.errors import Invalid
from kb.host import Algorithm
from kb.person import SYSTEM

app = typer.Typer(
    help="Foreign pages that sign in their own agents or customers.", no_args_is_help=True, rich_markup_mode=None
)

_Name = Annotated[str, typer.Argument(help="What the host's tokens say as iss.", metavar="NAME")]


@app.command()
def add(
    context: typer.Context,
    name: _Name,
    tier: Annotated[Audience, typer.Option(help="The most it may vouch for; internal: people linked to ours.")],
    origin: Annotated[list[str] | None, typer.Option(help="Address of its pages, https://...; several times.")] = None,
    algorithm: Annotated[Algorithm, typer.Option(help="How it signs.")] = Algorithm.EDDSA,
    public_key: Annotated[Path | None, typer.Option(help="Its public key in PEM (EdDSA, RS256).")] = None,
) -> None:
    """Add a host. With HS256 its secret is shown, once."""
    from kb.solve import hosts

    try:
        pem = public_key.read_text() if public_key else ""
    except (OSError, ValueError) as error:
        raise Invalid(f"the public key cannot be read: {error}", "public_key") from error
    with database(context) as db:
        host, secret = hosts.add_host(db, SYSTEM, name, tier, algorithm=algorithm, public_key=pem, origins=origin or ())
    typer.echo(f"{host.name} may vouch for {host.tier} readers, signed with {host.algorithm}", err=True)
    if secret:
        typer.echo("the secret, shown only now:", err=True)
        typer.echo(secret)


@app.command("list")
def list_hosts(context: typer.Context) -> None:
    """List all hosts: name, tier, algorithm, origins, since when."""
    from kb.store import hosts

    with database(context) as db, db.read() as tx:
        found = hosts.every(tx)
    if not found:
        typer.echo("none yet; add one with: kb host add NAME --tier customer --public-key FILE", err=True)
    for each in found:
        state = f"revoked {each.revoked_at:%Y-%m-%d}" if each.revoked_at else f"since {each.created_at:%Y-%m-%d}"
        origins = ",".join(sorted(each.origins)) or "-"
        typer.echo("\t".join((each.name, each.tier, each.algorithm, origins, state)))


@app.command()
def revoke(context: typer.Context, name: _Name) -> None:
    """Believe nothing that a host signs any more."""
    from kb.solve import hosts

    with database(context) as db:
        hosts.revoke_host(db, SYSTEM, name)
    typer.echo(f"{name} is believed no more")


@app.command()
def link(
    context: typer.Context,
    name: _Name,
    subject: Annotated[str, typer.Argument(help="What the host calls the person (sub).")],
    person: Annotated[str, typer.Argument(help="Who that is here: name or id.")],
) -> None:
    """Say which of our people a subject of a host for staff is."""
    from kb.solve import hosts

    with database(context) as db:
        holder = find(db, person)
        hosts.link(db, SYSTEM, name, subject, holder.id)
    typer.echo(f"{subject} of {name} is {holder.name}")
