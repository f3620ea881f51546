"""How fast the editors' queue answers when it is long: `kb bench --queue`.

A record in a temporary folder with so many cases and articles, a third of them stale, and lines of all other kinds;
most cases are finished, as they are after a year. Milliseconds are those of the server: the lists, the counts and the
reply as JSON, without the network. The lines are those that the keeper of the queue works out.
"""

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from kb import clock
from kb.api.queue_shapes import LineOut, QueueOut
from kb.article import Article, Confidence, Revision
from kb.audience import Audience
from kb.case import RevisionCase, Severity, State, demand_of, due_at
from kb.flag import Cause
from kb.language import Language
from kb.measure.progress import Progress
from kb.passage import ItemRef, Kind
from kb.person import Person, Role
from kb.post import Post
from kb.queue import Line, LineKind, Searched
from kb.solve import ageing, queue
from kb.solve.queue import Asked
from kb.solve.upkeep import Terms
from kb.store import cases, posts, topics
from kb.store import queue as lines
from kb.store.database import Database
from kb.store.migrate import migrate
from kb.store.schema import article, article_group, columns, revision

OWNERS = 50
TOPICS = 40
OTHERS = 2_000
"""Failing searches, pairs and posts, each."""

_AT_ONCE = 1_000
_TO_DO = 0.3  # the share of cases that are
_WORDS = ("router", "light", "red", "blue", "cable", "signal", "account", "invoice", "price", "phone", "code", "reset")
EDITOR = Person("owner-7", "editor", Audience.INTERNAL, frozenset({Role.PUBLISHER}), frozenset({"desk"}))
AUTHOR = Person("partner", "author", Audience.PARTNER, frozenset({Role.PUBLISHER}))


def bench(many_cases: int, many_articles: int, runs: int, progress: Progress) -> dict[str, Any]:
    """p50 and p95 of each kind of page in milliseconds, over a record of that size on SQLite."""
    with TemporaryDirectory(prefix="kb-queue-") as folder:
        db = Database(f"sqlite:///{Path(folder) / 'kb.db'}")
        try:
            migrate(db)
            fill(db, many_cases, many_articles, progress)
            return {"cases": many_cases, "articles": many_articles} | measure(db, runs, progress)
        finally:
            db.close()


def measure(db: Database, runs: int, progress: Progress) -> dict[str, Any]:
    """The same over a record that is filled."""
    with db.read() as tx:
        first = queue.listing(db, EDITOR, Terms(), Asked(), "", 200)
        counted = {kind.value: many for kind, many in queue.count(tx, EDITOR, Terms(), Asked(), clock.now()).items()}
    asks: dict[str, tuple[Person, Asked, str]] = {
        "first_page": (EDITOR, Asked(), ""),
        "second_page": (EDITOR, Asked(), first.next or ""),
        "mine": (EDITOR, Asked(owner_id=EDITOR.id), ""),
        "of_a_topic": (EDITOR, Asked(topic="topic-7"), ""),
        "stale_of_a_topic": (EDITOR, Asked(kinds=(LineKind.STALE,), topic="topic-7"), ""),
        "overdue": (EDITOR, Asked(overdue=True), ""),
        "unassigned": (EDITOR, Asked(unassigned=True), ""),
        "by_words": (EDITOR, Asked(text="invoice reset"), ""),
        "of_a_partners_author": (AUTHOR, Asked(), ""),
    }
    found: dict[str, Any] = {"lines": counted}
    progress.begin("asking", len(asks))
    for n, (name, (by, asked, after)) in enumerate(asks.items()):
        found[name] = _times(lambda by=by, asked=asked, after=after: _page(db, by, asked, after), runs)  # type: ignore[misc]
        progress.update(n + 1)
    found["counts"] = _times(lambda: _counts(db), runs)
    return found


def fill(db: Database, many_cases: int, many_articles: int, progress: Progress) -> None:
    """Write a record of that size, and the lines of its queue."""
    at, rng = clock.now(), random.Random(7)
    progress.begin("writing articles", many_articles)
    for start in range(0, many_articles, _AT_ONCE):
        found = [_article(n, rng, at) for n in range(start, min(start + _AT_ONCE, many_articles))]
        with db.write() as tx:
            tx.execute(article.insert(), [_row(article, each) for each in found])
            texts = [Revision(each.id, 1, _title(start + n), "Restart it.", "ada", at) for n, each in enumerate(found)]
            tx.execute(revision.insert(), [_row(revision, each) for each in texts])
            groups = [{"article_id": each.id, "group": group} for each in found for group in each.groups]
            tx.execute(article_group.insert(), groups)
        progress.update(start)
    progress.begin("writing cases", many_cases)
    for start in range(0, many_cases, _AT_ONCE):
        opened = [_case(n, many_articles, rng, at) for n in range(start, min(start + _AT_ONCE, many_cases))]
        with db.write() as tx:
            for each in opened:
                cases.insert_missing_case(tx, each)
        progress.update(start)
    with db.write() as tx:
        topics.ensure_topics(tx, [f"topic-{n}/deep" for n in range(TOPICS)])
        posts.insert(tx, [_post(n, at) for n in range(OTHERS)], at)
        lines.put(tx, _others(many_articles, rng, at), at)
    ageing.refresh(db, Terms(), at)


