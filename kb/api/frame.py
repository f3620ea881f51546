"""Around every request: its id, the limit of its size, its measurement, and an answer when all else fails."""

import logging
import re
import time
import uuid

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kb.api.errors import MAX_BODY, answer
from kb.api.metrics import Metrics

log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Frame:
    """ASGI middleware.

    A caller's `X-Request-ID` is taken over if it has 1 to 64 letters, digits, dots, dashes or underscores; any other
    is replaced, since it would be written into logs.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        exchange = _Exchange(receive, send, request_id, str(scope["path"]))
        start = time.perf_counter()
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except Exception:
            log.exception("request %s failed", request_id)
            if exchange.status:
                raise  # the answer has begun: all that is left is to break it off
            await answer(request_id, 500, "internal", "")(scope, exchange.receive, exchange.send)
        finally:
            self.metrics.request(scope, exchange.status or 500, time.perf_counter() - start)
        return None


class _Exchange:
    """One request and its reply, watched."""

    def __init__(self, receive: Receive, send: Send, request_id: str, path: str) -> None:
        self._receive, self._send = receive, send
        self._request_id, self._path = request_id, path
        self._read = 0
        self.status = 0

    async def receive(self) -> Message:
        """The next piece of the request; refuses what is too large as soon as that is known."""
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > MAX_BODY:
            raise HTTPException(413, "the body is larger than 2 MB")
        return message

    async def send(self, message: Message) -> None:
        """The reply, with the headers that all have."""
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._request_id
            headers["X-Content-Type-Options"] = "nosniff"
            if self._path.startswith("/api/"):
                headers["Cache-Control"] = "no-store"  # what one reader may see is not for the next
        await self._send(message)
