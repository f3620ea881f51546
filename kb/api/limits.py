"""How much one caller and all callers together may ask for, decided before anything is read from the record.

Everything here lives on the event loop of one process: no lock, no thread, no database. Each process counts for
itself, so behind n processes a caller has up to n times as much.
"""

import asyncio
import hashlib
import ipaddress
import math
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial

from fastapi import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kb.api.bodies import Incoming, check_head
from kb.api.errors import refusal
from kb.api.metrics import Metrics

_REMEMBERED = 10_000  # callers; some 300 bytes each
_REFUSED_COST = 10.0  # requests that a wrong credential counts for: guessing is slow, a forgotten key no disaster
_BYTES_PER_TOKEN = 64_000  # of a body: 2 MB of JSON keep the event loop for up to 50 ms
_STATIC_COST = 0.1  # a page loads 20 files, and 300 agents open it at nine o'clock
_WAIT_S = 5.0
_UPLOADS = 16  # bodies of more than 64 kB at once: they are held in memory
_SEND_S = 30.0  # a reader that takes nothing for so long has gone
_OPENED = "credential_that_opened"

# Whoever watches over us must hear from us most of all when we are busy.
_ALIVE = "/healthz"  # costs no more than a refusal
_WATCHED = frozenset({"/readyz", "/metrics"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an operator may set (see `kb.settings`): requests a second, and requests at once."""

    rate_per_key: float = 12.0
    rate_per_address: float = 200.0
    burst_s: float = 10.0
    in_flight: int = 256
    workers: int = 16
    body_s: float = 20.0
    file_bytes: int = 5_000_000


class Buckets:
    """A token bucket per caller: `rate` tokens a second, `rate * burst_s` at most.

    Memory is bounded: the caller who was not seen for longest is forgotten, which is the same as a full bucket.
    """

    def __init__(self, rate: float, burst_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._capacity = max(rate * burst_s, 1.0)
        self._now = now
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when they were counted

    def __len__(self) -> int:
        return len(self._levels)

    def take(self, caller: str, tokens: float = 1.0) -> float:
        """Take tokens and return 0, or take none and return the seconds until there are enough."""
        level = self._level(caller)
        missing = min(tokens, self._capacity) - level
        if missing > 0:
            return missing / self._rate
        self._put(caller, level - tokens)
        return 0.0

    def charge(self, caller: str, tokens: float) -> None:
        """Take tokens for what was done already, into debt if need be."""
        self._put(caller, self._level(caller) - tokens)

    def _level(self, caller: str) -> float:
        level, since = self._levels.get(caller, (self._capacity, 0.0))
        return min(self._capacity, level + (self._now() - since) * self._rate)

    def _put(self, caller: str, level: float) -> None:
        self._levels[caller] = (level, self._now())
        self._levels.move_to_end(caller)
        if len(self._levels) > _REMEMBERED:
            self._levels.popitem(last=False)


class Places:
    """How many requests are worked on at once, and how many may wait for that: `in_flight` together.

    `workers` at once, fewer than the pool has threads: what is always answered finds a thread free, and forty threads
    that want Python's interpreter lock would keep it from the event loop. Callers take turns, and nobody holds more
    than half of all places or an eighth of the workers: what others wait for is worked on beside two of theirs, not
    beside sixteen.
    """

    def __init__(self, in_flight: int, workers: int) -> None:
        self._in_flight = in_flight
        self._free = workers
        self._each = max(1, workers // 8)
        self._held: Counter[str] = Counter()
        self._working: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self.taken = 0

    @contextmanager
    def hold(self, caller: str) -> Iterator[None]:
        """A place for a while; HTTPException 503 where all are taken."""
        if self.taken >= self._in_flight or self._held[caller] >= max(1, self._in_flight // 2):
            raise _busy()
        self.taken += 1
        self._held[caller] += 1
        try:
            yield
        finally:
            self.taken -= 1
            _count_down(self._held, caller)

    @asynccontextmanager
    async def work(self, caller: str) -> AsyncIterator[None]:
        """The caller's turn; HTTPException 503 where it takes too long to come."""
        if not self._begin(caller):
            await self._turn(caller)
        try:
            yield
        finally:
            self._end(caller)

    def _begin(self, caller: str) -> bool:
        if not self._free or self._working[caller] >= self._each:
            return False
        self._free -= 1
        self._working[caller] += 1
        return True

    def _end(self, caller: str) -> None:
        self._free += 1
        _count_down(self._working, caller)
        for each, turns in list(self._waiting.items()):
            while turns and turns[0].done():  # who gave up
                turns.popleft()
            if turns and self._begin(each):
                turns.popleft().set_result(None)
                self._waiting[each] = self._waiting.pop(each)  # behind the others
            if not turns:
                del self._waiting[each]
            if not self._free:
                return

    async def _turn(self, caller: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller, deque()).append(turn)
        try:
            async with asyncio.timeout(_WAIT_S):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():  # it came in the moment of giving up
                self._end(caller)
            if isinstance(error, TimeoutError):
                raise _busy() from None
            raise


class Limits:
    """ASGI middleware: who pays for a request, whether they can, and whether there is a place for it.

    A contact centre's agents sit behind one address. So a credential (key, session, token) that was found good pays
    from a bucket of its own from then on; all else (none, unknown, refused) pays from that of its address.
    """

    def __init__(self, app: ASGIApp, bounds: Bounds, metrics: Metrics) -> None:
        self._app = app
        self._bounds = bounds
        self._metrics = metrics
        self._keys = Buckets(bounds.rate_per_key, bounds.burst_s)
        self._addresses = Buckets(bounds.rate_per_address, bounds.burst_s)
        self._good: OrderedDict[bytes, str] = OrderedDict()  # the headers that were sent -> whose bucket
        self._places = Places(bounds.in_flight, bounds.workers)
        self._uploads = Places(_UPLOADS, 1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or say that it is too much."""
        if scope["type"] != "http" or scope["path"] == _ALIVE:
            return await self._app(scope, receive, send)
        sent, address = _sent(scope), address_of(scope)
        known = self._good.get(sent)
        buckets, caller = (self._addresses, address) if known is None else (self._keys, known)
        incoming = Incoming(scope, receive, self._bounds.body_s, self._bounds.file_bytes)
        async with AsyncExitStack() as held, AsyncExitStack() as working:
            reply = _Reply(send, working.aclose)
            try:
                check_head(scope)
                if scope["path"] in _WATCHED:
                    _pay(self._addresses, f"watching {address}", 1.0)
                else:
                    _pay(buckets, caller, _STATIC_COST if scope["path"].startswith("/static/") else 1.0)
                    await incoming.begin()
                    held.enter_context(self._places.hold(caller))
                    turn = partial(working.enter_async_context, self._places.work(caller))
                    if incoming.complete:
                        await turn()
                    else:  # the rest may come slowly: its turn is when all of it is here
                        held.enter_context(self._uploads.hold(caller))
                        incoming.when_complete = turn
            except HTTPException as error:
                self._metrics.refused(error.status_code)
                return await refusal(scope["state"]["request_id"], error)(scope, receive, send)
            await self._app(scope, incoming, reply)
        if incoming.read > _BYTES_PER_TOKEN:
            buckets.charge(caller, incoming.read / _BYTES_PER_TOKEN)
        if reply.status == 401:
            self._good.pop(sent, None)
            self._addresses.charge(address, _REFUSED_COST)
        elif credential := scope["state"].get(_OPENED):
            self._remember(sent, credential)
        return None

    def _remember(self, sent: bytes, credential: str) -> None:
        self._good[sent] = hashlib.blake2b(credential.encode(), digest_size=16).hexdigest()
        self._good.move_to_end(sent)
        if len(self._good) > _REMEMBERED:
            self._good.popitem(last=False)


def found_good(connection: HTTPConnection, credential: str) -> None:
    """Tell `Limits` that this credential opened something: whoever sends it pays from a bucket of its own."""
    setattr(connection.state, _OPENED, credential)


class _Reply:
    """ASGI's `send`, which remembers the status and gives up on a reader that takes nothing.

    The work is done when the answer begins: however long it takes to send it, it keeps nobody from theirs.
    """

    def __init__(self, send: Send, end_work: Callable[[], Awaitable[None]]) -> None:
        self._send = send
        self._end_work = end_work
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            await self._end_work()
        async with asyncio.timeout(_SEND_S):
            await self._send(message)


def _count_down(counts: Counter[str], caller: str) -> None:
    counts[caller] -= 1
    if not counts[caller]:
        del counts[caller]


def _pay(buckets: Buckets, caller: str, tokens: float) -> None:
    wait = buckets.take(caller, tokens)
    if wait:
        raise HTTPException(429, "too many requests from you", {"Retry-After": str(math.ceil(wait))})


def _busy() -> HTTPException:
    return HTTPException(503, "too much is asked of us at the moment", {"Retry-After": "1"})


def _sent(scope: Scope) -> bytes:
    """The headers that may say who asks, as a digest: keys are not kept."""
    found = [value for name, value in scope["headers"] if name in (b"authorization", b"cookie")]
    return hashlib.blake2b(b"\0".join(found), digest_size=16).digest()


def address_of(scope: Scope) -> str:
    """Who pays without a credential: an IPv4 address, or the /64 that a household or an office has of IPv6."""
    host: str = (scope.get("client") or ("",))[0]
    if ":" not in host:
        return host[:64]
    try:
        address = ipaddress.IPv6Address(host.partition("%")[0])
    except ValueError:
        return host[:64]
    return str(address.ipv4_mapped or ipaddress.IPv6Network((address, 64), strict=False))
