import asyncio
import contextlib
import re
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi import HTTPException, Request, Response
from starlette.types import Message, Receive, Scope, Send

from kb.api.bodies import Incoming
from kb.api.frame import SECURITY_HEADERS
from kb.api.limits import Bounds, Buckets, Limits, Places
from kb.settings import Settings
from tests.api.conftest import House, opened
from tests.api.test_errors import problem


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


def test_a_bucket_gives_a_burst_and_then_its_rate() -> None:
    clock = Clock()
    buckets = Buckets(rate=2, burst_s=5, now=clock)
    assert [buckets.take("ada") for _ in range(10)] == [0.0] * 10
    assert buckets.take("ada") == pytest.approx(0.5)
    assert buckets.take("bob") == 0.0
    clock.at += 0.5
    assert (buckets.take("ada"), buckets.take("ada") > 0) == (0.0, True)
    clock.at += 3600  # a pause gives no more than the burst
    assert [buckets.take("ada") for _ in range(11)].count(0.0) == 10


def test_what_was_done_already_can_be_charged_into_debt() -> None:
    clock = Clock()
    buckets = Buckets(rate=1, burst_s=10, now=clock)
    buckets.charge("ada", 15)
    assert buckets.take("ada") == pytest.approx(6)
    clock.at += 6
    assert buckets.take("ada") == 0.0


def test_more_than_a_bucket_holds_can_still_be_had_from_a_full_one() -> None:
    assert Buckets(rate=1, burst_s=2, now=Clock()).take("ada", 50) == 0.0


def test_three_hundred_agents_behind_one_address_who_type_all_the_time_are_never_slowed_down() -> None:
    clock, default = Clock(), {name: field.default for name, field in Settings.model_fields.items()}
    keys = Buckets(default["rate_per_key"], default["rate_burst_s"], clock)
    addresses = Buckets(default["rate_per_address"], default["rate_burst_s"], clock)
    opening = [addresses.take("office", tokens) for _ in range(300) for tokens in (1.0, *[0.1] * 20)]
    assert set(opening) == {0.0}  # all at once: the page, and the first request of each
    for _ in range(10 * 60):  # ten keystrokes a second, each a request
        clock.at += 0.1
        assert {keys.take(f"agent {number}") for number in range(300)} == {0.0}


def test_only_so_many_callers_are_remembered() -> None:
    buckets = Buckets(rate=1, burst_s=1)
    for number in range(12_000):
        buckets.take(f"10.0.{number // 256}.{number % 256}")
    assert len(buckets) == 10_000


def test_nobody_holds_more_than_half_of_all_places() -> None:
    places = Places(in_flight=4, workers=4)
    with contextlib.ExitStack() as held:
        held.enter_context(places.hold("ada"))
        held.enter_context(places.hold("ada"))
        with pytest.raises(HTTPException), places.hold("ada"):
            pass
        held.enter_context(places.hold("bob"))
        held.enter_context(places.hold("cy"))
        with pytest.raises(HTTPException), places.hold("dee"):
            pass
    assert places.taken == 0
    with places.hold("ada"):
        assert places.taken == 1


def test_callers_take_turns_and_nobody_has_more_than_an_eighth_of_the_workers() -> None:
    async def everybody() -> list[str]:
        places, order = Places(in_flight=100, workers=16), list[str]()

        async def one(caller: str) -> None:
            async with places.work(caller):
                order.append(caller)
                await asyncio.sleep(0.01)

        flood = [asyncio.create_task(one("flood")) for _ in range(20)]
        await asyncio.sleep(0.005)
        assert order == ["flood"] * 2
        others = [asyncio.create_task(one(name)) for name in ("ada", "bob", "cy") * 3]
        await asyncio.gather(*flood, *others)
        return order

    order = asyncio.run(everybody())
    assert len(order) == 29
    assert sorted(order[2:8]) == ["ada", "ada", "bob", "bob", "cy", "cy"]
    assert {"ada", "bob", "cy"} < set(order[:13])
    assert set(order[13:]) == {"flood"}


