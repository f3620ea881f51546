"""An endpoint for webhooks: a real HTTP server on loopback that remembers what it was sent and answers as told."""

import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kb.outside import Allowed, Outside

LOOPBACK = Allowed.parse("127.0.0.0/8")
WAY = Outside(LOOPBACK, seconds=60, setting="KB_WEBHOOK_ALLOW")


def only_here(host: str, port: int) -> list[str]:
    """A resolver for tests: nothing but this machine has an address."""
    if host != "127.0.0.1":
        raise OSError(f"{host} is elsewhere")
    return [host]


@dataclass
class Received:
    """One request."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = self.said["data"]
        return found

    def is_signed_with(self, secret: str) -> bool:
        """As the specification has it, and as a receiver would check."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        content = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        signatures = self.headers["webhook-signature"].split(" ")
        return any(hmac.compare_digest(f"v1,{expected}", each) for each in signatures)


@dataclass
class Endpoint:
    """What arrived, and what is answered: `answers` first, one after the other, then 204. `hold` keeps answers back."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    hold: threading.Event | None = None
    arrived: threading.Event = field(default_factory=threading.Event)

    def events(self) -> list[str]:
        return [each.said["type"] for each in self.received]


@contextlib.contextmanager
def endpoint() -> Iterator[Endpoint]:
    """One that listens while the block runs."""
    made = Endpoint()

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.received.append(Received({key.lower(): value for key, value in self.headers.items()}, body))
            made.arrived.set()
            if made.hold is not None:
                made.hold.wait(60)
            status = made.answers.pop(0) if made.answers else 204
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", made.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    made.url = f"http://127.0.0.1:{server.server_address[1]}/hooks"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        if made.hold is not None:
            made.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()
