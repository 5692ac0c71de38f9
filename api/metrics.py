"""Prometheus metrics of one application: requests, galleries, build. No label may name a person or a client."""

from collections.abc import Iterable

from fastapi import APIRouter, Request, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from idverify import __version__
from idverify.engine import Engine
from idverify.errors import StorageUnavailable

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

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
        build = Info("idverify_build", "What is running.", registry=self._registry)
        build.info({"version": __version__, "model_set": engine.settings.model_set})
        self._registry.register(_GallerySizes(engine))
        ProcessCollector(registry=self._registry)

    def count(self, method: str, route: str, status: int, outcome: str, duration_s: float) -> None:
        """Record one request. `route` is a template, so that the number of series stays bounded."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status), outcome).inc()
        self._latency.labels(method, route).observe(duration_s)

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)


class _GallerySizes(Collector):
    """People and references of each gallery, read from the store at every scrape."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterable[GaugeMetricFamily]:
        people = GaugeMetricFamily("idverify_gallery_people", "People enrolled in the gallery.", labels=["gallery"])
        references = GaugeMetricFamily("idverify_gallery_references", "Templates in the gallery.", labels=["gallery"])
        try:
            views = self._engine.galleries.list()
        except StorageUnavailable:
            views = ()  # the other metrics matter most when the store is down
        for view in views:
            people.add_metric([view.gallery], view.people)
            references.add_metric([view.gallery], view.references)
        return (people, references)


@router.get("/metrics", response_class=Response, summary="Prometheus metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """Counts of requests by route and outcome, latency, gallery sizes, build."""
    return Response(request.app.state.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
