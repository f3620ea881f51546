"""How far encoding is, told once a minute while there is something to encode: a big import takes hours."""

import logging
import threading
import time

from kb import clock
from kb.solve.draining import Counters
from kb.store import outbox
from kb.store.database import Database

log = logging.getLogger(__name__)

EVERY_S = 60.0


class Pace:
    """Counts passages as they are encoded, from any thread, and logs how many a second and how many items wait."""

    def __init__(self, db: Database, counters: Counters, every_s: float = EVERY_S) -> None:
        self._db = db
        self._counters = counters
        self._every_s = every_s
        self._lock = threading.Lock()
        self._since = self._last = 0.0
        self._many = 0

    def encoded(self, many: int) -> None:
        """So many more."""
        at = time.monotonic()
        with self._lock:
            self._counters.encoded += many
            if at - self._last > self._every_s:  # after a pause: its rate would say nothing
                self._since, self._many = at, 0
            self._last = at
            self._many += many
            seconds, passages = at - self._since, self._many
            if seconds < self._every_s:
                return
            self._since, self._many = at, 0
        with self._db.read() as tx:
            waiting = sum(each.waiting for each in outbox.backlog(tx, clock.now()) if each.lane.is_dense)
        log.info("encoding %.1f passages a second, %d articles and posts wait", passages / seconds, waiting)
