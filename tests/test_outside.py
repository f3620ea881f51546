"""A real server on loopback, which is private: what may be reached is what a toy resolver and KB_FETCH_ALLOW say."""

import http.server
import ipaddress
import threading
import time
from collections.abc import Iterator, Sequence
from typing import ClassVar

import pytest

from kb.errors import Invalid, Unavailable
from kb.outside import Allowed, Outside, is_public, resolve

LOOPBACK = Allowed.parse("127.0.0.0/8")


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers by path."""

    asked: ClassVar[list[tuple[str, dict[str, str]]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, dict(self.headers)))
        if self.path.startswith("/to?"):
            self.send_response(302)
            self.send_header("Location", self.path.partition("?")[2])
            self.end_headers()
        elif self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            try:
                for _ in range(100):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.05)
            except OSError:
                pass
        elif self.path == "/slow-head":
            try:
                for _ in range(100):
                    self.wfile.write(b"H")
                    self.wfile.flush()
                    time.sleep(0.05)
            except OSError:
                pass
        elif self.path == "/packed":
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
        elif self.path.startswith("/gone"):
            self.send_error(404)
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello " * 1000)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def fetch(way: Outside, url: str) -> bytes:
    with way.get(url) as pieces:
        return b"".join(pieces)


def knows(**addresses: str) -> Outside:
    """A way out where only these names exist (dots written as __), and loopback is trusted."""
    names = {name.replace("__", "."): found.split() for name, found in addresses.items()}

    def resolver(host: str, port: int) -> Sequence[str]:
        if host not in names:
            raise OSError("unknown")
        return names[host]

    return Outside(LOOPBACK, seconds=5, resolver=resolver)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
        "192.0.0.1", "192.0.2.1", "192.168.1.1", "198.18.0.1", "224.0.0.1",
        "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1",
        "2001::1", "2001:db8::1", "2002:7f00:1::", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1",
        "ff02::1",
    ],
)  # fmt: skip
def test_an_address_that_not_everybody_could_reach_is_private(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["9.9.9.9", "2606:4700::1111", "::ffff:9.9.9.9", "64:ff9b::909:909"])
def test_an_address_that_anybody_could_reach_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0"],
)
def test_this_machine_is_not_reached_however_its_address_is_written(port: int, host: str) -> None:
    before = len(Answers.asked)
    with pytest.raises(Invalid, match="private network"):
        fetch(Outside(), f"http://{host}:{port}/")
    assert len(Answers.asked) == before
    assert fetch(Outside(LOOPBACK), f"http://127.0.0.1:{port}/") == b"hello " * 1000


def test_a_name_with_one_private_address_among_public_ones_is_refused() -> None:
    with pytest.raises(Invalid, match="private network"):
        fetch(knows(forum__example="9.9.9.9 10.0.0.1"), "http://forum.example/")


def test_a_name_that_changes_its_address_after_it_was_checked_gains_nothing(port: int) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    way = Outside(LOOPBACK, seconds=5, resolver=lambda host, port: next(answers))
    assert fetch(way, f"http://forum.example:{port}/") == b"hello " * 1000
    assert Answers.asked[-1][1]["Host"] == f"forum.example:{port}"
    assert next(answers) == ["10.0.0.1"]  # it was looked up once


def test_a_redirect_is_checked_like_an_address(port: int) -> None:
    way = knows(forum__example="127.0.0.1", other__example="127.0.0.1", wiki__corp="10.0.0.1")
    assert fetch(way, f"http://forum.example:{port}/to?http://other.example:{port}/x").startswith(b"hello")
    assert fetch(way, f"http://forum.example:{port}/to?/x").startswith(b"hello")
    with pytest.raises(Invalid, match="private network"):
        fetch(way, f"http://forum.example:{port}/to?http://wiki.corp/")
    with pytest.raises(Invalid, match="http"):
        fetch(way, f"http://forum.example:{port}/to?file:///etc/passwd")
    with pytest.raises(Invalid, match="leads on"):
        fetch(way, f"http://forum.example:{port}/to?" + f"http://forum.example:{port}/to?" * 6)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://forum.example/", "gopher://forum.example/", "//forum.example/", "forum.example", "http://",
        "http:///x", "http://forum.example:99999/", "http://me:secret@forum.example/", "http://forum.example/a b",
        "http://forum.example\\@other/", "http://forum.example/\r\nX: 1", "http://\u24d5orum.example/", "http://[::1",
    ],
)  # fmt: skip
def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        fetch(knows(forum__example="127.0.0.1"), url)


def test_too_much_and_too_slow_are_refused(port: int) -> None:
    with pytest.raises(Invalid, match="more than 5,999"):
        fetch(Outside(LOOPBACK, most=5_999), f"http://127.0.0.1:{port}/")
    for path in ("slow", "slow-head"):
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="in time"):
            fetch(Outside(LOOPBACK, seconds=0.3), f"http://127.0.0.1:{port}/{path}")
        assert time.monotonic() - begun < 2


def test_nothing_of_ours_goes_along(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    fetch(Outside(LOOPBACK), f"http://127.0.0.1:{port}/x")
    assert Answers.asked[-1] == ("/x", {"Host": f"127.0.0.1:{port}", "User-Agent": "kb", "Accept-Encoding": "identity"})


def test_what_is_not_there_or_packed_is_said(port: int) -> None:
    with pytest.raises(Unavailable, match="404"):
        fetch(Outside(LOOPBACK), f"http://127.0.0.1:{port}/gone")
    with pytest.raises(Invalid, match="packed"):
        fetch(Outside(LOOPBACK), f"http://127.0.0.1:{port}/packed")
    with pytest.raises(Unavailable, match="cannot be read"):
        fetch(Outside(LOOPBACK), "http://127.0.0.1:9/")
    with pytest.raises(Unavailable, match="no address"):
        fetch(knows(), "http://nowhere.example/")


def test_a_host_is_trusted_by_name_or_by_network(port: int) -> None:
    assert fetch(Outside(Allowed.parse("LOCALHOST.")), f"http://localhost:{port}/").startswith(b"hello")
    with pytest.raises(Invalid, match="private"):
        fetch(Outside(Allowed.parse("other, 10.0.0.0/8")), f"http://localhost:{port}/")
    assert "127.0.0.1" in resolve("localhost", 80)
