import contextlib
import logging
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from kb import errors as nouns
from kb.api.errors import MAX_BODY, TABLE
from kb.errors import Unavailable
from tests.api.conftest import House


def problem(response: Any) -> dict[str, str]:
    """The error of a response, after checking its shape."""
    body = response.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() - {"conflict"} == {"code", "message", "field", "request_id"}
    assert body["error"]["request_id"] == response.headers["X-Request-ID"]
    assert body["error"]["message"]
    found: dict[str, str] = body["error"]
    return found


def test_every_error_of_the_domain_has_its_place_in_the_table() -> None:
    kinds = {each for each in vars(nouns).values() if isinstance(each, type) and issubclass(each, nouns.KbError)}
    assert {kind for kind in kinds if kind.__bases__ in [(nouns.KbError,), (Exception,)]} <= set(TABLE) <= kinds


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/api/v1/articles/000-0000", 404, "not_found"),
        ("DELETE", "/api/v1/search", 405, "method_not_allowed"),
        ("GET", "/api/v1/search/", 404, "not_found"),
        ("GET", "/api/v1/articles/000-0000/revisions/none", 422, "invalid"),
    ],
)
def test_errors_of_the_framework_have_the_same_shape(
    shared: House, method: str, path: str, status: int, code: str
) -> None:
    response = shared.ask(method, path)
    assert (response.status_code, problem(response)["code"]) == (status, code)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"query": "a", "query": ', b"[" * 100_000]
)
def test_a_body_that_is_no_request_is_refused(shared: House, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    good = shared.ask("POST", "search", content=b'{"query": "red"}', headers=headers)
    bad = shared.ask("POST", "search", content=body, headers=headers)
    assert (good.status_code, bad.status_code, problem(bad)["code"]) == (200, 422, "invalid")


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"query": ""}, "query"),
        ({"query": " \n "}, "query"),
        ({"query": "x" * 2001}, "query"),
        ({"query": "a\0b"}, "query"),
        ({"query": 7}, "query"),
        ({"limit": 0}, "limit"),
        ({"limit": 51}, "limit"),
        ({"audience": "internal"}, "audience"),
        ({"reader": {"tier": "internal"}}, "reader"),
        ({"filters": {"kinds": ["person"]}}, "filters.kinds.0"),
        ({"filters": {"audience": ["internal"]}}, "filters.audience"),
        ({"filters": {"tags": ["x"] * 51}}, "filters.tags"),
        ({"context": {"already_read": [{"kind": "article"}]}}, "context.already_read.0.id"),
        ({"context": {"tier": "internal"}}, "context.tier"),
    ],
)
def test_a_search_is_honoured_or_refused_by_name(shared: House, sent: dict[str, Any], field: str) -> None:
    assert shared.post("search", {"query": "x" * 2000}).status_code == 200
    response = shared.post("search", {"query": "red"} | sent)
    assert (response.status_code, problem(response)["field"]) == (422, field)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("suggest", "q"),
        ("suggest?q=red&limit=21", "limit"),
        ("suggest?q=red&limit=1&limit=2", "limit"),
        ("suggest?q=red&audience=internal", "audience"),
        ("articles?confidence=sure", "confidence.0"),
        ("articles?published=true&published=false", "published"),
        ("articles?cursor=x", "cursor"),
    ],
)
def test_query_parameters_are_honoured_or_refused_by_name(shared: House, path: str, field: str) -> None:
    assert shared.get("suggest?q=red&limit=20&language=en&language=zh-Hans").status_code == 200
    response = shared.get(path)
    assert (response.status_code, problem(response)["field"]) == (422, field)


def test_every_route_refuses_a_query_parameter_that_it_does_not_know(shared: House) -> None:
    described = shared.get("/api/v1/openapi.json").json()
    for path, operations in described["paths"].items():
        for method in operations:
            filled = path.format_map(defaultdict(lambda: "0" * 64, number=shared.write().number, revision="1"))
            response = shared.ask(method.upper(), f"{filled}?nonsense=1", "admin", json={} if method != "get" else None)
            assert response.status_code == 422, (method, path)


