"""How connections are served: uvicorn, with an end to those that hold one and ask nothing."""

import asyncio
import logging
import resource
from typing import TYPE_CHECKING, Any

from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from fastapi import FastAPI

    from kb.settings import Settings

log = logging.getLogger(__name__)

HEAD_S = 10.0
"""Seconds for a request's address and headers to arrive, from its first byte or from the connection's beginning."""

KEEP_ALIVE_S = 75
"""Seconds a connection may rest between requests: longer than proxies keep theirs, so that they close first."""

MOST = 4_096
"""Connections at once; fewer where the system lets a process open fewer files."""

_OWN_FILES = 256  # the database, the index, the log
_HEAD_BYTES = 64_000  # `kb.api.bodies` says less, in words


def configuration(app: "FastAPI", settings: "Settings") -> Config:
    """How uvicorn serves an application. No header is believed but those of the proxies that the settings name."""
    return Config(
        app,
        http=bounded(_allowed()),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        h11_max_incomplete_event_size=_HEAD_BYTES,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=10,
    )


class Bounded(H11Protocol):
    """uvicorn's protocol for at most `most` connections, each of which says what it wants in `head_s` seconds.

    A request's body is bounded by `kb.api.bodies`, its answer by `kb.api.limits`. Where all connections are taken, a
    new one takes the place of the one that has rested for longest; where none rests, it is closed.
    """

    most = MOST
    head_s = HEAD_S
    _deadline: asyncio.TimerHandle | None = None
    _resting_since = 0.0

    def connection_made(self, transport: Any) -> None:
        """See `asyncio.Protocol`."""
        if len(self.connections) >= self.most and not self._make_room():
            log.warning("all %d connections are taken by requests: one more is closed", self.most)
            transport.abort()
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        super().data_received(data)
        if self._answering:
            self._stop_waiting()
        elif self._deadline is None:
            self._await_head()

    def on_response_complete(self) -> None:
        """Called by uvicorn when an answer has been sent."""
        self._resting_since = self.loop.time()
        super().on_response_complete()

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _await_head(self) -> None:
        self._resting_since = self.loop.time()
        self._deadline = self.loop.call_later(self.head_s, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _make_room(self) -> bool:
        resting = [each for each in self.connections if isinstance(each, Bounded) and not each._answering]
        if resting:
            longest = min(resting, key=lambda each: each._resting_since)
            self.connections.discard(longest)
            longest.transport.abort()
        return bool(resting)


def bounded(most: int, head_s: float = HEAD_S) -> type[Bounded]:
    """The protocol with bounds of its own."""
    return type("Bounded", (Bounded,), {"most": most, "head_s": head_s})


def _allowed() -> int:
    """How many connections there may be, after asking the system for as many open files as it gives."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + _OWN_FILES
    soft = max(soft, min(wanted, hard)) if hard != resource.RLIM_INFINITY else max(soft, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(MOST, max(16, soft - _OWN_FILES))
