"""Keeps the lines of the editors' queue in the background: follows searches and changes, and counts anew now and then.

Any number of processes may: whoever comes first does a piece of it, and all of it can be worked out again.
"""

import logging
import threading
from collections import deque
from datetime import timedelta

from kb import clock, logs
from kb.errors import KbError
from kb.solve import ageing, candidates, failing, pairing
from kb.solve.reuse import Finder
from kb.solve.upkeep import Terms
from kb.store import queue_work
from kb.store.database import Database
from kb.store.queue_work import Candidate

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=10)
"""Between two counts. What is read is true at any moment; only what is new waits, and how it is ordered."""

PAUSE_S = 2.0
BUSY_S = 0.2
"""Pauses while there is nothing to do, and while there is: after an import of 50,000 articles people still search."""


class QueueKeeper:
    """Works on the queue. `start` does so in a thread of its own; tests call `settle`."""

    def __init__(self, db: Database, finder: Finder, terms: Terms) -> None:
        self._db = db
        self._finder = finder
        self._terms = terms
        self._posts: deque[tuple[Candidate, int]] = deque()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work."""
        self._thread = threading.Thread(target=self._run, name="queue", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish the step under way and end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def step(self) -> bool:
        """One piece of work; False when there was nothing to do."""
        at = clock.now()
        with self._db.read() as tx:
            due = queue_work.due(tx, "count", at, EVERY)
        if due:
            with self._db.write() as tx:
                due = queue_work.claim(tx, "count", at, EVERY)
            if due:
                self.count()
        asks = [self._posts.popleft() for _ in range(min(len(self._posts), candidates.AT_ONCE))]
        asked = bool(asks) and candidates.ask(self._db, self._finder, asks, at)
        return any([failing.follow(self._db, at), pairing.follow(self._db, self._finder, at), asked])

    def count(self) -> None:
        """Count anew what waits."""
        at = clock.now()
        ageing.refresh(self._db, self._terms, at)
        failing.refresh(self._db, at)
        pairing.weigh(self._db, at)
        self._posts = deque(candidates.waiting(self._db, at))

    def settle(self) -> None:
        """Work in the calling thread until all is counted; for tests and measurements."""
        while self.step():
            pass
        self.count()
        while self.step():
            pass

    def _run(self) -> None:
        failed = False
        while not self._stop.is_set():
            try:
                pause = BUSY_S if self.step() else PAUSE_S
                failed = False
            except Exception as error:  # whatever comes: without this thread the queue would stay as it is
                pause = PAUSE_S
                if not failed:  # said once: it is tried again every other second
                    known = isinstance(error, KbError)
                    log.warning("the queue is not kept: %s", logs.told(error), exc_info=None if known else error)
                failed = True
            self._stop.wait(pause)
