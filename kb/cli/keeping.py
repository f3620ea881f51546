"""`kb backup`, `kb restore`, `kb erase`."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kb.cli.indexing import building
from kb.cli.options import begin
from kb.cli.people import database
from kb.errors import IndexUnavailable, Invalid, KbError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kb.settings import Settings
    from kb.solve.erasing import Report
    from kb.store.database import Database
    from kb.store.erasing import Known

_POLL_S = 0.5
_PATIENCE_S = 60.0
_LATECOMERS_S = 2.0
"""What a request under way may still write for somebody erased while it ran; it ends within this."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backup)
    app.command()(restore)
    app.command()(erase)


def backup(
    context: typer.Context,
    into: Annotated[Path, typer.Argument(help="Folder for backups, outside the data folder.", metavar="DIR")],
    keep: Annotated[int, typer.Option(min=0, help="Delete all but so many of the latest; 0 deletes none.")] = 0,
) -> None:
    """Copy the whole record to a folder of its own in DIR, verified. Everything may go on meanwhile."""
    from kb import clock
    from kb.store import backup as backups
    from kb.store.database import Database

    settings = begin(context)
    if into.resolve().is_relative_to(settings.data_dir.resolve()):
        raise Invalid(f"{into} lies in the data folder: what destroys the one destroys the other; choose another place")
    start = time.perf_counter()
    db = Database(settings.database)
    try:
        made = backups.make(db, into, clock.now())
    finally:
        db.close()
    took = time.perf_counter() - start
    typer.echo(f"{made.rows:,} rows, {made.bytes / 2**20:,.1f} MB, verified, in {took:.1f} s", err=True)
    for folder in backups.prune(into, keep):
        typer.echo(f"deleted {folder}", err=True)
    typer.echo(made.folder)


def restore(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="What `kb backup` printed.", metavar="BACKUP")],
    replace: Annotated[bool, typer.Option("--replace", help="Lose the record that is there.")] = False,
    erasures: Annotated[
        Path | None, typer.Option(help="A ledger (kb erase --ledger) of what was erased after the backup.")
    ] = None,
) -> None:
    """Make the record what a backup holds, without what was erased since. Nothing may be running."""
    from kb.bootstrap import index_hold
    from kb.solve import restoring
    from kb.store import ledger
    from kb.store.database import Database

    settings = begin(context)
    start = time.perf_counter()
    hold = index_hold(settings)
    if hold is not None:
        hold.take()
    db = Database(settings.database)
    try:
        known = [ledger.load(erasures)] if erasures else []
        done = restoring.restore(folder, db, settings.data_dir, replace=replace, erasures=known)
        _drop_indexes(settings)
    finally:
        db.close()
        if hold is not None:
            hold.release()
    took = time.perf_counter() - start
    made = done.backup
    typer.echo(f"the record is that of {made.made_at:%Y-%m-%d %H:%M:%S} UTC: {made.rows:,} rows, in {took:.1f} s")
    if done.erased_again:
        typer.echo(f"{done.erased_again} who had been erased since were erased again")
    typer.echo("the next start builds the index (or now: kb reindex)")


