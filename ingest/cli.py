"""The command line: `python -m ingest articles FOLDER`, `... posts FILE_OR_URL --source NAME`, `... feedback FILE`.

Exit code 0: all good. 1: some items failed, or the run was cut short; run it again. 2: nothing could be done.
"""

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from ingest.contract import Destination, Source
from ingest.feedback import FIELDS, FeedbackFile
from ingest.into_articles import Articles
from ingest.into_flags import Flags, told
from ingest.into_posts import Posts
from ingest.jsonl import JsonLines
from ingest.markdown import Defaults, MarkdownFolder
from ingest.progress import summary, watch
from ingest.rejects import Rejects
from ingest.run import Report, Watch, run
from ingest.times import Calendar, zone_named
from kb.article import Confidence, Governance
from kb.audience import Audience
from kb.case import Rules
from kb.errors import Invalid, KbError, NotFound, Unavailable
from kb.language import Language
from kb.outside import Allowed, Outside
from kb.person import SYSTEM, Person
from kb.settings import Settings
from kb.store import people
from kb.store.database import Database
from kb.store.migrate import migrate, pending
from kb.topic import check_topic_path

T = TypeVar("T")

SOME_FAILED = 1
NOTHING_DONE = 2
_LONGEST_NAME = 40
_MOST_FETCHED = 2_000_000_000  # bytes: 2 million posts
_FETCHING_S = 600.0

app = typer.Typer(
    name="ingest", help="Bring content into kb.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)

_DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done and write nothing.")]
_Prune = Annotated[bool, typer.Option("--prune", help="Take away what the source no longer has.")]
_Json = Annotated[bool, typer.Option("--json", help="End with one line of JSON on stdout.")]
_By = Annotated[str, typer.Option("--by", metavar="PERSON_ID", help="In whose name; by default kb itself.")]


@app.command()
def articles(
    folder: Annotated[Path, typer.Argument(help="Folder of Markdown files with front matter (content/README.md).")],
    source: Annotated[str, typer.Option(help="Name of the source; by default the folder's.")] = "",
    audience: Annotated[Audience | None, typer.Option(help="Who may read files that do not say so.")] = None,
    language: Annotated[Language | None, typer.Option(help="Language of files that do not say so.")] = None,
    topic: Annotated[str, typer.Option(help="Topic of files without one.")] = "",
    confidence: Annotated[Confidence, typer.Option(help="Of files that do not say so.")] = Confidence.NOT_VALIDATED,
    governance: Annotated[Governance, typer.Option(help="Of files that do not say so.")] = Governance.EXPERIENCE,
    dry_run: _DryRun = False,
    prune: _Prune = False,
    as_json: _Json = False,
    by: _By = "",
) -> None:
    """Articles from a folder of Markdown files, one file each. The same folder twice writes nothing.

    --prune archives the articles of this source whose files are gone.
    """
    if not folder.is_dir():
        _give_up(f"there is no folder {folder}")
    defaults = Defaults(audience, language, _checked_topic(topic), confidence, governance)
    with _or_give_up():
        limit = Settings().file_limit
    files = MarkdownFolder(folder, _checked_name(source or folder.resolve().name), defaults, limit)
    if not files.total:
        _give_up(f"there are no Markdown files (*.md) in {folder}")
    with _record(dry_run) as db:
        with _or_give_up():
            destination = Articles(db, _person(db, by), files.name, dry_run=dry_run, has_file=files.has_file)
        _ingest(files, destination, prune=prune, dry_run=dry_run, as_json=as_json)


@app.command()
def posts(
    file: Annotated[
        str, typer.Argument(help="File or http(s) address of JSON lines, one post each (see ingest/jsonl.py).")
    ],
    source: Annotated[str, typer.Option(help="Name of the source, such as the forum's.")],
    audience: Annotated[Audience, typer.Option(help="Who may read these posts.")] = Audience.INTERNAL,
    dry_run: _DryRun = False,
    prune: _Prune = False,
    as_json: _Json = False,
    by: _By = "",
) -> None:
    """Community posts from a file of JSON lines, here or on the web. The same file twice writes nothing.

    --prune removes the posts of this source that the file no longer has.
    """
    with _here(file) as path:
        lines = JsonLines(path, _checked_name(source), audience)
        if not lines.total:
            _give_up(f"{file} is empty")
        with _record(dry_run) as db:
            with _or_give_up():
                destination = Posts(db, _person(db, by), lines.name, dry_run=dry_run)
            _ingest(lines, destination, prune=prune, dry_run=dry_run, as_json=as_json)


@app.command()
def feedback(
    file: Annotated[Path, typer.Argument(help="CSV with a header, or JSON lines (.jsonl): one row, one flag.")],
    source: Annotated[str, typer.Option(help="Where it was said; ids count within it.")] = "feedback",
    rejects: Annotated[
        Path | None, typer.Option(help="Write rows that cannot be taken in here, with reasons; correct and feed again.")
    ] = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", metavar="COLUMN=FIELD", help=f"What a column is: {', '.join(FIELDS)}.")
    ] = None,
    zone: Annotated[str, typer.Option(help="Zone of times that name none, such as Asia/Shanghai.")] = "UTC",
    day_first: Annotated[
        bool | None, typer.Option("--day-first/--month-first", help="Whether 3/4/2026 is in April or in March.")
    ] = None,
    encoding: Annotated[
        str, typer.Option(help="Such as gb18030 or big5; by default UTF-8, or UTF-16 if it says so.")
    ] = "",
    dry_run: _DryRun = False,
    as_json: _Json = False,
    by: _By = "",
) -> None:
    """What agents said about articles elsewhere, as flags. The same file twice writes nothing, nor what it had before.

    Articles that were found by likeness are told of in the end, with agents that kb does not know.
    """
    if not file.is_file():
        _give_up(f"there is no file {file}")
    with _or_give_up():
        rows = FeedbackFile(
            file, _checked_name(source), Calendar(zone_named(zone), day_first), _mapped(mapping), encoding
        )
    with _record(dry_run) as db, contextlib.ExitStack() as stack:
        with _or_give_up():
            settings = Settings()
            rules = Rules(settings.case_owner, settings.case_not_helpful)
            flags = Flags(db, _person(db, by), rows.name, rules, dry_run=dry_run)

        def through(screen: Watch) -> Watch:
            if rejects is None:
                return screen
            return stack.enter_context(Rejects(rejects, rows.table.columns, screen, is_json=rows.table.is_json))

        _ingest(
            rows, flags, prune=False, dry_run=dry_run, as_json=as_json, through=through, told=lambda: told(rows, flags)
        )


