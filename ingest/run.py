"""The one way content comes in, whatever the source: dry run, resume, prune, report, progress.

A run that was interrupted, however hard, is resumed by running it again: each batch is one transaction,
and what is in already is recognised by its hash and costs no write.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Generic, Protocol, TypeVar

from ingest.contract import Destination, Item, Outcome, Problem, Source
from kb.errors import Unavailable

T = TypeVar("T")
A = TypeVar("A")
R = TypeVar("R")

_PATIENCE_S = (0.5, 2.0, 8.0)  # on top of the database's own 5 s: a restart of PostgreSQL passes unnoticed
_REMOVED_AT_ONCE = 100


@dataclass(slots=True)
class Report:
    """How many of what. `gone` counts what is in kb and no longer in the source, removed or not.

    `failed` counts problems. An item with a wrong reference is taken in and its reference fails.
    """

    source: str
    seen: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: int = 0
    gone: int = 0

    def line(self) -> str:
        """The report as one line of JSON, the same for every source."""
        names = ("source", "seen", "created", "updated", "unchanged", "removed", "failed")
        return json.dumps({name: getattr(self, name) for name in names}, ensure_ascii=False, separators=(",", ":"))


class Watch(Protocol):
    """Who is told what happens during a run."""

    def problem(self, problem: Problem) -> None:
        """Something failed."""
        ...

    def note(self, text: str) -> None:
        """Something to know."""
        ...

    def progress(self, report: Report, done: int, total: int) -> None:
        """So far. Called after each batch."""
        ...


class Keys:
    """A set of keys in 8 bytes each, so that memory stays small for millions. Two keys in 10^12 may collide."""

    def __init__(self) -> None:
        self._digests: set[int] = set()

    def add(self, key: str) -> bool:
        """Remember a key; False if it was there already."""
        before = len(self._digests)
        self._digests.add(_digest(key))
        return len(self._digests) > before

    def __contains__(self, key: str) -> bool:
        return _digest(key) in self._digests


def run(
    source: Source[T],
    destination: Destination[T],
    watch: Watch,
    report: Report,
    *,
    prune: bool = False,
    dry_run: bool = False,
) -> None:
    """Take in everything a source has, counting in `report` (which is right also when this raises).

    Raises Unavailable when the database stays away, OSError when the source itself can no longer be read.
    """
    _Run(source, destination, watch, report).all(prune, dry_run)


class _Run(Generic[T]):
    def __init__(self, source: Source[T], destination: Destination[T], watch: Watch, report: Report) -> None:
        self._source = source
        self._destination = destination
        self._watch = watch
        self._report = report
        self._present = Keys()
        self._unreadable = 0  # problems of which not even the key is known
        self._may_change: set[str] = set()  # counted as unchanged, until what they name has been seen

    def all(self, prune: bool, dry_run: bool) -> None:
        for batch in _batches(self._good(self._source.items()), self._destination.batch):
            self._keep(batch)
            self._progress()
        for item in self._again():
            self._keep_again(item)
        for problem in self._destination.last_problems(lambda key: key in self._present):
            self._fail(problem)
        self._take_away(prune, dry_run)
        self._progress()

    def _good(self, found: Iterable[Item[T] | Problem]) -> Iterator[Item[T]]:
        """The items that could be read and are the first of their key; everything else is reported."""
        for each in found:
            self._report.seen += 1
            if isinstance(each, Problem):
                self._unreadable += each.key is None
                if each.key is not None:
                    self._present.add(each.key)
                self._fail(each)
            elif self._present.add(each.key):
                for problem in each.problems:
                    self._fail(problem)
                yield each
            else:
                self._fail(Problem(each.file, f"'{each.key}' is there twice; the first one counts", each.line))

    def _keep(self, batch: list[Item[T]]) -> None:
        for answer in _patiently(self._destination.keep, batch):
            if isinstance(answer, Problem):
                self._fail(answer)
                continue
            key, outcome = answer
            self._count(outcome, 1)
            if outcome is Outcome.UNCHANGED and self._destination.is_unsettled(key):
                self._may_change.add(key)

    def _again(self) -> Iterator[Item[T]]:
        """Items that name others which came later: now all are known."""
        keys = self._destination.unsettled()
        for each in self._source.again(keys) if keys else ():
            if isinstance(each, Problem):
                self._fail(each)
            else:
                yield each

    def _keep_again(self, item: Item[T]) -> None:
        for answer in _patiently(self._destination.keep, [item]):
            if isinstance(answer, Problem):
                self._fail(answer)
            elif answer == (item.key, Outcome.UPDATED) and item.key in self._may_change:
                self._count(Outcome.UNCHANGED, -1)
                self._count(Outcome.UPDATED, 1)

    def _take_away(self, prune: bool, dry_run: bool) -> None:
        if prune and self._unreadable:
            self._watch.note(
                f"nothing was pruned: {self._unreadable} could not be read at all, and what is broken may not be gone"
            )
            prune = False
        if prune and not self._report.seen:
            self._watch.note("nothing was pruned: the source is empty, which looks more like a mistake")
            prune = False
        gone = (key for key in self._destination.stored() if key not in self._present)
        for keys in _batches(gone, _REMOVED_AT_ONCE):
            self._report.gone += len(keys)
            if prune:
                self._report.removed += len(keys) if dry_run else _patiently(self._destination.remove, keys)
        if self._report.gone and not prune:
            self._watch.note(f"{self._report.gone} are in kb and no longer in the source; --prune takes them away")

    def _count(self, outcome: Outcome, by: int) -> None:
        setattr(self._report, outcome, getattr(self._report, outcome) + by)

    def _fail(self, problem: Problem) -> None:
        self._report.failed += 1
        self._watch.problem(problem)

    def _progress(self) -> None:
        self._watch.progress(self._report, self._source.done, self._source.total)


def _patiently(action: Callable[[A], R], value: A) -> R:
    """Do it, and again after a while when the database is away."""
    for wait in _PATIENCE_S:
        try:
            return action(value)
        except Unavailable:
            time.sleep(wait)
    return action(value)


def _batches(values: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(islice(values, size)):
        yield batch


def _digest(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little")
