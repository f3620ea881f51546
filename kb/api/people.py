"""Who is asking, and how much of what they may do their key or session opens.

`Authorization: Bearer` with an API key or a host's token, else the cookie of a session, else the public.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.requests import HTTPConnection

from kb.api.browsers import CSRF_HEADER, cookie, is_our_origin, is_safe, require_csrf, require_our_page, set_cookie
from kb.api.limits import found_good
from kb.api.parts import Parts, Running
from kb.errors import NotAllowed, NotSignedIn
from kb.person import ANONYMOUS, Person, Scope
from kb.solve.access import person_for
from kb.solve.hosts import looks_signed, person_for_token
from kb.solve.signing_in import SignedIn

COOKIE = "session"

# For the description only: `signed_in` looks for itself.
_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="An API key (`kb_...`), or a short-lived token that a host of ours has signed (a JWT with iss, aud=kb, "
    "sub, iat, exp). Without one you read as the public; one that is not good is refused.",
)
_cookie = APIKeyCookie(
    name="__Host-kb_session",
    auto_error=False,
    scheme_name="session",
    description=f"What `POST /api/v1/session` sets; `kb_session` over plain HTTP. Changes also need {CSRF_HEADER}.",
)


def signed_in(
    connection: HTTPConnection,
    parts: Parts,
    _key: Annotated[Any, Depends(_bearer)],
    _session: Annotated[Any, Depends(_cookie)],
) -> Person:
    """The person behind a request or a WebSocket; ANONYMOUS for one without credentials.

    Raises NotSignedIn for credentials that are not good: they never read as the public. Whoever sends some expects to
    see more, and has to learn that they do not. `connection.state.person_id` says who was found.
    """
    headers = connection.headers.getlist("authorization")
    person = _by_header(connection, parts, headers) if headers else _by_cookie(connection, parts)
    connection.state.person_id = person.id
    return person


Me = Annotated[Person, Depends(signed_in)]


def session_of(connection: HTTPConnection) -> SignedIn | None:
    """The session that `signed_in` found, if it was one."""
    found: SignedIn | None = getattr(connection.state, "session", None)
    return found


class _Opens:
    """A dependency that lets through who comes with a scope."""

    def __init__(self, reading: Scope, writing: Scope) -> None:
        self._reading = reading
        self._writing = writing

    async def __call__(self, connection: HTTPConnection, me: Me) -> None:
        needed = self._reading if is_safe(connection) else self._writing
        if needed not in me.scopes:
            raise NotAllowed(
                f"this needs a key with the scope {needed}; yours: {', '.join(sorted(me.scopes)) or 'none'}"
            )


def opens(reading: Scope, writing: Scope | None = None) -> Any:
    """For a router or a route: the scope it takes, and another one for what changes something."""
    return Depends(_Opens(reading, writing or reading))


NEEDS_NO_SCOPE = frozenset({
    "healthz", "readyz",  # names nobody
    "read_me", "read_session", "sign_in", "sign_out", "sign_in_with_provider", "back_from_provider",  # who are you?
    "change_password", "list_sessions", "end_session",  # one's own
})  # fmt: skip
"""The routes that anybody may ask, whatever their key opens."""


def require_scopes(router: APIRouter) -> None:
    """Nothing, or RuntimeError naming a route that forgot to say what it takes."""
    for route in router.routes:
        dependant = getattr(route, "dependant", None)
        checked = dependant is not None and any(isinstance(each.call, _Opens) for each in dependant.dependencies)
        if not checked and getattr(route, "name", None) not in NEEDS_NO_SCOPE:
            raise RuntimeError(f"{route} says no scope: give its router dependencies=[opens(Scope...)]")


def _by_header(connection: HTTPConnection, parts: Running, headers: list[str]) -> Person:
    scheme, _, credential = headers[0].partition(" ")
    credential = credential.strip()
    if len(headers) > 1 or scheme.lower() != "bearer" or not credential:
        raise NotSignedIn("send one header: Authorization: Bearer kb_...")
    if looks_signed(credential):
        origin = connection.headers.get("origin")
        foreign = origin is not None and not is_our_origin(origin, connection, parts)
        person = person_for_token(parts.db, credential, origin if foreign else None)
        found_good(connection, person.id)
    else:
        person = person_for(parts.db, credential)
        found_good(connection, credential)
    return person


def _by_cookie(connection: HTTPConnection, parts: Running) -> Person:
    token, csrf = cookie(connection, parts, COOKIE), connection.headers.get(CSRF_HEADER)
    if token is None:
        if csrf is not None:  # a page that was left open; its session has ended in another one
            raise NotSignedIn("you are signed out: sign in again")
        return ANONYMOUS
    is_http = connection.scope["type"] == "http"
    try:
        found = parts.sign_in.resume(token, renew=is_http)
    except NotSignedIn:
        set_cookie(connection, parts, COOKIE, "", 0)  # said once; the next request is the public's
        raise
    safe = is_safe(connection)
    if not safe:
        require_our_page(connection, parts)
    if is_http:  # a page cannot send headers with a WebSocket
        require_csrf(csrf, parts.sign_in.csrf(found.session), safe)
    if found.token:
        set_cookie(connection, parts, COOKIE, found.token)
    connection.state.session = found
    found_good(connection, found.session.id)
    return found.person
