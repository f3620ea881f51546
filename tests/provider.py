"""A small OpenID provider: a real HTTP server on this machine with keys of its own, that can also misbehave."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "kb", "s3cret/&"


@dataclass
class Provider:
    """Where it answers, who is signed in there, and how it misbehaves."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "u-1", "name": "Ada", "groups": ["kb-editors"]})
    wrong: dict[str, Any] = field(default_factory=dict)  # claims that it gets wrong; None leaves one out
    algorithm: str = "RS256"
    broken: bool = False
    slow: float = 0.0  # seconds before each answer
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def rotate(self) -> None:
        """Sign with a new key, and forget the one before."""
        self.keys = {secrets.token_hex(4): rsa.generate_private_key(65537, 2048)}

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.url})}"

    def token(self, given: dict[str, str], authorization: str) -> dict[str, str] | None:
        """What a code is worth: once, for who asked for it."""
        user, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        asked = self.codes.pop(given["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(given["code_verifier"].encode()).digest()).decode()
        if (
            asked is None
            or (unquote(user), unquote(password)) != (CLIENT, SECRET)
            or asked["code_challenge"] != challenge.rstrip("=")
            or asked["redirect_uri"] != given["redirect_uri"]
        ):
            return None
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": asked["nonce"]} | self.claims
        claims = {name: value for name, value in (claims | self.wrong).items() if value is not None}
        [(kid, key)] = self.keys.items()
        signing: Any = {"RS256": key, "none": "", "HS256": SECRET * 8}[self.algorithm]
        return {"id_token": jwt.encode(claims, signing, self.algorithm, {"kid": kid}), "token_type": "Bearer"}

    def documents(self, path: str) -> dict[str, Any] | None:
        """What it says of itself."""
        if path == "/.well-known/openid-configuration":
            ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            return {"issuer": self.url} | {name: f"{self.url}/{end}" for name, end in ends.items()}
        if path == "/keys":
            made = [
                json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())) | {"kid": kid}
                for kid, key in self.keys.items()
            ]
            return {"keys": [*made, {"kty": "of the future", "kid": "x"}]}
        return None


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.provider.asked.append(url.path)
        if url.path == "/authorize":
            self.send_response(302)
            asked = {name: value[0] for name, value in parse_qs(url.query).items()}
            self.send_header("Location", self.provider.authorize(asked))
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._answer(self.provider.documents(url.path), 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.provider.asked.append(self.path)
        given = {name: value[0] for name, value in parse_qs(body).items()}
        self._answer(self.provider.token(given, self.headers["Authorization"]), 400)

    def _answer(self, found: dict[str, Any] | None, otherwise: int) -> None:
        time.sleep(self.provider.slow)
        status = 500 if self.provider.broken else 200 if found is not None else otherwise
        body = json.dumps(found if status == 200 else {"error": "invalid_grant"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def running() -> Iterator[Provider]:
    """A provider on a free port of this machine."""
    provider = Provider()
    provider.rotate()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": provider}))
    server.daemon_threads = True
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
