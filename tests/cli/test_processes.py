"""What docker-compose.yml composes, by hand: PostgreSQL, Qdrant (its stand-in), two APIs and a worker on loopback."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from kb.audience import Audience
from kb.cli.serving import listen
from kb.person import EVERYTHING, SYSTEM, Role
from kb.solve.access import add_person
from kb.store.database import Database
from tests.qdrant_server import qdrant_server

CANARY = "zilpzalp"
DRAFT = {
    "title": "Red light on the router",
    "body": f"Restart the router. {CANARY}.",
    "language": "en",
    "audience": "public",
    "publish": True,
}


@dataclass
class Process:
    """A `kb` process and what it says."""

    command: str
    folder: Path
    environment: dict[str, str]
    port: int = field(init=False)
    running: "subprocess.Popen[bytes]" = field(init=False)

    def __post_init__(self) -> None:
        with listen("127.0.0.1", 0) as free:
            self.port = free.getsockname()[1]
        models = self.folder.parent / "models"  # one of the processes exports the encoder, for all
        models.mkdir(exist_ok=True)
        (self.folder / "data").mkdir(parents=True)
        (self.folder / "data" / "models").symlink_to(models)
        port = "KB_WORKER_PORT" if self.command == "worker" else "KB_PORT"
        environment = os.environ | self.environment | {port: str(self.port), "KB_DATA_DIR": str(self.folder / "data")}
        with (self.folder / "log").open("wb") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "kb", self.command], cwd=self.folder, env=environment, stdout=log, stderr=log
            )

    def ask(self, method: str, path: str, key: str = "", **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.request(method, f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=10, **more)

    def found(self, query: str, key: str = "") -> list[str]:
        response = self.ask("POST", "/api/v1/search", key, json={"query": query})
        assert response.status_code == 200, response.text
        return [hit["title"] for hit in response.json()["hits"]]

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def end(self) -> tuple[int, float]:
        """SIGTERM: the exit code, and the seconds it took."""
        start = time.monotonic()
        self.running.send_signal(signal.SIGTERM)
        return self.running.wait(timeout=60), time.monotonic() - start


def until(what: Callable[[], object], seconds: float, processes: list[Process]) -> float:
    """Seconds until it is so."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        with contextlib.suppress(httpx.TransportError):
            if what():
                return time.monotonic() - start
        time.sleep(0.05)
    raise TimeoutError("\n\n".join(each.log()[-2000:] for each in processes))


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """An empty database: whoever comes first brings it to the present schema, while others try the same."""
    name = f"kb_{uuid.uuid4().hex}"
    url = sa.make_url(postgres_url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def processes(database_url: str, tmp_path: Path) -> Iterator[list[Process]]:
    """Two APIs, of which the second logs text, and a worker."""
    memory = "/dev/shm"
    within = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=within, prefix="kb-test-") as folder, qdrant_server(Path(folder)) as qdrant:
        shared = {"KB_DATABASE_URL": database_url, "KB_QDRANT_URL": qdrant.url}
        started = [
            Process("serve", tmp_path / "api-1", shared),
            Process("serve", tmp_path / "api-2", shared | {"KB_LOG_FORMAT": "text"}),
            Process("worker", tmp_path / "worker", shared),
        ]
        try:
            yield started
        finally:
            for each in started:
                each.running.kill()
                each.running.wait()


@pytest.mark.slow
@pytest.mark.postgres
def test_two_apis_and_a_worker_are_one_service(processes: list[Process], database_url: str) -> None:
    one, two, worker = processes
    for each in processes:
        until(lambda each=each: each.ask("GET", "/healthz").status_code == 200, 120, processes)
    publisher, observer = keys(database_url)

    # What is written through one is found through the other, by its words within seconds, by its meaning soon after.
    assert one.ask("POST", "/api/v1/articles", publisher, json=DRAFT).status_code == 201
    assert until(lambda: two.found("router red light") == [DRAFT["title"]], 30, processes) < 10
    until(lambda: all(is_ready(each) for each in processes), 180, processes)
    until(lambda: two.found("crimson lamp upon modem") == [DRAFT["title"]], 60, processes)
    assert one.found(f"router {CANARY}", publisher) == [DRAFT["title"]]

    # Who has signed in to one is known to the other, by key and by session.
    assert two.ask("GET", "/api/v1/me", publisher).json()["name"] == "Pub"
    signed_in = one.ask("POST", "/api/v1/session", json={"key": publisher})
    assert signed_in.is_success, signed_in.text
    assert two.ask("GET", "/api/v1/session", cookies=signed_in.cookies).json()["person"]["name"] == "Pub"

    # Each says how it is, to those who may know; the worker says nothing else.
    indexed = [metric(each, observer, "kb_indexed_passages_total") for each in processes]
    assert indexed[:2] == [0, 0]
    assert indexed[2] >= 1
    assert all(metric(each, observer, "kb_index_passages") >= 1 for each in processes)
    assert [each.ask("GET", "/metrics").status_code for each in processes] == [403, 403, 403]
    assert worker.ask("POST", "/api/v1/search", json={"query": "router"}).status_code == 404

    # One that is killed takes nobody along.
    one.running.kill()
    one.running.wait()
    assert two.found("router red light") == [DRAFT["title"]]
    assert is_ready(two)

    # The others end when they are told to, and what all of them said is as it should be.
    for each in (two, worker):
        code, seconds = each.end()
        assert code == 0, each.log()
        assert seconds < 10, each.log()
    for each in processes:
        assert CANARY not in each.log()
        assert publisher not in each.log()
        assert "Traceback" not in each.log()
    for each in (one, worker):
        assert all(json.loads(line)["time"] for line in each.log().splitlines())
    assert '"route": "/api/v1/articles"' in one.log()
    assert "request method=POST route=/api/v1/search status=200" in two.log()


def keys(database_url: str) -> tuple[str, str]:
    """A publisher's key and that of somebody who may look at metrics."""
    with contextlib.closing(Database(database_url)) as db:
        publisher = add_person(db, SYSTEM, "Pub", Audience.INTERNAL, roles=[Role.PUBLISHER])[1]
        observer = add_person(db, SYSTEM, "Obs", Audience.INTERNAL, roles=[Role.ADMIN], scopes=EVERYTHING)[1]
    return publisher, observer


def is_ready(process: Process) -> bool:
    """Everything is there, the encoder too."""
    answer = process.ask("GET", "/readyz").json()
    return bool(answer["ready"]) and not answer["degraded"]


def metric(process: Process, key: str, name: str) -> float:
    lines = process.ask("GET", "/metrics", key).text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))
