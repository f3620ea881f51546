import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import kb
from kb.errors import Unavailable
from kb.person import SYSTEM, Scope
from kb.search.loading import BackgroundEncoder
from kb.solve.access import issue_key
from kb.store import outbox
from tests.api.conftest import House

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
UNITS = (
    "_seconds", "_bytes", "_passages", "_changes", "_items", "_connections", "_requests", "_info", "_ready", "_paused",
    "_cases", "_deliveries",
)  # fmt: skip


@contextlib.contextmanager
def away() -> Iterator[None]:
    raise Unavailable("no")
    yield


def metrics(house: House) -> dict[str, float]:
    text = house.get("/metrics", "admin").text
    return {name: float(value) for name, value in re.findall(r"^(\S+) (\S+)$", text, re.MULTILINE)}


def ready(house: House) -> tuple[int, bool, list[str]]:
    while not house.service.catalogue.complete:
        time.sleep(0.01)
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
    parts = house.get("/readyz").json()["parts"]
    assert parts.keys() >= {"database", "schema", "index", "encoder", "catalogue", "indexer"}


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
    assert ready(house) == (503, False, ["indexer"])
    parts = house.get("/readyz").json()["parts"]
    assert {name for name, part in parts.items() if part["state"] != "ready"} >= {"database", "schema", "indexer"}


def test_not_ready_with_an_old_schema(house: House) -> None:
    house.settle()
    with house.service.db.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    assert ready(house) == (503, False, [])
    assert "kb migrate" in house.get("/readyz").json()["parts"]["schema"]["wrong"]


def test_ready_but_degraded_while_changes_wait_for_too_long(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.settle()
    house.write()
    assert ready(house) == (200, True, [])
    monkeypatch.setattr("kb.api.operations.LATE_S", -1.0)
    assert ready(house) == (200, True, ["indexer"])
    house.settle()
    monkeypatch.setattr("kb.api.operations.LATE_S", 300.0)
    assert ready(house) == (200, True, [])


def test_ready_but_degraded_until_all_titles_are_loaded(house: House) -> None:
    house.settle()
    assert ready(house) == (200, True, [])
    house.service.catalogue.complete = False
    assert house.get("/readyz").json()["degraded"] == ["catalogue"]


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
    assert found['kb_search_seconds_count{legs="lexical+dense",stage="total"}'] == 2
    assert found['kb_search_seconds_count{legs="titles",stage="total"}'] == 1
    assert found['kb_search_seconds_count{legs="lexical+dense",stage="retrieve"}'] == 2
    assert found['kb_search_seconds_count{legs="titles",stage="fallback"}'] == 1


def test_metrics_show_the_backlog_and_the_index(house: House) -> None:
    house.settle()
    house.write()
    waiting = metrics(house)
    assert waiting['kb_outbox_waiting_changes{lane="people_lexical"}'] == 1
    assert waiting['kb_outbox_oldest_seconds{lane="people_lexical"}'] >= 0
    assert waiting["kb_index_passages"] == 0
    house.settle()
    done = metrics(house)
    assert done['kb_outbox_waiting_changes{lane="people_lexical"}'] == 0
    assert (done["kb_index_passages"], done["kb_encoder_ready"], done["kb_catalogue_items"]) == (1, 1, 1)
    assert 0 <= done["kb_index_age_seconds"] < 60
    assert done["kb_database_used_connections"] >= 0


def test_metrics_say_what_runs(house: House) -> None:
    assert any(name.startswith('kb_build_info{python="3.') and kb.__version__ in name for name in metrics(house))
    assert metrics(house)["process_resident_memory_bytes"] > 0


def test_every_metric_has_a_unit_a_description_and_a_line_in_the_documentation(house: House) -> None:
    house.write()
    house.settle()
    house.search("red light")
    house.service.indexer.drift.run()
    text = house.get("/metrics", "admin").text
    described = dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.MULTILINE))
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    page = OPERATIONS.read_text()
    documented = set(re.findall(r"^\| `(kb_\w+)`", page, re.MULTILINE))
    assert {name.removesuffix("_bucket") for name in re.findall(r"\bkb_\w+", page)} == documented  # in alerts as well
    ours = {name for name in kinds if name.startswith("kb_") and not name.endswith("_created")}
    assert ours == documented
    for name in ours:
        assert described[name].endswith("."), name
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
        assert name.endswith("_total") == (kinds[name] == "counter"), name
        assert name.endswith(("_total", *UNITS)), name


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
