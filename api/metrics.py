"""Counts requests, decisions, readings and the store for Prometheus. No label names a person or a client.

`docs/grafana-dashboard.json` draws them.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime

from fastapi import APIRouter, Request, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from idverify import __version__
from idverify.engine import Engine
from idverify.errors import IdverifyError
from idverify.storage import audit_log, backup

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FLOWS = {
    ("POST", "/v1/verifications"): "verification",
    ("POST", "/v1/identifications"): "identification",
    ("POST", "/v1/persons/{person}/encounters"): "enrolment",
}
_REPLAYED = "replayed"
"""Outcome of a request that was given the answer to an earlier one: nothing was decided anew."""
_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_STAGE_BUCKETS_S = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_QUICK_S = 0.1
"""A reading of the store that takes no longer is not worth remembering."""

router = APIRouter(tags=["operation"])


class Metrics:
    """The registry of one application."""

    def __init__(self, engine: Engine) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "idverify_requests",
            "Requests answered; outcome is a decision or a problem code.",
            ("method", "route", "status", "outcome"),
            registry=self._registry,
        )
        self._latency = Histogram(
            "idverify_request_duration_seconds",
            "Time from the first byte of a request's head to the end of its answer.",
            ("method", "route"),
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        stages = Histogram(
            "idverify_reading_stage_duration_seconds",
            "Time of each stage of reading a photograph.",
            ("stage",),
            buckets=_STAGE_BUCKETS_S,
            registry=self._registry,
        )
        engine.reader.stages.listen(lambda stage, duration_s: stages.labels(stage).observe(duration_s))
        self._decisions = Counter(
            "idverify_decisions",
            "Photographs decided on: what came of it and why; refusals have the reason that the caller was told.",
            ("flow", "outcome", "reason"),
            registry=self._registry,
        )
        self.in_progress = Gauge(
            "idverify_requests_in_progress", "Requests that are being answered now.", registry=self._registry
        )
        build = Info("idverify_build", "What is running.", registry=self._registry)
        build.info({"version": __version__, "model_set": engine.deployment.model_set.name})
        self._registry.register(_Store(engine))
        self._registry.register(_Memory(engine))
        ProcessCollector(registry=self._registry)

    def count(
        self, method: str, route: str, status: int, outcome: str, duration_s: float, *, reason: str | None = None
    ) -> None:
        """Record one request. `route` is a template, so that the number of series stays bounded."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status), outcome).inc()
        self._latency.labels(method, route).observe(duration_s)
        flow = _FLOWS.get((method, route))
        if flow is not None and 200 <= status < 300 and outcome != _REPLAYED:
            self._decisions.labels(flow, outcome, reason or "none").inc()

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)


class _Store(Collector):
    """What is read from the store at a scrape; a store that is slow to answer is read less often.

    Counting millions of rows for anybody who asks would be a way to keep the store busy: at most a twentieth of the
    time goes into it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._last_read: Sequence[GaugeMetricFamily] = ()
        self._read_again_s = 0.0

    def collect(self) -> Iterable[GaugeMetricFamily]:
        started_s = time.monotonic()
        if started_s < self._read_again_s:
            return self._last_read
        try:
            self._last_read = (_gauge("idverify_store_up", "Whether the store answers.", 1), *self._read())
        except IdverifyError:
            return (_gauge("idverify_store_up", "Whether the store answers.", 0),)
        took_s = time.monotonic() - started_s
        self._read_again_s = started_s + (20 * took_s if took_s > _QUICK_S else 0)
        return self._last_read

    def _read(self) -> Iterable[GaugeMetricFamily]:
        people = GaugeMetricFamily("idverify_gallery_people", "People enrolled in the gallery.", labels=["gallery"])
        references = GaugeMetricFamily("idverify_gallery_references", "Templates in the gallery.", labels=["gallery"])
        for view in self._engine.galleries.list():
            size = self._engine.galleries.size(view.gallery)
            people.add_metric([view.gallery], size.people)
            references.add_metric([view.gallery], size.references)
        with self._engine.database.read() as connection:
            leaves = audit_log.size(connection)
            made = backup.last_backup(connection)
        yield people
        yield references
        yield _gauge("idverify_audit_leaves", "Leaves of the audit log.", leaves)
        if made is not None:
            moment = datetime.fromisoformat(made.time).timestamp()
            yield _gauge("idverify_last_backup_timestamp_seconds", "When the newest backup was begun.", moment)


class _Memory(Collector):
    """The galleries as this process has them in memory, and how far they are loaded."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterable[GaugeMetricFamily]:
        searchable = GaugeMetricFamily(
            "idverify_gallery_searchable_references", "References that 1:N searches here.", labels=["gallery"]
        )
        memory = GaugeMetricFamily(
            "idverify_gallery_memory_bytes", "Memory of vectors, codes and names.", labels=["gallery"]
        )
        each = GaugeMetricFamily(
            "idverify_gallery_memory_bytes_per_reference", "That memory divided by the references.", labels=["gallery"]
        )
        for gallery in self._engine.galleries_in_memory.galleries():
            references, memory_bytes = gallery.references, gallery.memory_bytes
            searchable.add_metric([gallery.gallery], references)
            memory.add_metric([gallery.gallery], memory_bytes)
            if references:
                each.add_metric([gallery.gallery], memory_bytes / references)
        state = self._engine.follower.state
        yield searchable
        yield memory
        yield each
        yield _gauge("idverify_galleries_loaded", "Whether 1:N can be answered.", state is None)
        share = 1.0 if state is None else state.share
        yield _gauge("idverify_galleries_loading_ratio", "How much of the present step of loading is done.", share)


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, value=value)


@router.get("/metrics", response_class=Response, summary="Prometheus metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """Requests by route and outcome, decisions by reason, latency, stages, galleries, audit log, last backup, build."""
    return Response(request.app.state.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