def test_a_body_that_is_too_large_is_refused_at_once(shared: House) -> None:
    article = {"title": "T", "language": "en", "audience": "public"}
    fits = shared.post("articles", article | {"body": "x" * (MAX_BODY - 1000)}, "candidate")
    response = shared.post("articles", article | {"body": "x" * MAX_BODY}, "candidate")
    assert (fits.status_code, problem(fits)["field"]) == (422, "body"), "read, and too long for an article"
    assert (response.status_code, problem(response)["code"]) == (413, "too_large")


def test_a_body_without_an_end_is_refused_when_it_grows_too_large(shared: House) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 10 * MAX_BODY:
            sent += 100_000
            yield b" " * 100_000

    response = shared.ask("POST", "search", content=endless(), headers={"Content-Type": "application/json"})
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("given", "kept"),
    [("call-42.a_B", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("a\tb", False), ("<script>", False)],
)
def test_a_request_id_is_taken_over_if_it_can_stand_in_a_log(shared: House, given: str, kept: bool) -> None:
    response = shared.ask("GET", "articles/000-0000", headers={"X-Request-ID": given})
    assert (response.headers["X-Request-ID"] == given) == kept
    assert problem(response)


def test_a_bug_is_answered_without_its_trace_and_logged(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError("secret detail")

    assert house.get("topics").status_code == 200
    monkeypatch.setattr("kb.solve.reading.browse_topics", broken)
    with caplog.at_level(logging.ERROR):
        response = house.get("topics")
    assert (response.status_code, problem(response)["code"]) == (500, "internal")
    assert "secret detail" not in response.text
    assert "ZeroDivisionError" in caplog.text


def test_a_database_that_is_away_is_said_without_its_address(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def away() -> Iterator[None]:
        raise Unavailable("connection to db.internal:5432 refused")
        yield

    assert house.get("topics").status_code == 200
    monkeypatch.setattr(house.service.db, "read", away)
    response = house.get("topics")
    assert (response.status_code, problem(response)["code"]) == (503, "unavailable")
    assert response.headers["Retry-After"] == "5"
    assert "5432" not in response.text


def test_answers_are_for_nobody_else_to_keep(shared: House) -> None:
    for response in (shared.get("me"), shared.get("nothing")):
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("articles/{number}", 200),
        ("articles/{number}%00", 422),
        ("articles/{number}/revisions/1", 200),
        ("articles/{number}/revisions/99999999999999999999", 422),
        ("articles/{number}/diff?from=1&to=1", 200),
        ("articles/{number}/diff?from=1&to=99999999999", 422),
        ("articles?topic=%00", 422),
        ("articles?after=%00", 422),
        ("suggest?q=%00", 422),
        ("suggest?q=%ff", 200),
        ("interactions/%00", 422),
    ],
)
def test_what_a_database_could_not_take_is_refused_before(shared: House, path: str, status: int) -> None:
    assert shared.get(path.format(number=shared.write().number), "publisher").status_code == status


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_dates_at_the_ends_of_the_calendar_are_refused(shared: House, moment: str) -> None:
    article = {"title": "T", "body": "B", "language": "en", "audience": "public"}
    assert (
        shared.post("articles", article | {"valid_from": "2026-01-01T00:00:00+14:00"}, "candidate").status_code == 201
    )
    response = shared.post("articles", article | {"valid_from": moment}, "candidate")
    assert (response.status_code, problem(response)["field"]) == (422, "valid_from")


def test_a_body_that_is_not_said_to_be_json_is_refused(shared: House) -> None:
    response = shared.ask("POST", "search", content=b'{"query": "red"}', headers={"Content-Type": "text/plain"})
    assert (response.status_code, "application/json" in problem(response)["message"]) == (415, True)
