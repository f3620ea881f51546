"""`kb migrate` and `kb reindex`."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from kb.cli.options import begin
from kb.cli.people import database
from kb.errors import IndexUnavailable, KbError

if TYPE_CHECKING:
    from kb.bootstrap import Service
    from kb.measure.progress import Progress
    from kb.settings import Settings
    from kb.store.database import Database

_POLL_S = 0.5


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(migrate)
    app.command()(reindex)


def migrate(context: typer.Context) -> None:
    """Bring the database to the present schema. `kb serve` does it by itself."""
    from kb.store import migrate as migrations
    from kb.store.database import Database

    db = Database(begin(context).database)
    try:
        needed = migrations.pending(db)
        migrations.migrate(db)
    finally:
        db.close()
    typer.echo(f"the database {'is now' if needed else 'was already'} at {migrations.newest()}")


def reindex(
    context: typer.Context,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until the new index answers, and show how far it is.")
    ] = False,
) -> None:
    """Build a new index beside the one that answers, then swap. The serving process does it; without one, we do."""
    settings = begin(context)
    if settings.embedded and _rebuilt_here(settings):
        return
    with database(context) as db:
        before = _live(db)
        _ask(db)
        typer.echo("the serving process has been asked for a new index", err=True)
        if wait:
            _wait(db, before)


def _rebuilt_here(settings: "Settings") -> bool:
    """Rebuild in this process; False where another one serves."""
    from kb.bootstrap import Service, index_hold
    from kb.measure.progress import Progress

    hold = index_hold(settings)
    if hold is not None and not hold.free:
        return False
    service = Service(settings, indexing=False)
    progress = Progress()
    try:
        service.prepare()
        _ask(service.db)
        service.encoder.start()
        _build(service, progress)
        _encode(service, progress)
    finally:
        progress.end()
        service.close()
    return True


def _ask(db: "Database") -> None:
    from kb.solve.generations import ask_for_rebuild

    ask_for_rebuild(db)


def _build(service: "Service", progress: "Progress") -> None:
    if service.encoder.identity is None and service.encoder.wait() is None:
        raise KbError(f"the encoder cannot be loaded: {service.encoder.state}")
    progress.begin("building the index")
    while service.indexer.step():
        progress.update(0)
    index, generation = service.live.get()
    progress.end()
    typer.echo(f"index {generation.name} is live with {index.count():,} passages", err=True)


def _encode(service: "Service", progress: "Progress") -> None:
    """Vectors that are not kept yet. What is interrupted here, `kb serve` goes on with."""
    left = _waiting(service.db)
    if not left:
        return
    progress.begin("encoding articles and posts", left)
    if service.encoder.wait() is None:
        raise KbError(f"search is lexical only, the encoder cannot be loaded: {service.encoder.state}")
    while service.indexer.encode_step():
        progress.update(left - _waiting(service.db))


def _wait(db: "Database", before: str) -> None:
    """Until another generation is live; raises IndexUnavailable when nobody takes up the work."""
    from kb.measure.progress import Progress

    progress = Progress()
    progress.begin("waiting for the new index")
    start = time.monotonic()
    while (now := _live(db)) == before:
        if time.monotonic() - start > 60 and not building(db):
            raise IndexUnavailable("nobody builds the index: start `kb serve`, or `kb worker` with a Qdrant server")
        progress.update(0)
        time.sleep(_POLL_S)
    progress.end()
    typer.echo(f"index {now} is live", err=True)


def _live(db: "Database") -> str:
    from kb.store import generations

    with db.read() as tx:
        current = generations.live(tx)
    return current.name if current else ""


def building(db: "Database") -> bool:
    """Whether somebody builds an index."""
    from kb.generation import GenerationState
    from kb.store import generations

    with db.read() as tx:
        return bool(generations.every(tx, GenerationState.BUILDING))


def _waiting(db: "Database") -> int:
    from kb import clock
    from kb.store import outbox

    with db.read() as tx:
        return sum(each.waiting for each in outbox.backlog(tx, clock.now()))