def _row(table: Any, noun: object) -> dict[str, Any]:
    """A noun as a row: one by one, 50,000 articles take minutes."""
    values = {name: getattr(noun, name) for name in columns(table)}
    return {name: value.value if isinstance(value, Enum) else value for name, value in values.items()}


def _page(db: Database, by: Person, asked: Asked, after: str) -> None:
    page = queue.listing(db, by, Terms(), asked, after, 50)
    at = clock.now()
    shown = QueueOut(lines=[LineOut.of(each, at) for each in page.entries], counts=page.counts, next=page.next)
    shown.model_dump_json()


def _counts(db: Database) -> None:
    with db.read() as tx:
        queue.count(tx, EDITOR, Terms(), Asked(), clock.now())


def _times(ask: Callable[[], None], runs: int) -> dict[str, float]:
    taken = []
    for _ in range(runs + 2):
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1_000)
    p50, p95 = np.percentile(taken[2:], [50, 95])  # the first ones make statements and fill caches
    return {"p50_ms": round(float(p50), 1), "p95_ms": round(float(p95), 1)}


def _article(n: int, rng: random.Random, at: datetime) -> Article:
    """The nth: a third stale, one in fifty about to end, one in fifty for a group, one in twenty archived."""
    age = timedelta(days=rng.choice([10, 90, 170, 200, 300, 700]), seconds=n)
    return Article(
        id=_id(n),
        number=f"{n // 10_000:03d}-{n % 10_000:04d}",
        language=list(Language)[n % 3],
        audience=list(Audience)[n % 4],
        created_at=at - age,
        modified_at=at - age,
        latest=1,
        published=1,
        published_at=at - age,
        confidence=Confidence.ARCHIVED if n % 20 == 0 else Confidence.VALIDATED,
        topic=f"topic-{n % TOPICS}/deep",
        owner_id=f"owner-{n % OWNERS}",
        valid_until=at + timedelta(days=rng.randint(-30, 29)) if n % 50 == 1 else None,
        groups=frozenset({"desk" if n % 100 == 3 else "vault"}) if n % 50 == 3 else frozenset(),
    )


def _case(n: int, many_articles: int, rng: random.Random, at: datetime) -> RevisionCase:
    about = rng.randrange(many_articles)
    cause = Cause.NOTHING_ANSWERS if n % 10 == 0 else rng.choice([Cause.WRONG_FACT, Cause.HARD_TO_USE])
    state = State.OPEN if rng.random() < _TO_DO else State.CLOSED
    severity, count, reuse = rng.choice(list(Severity)), rng.randint(1, 9), rng.randint(0, 200)
    opened = at - timedelta(days=rng.randint(0, 20), seconds=n)
    is_gap = cause is Cause.NOTHING_ANSWERS
    return RevisionCase(
        id=_id(n, "case"),
        fold=_id(n, "fold"),
        cause=cause,
        severity=severity,
        audience=Audience.INTERNAL,
        groups=frozenset(),
        opened_at=opened,
        changed_at=opened,
        due_at=due_at(opened, severity, reuse),
        item=None if is_gap else ItemRef(Kind.ARTICLE, _id(about)),
        label="" if is_gap else f"{about // 10_000:03d}-{about % 10_000:04d}",
        title=_title(about),
        topic=f"topic-{about % TOPICS}/deep",
        revision=None if is_gap else 1,
        quote="Restart it.",
        words=_title(about).lower(),
        state=state,
        count=count,
        reuse=reuse,
        demand=demand_of(severity, count, reuse),
        owner_id=f"owner-{about % OWNERS}",
    )


def _others(many_articles: int, rng: random.Random, at: datetime) -> Iterator[Line]:
    for n in range(OTHERS):
        words = _title(n).lower()
        searched = Searched(words, 9, 4, 2, at)
        for tier in (Audience.PARTNER, Audience.INTERNAL):
            yield Line(LineKind.SEARCH, _id(n, "search"), rng.randint(2, 400), tier, words=words, searched=searched)
        one, two = (ItemRef(Kind.ARTICLE, _id(rng.randrange(many_articles))) for _ in range(2))
        demand = rng.randint(1, 400)
        yield Line(LineKind.DUPLICATE, _id(n, "pair"), demand, None, one, two, words=words, likeness=0.9, basis="1/1")
        item = ItemRef(Kind.POST, _id(n, "post"))
        yield Line(LineKind.COMMUNITY, item.id, rng.randint(1, 40), Audience.INTERNAL, item, words=words, basis="1")


def _post(n: int, at: datetime) -> Post:
    return Post(
        id=_id(n, "post"),
        source="forum",
        source_key=str(n),
        title=_title(n),
        body="Restart it.",
        language=Language.ENGLISH,
        author="sam",
        created_at=at,
        votes=n % 50,
        accepted=True,
        topic=f"topic-{n % TOPICS}",
    )


def _title(n: int) -> str:
    return f"{_WORDS[n % 12]} {_WORDS[n // 12 % 12]} {n}"


def _id(n: int, what: str = "article") -> str:
    return hashlib.sha256(f"{what} {n}".encode()).hexdigest()[:32]
