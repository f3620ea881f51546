"""Fetching what somebody else's address names, without being sent to a place that only we can reach.

A source, a webhook or a picture may be named by people who cannot see our network; a server that fetches whatever it
is told lends them its eyes (server-side request forgery). So a host is looked up once, every address it has must be
a public one, and the connection goes to the very address that was checked: a name that answers differently the
second time gains nothing. Redirects are followed the same way. Nothing of ours goes along: no credentials, no
cookies, no proxy from the environment.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore

from kb.errors import Invalid, Unavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Sequence[str]]
"""From host and port to the addresses it has, as text; raises OSError."""

REDIRECTS = 5

_PORTS = {"http": 80, "https": 443}
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # NAT64 (RFC 6052): the IPv4 address is the last 32 bits
_ALSO_PRIVATE: tuple[Network, ...] = (
    ipaddress.IPv4Network("100.64.0.0/10"),  # carriers' (RFC 6598)
    ipaddress.IPv4Network("192.88.99.0/24"),  # 6to4 relays
    ipaddress.IPv6Network("64:ff9b:1::/48"),  # NAT64 within a site (RFC 8215)
    ipaddress.IPv6Network("2002::/16"),  # 6to4 and, below, Teredo carry an IPv4 address of anybody's choice
    ipaddress.IPv6Network("2001::/32"),
    ipaddress.IPv6Network("::/96"),  # IPv4-compatible
    ipaddress.IPv6Network("fec0::/10"),  # site-local
)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host as the system knows them."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


@dataclass(frozen=True, slots=True)
class Allowed:
    """Hosts and networks of our own that an operator trusts; empty by default."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Allowed":
        """From "wiki.corp.example, 10.1.0.0/16"."""
        hosts, networks = set(), []
        for each in filter(None, map(str.strip, text.split(","))):
            try:
                networks.append(ipaddress.ip_network(each))
            except ValueError:
                hosts.add(_plain(each))
        return cls(frozenset(hosts), tuple(networks))

    def names(self, host: str) -> bool:
        """Whether a host, or an address written out, is among them."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return _plain(host) in self.hosts
        return any(address.version == net.version and address in net for net in self.networks)


@dataclass(frozen=True, slots=True)
class Outside:
    """The way out. `seconds` and `most` (bytes) are for one `get`, redirects included."""

    allowed: Allowed = Allowed()
    most: int = 100_000_000
    seconds: float = 60.0
    resolver: Resolver = resolve
    tls: ssl.SSLContext | None = None
    setting: str = "KB_FETCH_ALLOW"

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send a body to an http or https address; the status of the answer, which is not read. Nothing is followed.

        Raises Invalid for an address that is not for us to ask, Unavailable where nothing comes, or not in time.
        """
        _check(url)
        network = _Network(self, time.monotonic() + self.seconds)
        sent = [("User-Agent", "kb"), *headers.items()]
        with (
            httpcore.ConnectionPool(ssl_context=self.tls, network_backend=network) as pool,
            _told(url),
            pool.stream("POST", url, headers=sent, content=body) as response,
        ):
            return response.status

    @contextmanager
    def get(self, url: str) -> Iterator[Iterator[bytes]]:
        """The body of an http or https address, piece by piece.

        Raises Invalid for an address that is not for us to fetch or leads to too much, Unavailable where nothing
        comes, not in time, or no success; both also while the body is read.
        """
        network = _Network(self, time.monotonic() + self.seconds)
        with ExitStack() as stack:
            pool = stack.enter_context(httpcore.ConnectionPool(ssl_context=self.tls, network_backend=network))
            with _told(url):
                response = self._follow(pool, stack, url)
            yield self._read(response, url)

    def _follow(self, pool: httpcore.ConnectionPool, stack: ExitStack, url: str) -> httpcore.Response:
        headers = [("User-Agent", "kb"), ("Accept-Encoding", "identity")]
        for _ in range(REDIRECTS + 1):
            _check(url)
            response = stack.enter_context(pool.stream("GET", url, headers=headers))
            target = _redirect(response)
            if target is None:
                return response
            url = urljoin(url, target)
        raise Invalid(f"it leads on more than {REDIRECTS} times", "url")

    def _read(self, response: httpcore.Response, url: str) -> Iterator[bytes]:
        read = 0
        with _told(url):
            for piece in response.iter_stream():
                read += len(piece)
                if read > self.most:
                    raise Invalid(f"it has more than {self.most:,} bytes", "url")
                yield piece


def is_public(address: Address) -> bool:
    """Whether an address is one that anybody on the internet could reach."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _TRANSLATED:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.scope_id is not None:
            return False
    ours = any(address.version == each.version and address in each for each in _ALSO_PRIVATE)
    return address.is_global and not address.is_multicast and not address.is_reserved and not ours


class _Network(httpcore.NetworkBackend):
    """Connections to checked addresses, all within one deadline."""

    def __init__(self, outside: Outside, deadline: float) -> None:
        self._outside = outside
        self._deadline = deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first address of a host that answers, after all of them were checked."""
        failed: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._checked(host, port):
            try:
                return _Stream(self._plain.connect_tcp(address, port, _left(self._deadline)), self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    def _checked(self, host: str, port: int) -> list[str]:
        try:
            found = list(self._outside.resolver(host, port))
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} has no address: {error}") from None
        allowed = self._outside.allowed
        if _plain(host) not in allowed.hosts:
            for each in found:
                address = ipaddress.ip_address(each)
                trusted = any(address.version == net.version and address in net for net in allowed.networks)
                if not trusted and not is_public(address):
                    # The address is not named: it would tell what our network looks like.
                    raise Invalid(
                        f"{host} is in a private network; {self._outside.setting} names those that may be asked", "url"
                    )
        return found


class _Stream(httpcore.NetworkStream):
    """A connection whose every step ends at the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("time is up")
    return left


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise Invalid("it is no address of the web", "url") from None
    if not port or not parts.hostname or not url.isascii() or any(each in url for each in " \\\r\n\t"):
        raise Invalid("an address begins with http:// or https:// and names a host", "url")
    if "@" in parts.netloc:
        raise Invalid("an address holds no user name and no password", "url")


def _redirect(response: httpcore.Response) -> str | None:
    """Where it leads, None for the thing itself; raises Unavailable where there is neither."""
    if response.status == 200:
        if any(name.lower() == b"content-encoding" and value != b"identity" for name, value in response.headers):
            raise Invalid("it comes packed, which was not asked for", "url")
        return None
    target = next((value.decode("latin-1") for name, value in response.headers if name.lower() == b"location"), None)
    if response.status in (301, 302, 303, 307, 308) and target is not None:
        return target
    raise Unavailable(f"it answers with status {response.status}")


@contextmanager
def _told(url: str) -> Iterator[None]:
    """What goes wrong, in the domain's words."""
    try:
        yield
    except httpcore.TimeoutException:
        raise Unavailable(f"{url} did not answer in time") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
        raise Unavailable(f"{url} cannot be read: {error}") from None


def _plain(host: str) -> str:
    return host.lower().rstrip(".")
