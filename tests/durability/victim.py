"""A process to be killed: it writes, indexes and rebuilds without pause and says what has been acknowledged.

Run as `python victim.py ROLE DATABASE_URL INDEX SEED CLOCK`. The role is "writes", "indexes" or "all"; the index is a
folder (Qdrant Edge) or a URL (a Qdrant server); the clock is how many seconds ahead this process lives. Each line on
standard output is one write that was acknowledged, as JSON; it is printed only after the call has returned.
"""

import json
import os
import random
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from kb import clock
from kb.article import Draft
from kb.audience import Audience
from kb.errors import KbError
from kb.language import Language
from kb.person import SYSTEM
from kb.post import Post
from kb.solve import improve
from kb.solve.generations import ask_for_rebuild
from kb.solve.publishing import cut_posts, save_posts
from kb.store.database import Database
from kb.store.migrate import migrate
from tests.durability.rounds import opened, set_clock

PAUSE_S = 0.03
"""Between two writes: a round is to meet many kinds of moments, not many rows."""

WORDS = ("red light restart hub invoice router cable password reset signal roaming payment").split()  # noqa: SIM905


def main(role: str, database_url: str, index: str, seed: int, ahead: timedelta) -> None:
    set_clock(ahead)
    db = Database(database_url)
    migrate(db)
    works = None if role == "writes" else opened(db, index)
    _say("ready", "", 0, "")
    sys.stdin.readline()  # until all are ready: else the first writes while the others still start
    if works is not None:
        works.indexer.start()
    if role == "indexes":
        threading.Event().wait()
    threading.Thread(target=_ingest, args=(db, random.Random(seed + 1)), daemon=True).start()
    _write(db, random.Random(seed))


def _write(db: Database, chance: random.Random) -> None:
    mine: list[str] = []
    for _ in range(10_000):
        time.sleep(PAUSE_S)
        act = chance.random()
        text = f"{_words(chance, 30)} {uuid.uuid4().hex}"
        if act < 0.5 or not mine:
            draft = Draft(_words(chance, 4), text, Language.ENGLISH, chance.choice(list(Audience)))
            article = improve.create(db, SYSTEM, draft)
            mine.append(article.id)
            _say("article", article.id, 1, text)
        elif act < 0.8:
            article = improve.revise(db, SYSTEM, chance.choice(mine), _words(chance, 4), text, publish=True)
            _say("article", article.id, article.latest, text)
        elif act < 0.95:
            article = improve.archive(db, SYSTEM, mine.pop(chance.randrange(len(mine))))
            _say("archived", article.id, article.latest, "")
        else:
            ask_for_rebuild(db)


def _ingest(db: Database, chance: random.Random) -> None:
    for _ in range(10_000):
        time.sleep(PAUSE_S)
        posts = [_post(chance) for _ in range(4)]
        cuts = cut_posts(posts)
        try:
            with db.write() as tx:
                save_posts(tx, posts, [], cuts, clock.now())
        except KbError:
            continue  # not acknowledged
        for post in posts:
            _say("post", post.id, 1, post.body)


def _post(chance: random.Random) -> Post:
    key = uuid.uuid4().hex
    return Post(
        id=key, source="forum", source_key=key, title=_words(chance, 5), body=_words(chance, 40),
        language=Language.ENGLISH, author="sam", created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def _words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choices(WORDS, k=count))


def _say(kind: str, item_id: str, revision: int, text: str) -> None:
    # One write to the pipe: what the parent can read was acknowledged before the kill.
    os.write(1, (json.dumps([kind, item_id, revision, text]) + "\n").encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), timedelta(seconds=float(sys.argv[5])))
