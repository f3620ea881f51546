"""Around every request: its id, its measurement, the headers that all replies have, an answer when all else fails."""

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kb import logs, tracing
from kb.api.errors import answer
from kb.api.metrics import Metrics, named

log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

SECURITY_HEADERS = {
    # What is no page of ours runs nothing, loads nothing and stands in no frame. A page has a policy of its own.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # An article number in an address is nobody else's business.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""On every reply, unless the route says it itself."""

_OVER_TLS = "max-age=31536000"


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
            scope.setdefault("state", {})["request_id"] = uuid.uuid4().hex
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        head = scope["method"] == "HEAD"
        if head:  # as GET without the body (RFC 9110, section 9.3.2), on every route that has GET
            scope = {**scope, "method": "GET"}
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        exchange = _Exchange(send, request_id, scope, head)
        with logs.of_request(request_id), tracing.request(headers) as span:
            start = time.perf_counter()
            try:
                await self.app(scope, receive, exchange.send)
            except Exception:
                log.exception("a request failed")
                if exchange.status:
                    raise  # the answer has begun: all that is left is to break it off
                await answer(request_id, 500, "internal", "")(scope, receive, exchange.send)
            finally:
                self._tell(scope, exchange, span, time.perf_counter() - start)
        return None

    def _tell(self, scope: Scope, exchange: "_Exchange", span: tracing.Span, seconds: float) -> None:
        """Count it, log it, trace it: under its route's template, since an address may name anything and anybody."""
        method, route = named(scope)
        status = exchange.status or 500
        self.metrics.request(method, route, status, seconds)
        fields = {"method": method, "route": route, "status": status, "bytes": exchange.bytes}
        log.info("request", extra=fields | {"ms": round(seconds * 1000, 1)})
        span.name(f"{method} {route}")
        span.note(
            {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
                "http.response.body.size": exchange.bytes,
                "kb.request_id": exchange.request_id,
            }
        )


class _Exchange:
    """One reply, watched."""

    def __init__(self, send: Send, request_id: str, scope: Scope, head: bool) -> None:
        self._send = send
        self.request_id = request_id
        self._scope = scope
        self._head = head
        self.status = 0
        self.bytes = 0

    async def send(self, message: Message) -> None:
        """The reply, with the headers that all have."""
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self.request_id
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            for cookie in self._scope["state"].get("cookies", ()):
                headers.append("Set-Cookie", cookie)
            if self._scope.get("scheme") == "https":
                headers.setdefault("Strict-Transport-Security", _OVER_TLS)
            if self._scope["path"].startswith("/api/"):
                headers.setdefault("Cache-Control", "no-store")  # what one reader may see is not for the next
        elif self._head:
            message = {**message, "body": b""}
        self.bytes += len(message.get("body", b""))
        await self._send(message)