def erase(
    context: typer.Context,
    subject: Annotated[
        list[str] | None,
        typer.Option(help="A customer's reference, or a person's or author's id, login or name; several times."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be erased.")] = False,
    ledger: Annotated[
        Path | None, typer.Option(help="Then write what was ever erased to this file, as hashes, for kb restore.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Erase a person from the record, the index and the files beneath. It cannot be undone."""
    if not subject and ledger is None:
        raise Invalid("say who: --subject REFERENCE", "subject")
    settings = begin(context)
    with database(context) as db:
        if subject:
            _erase(db, settings, subject, dry_run, as_json)
        if ledger is not None:
            _write_ledger(db, ledger)


def _erase(db: "Database", settings: "Settings", subjects: "Sequence[str]", dry_run: bool, as_json: bool) -> None:
    from kb.solve import erasing
    from kb.store.restoring import forget_working_copy
    from kb.store.scrubbing import scrub

    known = [one for named in subjects for one in _unmistakable(erasing.find(db, named), named)]
    report = erasing.erase(db, known, dry_run=dry_run)
    typer.echo(json.dumps(_as_json(report, dry_run)) if as_json else "\n".join(_lines(db, report, dry_run)))
    if dry_run:
        return
    # Even for somebody who is not there: an earlier run may have been stopped before this.
    forget_working_copy(settings.data_dir)
    scrub(db)
    _build_anew(db, settings)
    if known:
        time.sleep(_LATECOMERS_S)
        if sum(erasing.erase(db, known).rows.values()):
            scrub(db)
            _build_anew(db, settings)
    typer.echo("backups made before this still hold them; a restore of one erases them again", err=True)


def _unmistakable(found: "list[Known]", named: str) -> "list[Known]":
    """The one that is meant, if there is one; Invalid where it could be several."""
    if len(found) > 1:
        names = "\n".join(f"  --subject '{each.subject}'   {each.named}" for each in found)
        raise Invalid(f"{named!r} may mean several; say which of them (or each, if they are one person):\n{names}")
    if not found:
        typer.echo(f"nothing (more) is known of {named!r}", err=True)
    return found


def _build_anew(db: "Database", settings: "Settings") -> None:
    """A new index where one is wanted: deleted passages stay in an index's files. Where nobody serves, just drop it."""
    from kb.bootstrap import index_hold
    from kb.store import generations

    if not _wanted(db):
        return
    hold = index_hold(settings)
    if hold is None or not hold.free:
        typer.echo("waiting for an index without them (kb serve or kb worker builds it)", err=True)
        _wait_for_index(db)
        return
    hold.take()
    try:
        with db.write() as tx:
            generations.delete(tx, [each.name for each in generations.every(tx)])
        _drop_indexes(settings)
    finally:
        hold.release()
    typer.echo("the index is deleted; the next start builds another", err=True)


def _wait_for_index(db: "Database") -> None:
    """Until every index that is wanted has been built; raises IndexUnavailable when nobody does."""
    moved = time.monotonic()
    while _wanted(db):
        if building(db):
            moved = time.monotonic()
        elif time.monotonic() - moved > _PATIENCE_S:
            raise IndexUnavailable("nobody builds the index: start `kb serve` (or `kb worker`), which then does")
        time.sleep(_POLL_S)


def _wanted(db: "Database") -> bool:
    from kb.generation import GenerationState
    from kb.store import generations

    with db.read() as tx:
        return bool(generations.every(tx, GenerationState.WANTED, GenerationState.BUILDING))


def _drop_indexes(settings: "Settings") -> None:
    """Delete every index there is; one that cannot be reached now is said, and replaced by the next rebuild."""
    from kb.bootstrap import open_engine

    try:
        engine = open_engine(settings)
        for name in engine.generations():
            engine.drop(name)
    except KbError as error:
        typer.echo(f"an old index could not be deleted: {error}", err=True)


def _write_ledger(db: "Database", path: Path) -> None:
    from kb.store import keyring
    from kb.store import ledger as ledgers

    keyring.key(db, ledgers.KEY)
    with db.read() as tx:
        found = ledgers.read(tx)
    if found is not None:
        ledgers.save(found, path)
        typer.echo(f"{len(found.erased)} erasures are in {path}", err=True)


def _lines(db: "Database", report: "Report", dry_run: bool) -> list[str]:
    from kb.store.erasing import numbers_of_articles

    lines = [f"{'would erase' if dry_run else 'erased'} {each.subject}: {each.named}" for each in report.known]
    lines += [f"  {count:>8,}  {name}" for name, count in report.rows.items() if count]
    if report.rows.get("their links"):
        lines.append("  what these interactions said for an article counts no more")
    if report.mentions:
        with db.read() as tx:
            numbers = numbers_of_articles(tx, (each.key[0] for each in report.mentions if each.table == "revision"))
        lines.append("texts that still name them, for an editor (nothing was changed there):")
        for each in report.mentions:
            where = ", ".join((numbers.get(each.key[0], each.key[0]), *each.key[1:]))
            lines.append(f"  {each.table} {where}: {', '.join(each.columns)}")
    return lines


def _as_json(report: "Report", dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "subjects": [str(each.subject) for each in report.known],
        "rows": report.rows,
        "mentions": [{"table": m.table, "key": list(m.key), "columns": list(m.columns)} for m in report.mentions],
    }
