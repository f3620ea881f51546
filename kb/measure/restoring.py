"""How long a backup and its restore take, and whether searches then answer the same.

Made-up articles with passages and vectors in a record and an embedded index of their own; the backup is restored into
another folder, whose index is built afresh, as after the loss of a machine.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from kb import clock
from kb.bootstrap import Service
from kb.measure.progress import Progress
from kb.measure.speed import write
from kb.measure.synthetic import Asked, MadeItem, Maker, SyntheticEncoder
from kb.measure.workshop import build, temporary_service
from kb.settings import Settings
from kb.solve.restoring import restore
from kb.store import backup

QUESTIONS = 500
_ASKED_AT = datetime(2026, 11, 21, tzinfo=UTC)
_AT_ONCE = 500
_MOST_PASSAGES = 5  # of an article

Answer = list[tuple[Any, ...]]
"""Of each hit: item, passage, score, reasons and other passages."""


def measure(settings: Settings, articles: int, progress: Progress, questions: int = QUESTIONS) -> dict[str, Any]:
    """Seconds of each step among so many articles, and how many of the questions are answered the same."""
    maker, encoder = Maker(article_every=1), SyntheticEncoder({})
    with tempfile.TemporaryDirectory(prefix="kb-backup-") as name, temporary_service(settings, encoder) as first:
        into = Path(name)
        asked = _fill(first, maker, encoder, articles, questions, progress)
        build(first)
        before = _answers(first, asked, progress)
        took: dict[str, float] = {}
        with _timed(took, "backup_s"):
            made = backup.make(first.patient_db, into, clock.now())
        with temporary_service(settings, encoder) as second:
            second.db.close()  # a restore wants to be alone
            with _timed(took, "restore_s"):
                restore(made.folder, second.patient_db, second.settings.data_dir)
            with _timed(took, "index_s"):
                build(second)
            after = _answers(second, asked, progress)
    progress.end()
    same = sum(one == other for one, other in zip(before, after, strict=True))
    return {
        "articles": articles,
        "passages": made.tables["passage"].rows,
        "backup_mb": round(made.bytes / 2**20, 1),
        **{step: round(seconds, 1) for step, seconds in took.items()},
        "total_s": round(sum(took.values()), 1),
        "questions": len(asked),
        "hits": sum(map(len, before)),
        "answered_the_same": same,
    }


def _fill(
    service: Service, maker: Maker, encoder: SyntheticEncoder, number: int, questions: int, progress: Progress
) -> Sequence[Asked]:
    progress.begin("writing articles", number)
    items = islice(maker.items(number * _MOST_PASSAGES), number)
    known: list[MadeItem] = []
    written = 0
    while batch := list(islice(items, _AT_ONCE)):
        write(service, batch, encoder.digest)
        known += batch[::10]
        written += len(batch)
        progress.update(written)
    asked = maker.questions(known, questions)
    encoder.learn(asked)
    return asked


def _answers(service: Service, asked: Sequence[Asked], progress: Progress) -> list[Answer]:
    progress.begin("searching", len(asked))
    with _standing_still():
        return [
            [(h.item, h.passage, h.score, h.why, h.others) for h in service.finder.search(each.by, each.query).hits]
            for each in asked
        ]


@contextmanager
def _standing_still() -> Iterator[None]:
    """The same moment for both rounds of questions: an item's age is part of its score."""
    now, clock.now = clock.now, lambda: _ASKED_AT
    try:
        yield
    finally:
        clock.now = now


@contextmanager
def _timed(took: dict[str, float], step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    took[step] = time.perf_counter() - start
