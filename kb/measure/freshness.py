"""How long a published article takes to be found, while a large import is under way.

A real service with the real encoder; `python -m ingest posts` runs in a process of its own, as it would in
production; articles are published through the same call that the API makes.
"""

import json
import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from kb.article import Draft
from kb.audience import Audience
from kb.bootstrap import Service, wanted_encoder
from kb.language import Language
from kb.person import SYSTEM
from kb.search.index import Request
from kb.search.lexical import query_vector
from kb.search.loading import background_encoder
from kb.settings import Settings
from kb.solve import improve
from kb.text.analyzer import analyze

_PATIENCE_S = 30.0
_WORDS = ("router", "light", "red", "blue", "cable", "signal", "account", "invoice", "price", "phone", "code", "screen")


@dataclass
class Freshness:
    """Seconds from the acknowledged publish to the first search that finds it, per leg, one value per article."""

    posts: int
    lexical_s: list[float] = field(default_factory=list)
    dense_s: list[float] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """Median and worst per leg."""
        return {
            "posts_being_ingested": self.posts,
            "articles_published": len(self.lexical_s),
            **{
                f"{leg}_s": {"p50": round(sorted(values)[len(values) // 2], 3), "max": round(max(values), 3)}
                for leg, values in (("lexical", self.lexical_s), ("dense", self.dense_s))
            },
        }


def measure(settings: Settings, posts: int = 20_000, articles: int = 30) -> Freshness:
    """Publish `articles` one after another, some seconds apart, while `posts` posts are imported and indexed."""
    with TemporaryDirectory(prefix="kb-fresh-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        own = settings.model_copy(update={"data_dir": folder, "database_url": "", "qdrant_url": ""})
        service = Service(own, encoder=background_encoder(wanted_encoder(settings))).start()
        try:
            service.encoder.wait()
            service.live.wait(_PATIENCE_S)
            importing = _import(folder, posts)
            found = Freshness(posts)
            for number in range(articles):
                _publish(service, number, found)
                time.sleep(1.0)
            importing.kill()
            importing.wait()
        finally:
            service.close()
    return found


def _publish(service: Service, number: int, found: Freshness) -> None:
    """Publish one article and wait until each leg finds it."""
    word = f"zq{number}x{random.getrandbits(32):08x}"
    body = f"Turn the {word} to the left, then hold the button of the box for ten seconds."
    draft = Draft(f"How to turn the {word}", body, Language.ENGLISH, Audience.PUBLIC)
    article = improve.create(service.db, SYSTEM, draft)
    start = time.monotonic()
    lexical = query_vector(analyze(word))
    found.lexical_s.append(_until(start, lambda: _finds(service, article.id, Request(lexical, None))))
    encoder = service.encoder.ready()
    assert encoder is not None
    vector = encoder.encode_passages([f"How to turn the {word}\n{body}"])[0]
    found.dense_s.append(_until(start, lambda: _finds(service, article.id, Request(None, vector))))


def _finds(service: Service, article_id: str, request: Request) -> bool:
    legs = service.live.get()[0].retrieve(request)
    return any(each.ref.item_id == article_id for each in (*legs.lexical, *legs.dense))


def _until(start: float, holds: Callable[[], bool]) -> float:
    """Seconds since `start` when it first held; infinite where that takes too long."""
    while not holds():
        if time.monotonic() - start > _PATIENCE_S:
            return math.inf
        time.sleep(0.02)
    return time.monotonic() - start


def _import(folder: Path, count: int) -> "subprocess.Popen[bytes]":
    """`python -m ingest posts` over synthetic posts, in a process of its own."""
    file = folder / "posts.jsonl"
    chance = random.Random(1)
    with file.open("w") as out:
        for number in range(count):
            post = {
                "id": str(number),
                "title": " ".join(chance.choices(_WORDS, k=8)),
                "body": " ".join(chance.choices(_WORDS, k=80)),
                "author": f"user{number % 500}",
                "created_at": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
            }
            out.write(json.dumps(post) + "\n")
    environment = os.environ | {"KB_DATA_DIR": str(folder), "KB_DATABASE_URL": ""}
    command = [sys.executable, "-m", "ingest", "posts", str(file), "--source", "forum"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