def test_whoever_goes_away_while_waiting_leaves_the_turn_to_the_next() -> None:
    async def everybody() -> list[str]:
        places, order = Places(in_flight=100, workers=1), list[str]()

        async def one(caller: str) -> None:
            async with places.work(caller):
                order.append(caller)
                await asyncio.sleep(0.01)

        tasks = [asyncio.create_task(one(name)) for name in ("ada", "bob", "cy", "cy")]
        await asyncio.sleep(0.001)
        tasks[1].cancel()
        await asyncio.sleep(0.0095)
        tasks[2].cancel()  # about when its turn comes
        await asyncio.gather(*tasks, return_exceptions=True)
        async with places.work("dee"):
            order.append("dee")
        return order

    order = asyncio.run(everybody())
    assert (order[0], order[-2:], "bob" in order) == ("ada", ["cy", "dee"], False)


def test_a_turn_that_does_not_come_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.api.limits._WAIT_S", 0.01)

    async def two() -> None:
        places = Places(in_flight=4, workers=1)
        async with places.work("ada"):
            with pytest.raises(HTTPException):
                async with places.work("bob"):
                    pass
        async with places.work("bob"):
            pass

    asyncio.run(two())


def incoming(path: str = "/", seconds: float = 5, messages: Sequence[bytes] = (), **headers: str) -> Incoming:
    """A request whose body comes in these pieces, and then stops without an end."""
    pieces = list(messages)

    async def receive() -> dict[str, Any]:
        if not pieces:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": pieces.pop(0), "more_body": True}

    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Incoming({"type": "http", "path": path, "headers": sent}, receive, seconds)


def status_of(work: Callable[[], Coroutine[Any, Any, None]]) -> int:
    with pytest.raises(HTTPException) as raised:
        asyncio.run(work())
    return raised.value.status_code


def test_a_body_that_comes_too_slowly_is_given_up() -> None:
    async def wait() -> None:
        await incoming(seconds=0.02, messages=[b"x"]).begin()

    assert status_of(wait) == 408


def test_a_large_body_that_keeps_coming_has_more_time() -> None:
    async def wait() -> None:
        body = incoming(seconds=0.02, messages=[b"x" * 70_000, b"y"])  # 1.4 s for so much
        await body.begin()
        await asyncio.sleep(0.05)
        assert [(await body())["body"][:1] for _ in (1, 2)] == [b"x", b"y"]
        await body()

    assert status_of(wait) == 408


class Uncounted:
    """Metrics that nobody reads."""

    def refused(self, status: int) -> None:
        pass


@pytest.mark.parametrize("begun", [1, 70_000])
def test_who_sends_slowly_keeps_nobody_from_their_turn(begun: int) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await Request(scope, receive).body()
        except HTTPException as error:
            return await Response(status_code=error.status_code)(scope, receive, send)
        return await Response("done")(scope, receive, send)

    limits = Limits(app, Bounds(in_flight=40, workers=1, body_s=0.1), Uncounted())  # type: ignore[arg-type]

    async def ask(*pieces: Message) -> int:
        coming, said = list(pieces), list[Message]()

        async def receive() -> Message:
            if not coming:
                await asyncio.sleep(60)
            return coming.pop(0)

        async def send(message: Message) -> None:
            said.append(message)

        state = {"request_id": "1"}
        scope = {"type": "http", "path": "/", "query_string": b"", "headers": [], "client": ("::1", 1), "state": state}
        await limits(scope, receive, send)
        return int(said[0]["status"])

    async def everybody() -> list[int]:
        piece = {"type": "http.request", "body": b"x" * begun, "more_body": True}
        slow = [asyncio.create_task(ask(piece)) for _ in range(10)]
        await asyncio.sleep(0.01)
        return [await ask({"type": "http.request", "body": b""}), *sorted(await asyncio.gather(*slow))]

    assert asyncio.run(everybody()) == [
        200,
        *[408] * 8,
        *([408] * 2 if begun == 1 else [503] * 2),
    ]  # eight uploads each


Open = Callable[..., House]


