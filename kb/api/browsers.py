"""What only browsers do: they keep cookies, and send them along for whoever asks them to.

A cookie alone therefore proves nothing about who wants a request made. A change made with one also needs to come from
a page of ours (`Sec-Fetch-Site`, else `Origin`: what Go's CrossOriginProtection checks) and to know the session's CSRF
token, which only our pages can read.
"""

import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from kb.api.parts import Running
from kb.errors import Foreign, NotAllowed

CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def is_safe(connection: HTTPConnection) -> bool:
    """Whether it only reads. To open a WebSocket is more than that: what follows may be anything."""
    return connection.scope["type"] == "http" and connection.scope["method"] in _SAFE


def require_our_page(connection: HTTPConnection, parts: Running) -> None:
    """Nothing, or Foreign for a request that a page of somebody else made the browser send.

    Without either header it is no browser: all of them send Origin with what is not safe, and with every WebSocket.
    """
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
    if site is not None and connection.scope["type"] == "http":
        ours = site == "same-origin"
    else:
        ours = origin is None or is_our_origin(origin, connection, parts)
    if not ours:
        raise Foreign("this came from a page that is not ours")


def is_our_origin(origin: str, connection: HTTPConnection, parts: Running) -> bool:
    """Whether pages of that origin are ours: where we are asked, or where the operator says we are.

    The scheme is not compared: behind a proxy that ends TLS we do not see it.
    """
    if "://" not in origin:  # "null", for one
        return False
    return origin == _origin_of(parts.public_url) or urlsplit(origin).netloc == connection.headers.get("host")


def require_csrf(given: str | None, wanted: str, safe: bool) -> None:
    """Nothing, or Foreign. A token that is sent has to be right: a page that holds another's is a page left open."""
    if given is None and safe:
        return
    if given is None or not hmac.compare_digest(given.encode(), wanted.encode()):
        raise Foreign(f"{CSRF_HEADER} is missing, or of another session: GET /api/v1/session tells it")


def require_private_line(connection: HTTPConnection, parts: Running) -> None:
    """Nothing, or NotAllowed where a password and its cookie would travel in the clear without the operator's will."""
    loopback = _is_loopback(connection.url.hostname or "")
    if not (_is_secure(connection, parts) or loopback or parts.public_url.startswith("http://")):
        raise NotAllowed("signing in needs https; the operator says with KB_PUBLIC_URL where people reach this page")


def cookie(connection: HTTPConnection, parts: Running, name: str) -> str | None:
    """The value of a cookie of ours."""
    return connection.cookies.get(_full_name(connection, parts, name))


def set_cookie(connection: HTTPConnection, parts: Running, name: str, value: str, max_age_s: int | None = None) -> None:
    """Have the reply set a cookie, whatever the reply is; with "" and 0 it takes it away.

    Without an age it ends with the browser: desks in a contact centre are shared.
    """
    secure = "; Secure" if _is_secure(connection, parts) else ""
    age = "" if max_age_s is None else f"; Max-Age={max_age_s}"
    line = f"{_full_name(connection, parts, name)}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}"
    connection.scope.setdefault("state", {}).setdefault("cookies", []).append(line)


def here(connection: HTTPConnection, parts: Running) -> str:
    """Our address as browsers know it, such as https://kb.example."""
    return _origin_of(parts.public_url) or f"{connection.url.scheme}://{connection.url.netloc}"


def _full_name(connection: HTTPConnection, parts: Running, name: str) -> str:
    # With this prefix a browser takes it only from us, over TLS: a neighbour under the same domain cannot plant one.
    return f"__Host-kb_{name}" if _is_secure(connection, parts) else f"kb_{name}"


def _is_secure(connection: HTTPConnection, parts: Running) -> bool:
    return connection.url.scheme in ("https", "wss") or parts.public_url.startswith("https://")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _origin_of(url: str) -> str:
    return "/".join(url.split("/")[:3])
