"""Traces for an OpenTelemetry collector, where a setting names one; nothing, at no cost to speak of, where none does.

The only file that knows OpenTelemetry: it is an extra, and 55 ms to import even in part. A request or a batch of the
indexer begins a trace, what happens within is timed as part of it. Spans carry numbers, routes and names of parts:
never what somebody asked or wrote, nor the message of an exception.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

import kb
from kb.errors import Invalid

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as Recording
    from opentelemetry.trace import SpanKind, Tracer

Value = str | int | float | bool

_SEND_S = 3.0
"""Seconds for one delivery: a collector that is away holds up the end of a process no longer."""

_tracer: "Tracer | None" = None  # of the process, as its log is


class Span:
    """A piece of work that is being timed."""

    def name(self, name: str) -> None:
        """Give it a better name than it began with."""

    def note(self, attributes: Mapping[str, Value]) -> None:
        """Add what is known by now."""


_NOBODY_LOOKS = nullcontext(Span())


def start(endpoint: str, service: str) -> Callable[[], None]:
    """Send spans to the collector at that address, over OTLP/HTTP, from now on; the function returned ends it.

    `service` is the name of this process. Raises Invalid where the extra `tracing` is not installed.
    """
    global _tracer
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise Invalid(
            "KB_OTEL_ENDPOINT asks for traces, which need the extra: pip install -c constraints.txt 'kb[tracing]'",
            "otel_endpoint",
        ) from error
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=_SEND_S)
    resource = Resource.create({"service.name": service, "service.version": kb.__version__})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, export_timeout_millis=_SEND_S * 1000))
    _tracer = provider.get_tracer("kb", kb.__version__)
    return lambda: _end(provider)


def request(headers: Mapping[str, str]) -> AbstractContextManager[Span]:
    """A trace of a request, or a part of the caller's whose `traceparent` header (W3C) these headers have."""
    if _tracer is None:
        return _NOBODY_LOOKS
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return _timed(_tracer, "request", SpanKind.SERVER, TraceContextTextMapPropagator().extract(dict(headers)))


def work(name: str, attributes: Mapping[str, Value]) -> AbstractContextManager[Span]:
    """A trace of work that nobody waits for."""
    if _tracer is None:
        return _NOBODY_LOOKS
    from opentelemetry.trace import SpanKind

    return _timed(_tracer, name, SpanKind.INTERNAL, None, attributes)


def part(name: str) -> AbstractContextManager[Span]:
    """A part of the trace that is under way; nothing outside of one, so that polling makes none."""
    if _tracer is None:
        return _NOBODY_LOOKS
    from opentelemetry.trace import SpanKind, get_current_span

    if not get_current_span().is_recording():
        return _NOBODY_LOOKS
    return _timed(_tracer, name, SpanKind.INTERNAL, None)


@contextmanager
def _timed(
    tracer: "Tracer",
    name: str,
    kind: "SpanKind",
    parent: "Context | None",
    attributes: Mapping[str, Value] | None = None,
) -> Iterator[Span]:
    from opentelemetry.trace import StatusCode

    with tracer.start_as_current_span(
        name, parent, kind, attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield _Recorded(span)
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise


class _Recorded(Span):
    def __init__(self, span: "Recording") -> None:
        self._span = span

    def name(self, name: str) -> None:
        self._span.update_name(name)

    def note(self, attributes: Mapping[str, Value]) -> None:
        self._span.set_attributes(attributes)


def _end(provider: "TracerProvider") -> None:
    global _tracer
    _tracer = None
    provider.shutdown()
