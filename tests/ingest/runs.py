"""A folder to write Markdown into, and runs that tell what they did."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ingest.contract import Problem
from ingest.into_articles import Articles
from ingest.into_posts import Posts
from ingest.jsonl import JsonLines
from ingest.markdown import Defaults, MarkdownFolder
from ingest.run import Report, run
from kb.audience import Audience
from kb.person import SYSTEM, Person
from kb.store.database import Database
from kb.store.schema import metadata


class Heard:
    """A watch that remembers."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.steps: list[tuple[int, int]] = []

    def problem(self, problem: Problem) -> None:
        self.problems.append(problem)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def progress(self, report: Report, done: int, total: int) -> None:
        self.steps.append((done, total))

    @property
    def said(self) -> list[str]:
        return [str(problem) for problem in self.problems]


@dataclasses.dataclass
class Ran:
    """What a run counted and said."""

    report: Report
    heard: Heard

    @property
    def counts(self) -> dict[str, int]:
        names = ("created", "updated", "unchanged", "removed", "failed")
        return {name: count for name in names if (count := getattr(self.report, name))}


class Folder:
    """A folder of articles that is changed and taken in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()

    def write(self, file: str, body: str = "## Issue\nThe light is red.", **front: object) -> Path:
        """An article with the given front matter, on top of what every file needs."""
        fields = {"title": "A red light", "language": "en", "audience": "public", **front}
        lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()
                 if value is not None]  # fmt: skip
        return self.raw(file, "\n".join(["---", *lines, "---", body, ""]))

    def raw(self, file: str, content: str | bytes) -> Path:
        path = self.path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def rename(self, old: str, new: str) -> None:
        (self.path / new).parent.mkdir(parents=True, exist_ok=True)
        (self.path / old).rename(self.path / new)


def ingest_articles(
    db: Database,
    folder: Path,
    *,
    source: str = "faq",
    defaults: Defaults | None = None,
    by: Person = SYSTEM,
    prune: bool = False,
    dry_run: bool = False,
    wrap: Callable[[MarkdownFolder], Any] = lambda files: files,
) -> Ran:
    """One run, as the command line does it."""
    files = MarkdownFolder(folder, source, defaults)
    heard, report = Heard(), Report(source)
    destination = Articles(db, by, source, dry_run=dry_run, has_file=files.has_file)
    run(wrap(files), destination, heard, report, prune=prune, dry_run=dry_run)
    return Ran(report, heard)


def ingest_posts(
    db: Database,
    file: Path,
    *,
    audience: Audience = Audience.INTERNAL,
    prune: bool = False,
    dry_run: bool = False,
    wrap: Callable[[JsonLines], Any] = lambda lines: lines,
) -> Ran:
    """One run, as the command line does it."""
    heard, report = Heard(), Report("forum")
    source = wrap(JsonLines(file, "forum", audience))
    run(source, Posts(db, SYSTEM, "forum", dry_run=dry_run), heard, report, prune=prune, dry_run=dry_run)
    return Ran(report, heard)


def write_posts(file: Path, posts: Sequence[dict[str, object]]) -> Path:
    file.write_text("".join(json.dumps(post, ensure_ascii=False) + "\n" for post in posts), encoding="utf-8")
    return file


def a_line(number: int = 1, **fields: object) -> dict[str, object]:
    """One post as an export has it."""
    return {
        "id": f"t/{number}",
        "title": "Why does my hub blink red?",
        "body": f"Mine did that {number} times until I reset it.",
        "author": "superuser_sam",
        "created_at": "2026-03-14T12:00:00Z",
        "url": f"https://forum.example/t/{number}",
        "votes": 3,
        "accepted": True,
        "thread": f"t/{number}",
        **fields,
    }


def everything(db: Database) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    with db.read() as tx:
        return {
            table.name: sorted((tuple(row) for row in tx.execute(sa.select(table))), key=repr)
            for table in metadata.sorted_tables
        }
