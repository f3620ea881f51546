"""Taking changes out of the outbox: a bad one holds up nobody else, and where a part is away none is blamed."""

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from kb import clock, logs, tracing
from kb.errors import IndexBroken, NoRoom, RecordUnavailable, Unavailable
from kb.outbox import Job, Lane
from kb.store import outbox
from kb.store.database import Database, Tx

log = logging.getLogger(__name__)

Work = Callable[[Sequence[Job]], None]

OUTAGE_BACKOFF = timedelta(seconds=10)
"""The longest wait of a change that failed because a part was away: it is no fault of the change."""

NOTICED_S = 15.0
"""A failure that has not come again for so long is over; longer than `OUTAGE_BACKOFF`."""


@dataclass(slots=True)
class Counters:
    """What an indexer has done, for metrics."""

    indexed: int = 0
    encoded: int = 0
    failed: int = 0


class Drain:
    """Claims rows and gives them to the work that they ask for, from any number of threads."""

    def __init__(self, db: Database, counters: Counters) -> None:
        self._db = db
        self._counters = counters
        self._owed: deque[Callable[[Tx], None]] = deque()
        self._paying = threading.Lock()
        self._failure: tuple[Exception, float] | None = None

    @property
    def failure(self) -> Exception | None:
        """Why changes are not taken up at the moment; None if they are."""
        failure = self._failure
        return failure[0] if failure and time.monotonic() - failure[1] < NOTICED_S else None

    def failed(self, error: Exception) -> None:
        """Remember why."""
        self._failure = error, time.monotonic()

    def take(self, lane: Lane, limit: int, work: Work) -> bool:
        """Up to `limit` rows of a lane; False if there were none.

        Raises what is wrong with a part rather than with the rows; they wait untouched.
        """
        with self._db.read() as tx:
            if not outbox.waits(tx, clock.now(), [lane]):
                return False
        with self._db.write() as tx:
            jobs = outbox.claim(tx, lane, limit, clock.now())
        if jobs:
            with tracing.work(f"index {lane.name.lower()}", {"kb.items": len(jobs)}):
                self._attempt(jobs, work)
        return bool(jobs)

    def pay(self) -> None:
        """Tell the outbox what it could not be told when it happened."""
        with self._paying:
            while self._owed:
                with self._db.write() as tx:
                    self._owed[0](tx)
                self._owed.popleft()

    def _attempt(self, jobs: Sequence[Job], work: Work) -> None:
        """Do the work; if a batch fails, one by one."""
        error = self._tried(jobs, work)
        if error is None:
            return
        if len(jobs) == 1:
            self._put_off(jobs[0], error)
            return
        good = 0
        for at, job in enumerate(jobs):
            rest = jobs[at + 1 :]
            error = self._tried([job], work, rest)
            if error is None:
                good += 1
                continue
            self._put_off(job, error)
            if isinstance(error, Unavailable) and at >= 1 and not good:
                # Neither of the first two could be done: whatever is away is away for the rest as well.
                self._put_back(rest)
                raise error

    def _tried(self, jobs: Sequence[Job], work: Work, rest: Sequence[Job] = ()) -> Exception | None:
        """What is wrong with these jobs, or None. What is wrong with a part is raised, and all of them put back."""
        try:
            work(jobs)
        except (KeyboardInterrupt, SystemExit, RecordUnavailable, NoRoom, IndexBroken):
            self._put_back([*jobs, *rest])
            raise
        except Exception as error:
            return error
        except BaseException as panic:  # of an extension written in Rust, on a text that it cannot take
            return RuntimeError(f"{type(panic).__name__}: {panic}")
        self._failure = None
        return None

    def _put_off(self, job: Job, error: Exception) -> None:
        """It will be tried again later."""
        self._counters.failed += 1
        away = isinstance(error, Unavailable)
        if away:
            self.failed(error)
        else:
            log.warning("%s %s could not be indexed: %s", job.item.kind, job.item.id, logs.told(error))
        what, limit = f"{type(error).__name__}: {error}", OUTAGE_BACKOFF if away else outbox.BACKOFF_LIMIT
        self._owe(lambda tx: outbox.fail(tx, [job], what, clock.now(), limit))

    def _put_back(self, jobs: Sequence[Job]) -> None:
        """Somebody will take them up as if nobody had."""
        self._owe(lambda tx: outbox.put_back(tx, jobs))

    def _owe(self, change: Callable[[Tx], None]) -> None:
        """Tell the outbox, later if the database is away: else the rows would wait for their lease to end."""
        self._owed.append(change)
        with contextlib.suppress(RecordUnavailable):
            self.pay()