def main() -> None:
    """Run the command line."""
    app()


def _ingest(
    source: Source[T],
    destination: Destination[T],
    *,
    prune: bool,
    dry_run: bool,
    as_json: bool,
    through: Callable[[Watch], Watch] = lambda screen: screen,
    told: Callable[[], Iterable[str]] = lambda: (),
) -> None:
    """Run, report, and leave with the exit code. `through` is who is told before the screen is, `told` what there is
    to say in the end."""
    report = Report(source.name)
    cut_short = ""
    with watch(source.name, sys.stderr) as screen:
        try:
            run(source, destination, through(screen), report, prune=prune, dry_run=dry_run)
        except (Unavailable, OSError) as error:
            cut_short = f"stopped: {error}; run it again, it goes on where it stopped"
            screen.note(cut_short)
        for name, count in sorted(getattr(source, "ignored", {}).items()):
            screen.note(f"'{name}' is no field of ours and was passed over in {count} of the files")
        for line in told():
            screen.note(line)
    print(report.line() if as_json else f"{source.name}: {summary(report)}{' (dry run)' if dry_run else ''}")
    if report.failed or cut_short:
        raise typer.Exit(SOME_FAILED)


@contextlib.contextmanager
def _here(file: str) -> Iterator[Path]:
    """The file, fetched whole where it is an address: half of one must not look like all of it to --prune."""
    if not file.lower().startswith(("http://", "https://")):
        if not Path(file).is_file():
            _give_up(f"there is no file {file}")
        yield Path(file)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fetched.jsonl"
        with _or_give_up():
            way = Outside(Allowed.parse(Settings().fetch_allow), _MOST_FETCHED, _FETCHING_S)
            with way.get(file) as pieces, path.open("wb") as target:
                target.writelines(pieces)
        yield path


@contextlib.contextmanager
def _record(dry_run: bool) -> Iterator[Database]:
    """The record, at its present schema. A dry run never touches it: where there is none yet it gets an empty one."""
    with contextlib.ExitStack() as stack:
        with _or_give_up():
            url = Settings().database
            none_yet = url.startswith("sqlite:") and not Path(url.removeprefix("sqlite:///")).exists()
            if dry_run and none_yet:
                url = f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/kb.db"
            db = stack.enter_context(contextlib.closing(Database(url)))
            if pending(db):
                if dry_run and not none_yet:
                    _give_up("the database is not at the present schema; run `kb migrate` first")
                migrate(db)
        yield db


@contextlib.contextmanager
def _or_give_up() -> Iterator[None]:
    """What fails before anything has been done: settings, the database, the person."""
    try:
        yield
    except (KbError, ValidationError, ValueError, OSError) as error:
        _give_up(str(error))


def _person(db: Database, person_id: str) -> Person:
    """Who brings it in. Raises NotFound for somebody who is not there or not any more."""
    if not person_id:
        return SYSTEM
    with db.read() as tx:
        person = people.get(tx, person_id)
    if person.disabled:
        raise NotFound(f"no person {person_id}")
    return person


def _mapped(mapping: list[str] | None) -> dict[str, str]:
    found = {}
    for each in mapping or ():
        column, sign, name = each.rpartition("=")
        if not sign or name not in FIELDS:
            _give_up(f"--map takes COLUMN=FIELD, where FIELD is one of {', '.join(FIELDS)}; not '{each[:60]}'")
        found[column] = name
    return found


def _checked_name(name: str) -> str:
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        _give_up(f"the name of a source has 1 to {_LONGEST_NAME} characters, not '{name[:60]}'; give another --source")
    return name


def _checked_topic(topic: str) -> str:
    try:
        return check_topic_path(topic)
    except Invalid as error:
        _give_up(str(error))


def _give_up(reason: str) -> NoReturn:
    """Leave without having done anything."""
    print(f"ingest: {reason}", file=sys.stderr)
    raise typer.Exit(NOTHING_DONE)