@pytest.fixture
def opening(sqlite_template: Path) -> Iterator[Open]:
    """Opens a house with settings of its own."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(opened(sqlite_template, **settings))


def statuses(times: int, ask: Callable[[], Any]) -> list[int]:
    return [ask().status_code for _ in range(times)]


def test_a_key_that_asks_too_fast_is_told_when_to_go_on_and_others_are_answered(opening: Open) -> None:
    house = opening(rate_per_key=0.1, rate_burst_s=50)  # five at once
    assert statuses(6, lambda: house.get("me", "contributor")) == [200] * 6  # the first by its address
    refused = house.get("me", "contributor")
    assert (refused.status_code, problem(refused)["code"]) == (429, "too_many")
    assert 1 <= int(refused.headers["Retry-After"]) <= 10
    assert house.get("me", "publisher").status_code == 200
    assert house.get("me").status_code == 200
    assert 'kb_http_refused_total{status="429"} 1.0' in house.get("/metrics", "admin").text


def test_those_without_a_good_key_share_what_their_address_may(opening: Open) -> None:
    house = opening(rate_per_address=0.1, rate_burst_s=50)
    assert house.get("me", "contributor").status_code == 200
    assert statuses(6, lambda: house.get("me")) == [200] * 4 + [429] * 2
    assert house.get("me", "publisher").status_code == 429  # not known to be good yet
    assert house.get("me", "contributor").status_code == 200


def test_a_wrong_key_costs_more_than_a_request(opening: Open) -> None:
    house = opening(rate_per_address=0.1, rate_burst_s=300)
    wrong = {"Authorization": "Bearer kb_0123"}
    assert statuses(6, lambda: house.ask("GET", "me", headers=wrong)) == [401] * 3 + [429] * 3


def test_a_key_that_is_revoked_pays_from_its_address_again(opening: Open) -> None:
    from kb.person import SYSTEM
    from kb.solve.access import revoke_keys

    house = opening(rate_per_address=0.1, rate_burst_s=300)
    assert statuses(40, lambda: house.get("me", "contributor")) == [200] * 40
    revoke_keys(house.service.db, SYSTEM, house.ids["contributor"])
    assert statuses(6, lambda: house.get("me", "contributor")) == [401] * 3 + [429] * 3


def test_junk_beside_a_good_key_makes_no_bucket_of_its_own(opening: Open) -> None:
    house = opening(rate_per_key=0.1, rate_burst_s=50)
    for number in range(3):
        for _ in range(3):
            house.ask("GET", "me", "contributor", headers={"Cookie": f"junk={number}"})
    assert (
        house.get(
            "me",
            "contributor",
        ).status_code
        == 200
    )  # pays from the address, being new
    assert house.get("me", "contributor").status_code == 429


def test_health_is_answered_to_those_who_may_ask_nothing_else(opening: Open) -> None:
    house = opening(rate_per_address=0.1, rate_burst_s=20)
    assert statuses(3, lambda: house.get("me")) == [200, 200, 429]
    assert statuses(50, lambda: house.get("/healthz")) == [200] * 50
    assert house.get("/readyz").status_code in (200, 503)


def test_beyond_the_places_there_are_the_answer_is_503_at_once_and_health_still_answers(
    opening: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = opening(max_in_flight=8)
    staff = ("reader", "contributor", "publisher", "candidate", "admin", "partner")
    assert [house.get("topics", who).status_code for who in staff] == [200] * 6  # known to be good from here on
    go = threading.Event()
    here = threading.Semaphore(0)

    def wait(*args: object) -> list[object]:
        here.release()
        go.wait(10)
        return []

    monkeypatch.setattr("kb.solve.reading.browse_topics", wait)
    with ThreadPoolExecutor(8) as pool:
        slow = [pool.submit(house.get, "topics", who) for who in staff[:4] for _ in (1, 2)]
        for _ in slow:
            assert here.acquire(timeout=10)
        begun = time.monotonic()
        refused = house.get("me", "partner")
        alive = [house.get(path, "admin").status_code for path in ("/healthz", "/metrics")]
        took = time.monotonic() - begun
        go.set()
        answers = [each.result().status_code for each in slow]
    assert (refused.status_code, problem(refused)["code"], refused.headers["Retry-After"]) == (503, "busy", "1")
    assert alive == [200, 200]
    assert took < 1
    assert answers == [200] * 8
    assert house.get("me", "partner").status_code == 200


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"path": "suggest?q=" + "%E7" * 11_000}, 414),
        ({"path": "suggest?" + "&".join(f"kind={n}" for n in range(1_001))}, 414),
        ({"path": "me", "headers": {"X-Long": "x" * 33_000}}, 431),
        ({"path": "me", "headers": {f"X-{n}": "" for n in range(101)}}, 431),
        ({"method": "POST", "path": "search", "content": b"\x1f\x8b", "headers": {"Content-Encoding": "gzip"}}, 415),
        ({"method": "POST", "path": "search", "content": b"{}", "headers": {"Content-Length": "2000001"}}, 413),
        ({"method": "POST", "path": "search", "content": b"x" * 2_000_001}, 413),
        ({"method": "POST", "path": "search", "content": iter([b"x" * 65_536] * 40)}, 413),
        ({"method": "POST", "path": "search", "data": {"query": "red"}}, 415),
        ({"method": "PUT", "path": "search", "json": {}}, 405),
        ({"method": "OPTIONS", "path": "search"}, 405),
        ({"method": "TRACE", "path": "me"}, 405),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_no_client_of_ours_sends_is_refused(shared: House, asked: dict[str, Any], status: int) -> None:
    response = shared.ask(asked.pop("method", "GET"), **asked)
    assert response.status_code == status
    assert problem(response)["code"] != "internal"
    assert (status == 405) == ("Allow" in response.headers)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"query": "a", "query": "b"}', "twice"),
        (b'{"query": "a", "context": {"product": "a", "product": "a"}}', "twice"),
        (b'{"query": "a", "limit": NaN}', "NaN"),
        (b'{"query": "a", "limit": -Infinity}', "Infinity"),
        (b'{"query": "\\ud800"}', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b'{"query": "\xff"}', "UTF-8"),
        ('{"query": "red"}'.encode("utf-16"), "UTF-8"),
        (b'{"limit": ' + b"9" * 5_000 + b"}", "digits"),
        (b"[" * 10_000, "deep"),
        (b'{"a":' * 10_000, "deep"),
        (b"[" + b"{}," * 600_000 + b"{}]", "10,000 lists"),
        (b"[" + b"[]," * 600_000 + b'"', "10,000 lists"),
        (b"{" + b",".join(b'"%d":1' % n for n in range(2_001)) + b"}", "2,000 keys"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_json_that_can_be_read_in_more_than_one_way_or_not_at_all_is_refused(
    shared: House, body: bytes, why: str
) -> None:
    response = shared.ask("POST", "search", content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, why in problem(response)["message"]) == (422, True)


def test_a_text_may_be_full_of_brackets(shared: House) -> None:
    article = {"title": "T", "body": '[a]("\\' * 20_000, "language": "en", "audience": "internal"}
    assert shared.post("articles", article, "contributor").status_code == 201


def test_a_pair_of_surrogates_is_a_character(shared: House) -> None:
    body = b'{"query": "\\ud83d\\ude00 red"}'
    assert shared.ask("POST", "search", content=body, headers={"Content-Type": "application/json"}).status_code == 200


def test_every_route_with_a_body_reads_it_strictly(shared: House) -> None:
    described = shared.get("/api/v1/openapi.json").json()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                response = shared.ask(
                    method.upper(), re.sub(r"{\w+}", "482-9175", path), "publisher",
                    content=b'{"a": 1, "a": 1}', headers={"Content-Type": "application/json"},
                )  # fmt: skip
                assert "twice" in problem(response)["message"], f"{method} {path}: say route_class=Route"


def test_every_route_answers_with_the_headers_that_keep_it_to_itself(shared: House) -> None:
    described = shared.get("/api/v1/openapi.json").json()
    paths = [*described["paths"], "/", "/static/search.js", "/nothing", "/api/v1/nothing", "/api/v1/openapi.json"]
    for path in paths:
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            response = shared.ask(method, path.replace("{", "").replace("}", ""))
            missing = SECURITY_HEADERS.keys() - {name.title() for name in response.headers}
            assert missing <= {"Content-Security-Policy"}
            assert response.headers["Content-Security-Policy"].startswith("default-src 'none'"), (method, path)
            assert {name: response.headers[name] for name in SECURITY_HEADERS if "Content-S" not in name} == {
                name: value for name, value in SECURITY_HEADERS.items() if "Content-S" not in name
            }, (method, path)
            assert not {"server", "strict-transport-security", "access-control-allow-origin"} & response.headers.keys()


def test_over_tls_a_browser_is_told_to_stay_there(shared: House) -> None:
    assert "max-age" in shared.client.get("https://testserver/healthz").headers["Strict-Transport-Security"]


def test_what_can_be_got_can_be_asked_about_without_its_body(shared: House) -> None:
    for path in ("/healthz", "/api/v1/me", "/", "/static/search.js"):
        whole, head = shared.get(path), shared.ask("HEAD", path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == whole.headers["Content-Length"]
