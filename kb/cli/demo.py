"""`kb demo`: serve with ready-made keys, and show that it works. `make demo` calls it after reading content/."""

import json
import os
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kb.audience import Audience
from kb.cli import serving
from kb.cli.options import begin, setting
from kb.errors import NotSignedIn
from kb.person import EVERYTHING, SYSTEM, Role

if TYPE_CHECKING:
    from kb.bootstrap import Service
    from kb.store.database import Database

QUESTION = "my internet box has gone red"

PEOPLE: dict[str, tuple[Audience, tuple[Role, ...], tuple[str, ...]]] = {
    "customer": (Audience.CUSTOMER, (), ()),
    "partner": (Audience.PARTNER, (), ("partner-northlink",)),
    **{role.value: (Audience.INTERNAL, (role,), ("fraud",) if role is Role.ADMIN else ()) for role in Role},
}
"""One ready-made person for each role, and for those who read without one."""

_PATIENCE_S = 60.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    context: typer.Context,
    host: Annotated[str | None, setting("host")] = None,
    port: Annotated[int | None, setting("port")] = None,
) -> None:
    """Serve like `kb serve`, with a ready-made key per role, and answer one query. Not for production."""
    settings = begin(context, host=host, port=port)
    serving.run(settings, lambda service, url: _welcome(service, url, settings.data_dir / "demo-keys.json"))


def keys_of(db: "Database", path: Path) -> dict[str, str]:
    """The demo people's keys, made the first time and kept in a file that only its owner may read."""
    from kb.solve import access

    try:
        kept: dict[str, str] = json.loads(path.read_text())
        for secret in kept.values():
            access.person_for(db, secret)
        if kept.keys() == PEOPLE.keys():
            return kept
    except (OSError, ValueError, NotSignedIn):
        pass  # the first run, or another database
    made = {
        name: access.add_person(db, SYSTEM, f"Demo {name}", tier, roles=roles, groups=groups, scopes=EVERYTHING)[1]
        for name, (tier, roles, groups) in PEOPLE.items()
    }
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(made, file, indent=1)
    return made


def _welcome(service: "Service", url: str, path: Path) -> None:
    keys = keys_of(service.db, path)
    lines = [
        "",
        f"  Search page   {url}/",
        f"  API           {url}/api/v1 (described in {url}/api/v1/openapi.json)",
        "",
        "  Keys, one for each role (on the page: Sign in, Use an API key; to the API: Authorization: Bearer KEY)",
        *(f"    {name:<12} {secret}" for name, secret in keys.items()),
        "",
        *_answer(service),
        "",
    ]
    typer.echo("\n".join(lines))


def _answer(service: "Service") -> list[str]:
    """One real search as the public sees it, once the index answers."""
    from kb.person import ANONYMOUS
    from kb.query import Query
    from kb.text.markdown import plain

    service.live.wait(_PATIENCE_S)
    answer = service.finder.search(ANONYMOUS, Query(QUESTION))
    if not answer.hits:
        return [f"  {QUESTION!r} finds nothing yet: has content/ been read?"]
    hit = answer.hits[0]
    text = textwrap.shorten(" ".join(plain(hit.passage.text).split()), 220, placeholder=" ...")
    return [
        f"  Asked by the public: {QUESTION!r}, answered in {answer.took_ms['total']:.0f} ms",
        f"    {answer.standings[hit.item].title}",
        *textwrap.wrap(text, 96, initial_indent="    ", subsequent_indent="    "),
    ]
