"""How long a transaction waits for the database: not long where a person waits for the answer.

A server that hangs takes connections and statements and never answers, and only the client can notice that. So each
wait for PostgreSQL is bounded here, and so is the wait for SQLite's write lock.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

HASTY_S = 1.5
"""How long a whole transaction may wait for an answer that a person waits for. With what surrounds it: below 2 s."""

PATIENT_S = 30.0
"""How long commands, importers and the indexer wait for a lock; they wait for a slow statement as long as it takes."""

_TIRED_S = 5.0
_GLANCE_S = 0.25
_NO_ANSWER = "the server did not answer in time"


class Patience:
    """The time that the transaction of this thread still has.

    Once a hasty wait was in vain, those of the next 5 s are short, unless one of them succeeds: who asks a database
    that has just not answered hears so at once, and no queue of waiting threads builds up in front of those who
    would be served.
    """

    def __init__(self, hasty: bool) -> None:
        self.hasty = hasty
        self.full_s = HASTY_S if hasty else PATIENT_S
        self._tired_until = 0.0
        self._thread = threading.local()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """The time of a transaction begins."""
        outer = getattr(self._thread, "end", None)  # of a transaction around this one
        self._thread.end = time.monotonic() + self.full_s
        try:
            yield
        finally:
            self._thread.end = outer

    def left_s(self) -> float:
        """Seconds that a wait may last now; never less than a healthy database needs, so that a commit is not cut."""
        now = time.monotonic()
        end = getattr(self._thread, "end", None)
        left = self.full_s if end is None else max(end - now, _GLANCE_S)
        return _GLANCE_S if now < self._tired_until else left

    def in_vain(self) -> None:
        """A wait was given up."""
        if self.hasty:
            self._tired_until = time.monotonic() + _TIRED_S

    def rewarded(self) -> None:
        """A wait was not."""
        self._tired_until = 0.0


def postgres_connector(patience: Patience) -> Callable[..., Any]:
    """Connects to PostgreSQL like `psycopg.connect`; a hasty connection is closed when the server does not answer."""
    import psycopg  # here: installed with the extra "postgres" only

    class Bounded(psycopg.Connection[Any]):
        """Waits for an answer no longer than the transaction has time."""

        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            if timeout is not None:
                return super().wait(gen, interval, timeout)
            try:
                found = super().wait(gen, interval, patience.left_s())
            except psycopg.errors._WaitTimeout as error:
                self.pgconn.finish()  # it is in the middle of a statement: nobody can use it again
                patience.in_vain()
                raise psycopg.OperationalError(_NO_ANSWER) from error
            patience.rewarded()
            return found

        @classmethod
        def _connect_gen(cls, *args: Any, **more: Any) -> Any:
            # psycopg waits 2 s at least, which is all the time there is.
            late = psycopg.OperationalError(_NO_ANSWER)
            return (yield from _within(super()._connect_gen(*args, **more), patience, late))

    kind = Bounded if patience.hasty else psycopg.Connection
    # A lock is waited for by the server. A host that has vanished is found out by keepalives.
    waits = f"SET lock_timeout = '{patience.full_s * 0.7:.2f}s'"
    if patience.hasty:
        waits += f"; SET statement_timeout = '{patience.full_s:.2f}s'"
    alive = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}

    def connect(*args: Any, **more: Any) -> Any:
        connection = kind.connect(*args, **{"connect_timeout": 10, **alive, **more})
        connection.autocommit = True
        connection.execute(waits)
        connection.autocommit = False
        return connection

    return connect


def _within(connecting: Any, patience: Patience, late: Exception) -> Any:
    """A generator of psycopg's that connects, ended by that error when the time is over.

    psycopg sends it something at least every tenth of a second.
    """
    end = time.monotonic() + patience.left_s()
    try:
        state = next(connecting)
        while True:
            ready = yield state
            if time.monotonic() > end:
                connecting.close()
                patience.in_vain()
                raise late
            state = connecting.send(ready)
    except StopIteration as connected:
        return connected.value
