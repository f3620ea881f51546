"""Signing in with the company's account: two addresses that the browser goes to and comes back to."""

from typing import Annotated
from urllib.parse import urlencode

import jwt
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse

from kb import clock
from kb.api.browsers import cookie, here, require_private_line, set_cookie
from kb.api.parts import Parts, Running
from kb.api.sessions import enter
from kb.errors import NotAllowed, NotFound, NotSignedIn, Unavailable
from kb.solve.oidc import Attempt, Provider

router = APIRouter(prefix="/sign-in/oidc", include_in_schema=False)

_COOKIE = "attempt"
_PATIENCE_S = 600  # to type a password elsewhere, and find the second factor
_LONGEST = 500


@router.get("")
def sign_in_with_provider(
    request: Request, parts: Parts, next: Annotated[str, Query(max_length=_LONGEST)] = "/"
) -> RedirectResponse:
    """To the provider, remembering in the browser what has to come back and where the person was."""
    provider = _provider(parts)
    require_private_line(request, parts)
    attempt, back = Attempt(), _ours(next)
    try:
        address = provider.address(attempt, _callback(request, parts))
    except Unavailable:
        return _back(back, "away")
    fields: dict[str, object] = {
        "state": attempt.state,
        "nonce": attempt.nonce,
        "verifier": attempt.verifier,
        "next": back,
    }
    fields |= {"exp": clock.now().timestamp() + _PATIENCE_S}
    set_cookie(request, parts, _COOKIE, jwt.encode(fields, parts.sign_in.key("attempt"), "HS256"), _PATIENCE_S)
    return _to(address)


@router.get("/callback")
def back_from_provider(request: Request, parts: Parts) -> RedirectResponse:
    """Back from the provider: a session begins, or the page says in words why not."""
    provider = _provider(parts)
    kept = cookie(request, parts, _COOKIE) or ""
    set_cookie(request, parts, _COOKIE, "", 0)  # for one answer only
    try:
        fields = jwt.decode(kept, parts.sign_in.key("attempt"), ["HS256"], options={"require": ["exp"]})
    except jwt.PyJWTError:
        return _back("/", "failed")
    attempt = Attempt(fields["state"], fields["nonce"], fields["verifier"])
    try:
        begun = provider.finish(attempt, request.query_params, _callback(request, parts))
    except Unavailable:
        return _back(fields["next"], "away")
    except NotAllowed:
        return _back(fields["next"], "nothing")
    except NotSignedIn:
        return _back(fields["next"], "failed")
    enter(request, parts, begun)
    return _to(fields["next"])


def _provider(parts: Running) -> Provider:
    if parts.provider is None:
        raise NotFound("no provider is set up")
    return parts.provider


def _callback(request: Request, parts: Running) -> str:
    return f"{here(request, parts)}{router.prefix}/callback"


def _ours(path: str) -> str:
    """The path, if it is one on this site: "//else.where" and "/\\else.where" are addresses to browsers."""
    path = path.partition("#")[0]
    fine = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and path.isascii()
    return path if fine else "/"


def _back(path: str, why: str) -> RedirectResponse:
    return _to(f"{path}{'&' if '?' in path else '?'}{urlencode({'sign_in': why})}")


def _to(address: str) -> RedirectResponse:
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})
