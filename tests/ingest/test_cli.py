import contextlib
import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from ingest.cli import app
from ingest.contract import Problem
from ingest.progress import Bar, Lines
from ingest.run import Report
from kb import clock
from kb.audience import Audience
from kb.person import Role
from kb.store import articles, people
from kb.store.database import Database
from kb.store.schema import metadata
from tests.examples import a_person
from tests.ingest.runs import Folder, a_line, everything, write_posts

ROOT = Path(__file__).parents[2]
KEYS = ["source", "seen", "created", "updated", "unchanged", "removed", "failed"]


@pytest.fixture
def data(sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a kb whose database stands in it."""
    for name in list(os.environ):
        if name.startswith("KB_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def events(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stderr.splitlines()]


def test_json_is_one_line_on_stdout_and_nothing_else_is(data: Path, folder: Folder) -> None:
    folder.write("a.md")
    folder.write("b.md", audience=None)
    result = call("articles", folder.path, "--json")
    assert result.stdout == ('{"source":"faq","seen":2,"created":1,"updated":0,"unchanged":0,"removed":0,"failed":1}\n')
    assert list(json.loads(result.stdout)) == KEYS
    again = call("articles", folder.path, "--json", "--source", "handbook")
    assert json.loads(again.stdout)["source"] == "handbook"


def test_off_a_terminal_stderr_is_json_lines(data: Path, folder: Folder) -> None:
    folder.write("a.md")
    folder.write("b.md", audience=None)
    failed, progress = events(call("articles", folder.path))
    assert (failed["event"], failed["where"], failed["file"], failed["line"]) == ("failed", "b.md:1", "b.md", 1)
    assert "audience is missing" in str(failed["reason"])
    assert (progress["event"], progress["done"], progress["total"], progress["eta_s"]) == ("progress", 2, 2, 0.0)


def test_the_exit_code_tells(data: Path, folder: Folder, tmp_path: Path) -> None:
    folder.write("a.md")
    assert call("articles", folder.path).exit_code == 0
    folder.write("b.md", audience=None)
    assert call("articles", folder.path).exit_code == 1
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "empty.jsonl").touch()
    for arguments in (
        ["posts", tmp_path / "empty.jsonl", "--source", "forum"],
        ["articles", tmp_path / "nowhere"],
        ["articles", folder.path / "a.md"],
        ["articles", empty],
        ["articles"],
        ["articles", folder.path, "--audience", "everybody"],
        ["articles", folder.path, "--topic", "No Path"],
        ["articles", folder.path, "--by", "nobody"],
        ["articles", folder.path, "--source", "x" * 41],
        ["articles", folder.path, "--colour"],
        ["posts", tmp_path / "nowhere.jsonl", "--source", "forum"],
        ["posts", folder.path / "a.md"],
        [],
    ):
        result = call(*arguments, *(["--json"] if arguments else []))
        assert result.exit_code == 2, arguments
        assert result.stdout == ""
        assert result.stderr


def test_the_summary_for_people_names_what_happened(data: Path, folder: Folder) -> None:
    folder.write("a.md")
    assert call("articles", folder.path, "--dry-run").stdout == "faq: 1 seen, 1 created (dry run)\n"
    assert call("articles", folder.path).stdout == "faq: 1 seen, 1 created\n"
    assert call("articles", folder.path).stdout == "faq: 1 seen, 1 unchanged\n"


def test_what_the_command_line_says_holds_for_files_that_do_not(
    data: Path, sqlite_db: Database, folder: Folder
) -> None:
    folder.raw("a.md", "# 内存\n\n正文\n")
    result = call(
        "articles", folder.path, "--audience", "partner", "--language", "zh-Hans", "--topic", "db/memory",
        "--confidence", "validated",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    with sqlite_db.read() as tx:
        (article,) = articles.by_source(tx, "faq").values()
    assert (article.audience, article.topic, article.confidence) == (Audience.PARTNER, "db/memory", "validated")


def test_fields_of_other_systems_are_named_at_the_end(data: Path, folder: Folder) -> None:
    folder.raw("a.md", "---\ntitle: A\nsummary: b\n---\nText\n")
    notes = [event["text"] for event in events(call("articles", folder.path, "--audience=public", "--language=en"))
             if event["event"] == "note"]  # fmt: skip
    assert notes == ["'summary' is no field of ours and was passed over in 1 of the files"]


def test_an_import_in_somebodys_name_is_theirs(data: Path, sqlite_db: Database, folder: Folder) -> None:
    with sqlite_db.write() as tx:
        people.insert(tx, a_person("ada", roles=frozenset({Role.PUBLISHER})), clock.now())
        people.insert(tx, a_person("bob", roles=frozenset({Role.PUBLISHER}), disabled=True), clock.now())
    folder.write("a.md")
    assert call("articles", folder.path, "--by", "bob").exit_code == 2
    assert call("articles", folder.path, "--by", "ada").exit_code == 0
    with sqlite_db.read() as tx:
        (article,) = articles.by_source(tx, "faq").values()
        assert articles.get_revision(tx, article.id, 1).author_id == "ada"


def test_posts_come_in_and_go_out(data: Path, tmp_path: Path) -> None:
    file = write_posts(tmp_path / "forum.jsonl", [a_line(1), a_line(2)])
    first = call("posts", file, "--source", "forum", "--json")
    assert first.stdout == '{"source":"forum","seen":2,"created":2,"updated":0,"unchanged":0,"removed":0,"failed":0}\n'
    write_posts(file, [a_line(1)])
    pruned = call("posts", file, "--source", "forum", "--audience", "public", "--prune", "--json")
    assert pruned.stdout == '{"source":"forum","seen":1,"created":0,"updated":1,"unchanged":0,"removed":1,"failed":0}\n'
    assert pruned.exit_code == 0


def test_a_dry_run_leaves_not_even_a_database_behind(folder: Folder, tmp_path: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path / "new"))
    monkeypatch.delenv("KB_DATABASE_URL", raising=False)
    folder.write("a.md")
    result = call("articles", folder.path, "--dry-run", "--json")
    assert json.loads(result.stdout)["created"] == 1
    assert not (tmp_path / "new").exists()
    assert call("articles", folder.path, "--json").exit_code == 0
    assert (tmp_path / "new" / "kb.db").exists()


def test_a_dry_run_does_not_touch_a_database_of_another_schema(folder: Folder, tmp_path: Path,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("KB_DATABASE_URL", f"sqlite:///{tmp_path}/old.db")
    sqlite3.connect(tmp_path / "old.db").close()
    folder.write("a.md")
    result = call("articles", folder.path, "--dry-run")
    assert (result.exit_code, "kb migrate" in result.stderr) == (2, True)


def test_a_setting_that_cannot_be_is_said(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_DATABASE_URL", "mysql://localhost/kb")
    folder.write("a.md")
    result = call("articles", folder.path)
    assert (result.exit_code, "must be sqlite:/// or postgresql://" in result.stderr) == (2, True)


def test_on_a_terminal_there_is_a_bar_with_the_time_left_and_problems_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    with Bar("faq", screen) as bar:
        bar.progress(Report("faq", seen=3, created=3), 3, 10)
        bar.problem(Problem("[red]/a.md", "audience is missing", 1))
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert "[red]/a.md:1: audience is missing" in shown
    assert "30%" in shown
    assert "3 seen, 3 created" in shown
    assert "--:--" in shown or "0:00:0" in shown


def test_long_runs_report_the_time_left_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    stream = io.StringIO()
    with Lines("faq", stream) as lines:
        for done in range(1, 11):
            now += 1.0
            lines.progress(Report("faq", seen=done), done, 20)
    written = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["done"] for event in written] == [2, 4, 6, 8, 10]
    assert [event["eta_s"] for event in written] == [18.0, 16.0, 14.0, 12.0, 10.0]


def _count(path: Path, table: str) -> int:
    if not path.exists():
        return 0
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def _kill_when(arguments: list[str], data: Path, table: str, enough: int) -> None:
    """Start a run and end it with SIGKILL when so many rows are there."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KB_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "ingest", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**environment, "KB_DATA_DIR": str(data)},
    )  # fmt: skip
    give_up = time.monotonic() + 60
    while _count(data / "kb.db", table) < enough and process.poll() is None and time.monotonic() < give_up:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was done before it could be killed"


