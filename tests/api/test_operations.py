import contextlib
import re
from collections.abc import Iterator

import pytest

from kb.errors import Unavailable
from kb.person import SYSTEM, Scope
from kb.search.loading import BackgroundEncoder
from kb.solve.access import issue_key
from kb.store import outbox
from tests.api.conftest import House


@contextlib.contextmanager
def away() -> Iterator[None]:
    raise Unavailable("no")
    yield


def metrics(house: House) -> dict[str, float]:
    text = house.get("/metrics", "admin").text
    return {name: float(value) for name, value in re.findall(r"^(\S+) (\S+)$", text, re.MULTILINE)}


def ready(house: House) -> tuple[int, bool, list[str]]:
    response = house.get("/readyz")
    body = response.json()
    for part in body["parts"].values():
        assert (part["state"] == "ready") == (part["wrong"] == "")
    return response.status_code, body["ready"], body["degraded"]


def test_alive_asks_nothing_of_the_rest(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.service.db, "read", away)
    house.service.live.close()
    assert (house.get("/healthz").status_code, house.get("/healthz").json()) == (200, {"alive": True})


def test_ready_when_all_parts_are(house: House) -> None:
    house.settle()
    assert ready(house) == (200, True, [])
    assert house.get("/readyz").json()["parts"].keys() == {"database", "index", "encoder"}


def test_not_ready_with_neither_index_nor_titles(house: House) -> None:
    assert ready(house) == (503, False, ["index"])


def test_ready_but_degraded_as_long_as_titles_can_answer(house: House) -> None:
    house.write()
    house.settle()
    assert ready(house) == (200, True, [])
    house.service.live.close()
    assert ready(house) == (200, True, ["index"])
    assert house.titles("red light") == ["Red light"]


@pytest.mark.parametrize("start", [False, True])
def test_ready_but_degraded_while_the_encoder_is_not_there(house: House, start: bool) -> None:
    house.settle()

    def broken() -> None:
        raise RuntimeError("/secret/path is missing")

    encoder = BackgroundEncoder(broken, house.service.encoder.identity)  # type: ignore[arg-type]
    house.service.encoder = encoder.start() if start else encoder
    encoder.wait()
    assert ready(house) == (200, True, ["encoder"])
    assert house.get("/readyz").json()["parts"]["encoder"]["state"] == ("failed" if start else "not started")
    assert "secret" not in house.get("/readyz").text


def test_not_ready_without_the_database(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.settle()
    assert ready(house) == (200, True, [])
    monkeypatch.setattr(house.service.db, "read", away)
    assert ready(house) == (503, False, [])


def test_metrics_count_searches_by_outcome_and_time_them_by_stage(house: House) -> None:
    house.write()
    house.settle()
    house.search("red light")
    house.search("红")
    house.service.live.close()
    house.search("red light")
    found = metrics(house)
    assert found['kb_searches_total{degraded="none",hits="some"}'] >= 1
    assert found['kb_searches_total{degraded="index",hits="some"}'] == 1
    assert sum(value for name, value in found.items() if name.startswith("kb_searches_total{")) == 3
    assert found['kb_search_seconds_count{stage="total"}'] == 3
    assert found['kb_search_seconds_count{stage="retrieve"}'] == 2
    assert found['kb_search_seconds_count{stage="fallback"}'] == 1


def test_metrics_show_the_backlog_and_the_index(house: House) -> None:
    house.settle()
    house.write()
    waiting = metrics(house)
    assert waiting['kb_outbox_waiting{lane="people_lexical"}'] == 1
    assert waiting['kb_outbox_oldest_seconds{lane="people_lexical"}'] >= 0
    assert waiting["kb_index_passages"] == 0
    house.settle()
    done = metrics(house)
    assert done['kb_outbox_waiting{lane="people_lexical"}'] == 0
    assert (done["kb_index_passages"], done["kb_encoder_ready"]) == (1, 1)


def test_metrics_count_requests_by_route_not_by_address(house: House) -> None:
    for number in ("000-0000", "111-1111"):
        house.get(f"articles/{number}")
    house.get("nowhere/1")
    house.get("nowhere/2")
    house.get("me")
    house.ask("BREW", "me")
    found = metrics(house)
    assert found['kb_http_requests_total{method="GET",route="/api/v1/articles/{number}",status="404"}'] == 2
    assert found['kb_http_requests_total{method="GET",route="none",status="404"}'] == 2
    assert found['kb_http_requests_total{method="GET",route="/api/v1/me",status="200"}'] == 1
    assert found['kb_http_request_seconds_count{method="GET",route="/api/v1/me"}'] == 1
    assert not any("BREW" in name or "111-1111" in name for name in found)


def test_metrics_are_for_those_with_the_right_to_observe(house: House) -> None:
    statuses = {who: house.get("/metrics", who).status_code for who in ("admin", "publisher", "customer", "")}
    assert statuses == {"admin": 200, "publisher": 403, "customer": 403, "": 403}
    holder = house.ids["admin"]
    for scope, status in ((Scope.OBSERVE, 200), (Scope.READ, 403)):
        house.keys["scraper"] = issue_key(house.service.db, SYSTEM, holder, "scraper", scopes=frozenset({scope}))
        assert house.get("/metrics", "scraper").status_code == status


def test_metrics_leave_out_what_cannot_be_asked(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.settle()
    monkeypatch.setattr(outbox, "backlog", lambda tx, at: away().__enter__())
    house.service.live.close()
    found = metrics(house)
    assert not any(name.startswith(("kb_outbox", "kb_index_passages")) for name in found)
    assert "kb_searches_not_logged_total" in found


def test_two_applications_count_apart(house: House, shared: House) -> None:
    house.get("me")
    house.get("me")
    name = 'kb_http_requests_total{method="GET",route="/api/v1/me",status="200"}'
    assert (metrics(house)[name], name in metrics(shared)) == (2, False)
