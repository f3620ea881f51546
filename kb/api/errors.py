"""The one place where errors become HTTP: a table from class to (status, code), and one shape for all."""

import http
import logging
import math
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from kb.api.shapes import ClashOut, MergedOut, ProblemOut
from kb.errors import (
    Conflict,
    Foreign,
    Invalid,
    KbError,
    NotAllowed,
    NotFound,
    NotSignedIn,
    TooSoon,
    Unacknowledged,
    Unavailable,
)
from kb.solve.editing import Clash, EditConflict

log = logging.getLogger(__name__)

TABLE: Mapping[type[KbError], tuple[int, str]] = {
    NotSignedIn: (401, "not_signed_in"),
    Foreign: (403, "foreign"),
    NotAllowed: (403, "not_allowed"),
    NotFound: (404, "not_found"),
    Conflict: (409, "conflict"),
    Unacknowledged: (409, "open_case"),
    TooSoon: (429, "too_many"),
    Invalid: (422, "invalid"),
    Unavailable: (503, "unavailable"),
    KbError: (500, "internal"),
}
_BY_FRAMEWORK = {
    400: (422, "invalid"),
    404: (404, "not_found"),
    405: (405, "method_not_allowed"),
    408: (408, "too_slow"),
    413: (413, "too_large"),
    414: (414, "too_long"),
    415: (415, "not_understood"),
    429: (429, "too_many"),
    431: (431, "too_long"),
    503: (503, "busy"),
}
_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}
# The same words for what is not there and what is not for this reader; no names of hosts or files for anybody.
_SAME_FOR_ALL = {
    "not_found": "there is no such thing, or it is not for you",
    "internal": "something went wrong here; the request id finds it in the log",
}
_MEANING = {
    401: "The key, session or token is unknown, expired or revoked.",
    403: "You are known and lack the right, your key lacks the scope, or the request came from a foreign page.",
    404: "There is no such thing, or it is not for you: the two look the same.",
    409: "Somebody else changed it first: read it again and repeat your change.",
    408: "The body came too slowly.",
    413: "The body is larger than 2 MB, or a file larger than it may be.",
    414: "The address has more than 32 kB or 1,000 parameters.",
    415: "The body is not what its headers say: send it as application/json, not packed.",
    422: "Something in the request cannot be accepted; `field` says what.",
    429: "You ask faster than you may; `Retry-After` says when to go on.",
    431: "There are more than 100 headers, or more than 32 kB of them.",
    503: "We are busy, or a part we depend on is away; `Retry-After` says when to try again.",
}
_EXAMPLES = {
    401: ("not_signed_in", "this key is unknown, expired or revoked", ""),
    403: ("not_allowed", "this needs the right to publish; your roles: contributor", ""),
    404: ("not_found", _SAME_FOR_ALL["not_found"], ""),
    408: ("too_slow", "the body came too slowly", ""),
    409: ("conflict", "article 482-9175 is now at version 8, you changed 7", ""),
    413: ("too_large", "the body is larger than 2 MB", ""),
    414: ("too_long", "an address has at most 32,000 bytes and 1,000 parameters", ""),
    415: ("not_understood", "send the body as it is, without Content-Encoding", ""),
    422: ("invalid", "Input should be less than or equal to 50", "limit"),
    429: ("too_many", "too many requests from you", ""),
    431: ("too_long", "a request has at most 100 headers with 32,000 bytes together", ""),
    503: ("unavailable", Unavailable.public, ""),
}
_ANY = {401, 403, 414, 415, 422, 429, 431, 503}
_WITH_BODY = {408, 413}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
MAX_BODY = 2_000_000
"""Bytes of a request."""


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What an endpoint may answer besides success, for its OpenAPI description: these, and what any may answer.

    One that takes a body says so by 413, and may then answer 408 as well.
    """
    described: dict[int | str, dict[str, Any]] = {}
    for status in sorted(_ANY | {*statuses} | (_WITH_BODY if 413 in statuses else set())):
        code, message, field = _EXAMPLES[status]
        shown = {"error": {"code": code, "message": message, "field": field, "request_id": "5f0c7d1e9b3a4c62"}}
        content = {"application/json": {"example": shown}}
        described[status] = {"model": ProblemOut, "description": _MEANING[status], "content": content}
        if status in (429, 503):
            described[status]["headers"] = _RETRY_AFTER
    return described


def answer(
    request_id: str, status: int, code: str, message: str, field: str = "", conflict: ClashOut | None = None
) -> JSONResponse:
    """The one shape of an error."""
    message = _SAME_FOR_ALL.get(code, message)
    problem: dict[str, Any] = {"code": code, "message": message, "field": field, "request_id": request_id}
    if conflict is not None:
        problem["conflict"] = conflict.model_dump(mode="json")
    return JSONResponse({"error": problem}, status, _HEADERS.get(status))


def install(app: FastAPI) -> None:
    """Answer every error of ours and of the framework in that shape."""
    app.add_exception_handler(KbError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _framework)


def code_of(error: KbError) -> str:
    """The code of an error, for replies that name several."""
    return _status_and_code(error)[1]


def _status_and_code(error: Exception) -> tuple[int, str]:
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    status, code = _status_and_code(error)
    message, field = str(error), ""
    if isinstance(error, Invalid):
        field = error.field
        message += f" (line {error.line})" if error.line is not None else ""
    if isinstance(error, Unavailable):
        message = error.public
    if status >= 500:
        log.warning("answered with %d: %s", status, error)
    conflict = _clash(error.clash) if isinstance(error, EditConflict) else None
    reply = answer(request.state.request_id, status, code, message, field, conflict)
    if isinstance(error, TooSoon):
        reply.headers["Retry-After"] = str(math.ceil(error.wait.total_seconds()))
    return reply


def _clash(clash: Clash) -> ClashOut:
    return ClashOut(
        version=clash.version,
        base=clash.base.number,
        theirs=clash.theirs.number,
        their_author_id=clash.theirs.author_id,
        title=MergedOut.of(clash.merged_title),
        body=MergedOut.of(clash.merged_body),
    )


async def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first, *more = error.errors()
    where = [str(part) for part in first["loc"][1:]]
    if isinstance(error.body, bytes):
        return answer(request.state.request_id, 415, "not_understood", "send the body as application/json")
    if first["type"] == "json_invalid":
        return answer(request.state.request_id, 422, "invalid", f"the body is no JSON: {first['ctx']['error']}")
    if not where:
        return answer(request.state.request_id, 422, "invalid", "the body is a JSON object")
    message = str(first["msg"]).removeprefix("Value error, ") + (f" (and {len(more)} more)" if more else "")
    return answer(request.state.request_id, 422, "invalid", message, ".".join(where))


async def _framework(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    reply = refusal(request.state.request_id, error)
    if error.status_code == 405:  # the framework names the methods of the first route with that address only
        reply.headers["Allow"] = ", ".join(sorted(_methods(request)))
    return reply


def _methods(request: Request) -> set[str]:
    matching = [each for each in request.app.routes if each.matches(request.scope)[0] is not Match.NONE]
    found = {method for each in matching for method in getattr(each, "methods", None) or ()}
    return found | {"HEAD"} if "GET" in found else found


def refusal(request_id: str, error: HTTPException) -> JSONResponse:
    """The answer to a request that never came to an endpoint."""
    status, code = _BY_FRAMEWORK.get(error.status_code, (error.status_code, "refused"))
    reply = answer(request_id, status, code, str(error.detail or http.HTTPStatus(status).phrase))
    reply.headers.update(error.headers or {})
    return reply