def test_a_run_of_articles_that_was_killed_is_completed_by_the_next(data: Path, sqlite_db: Database,
                                                                    folder: Folder) -> None:  # fmt: skip
    for number in range(120):
        folder.write(f"{number:03}.md", id=f"a{number}", superseded_by=f"a{119 - number}")
    _kill_when(["articles", str(folder.path)], data, "article", 20)
    there = _count(data / "kb.db", "article")
    assert 20 <= there < 120
    result = call("articles", folder.path, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["created"] == 120 - there
    with sqlite_db.read() as tx:
        found = articles.by_source(tx, "faq")
        rows = {
            table.name: tx.scalar(sa.select(sa.func.count()).select_from(table)) for table in metadata.sorted_tables
        }
    assert {key: article.superseded_by for key, article in found.items()} == {
        f"a{number}": found[f"a{119 - number}"].id for number in range(120)
    }
    assert (rows["article"], rows["revision"], rows["passage"]) == (120, 120, 120)
    before = everything(sqlite_db)
    assert json.loads(call("articles", folder.path, "--json").stdout)["unchanged"] == 120
    assert everything(sqlite_db) == before


def test_a_run_of_posts_that_was_killed_is_completed_by_the_next(data: Path, tmp_path: Path) -> None:
    file = write_posts(tmp_path / "forum.jsonl", [a_line(number) for number in range(3_000)])
    arguments = ["posts", str(file), "--source", "forum"]
    _kill_when(arguments, data, "post", 200)
    there = _count(data / "kb.db", "post")
    assert 200 <= there < 3_000
    assert there % 100 == 0, "whole batches only"
    assert json.loads(call(*arguments, "--json").stdout)["created"] == 3_000 - there
    for table in ("post", "passage", "outbox"):
        assert _count(data / "kb.db", table) == 3_000
