"""/metrics in Prometheus' text format."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from idverify.clients import Scope
from idverify.errors import StorageUnavailable

if TYPE_CHECKING:
    from tests.api.conftest import Photo, Service

FORM = {"gallery": "demo-register", "purpose": "tax-filing"}


def samples(service: Service) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = service.stranger().get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(service: Service, name: str, **labels: str) -> float:
    return samples(service).get((name, frozenset(labels.items())), 0)


def test_requests_are_counted_by_route_and_outcome(service: Service, photo: Photo) -> None:
    person = service.enrol(91)
    labels = {"method": "POST", "route": "/v1/verifications", "status": "200", "outcome": "match"}
    before = value(service, "idverify_requests_total", **labels)
    service.client(Scope.VERIFY).post(
        "/v1/verifications", data=FORM | {"person": person}, files={"image": photo(91, 2)}
    )
    assert value(service, "idverify_requests_total", **labels) == before + 1
    assert (
        value(service, "idverify_request_duration_seconds_count", method="POST", route="/v1/verifications")
        >= before + 1
    )


def test_galleries_and_build_are_told(service: Service) -> None:
    service.enrol(92)
    assert value(service, "idverify_gallery_people", gallery="demo-register") >= 1
    assert value(service, "idverify_gallery_references", gallery="demo-register") >= 1
    assert any(name == "idverify_build_info" for name, _ in samples(service))


def test_the_store_being_down_costs_the_gallery_sizes_only(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> NoReturn:
        raise StorageUnavailable("database: OperationalError")

    monkeypatch.setattr(type(service.engine.galleries), "list", unreachable)
    names = {name for name, _ in samples(service)}
    assert "idverify_build_info" in names
    assert "idverify_gallery_people" not in names


def test_neither_people_nor_invented_names_become_labels(service: Service) -> None:
    person = service.enrol(93)
    stranger = service.stranger()
    stranger.get(f"/v1/persons/{person}", params={"purpose": "tax-filing"})
    stranger.get("/invented-address")
    stranger.request("INVENTED", "/healthz")
    text = stranger.get("/metrics").text
    assert person not in text
    assert "invented" not in text.lower()


def test_two_applications_count_apart(service: Service) -> None:
    first, second = create_app(service.engine), create_app(service.engine)
    first.state.metrics.count("GET", "/x", 200, "ok", 0.1)
    assert b'route="/x"' in first.state.metrics.exposition()
    assert b'route="/x"' not in second.state.metrics.exposition()
