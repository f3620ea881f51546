"""Traces, as a collector on loopback receives them."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from kb import tracing
from kb.errors import Invalid
from tests.api.conftest import House

CANARY = "zilpzalp"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@dataclass
class Collector:
    """A small OTLP/HTTP collector."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)

    def received(self) -> list[ExportTraceServiceRequest]:
        return [ExportTraceServiceRequest.FromString(body) for body in self.bodies]

    def spans(self) -> list[Span]:
        return [
            span
            for request in self.received()
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def named(self, name: str) -> Span:
        (found,) = (span for span in self.spans() if span.name == name)
        return found


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            found.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def attributes(span: Span) -> dict[str, Any]:
    return {each.key: getattr(each.value, str(each.value.WhichOneof("value"))) for each in span.attributes}


def test_a_request_is_traced_with_its_stages_as_part_of_the_callers_trace(house: House, collector: Collector) -> None:
    house.write()
    house.settle()
    end = tracing.start(collector.url, "kb-serve")
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-ID": "mine-1"}
    house.post("search", {"query": f"red light {CANARY}"}, "customer", headers=headers)
    end()
    request = collector.named("POST /api/v1/search")
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    assert request.kind == Span.SPAN_KIND_SERVER
    told = attributes(request)
    assert told.pop("http.response.body.size") > 100
    assert told == {
        "http.request.method": "POST",
        "http.route": "/api/v1/search",
        "http.response.status_code": 200,
        "kb.request_id": "mine-1",
    }
    parts = {span.name for span in collector.spans() if span.trace_id == request.trace_id}
    stages = {f"search {stage}" for stage in ("analyze", "encode", "retrieve", "fuse", "confirm")}
    assert stages | {"sql read"} <= parts
    assert collector.named("search retrieve").parent_span_id == request.span_id
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano for span in collector.spans())
    (resource,) = {each.resource.SerializeToString() for got in collector.received() for each in got.resource_spans}
    assert b"kb-serve" in resource


def test_a_batch_of_the_indexer_is_a_trace_and_its_polling_is_none(house: House, collector: Collector) -> None:
    house.settle()
    end = tracing.start(collector.url, "kb-worker")
    house.write()
    house.settle()
    end()
    batch = collector.named("index people_lexical")
    assert not batch.parent_span_id
    assert attributes(batch) == {"kb.items": 1}
    assert all(span.name.startswith("index ") for span in collector.spans() if not span.parent_span_id)


def test_a_failure_is_marked_and_nothing_that_was_sent_is_told(
    house: House, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **more: object) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr(house.service.finder.searcher, "retrieve", broken)
    end = tracing.start(collector.url, "kb-serve")
    response = house.post(f"search?{CANARY}=1", {"query": CANARY}, headers={"User-Agent": CANARY, "baggage": CANARY})
    assert response.status_code == 422
    assert house.post("search", {"query": CANARY}).status_code == 500
    house.get(f"/{CANARY}")
    house.ask(CANARY.upper(), "me")
    end()
    assert {span.name for span in collector.spans()} >= {"GET none", "other /api/v1/me", "POST /api/v1/search"}
    assert CANARY.encode() not in b"".join(collector.bodies).lower()


def test_a_part_that_fails_says_so_by_class(collector: Collector) -> None:
    end = tracing.start(collector.url, "kb-serve")
    with pytest.raises(ValueError, match=CANARY), tracing.work("outside", {}), tracing.part("inside"):
        raise ValueError(CANARY)
    end()
    inside = collector.named("inside")
    assert (inside.status.code, inside.status.message) == (Status.STATUS_CODE_ERROR, "")
    assert attributes(inside) == {"error.type": "ValueError"}
    assert not inside.events


def test_a_collector_that_is_away_delays_neither_requests_nor_the_end(house: House) -> None:
    end = tracing.start("http://127.0.0.1:1", "kb-serve")
    start = time.monotonic()
    assert house.get("me").status_code == 200
    assert time.monotonic() - start < 1
    end()
    assert time.monotonic() - start < 6


def test_nothing_is_traced_unless_it_is_asked_for(house: House, collector: Collector) -> None:
    house.get("me")
    tracing.start(collector.url, "kb-serve")()
    house.get("me")
    assert collector.spans() == []


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(Invalid, match=r"KB_OTEL_ENDPOINT.*kb\[tracing\]"):
        tracing.start("http://127.0.0.1:1", "kb-serve")
