"""What Prometheus reads. Each application counts for itself; names carry their units."""

from collections.abc import Iterable, Iterator
from platform import python_version

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector
from starlette.types import Scope

import kb
from kb import clock
from kb.api.parts import Running
from kb.errors import KbError
from kb.solve.reuse import Answer
from kb.store import cases, outbox, webhooks

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class Metrics:
    """The counters of one application."""

    def __init__(self, parts: Running) -> None:
        self._registry = CollectorRegistry()
        self._search_seconds = Histogram(
            "kb_search_seconds",
            "Time of a search by stage and by the legs that were asked; total is what the caller waits for.",
            ["stage", "legs"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._searches = Counter(
            "kb_searches",
            "Searches, by the parts that were missing and whether anything was found.",
            ["degraded", "hits"],
            registry=self._registry,
        )
        self._answers = Counter(
            "kb_answers",
            "Searches, by whether the first hit was certain to answer.",
            ["certain"],
            registry=self._registry,
        )
        self._reranks = Counter(
            "kb_reranks",
            "Second looks at the best hits, by what became of them: used, or why not.",
            ["outcome"],
            registry=self._registry,
        )
        self._requests = Counter(
            "kb_http_requests",
            "Requests, by route and status.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._refused = Counter(
            "kb_http_refused",
            "Requests refused before they were looked at, by status: 429 too many of one caller, 503 too many of all.",
            ["status"],
            registry=self._registry,
        )
        self._request_seconds = Histogram(
            "kb_http_request_seconds",
            "Time from the first byte of a request to the end of its answer.",
            ["method", "route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._registry.register(_State(parts))
        ProcessCollector(registry=self._registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request as `named`."""
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(method, route).observe(seconds)

    def refused(self, status: int) -> None:
        """Count a request that never came to an endpoint."""
        self._refused.labels(str(status)).inc()

    def search(self, answer: Answer) -> None:
        """Count a search and its stages."""
        self._searches.labels(",".join(answer.degraded) or "none", "some" if answer.hits else "none").inc()
        self._answers.labels("yes" if answer.answered.certain else "no").inc()
        if answer.reranked is not None:
            self._reranks.labels(answer.reranked.skipped or "used").inc()
        legs = "+".join(answer.legs) or "none"
        for stage, milliseconds in answer.took_ms.items():
            self._search_seconds.labels(stage, legs).observe(milliseconds / 1000)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)


def named(scope: Scope) -> tuple[str, str]:
    """The method and the route's template: few values, whatever is asked, and nothing of what was asked."""
    route = getattr(scope.get("route"), "path", None) or "none"
    return scope["method"] if scope["method"] in _METHODS else "other", route


class _State(Collector):
    """How things stand at the moment of asking. What cannot be asked is left out, so that a gap shows."""

    def __init__(self, parts: Running) -> None:
        self._parts = parts

    def describe(self) -> Iterable[Metric]:
        """Nothing: asking takes the parts, which are not there yet when the application is made."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The gauges and counters."""
        counters = self._parts.indexer.counters
        yield CounterMetricFamily("kb_indexed_passages", "Passages indexed by this process.", counters.indexed)
        yield CounterMetricFamily("kb_encoded_passages", "Passages encoded by this process.", counters.encoded)
        yield CounterMetricFamily("kb_indexing_failures", "Changes that failed and were put back.", counters.failed)
        yield CounterMetricFamily(
            "kb_case_proof_failures",
            "Times a fixed case could not be proved and was put off.",
            self._parts.prover.failed,
        )
        yield CounterMetricFamily(
            "kb_searches_not_logged", "Searches dropped from the log.", self._parts.search_log.dropped
        )
        yield from self._backlog()
        yield from self._index()
        yield from self._drift()
        yield from self._cases()
        yield from self._webhooks()
        paused = self._parts.indexer.failure is not None
        yield GaugeMetricFamily(
            "kb_indexing_paused", "1 while this process cannot index; the log and /readyz say why.", value=float(paused)
        )
        encoder = self._parts.encoder.ready()
        yield GaugeMetricFamily(
            "kb_encoder_ready", "1 if the encoder has been loaded.", value=float(encoder is not None)
        )
        titles = len(self._parts.catalogue)
        yield GaugeMetricFamily("kb_catalogue_items", "Items in the catalogue of titles in memory.", value=titles)
        used = self._parts.db.used_connections
        yield GaugeMetricFamily("kb_database_used_connections", "Connections to the database in use.", value=used)
        build = GaugeMetricFamily("kb_build_info", "Always 1; the labels say what runs.", labels=["version", "python"])
        build.add_metric([kb.__version__, python_version()], 1)
        yield build

    def _backlog(self) -> Iterator[Metric]:
        try:
            with self._parts.db.read() as tx:
                backlog = outbox.backlog(tx, clock.now())
        except KbError:
            return
        waiting = GaugeMetricFamily("kb_outbox_waiting_changes", "Changes the index has not seen yet.", labels=["lane"])
        failed = GaugeMetricFamily("kb_outbox_failed_changes", "Of these, tried at least once.", labels=["lane"])
        oldest = GaugeMetricFamily("kb_outbox_oldest_seconds", "Age of the oldest of these.", labels=["lane"])
        for each in backlog:
            lane = [each.lane.name.lower()]
            waiting.add_metric(lane, each.waiting)
            failed.add_metric(lane, each.failed)
            oldest.add_metric(lane, each.oldest_s)
        yield from (waiting, failed, oldest)

    def _cases(self) -> Iterator[Metric]:
        try:
            with self._parts.db.read() as tx:
                states, overdue, (count, total) = cases.states(tx, clock.now())
        except KbError:
            return
        known = GaugeMetricFamily("kb_cases", "Revision cases, by state.", labels=["state"])
        for state, number in states.items():
            known.add_metric([state.value], number)
        yield known
        yield GaugeMetricFamily("kb_overdue_cases", "Of those to do, past their time.", value=overdue)
        yield SummaryMetricFamily(
            "kb_case_turn_around_seconds",
            "Time from the first flag of a case to its acceptance, of all that are closed.",
            count_value=count,
            sum_value=total,
        )

    def _webhooks(self) -> Iterator[Metric]:
        tried = CounterMetricFamily("kb_webhook_attempts", "Messages sent by this process.", labels=["outcome"])
        tried.add_metric(["delivered"], self._parts.messenger.attempts.delivered)
        tried.add_metric(["failed"], self._parts.messenger.attempts.failed)
        yield tried
        try:
            with self._parts.db.read() as tx:
                counts, oldest = webhooks.backlog(tx, clock.now())
        except KbError:
            return
        known = GaugeMetricFamily(
            "kb_webhook_deliveries", "Deliveries that wait, or were given up.", labels=["outcome"]
        )
        for outcome, number in counts.items():
            known.add_metric([outcome.value], number)
        yield known
        yield GaugeMetricFamily(
            "kb_webhook_oldest_seconds", "For how long the oldest of those that wait has.", value=oldest.total_seconds()
        )

    def _drift(self) -> Iterator[Metric]:
        """What the last look of this process found; nothing before it."""
        report = self._parts.indexer.drift.report
        if report.at is not None:
            drift = GaugeMetricFamily(
                "kb_index_drift_passages",
                "Passages missing in the index, extra in it, or stale there, compared with the database.",
                labels=["kind"],
            )
            for kind, count in report.passages.items():
                drift.add_metric([kind], count)
            yield drift
            yield GaugeMetricFamily(
                "kb_index_drift_checked_timestamp_seconds", "When that was looked at.", value=report.at.timestamp()
            )

    def _index(self) -> Iterator[Metric]:
        if self._parts.live.failure is not None:
            return  # to ask again would only wait
        try:
            index, generation = self._parts.live.get()
            count = index.count()
        except KbError:
            return
        yield GaugeMetricFamily("kb_index_passages", "Passages in the index that answers.", value=count)
        age = (clock.now() - (generation.live_at or generation.created_at)).total_seconds()
        yield GaugeMetricFamily("kb_index_age_seconds", "Time since that index took its place.", value=max(0.0, age))
