"""A real uvicorn on loopback, with a toy application, and clients that do not behave."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI, Request

from kb.cli.connections import bounded, configuration
from kb.cli.serving import listen
from kb.settings import Settings

GET = b"GET / HTTP/1.1\r\nHost: kb\r\n\r\n"


@contextmanager
def serving(most: int = 16, head_s: float = 0.3, **settings: str) -> Iterator[tuple[str, int]]:
    """Who asks, answered over HTTP: `(host, port)`."""
    app = FastAPI()

    @app.api_route("/", methods=["GET", "POST"])
    async def who(request: Request) -> str:
        return f"{request.url.scheme} {request.client.host if request.client else ''}"

    config = configuration(app, Settings(_env_file=None, **settings))  # type: ignore[call-arg, arg-type]
    config.http = bounded(most, head_s)
    server = uvicorn.Server(config)
    with listen("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        try:
            yield listener.getsockname()[:2]
        finally:
            server.should_exit = True
            thread.join()


def connect(address: tuple[str, int]) -> socket.socket:
    return socket.create_connection(address, timeout=5)


def said(connection: socket.socket) -> bytes:
    """What comes until the other side closes, or stops for a while."""
    answer = b""
    try:
        while more := connection.recv(65536):
            answer += more
            if answer.endswith(b'"'):
                break
    except ConnectionResetError:
        pass
    return answer


def is_closed_within(connection: socket.socket, seconds: float) -> bool:
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def test_a_connection_that_asks_nothing_is_closed() -> None:
    with serving() as address, connect(address) as silent:
        assert is_closed_within(silent, 2)


def test_headers_that_come_drop_by_drop_are_not_waited_for() -> None:
    with serving() as address, connect(address) as first, connect(address) as again:
        again.sendall(GET)
        assert b"200 OK" in said(again)
        begun = time.monotonic()
        for slow in (first, again):  # a new connection, and one that has asked before
            try:
                for drop in b"GET / HTTP/1.1\r\nX: " + b"x" * 30:
                    slow.sendall(bytes([drop]))
                    time.sleep(0.02)
            except OSError:
                pass
            assert is_closed_within(slow, 2)
        assert time.monotonic() - begun < 3


def test_a_connection_may_rest_between_requests() -> None:
    with serving() as address, connect(address) as patient:
        for _ in range(3):
            patient.sendall(GET)
            assert b"200 OK" in said(patient)
            time.sleep(0.4)  # longer than a head may take


def test_when_all_connections_are_taken_the_one_that_rests_longest_goes() -> None:
    with serving(most=3, head_s=30) as address:
        held = [connect(address) for _ in range(3)]
        for each in held:
            each.sendall(GET)
            assert b"200 OK" in said(each)
        with connect(address) as late:
            late.sendall(GET)
            assert b"200 OK" in said(late)
        assert [is_closed_within(each, 0.3) for each in held] == [True, False, False]
        for each in held:
            each.close()


def test_the_answer_does_not_say_what_serves_it() -> None:
    with serving() as address, connect(address) as client:
        client.sendall(GET)
        assert b"server:" not in said(client).lower()


@pytest.mark.parametrize(
    ("trusted", "seen"),
    [("", b'"http 127.0.0.1"'), ("127.0.0.0/8", b'"https 203.0.113.9"'), ("10.0.0.1", b'"http 127.0.0.1"')],
)
def test_only_a_trusted_proxy_is_believed_about_who_asks(trusted: str, seen: bytes) -> None:
    with serving(trusted_proxies=trusted) as address, connect(address) as client:
        client.sendall(GET[:-2] + b"X-Forwarded-For: 198.51.100.1, 203.0.113.9\r\nX-Forwarded-Proto: https\r\n\r\n")
        assert said(client).endswith(seen)


def test_a_proxy_that_is_no_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="trusted_proxies"):
        Settings(_env_file=None, trusted_proxies="proxy.example")  # type: ignore[call-arg]
