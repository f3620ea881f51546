"""Nothing that anybody sends comes into the log, whatever becomes of it. `tests/test_logs.py` has the lines."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from kb import logs
from kb.person import SYSTEM
from kb.solve import improve
from tests.api.conftest import House

CANARY = "zilpzalp"
EVERYBODY = ("", "customer", "publisher", "admin")

Said = Callable[[], str]


@pytest.fixture(params=["json", "text"])
def said(request: pytest.FixtureRequest) -> Iterator[Said]:
    """What a process with this format and every line of ours switched on has written so far."""
    stream = io.StringIO()
    handler = logs.handler(request.param == "json", stream)
    levels = {name: logging.getLogger(name).level for name in logs.OURS}
    logging.root.addHandler(handler)
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield stream.getvalue
    logging.root.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def requests_said(text: str) -> int:
    return len(re.findall(r'"message": "request"|\] request ', text))


def test_nothing_that_is_sent_comes_into_the_log(house: House, said: Said) -> None:
    sent = 0
    for method, path, body in operations(house):
        for who in EVERYBODY:
            headers = dict.fromkeys(("User-Agent", "Referer", "Cookie", "Accept-Language", "X-Anything"), CANARY)
            house.ask(method, f"{path}?q={CANARY}&{CANARY}=1", who, json=body, headers=headers)
            house.ask(method, path, who, json=body, headers={"X-Request-ID": f"{CANARY} {CANARY}"})
            house.ask(method, path, who, content=f'{{"query": "{CANARY}", {CANARY}', headers={"Content-Type": "text/x"})
            sent += 3
    for header in (f"Bearer kb_{CANARY}", f"Basic {CANARY}", CANARY):
        house.ask("GET", "me", headers={"Authorization": header})
    house.ask(CANARY.upper(), f"/{CANARY}")
    assert requests_said(said()) == sent + 4
    assert CANARY not in said().lower()


def test_what_succeeds_leaves_only_its_route_in_the_log(house: House, said: Said) -> None:
    text = {"title": CANARY, "body": f"About {CANARY}.", "language": "en", "audience": "public", "tags": [CANARY]}
    number = house.post("articles", text | {"publish": True}, "publisher").json()["number"]
    house.settle()
    contact = house.post("interactions", {"channel": "phone", "external_id": CANARY, "subject": CANARY}, "candidate")
    context = {"interaction_id": contact.json()["id"], "product": CANARY}
    for filters in ({}, {"tags": [CANARY]}):
        assert house.search(CANARY, "candidate", context=context, filters=filters)["hits"]
    assert house.get("suggest", q=CANARY).json()["suggestions"]
    assert house.get(f"articles/{number}").status_code == 200
    house.service.live.close()
    assert house.search(CANARY)["degraded"] == ["index"]
    assert "/api/v1/articles/{number}" in said()
    assert CANARY not in said()
    assert number not in said()


def test_what_fails_here_leaves_its_place_and_its_request_but_no_text(
    house: House, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def broken_statement() -> Iterator[None]:
        with house.service.db.engine.connect() as connection:
            connection.execute(sa.text("SELECT :text FROM nowhere"), {"text": CANARY})
            yield

    def broken_code(*arguments: object, **more: object) -> None:
        raise ValueError(f"cannot read {CANARY!r}") from KeyError(CANARY)

    with monkeypatch.context() as patch:
        patch.setattr("kb.solve.reading.browse_topics", broken_code)
        replies = [house.get("topics")]
    with monkeypatch.context() as patch:
        patch.setattr(house.service.db, "read", broken_statement)
        replies.append(house.get("topics"))
    assert [reply.status_code for reply in replies] == [500, 500]
    assert all(reply.headers["X-Request-ID"] in said() for reply in replies)
    assert "OperationalError SQLITE_ERROR" in said()
    assert "ValueError" in said()
    assert "broken_code" in said()
    assert CANARY not in said()


def test_what_fails_in_the_background_leaves_no_text(house: House, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    house.settle()

    def broken(*arguments: object) -> None:
        raise ValueError(f"cannot index {CANARY}")

    monkeypatch.setattr("kb.solve.indexing.point_of", broken)
    article = house.write(title=CANARY)
    house.service.indexer.step()
    monkeypatch.undo()
    improve.archive(house.service.db, SYSTEM, article.id)
    assert "could not be indexed: ValueError" in said()
    assert CANARY not in said()


def test_every_line_within_a_request_has_its_id(house: House, caplog: pytest.LogCaptureFixture) -> None:
    stream = io.StringIO()
    caplog.set_level(logging.DEBUG, "kb")
    handler = logs.handler(True, stream)
    logging.root.addHandler(handler)
    try:
        house.post("search", {"query": "red light"}, headers={"X-Request-ID": "mine-1"})
    finally:
        logging.root.removeHandler(handler)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {line["logger"]: line["request_id"] for line in lines} == {
        "kb.solve.reuse": "mine-1",  # there is no index: written in a thread
        "kb.api.frame": "mine-1",
    }


def operations(house: House) -> Iterator[tuple[str, str, Any]]:
    """Every operation of the API, with the canary for each parameter of its path and for all that its body has."""
    described = house.client.app.openapi()  # type: ignore[attr-defined]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            body = replaced(content["example"]) if "example" in content else None
            yield method.upper(), re.sub(r"{\w+}", CANARY, path), body


def replaced(value: Any) -> Any:
    """The value with the canary in place of each string."""
    if isinstance(value, dict):
        return {name: replaced(each) for name, each in value.items()}
    if isinstance(value, list):
        return [replaced(each) for each in value]
    return CANARY if isinstance(value, str) else value
