"""What is sent to us, taken in bounded pieces and bounded time, and read as JSON that says one thing only."""

import asyncio
import json
import re
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from kb.api.errors import MAX_BODY

_FILES = re.compile(r"/api/v1/articles/[^/]+/files")
_ADDRESS_BYTES = 32_000  # 2,000 Han characters and fifty filters, percent-encoded
_PARAMETERS = 1_000
_HEADER_BYTES = 32_000
_HEADERS = 100
_AHEAD = 64_000  # what uvicorn holds of a body that nobody asks for
_SLOWEST = 50_000  # bytes a second: whoever sends faster has more time
_HOLDERS = 10_000  # lists and objects: 600,000 empty ones in 2 MB stop the event loop for most of a second
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_KEYS = 2_000  # of all objects in a body; each that we do not know is an error to be described


def check_head(scope: Scope) -> None:
    """Nothing, or HTTPException for an address or headers that no client of ours needs, or a packed body."""
    query: bytes = scope["query_string"]
    if len(scope["path"]) + len(query) > _ADDRESS_BYTES or query.count(b"&") >= _PARAMETERS:
        raise HTTPException(414, f"an address has at most {_ADDRESS_BYTES:,} bytes and {_PARAMETERS:,} parameters")
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    if len(headers) > _HEADERS or sum(len(name) + len(value) for name, value in headers) > _HEADER_BYTES:
        raise HTTPException(431, f"a request has at most {_HEADERS} headers with {_HEADER_BYTES:,} bytes together")
    encodings = {value.strip().lower() for name, value in headers if name == b"content-encoding"}
    if encodings - {b"identity"}:  # 10 kB can be unpacked to 10 MB
        raise HTTPException(415, "send the body as it is, without Content-Encoding", {"Accept-Encoding": "identity"})


class Incoming:
    """The body of one request, as ASGI's `receive`: no more bytes than the path may have, and not for ever.

    Raises HTTPException: 413 as soon as it is known to be too large, 408 when it comes too slowly.
    """

    def __init__(self, scope: Scope, receive: Receive, seconds: float, file_bytes: int = MAX_BODY) -> None:
        self._receive = receive
        self._most = file_bytes if _FILES.fullmatch(scope["path"]) else MAX_BODY
        self._announced = Headers(scope=scope).get("content-length", "0")
        self._seconds = seconds
        self._begun = asyncio.get_running_loop().time()
        self._ahead: deque[Message] = deque()
        self.complete = False
        self.when_complete: Callable[[], Awaitable[object]] | None = None
        self.read = 0

    async def begin(self) -> None:
        """Read all of a small body and the beginning of a large one: who is slow waits before taking a place."""
        if self._announced.isascii() and self._announced.isdigit() and int(self._announced[:20]) > self._most:
            self._too_large()
        while not self.complete and self.read <= _AHEAD:
            self._ahead.append(await self._next())

    async def __call__(self) -> Message:
        """The next message."""
        return self._ahead.popleft() if self._ahead else await self._next()

    async def _next(self) -> Message:
        if self.complete:
            return await self._receive()  # to hear of a disconnect takes as long as it takes
        try:
            async with asyncio.timeout_at(self._begun + self._seconds + self.read / _SLOWEST):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "the body came too slowly") from None
        self.complete = message["type"] != "http.request" or not message.get("more_body", False)
        self.read += len(message.get("body", b""))
        if self.read > self._most:
            self._too_large()
        if self.complete and self.when_complete is not None:
            await self.when_complete()
        return message

    def _too_large(self) -> None:
        raise HTTPException(413, f"the body is larger than {self._most / 1_000_000:g} MB")


class Route(APIRoute):
    """A route that reads its body with `parse`. Every router has it as its `route_class`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, given a request that reads JSON our way."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(_Request(request.scope, request.receive))

        return strict


class _Request(Request):
    async def json(self) -> Any:
        return parse(await self.body())


def parse(body: bytes) -> Any:
    """JSON (RFC 8259) as Python has it; JSONDecodeError for what can be read in more than one way or not at all.

    Refused are NaN and Infinity, a key that is there twice, half a character (a lone surrogate), an encoding other
    than UTF-8, and what is nested too deeply or has too many lists, objects, keys or digits.
    """
    try:
        text = body.decode()
        _check_holders(text)
        value = json.loads(text, object_pairs_hook=_Objects().one_of_each, parse_constant=_no_number)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise _refused(f"not UTF-8 at byte {error.start}") from None
    except UnicodeEncodeError:
        raise _refused("half a character (a lone surrogate)") from None
    except RecursionError:
        raise _refused("nested too deeply") from None
    except json.JSONDecodeError:
        raise
    except ValueError:
        raise _refused("a number has too many digits") from None
    return value


class _Objects:
    """Makes the objects of one document."""

    def __init__(self) -> None:
        self._keys = 0

    def one_of_each(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self._keys += len(pairs)
        if self._keys > _KEYS:
            raise _refused(f"it has more than {_KEYS:,} keys")
        found = dict(pairs)
        if len(found) < len(pairs):
            raise _refused("a key is there twice")
        return found


def _check_holders(text: str) -> None:
    if text.count("[") + text.count("{") > _HOLDERS:  # it may be Markdown: count again without texts
        bare = _STRING.sub("", text)
        if bare.count("[") + bare.count("{") > _HOLDERS:
            raise _refused(f"it has more than {_HOLDERS:,} lists and objects")


def _no_number(name: str) -> None:
    raise _refused(f"{name} is no number in JSON")


def _refused(message: str) -> json.JSONDecodeError:
    return json.JSONDecodeError(message, "", 0)
