"""What the others notice when one key asks ten times faster than it may: `kb bench --flood`.

A real `kb serve` on loopback, in a process and a data folder of its own, with a few hundred articles. A second
process floods it over several connections with one key, while other keys search at a person's pace from here.
"""

import contextlib
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from kb import clock
from kb.article import Draft
from kb.audience import Audience
from kb.errors import KbError
from kb.language import Language
from kb.measure.progress import Progress
from kb.person import SYSTEM, Role
from kb.settings import Settings
from kb.solve import improve
from kb.solve.access import add_person
from kb.store import outbox
from kb.store.database import Database
from kb.store.migrate import migrate

ARTICLES = 300
OTHERS = 20
PAUSE_S = 1.0
"""Between two searches of one person."""

TIMES_TOO_FAST = 10
CONNECTIONS = 16
"""Of the one who floods."""

_PATIENCE_S = 180.0
_CALM_S = 20.0  # the same people before the flood, to compare with
_WARM_UP = 0.2  # the part of the run before memory counts: caches fill once
_WORDS = ("router", "light", "red", "blue", "cable", "signal", "account", "invoice", "price", "phone", "code", "reset")


@dataclass
class Flood:
    """What happened: milliseconds of the others' answers, statuses of all, the server's memory in MB by second."""

    seconds: float
    asked_per_s: float
    calm_s: float
    calm_ms: list[float] = field(default_factory=list)
    others_ms: list[float] = field(default_factory=list)
    others: Counter[int] = field(default_factory=Counter)
    flooder: Counter[int] = field(default_factory=Counter)
    memory: list[tuple[float, float]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Percentiles, shares, and the slope of memory by least squares, without the first fifth of the run."""
        asked = sum(self.flooder.values())
        settled = [each for each in self.memory if each[0] >= self.seconds * _WARM_UP]
        slope = statistics.linear_regression(*zip(*settled, strict=True)).slope * 60 if len(settled) > 2 else 0.0
        return {
            "seconds": round(self.seconds),
            "flooder": {
                "asks_per_s": round(asked / self.seconds),
                "meant_per_s": round(self.asked_per_s),
                "refused_with_429": round(self.flooder[429] / asked, 3) if asked else 0.0,
                "statuses": _named(self.flooder),
            },
            "others": {
                "keys": OTHERS,
                "asks_per_s": round(len(self.others_ms) / self.seconds, 1),
                **_percentiles(self.others_ms),
                "before_the_flood": _percentiles(self.calm_ms),
                "statuses": _named(self.others),
            },
            "memory_mb": {
                "first": round(settled[0][1]) if settled else 0,
                "last": round(settled[-1][1]) if settled else 0,
                "most": round(max((each[1] for each in self.memory), default=0.0)),
                "slope_per_minute": round(slope, 2),
                "by_minute": [round(each) for each in self._memory_by_minute()],
            },
        }

    def _memory_by_minute(self) -> list[float]:
        """The most in each minute: caches fill and stay full, a leak goes on."""
        most: dict[int, float] = {}
        for at, megabytes in self.memory:
            most[int(at // 60)] = max(most.get(int(at // 60), 0.0), megabytes)
        return [most[minute] for minute in sorted(most)]


def measure(settings: Settings, seconds: float, progress: Progress, articles: int = ARTICLES) -> dict[str, Any]:
    """Serve, flood and search for so long; raises KbError where the server does not start."""
    with TemporaryDirectory(prefix="kb-flood-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        progress.begin("writing articles")
        keys = _fill(folder, articles)
        progress.begin("starting kb serve")
        with _serving(settings, folder) as (server, port):
            _search_everything_once(port, keys)
            progress.begin("flooding")
            found = Flood(seconds, settings.rate_per_key * TIMES_TOO_FAST, min(seconds / 2, _CALM_S))
            _run(found, server.pid, port, keys, progress)
    progress.end()
    return found.as_json()


def _fill(folder: Path, articles: int) -> list[str]:
    """Articles, and keys: the first is for the flood."""
    chance = random.Random(1)
    db = Database(f"sqlite:///{folder / 'kb.db'}")
    try:
        migrate(db)
        for number in range(articles):
            title = f"{number}: {' '.join(chance.sample(_WORDS, 5))}"
            body = "\n\n".join(" ".join(chance.choices(_WORDS, k=60)) for _ in range(3))
            improve.create(db, SYSTEM, Draft(title, body, Language.ENGLISH, Audience.INTERNAL), publish=True)
        return [
            add_person(db, SYSTEM, f"agent {number}", Audience.INTERNAL, roles=[Role.CONTRIBUTOR])[1]
            for number in range(OTHERS + 1)
        ]
    finally:
        db.close()


@contextmanager
def _serving(settings: Settings, folder: Path) -> "Iterator[tuple[subprocess.Popen[bytes], int]]":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    own = {"KB_DATA_DIR": str(folder), "KB_DATABASE_URL": "", "KB_QDRANT_URL": "", "KB_HOST": "127.0.0.1"}
    own |= {"KB_PORT": str(port), "KB_LOG_LEVEL": "warning", "KB_EMBEDDING_MODEL": settings.embedding_model}
    own |= {"KB_RATE_PER_KEY": str(settings.rate_per_key), "KB_RATE_BURST_S": str(settings.rate_burst_s)}
    with (folder / "serve.log").open("wb") as log:
        server = subprocess.Popen([sys.executable, "-m", "kb", "serve"], env=os.environ | own, stdout=log, stderr=log)
    try:
        _await_ready(server, port, folder)
        yield server, port
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _await_ready(server: "subprocess.Popen[bytes]", port: int, folder: Path) -> None:
    end = time.monotonic() + _PATIENCE_S
    asker = Asker(port, "")
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError), contextlib.closing(asker):
            status, body = asker.ask("GET", "/readyz", None)
            if status == 200 and not json.loads(body)["degraded"] and not _waiting(folder):
                return
        time.sleep(0.5)
    raise KbError(f"kb serve did not become ready: {(folder / 'serve.log').read_text(errors='replace')[-2000:]}")


def _waiting(folder: Path) -> int:
    """Rows that are not indexed yet: whoever measures meanwhile measures the indexing."""
    db = Database(f"sqlite:///{folder / 'kb.db'}")
    try:
        with db.read() as tx:
            return sum(each.waiting for each in outbox.backlog(tx, clock.now()))
    finally:
        db.close()


class Asker:
    """One person's connection."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"} if key else {}

    def search(self, chance: random.Random) -> int:
        """Search for a few words; returns the status."""
        query = " ".join(chance.choices(_WORDS, k=chance.randint(2, 6)))
        return self.ask("POST", "/api/v1/search", json.dumps({"query": query}))[0]

    def ask(self, method: str, path: str, body: str | None) -> tuple[int, bytes]:
        """Status and body of an answer; raises OSError."""
        try:
            self._connection.request(method, path, body, self._headers)
            with self._connection.getresponse() as response:
                return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise OSError(str(error)) from error

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def _search_everything_once(port: int, keys: Sequence[str]) -> None:
    """Every key is known to be good, and the first answers' costs are paid."""
    chance = random.Random(2)
    for key in keys:
        asker = Asker(port, key)
        if asker.search(chance) != 200:
            raise KbError("a key that was just made is not good")
        asker.close()


def _run(found: Flood, pid: int, port: int, keys: Sequence[str], progress: Progress) -> None:
    command = [sys.executable, "-m", "kb.measure.flood", str(port), str(found.asked_per_s), str(found.seconds)]
    _people(found, port, keys[1:], found.calm_s, found.calm_ms)
    begun = time.monotonic()
    flooder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    people = threading.Thread(target=_people, args=(found, port, keys[1:], found.seconds, found.others_ms))
    people.start()
    assert flooder.stdin is not None
    flooder.stdin.write(keys[0])  # not as an argument, where every process of the machine could read it
    flooder.stdin.close()
    flooder.stdin = None
    while (now := time.monotonic() - begun) < found.seconds:
        found.memory.append((now, _memory_mb(pid)))
        progress.update(round(now))
        time.sleep(1.0)
    people.join()
    output, _ = flooder.communicate(timeout=60)
    found.flooder.update({int(status): count for status, count in json.loads(output).items()})


def _people(found: Flood, port: int, keys: Sequence[str], seconds: float, took_ms: list[float]) -> None:
    """Everybody searches for so long."""
    end = time.monotonic() + seconds
    threads = [
        threading.Thread(target=_person, args=(found, port, key, end, number, took_ms))
        for number, key in enumerate(keys)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def _person(found: Flood, port: int, key: str, end: float, number: int, took_ms: list[float]) -> None:
    """Search, look at what came, search again."""
    chance = random.Random(number)
    asker = Asker(port, key)
    time.sleep(chance.random() * PAUSE_S)
    while time.monotonic() < end:
        start = time.perf_counter()
        try:
            status = asker.search(chance)
        except OSError:
            status = 0
        took_ms.append((time.perf_counter() - start) * 1000)
        found.others[status] += 1
        time.sleep(PAUSE_S * (0.5 + chance.random()))
    asker.close()


def flood(port: int, key: str, per_s: float, seconds: float) -> Counter[int]:
    """Search `per_s` times a second over several connections, whatever is answered; returns the statuses."""
    statuses: Counter[int] = Counter()
    end = time.monotonic() + seconds

    def one(number: int) -> None:
        chance, asker = random.Random(number), Asker(port, key)
        due = time.monotonic() + number / per_s
        while (now := time.monotonic()) < end:
            if now < due:
                time.sleep(due - now)
            due = max(due + CONNECTIONS / per_s, now - 1.0)  # who was held up for long does not catch up
            try:
                statuses[asker.search(chance)] += 1
            except OSError:
                statuses[0] += 1
        asker.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(CONNECTIONS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return statuses


def _memory_mb(pid: int) -> float:
    """What a process holds in memory now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _percentiles(took_ms: Sequence[float]) -> dict[str, float]:
    p50, p95, p99 = np.percentile(took_ms or [0.0], (50, 95, 99))
    named = {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "max_ms": max(took_ms, default=0.0)}
    return {name: round(float(value), 1) for name, value in named.items()}


def _named(statuses: Counter[int]) -> dict[str, int]:
    return {str(status) if status else "broken": count for status, count in sorted(statuses.items())}


if __name__ == "__main__":
    print(json.dumps(flood(int(sys.argv[1]), sys.stdin.read(), float(sys.argv[2]), float(sys.argv[3]))))
