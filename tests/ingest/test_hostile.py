"""Whatever a source holds: it is reported, the run goes on, and the exit code says so."""

import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ingest.cli import app
from kb.store.database import Database
from tests.ingest.runs import Folder, a_line, everything

HOSTILE = {
    "binary": bytes(range(256)) * 40,
    "a line of 10 MB": b'{"id": "' + b"x" * 10_500_000 + b'"}',
    "broken UTF-8": b'{"id": "t", "title": "\xe4\xbd", "body": "b", "created_at": 1}',
    "nested deeply": b'{"id":' + b"[" * 500_000,
    "nested deeply and closed": b'{"id":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "a number of 10,000 digits": b'{"id": ' + b"9" * 10_000 + b"}",
    "no number": b'{"id": "n", "title": "t", "body": "b", "created_at": NaN}',
    "no end": b'{"id": "n", "title": "t", "body": "b", "created_at": Infinity}',
}


@pytest.fixture
def data(sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A kb whose database stands in the folder the tests run in."""
    for name in list(os.environ):
        if name.startswith("KB_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return sqlite_db


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def good(number: int) -> bytes:
    return json.dumps(a_line(number)).encode()


def test_hostile_lines_are_reported_and_the_others_are_taken_in(data: Database, tmp_path: Path) -> None:
    file = tmp_path / "forum.jsonl"
    file.write_bytes(b"\n".join([good(1), *HOSTILE.values(), good(2)]))
    result = call("posts", file, "--source", "forum", "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["created"]) == (1, 2)
    assert report["failed"] >= len(HOSTILE)
    before = everything(data)
    assert call("posts", file, "--source", "forum", "--prune").exit_code == 1
    assert everything(data) == before


def test_hostile_files_are_reported_and_the_others_are_taken_in(data: Database, folder: Folder) -> None:
    for number, content in enumerate(HOSTILE.values()):
        folder.raw(f"{number}.md", b"---\ntitle: " + content + b"\naudience: public\n---\nText.\n")
    folder.write("good.md")
    result = call("articles", folder.path, "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert report["seen"] == report["created"] + report["failed"] == len(HOSTILE) + 1
    assert report["failed"] >= 4


@pytest.fixture
def address() -> Iterator[str]:
    """Where a forum's posts are, on loopback."""

    class Forum(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/posts.jsonl" else 404)
            self.end_headers()
            self.wfile.write(b"\n".join([good(1), b"{", good(2)]))

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forum)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_posts_come_from_an_address_that_an_operator_trusts(
    data: Database, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_FETCH_ALLOW", "127.0.0.1")
    result = call("posts", f"{address}/posts.jsonl", "--source", "forum", "--json")
    assert (result.exit_code, json.loads(result.stdout)["created"]) == (1, 2)
    gone = call("posts", f"{address}/gone.jsonl", "--source", "forum")
    assert (gone.exit_code, "404" in gone.stderr) == (2, True)


def test_a_private_address_is_not_fetched_and_nothing_is_done(data: Database, address: str) -> None:
    before = everything(data)
    result = call("posts", f"{address}/posts.jsonl", "--source", "forum")
    assert (result.exit_code, "private network" in result.stderr) == (2, True)
    assert everything(data) == before
