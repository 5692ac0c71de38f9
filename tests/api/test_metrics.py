"""/metrics in Prometheus' text format."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from idverify.access import Access
from idverify.audit.events import EventKind
from idverify.clients.agencies import Scope
from idverify.errors import StorageUnavailable
from idverify.ids import RequestId

if TYPE_CHECKING:
    from tests.api.conftest import Photo, Service

ADMINISTRATION = Access(RequestId("tests-api"), "administration")
FORM = {"gallery": "demo-register", "purpose": "tax-filing"}
STAGE = "idverify_reading_stage_duration_seconds"


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


def told(service: Service) -> set[str]:
    """The names of the metrics that a new application on this engine serves."""
    text = create_app(service.engine).state.metrics.exposition().decode()
    return {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}


def test_decisions_are_counted_with_their_reasons(service: Service, photo: Photo, empty_room: bytes) -> None:
    person = service.enrol(95)
    refused = {"flow": "verification", "outcome": "not_processed", "reason": "no_face"}
    before = value(service, "idverify_decisions_total", **refused)
    client = service.client(Scope.VERIFY)
    client.post("/v1/verifications", data=FORM | {"person": person}, files={"image": empty_room})
    client.post("/v1/verifications", data=FORM | {"person": person}, files={"image": b"no picture"})
    assert value(service, "idverify_decisions_total", **refused) == before + 1
    assert value(service, "idverify_decisions_total", flow="enrolment", outcome="enrolled", reason="none") >= 1
    told = {"method": "POST", "route": "/v1/verifications", "status": "422", "outcome": "image_format_unsupported"}
    assert value(service, "idverify_requests_total", **told) >= 1


def test_each_stage_of_a_reading_is_timed_once(service: Service, photo: Photo) -> None:
    person = service.enrol(96)
    stages = ("decode", "detect", "refine", "quality", "liveness", "embed")
    before = {stage: value(service, f"{STAGE}_count", stage=stage) for stage in stages}
    seconds = sum(value(service, f"{STAGE}_sum", stage=stage) for stage in stages)
    client = service.client(Scope.VERIFY)
    client.post("/v1/verifications", data=FORM | {"person": person}, files={"image": photo(96, 2)})
    after = {stage: value(service, f"{STAGE}_count", stage=stage) for stage in stages}
    assert after == {stage: count + 1 for stage, count in before.items()}
    assert 0 < sum(value(service, f"{STAGE}_sum", stage=stage) for stage in stages) - seconds < 5
    client.post("/v1/verifications", data=FORM | {"person": person}, files={"image": b"no picture"})
    assert value(service, f"{STAGE}_count", stage="decode") == after["decode"] + 1
    assert value(service, f"{STAGE}_count", stage="embed") == after["embed"]


def test_store_galleries_and_build_are_told(service: Service) -> None:
    service.enrol(92)
    assert value(service, "idverify_gallery_people", gallery="demo-register") >= 1
    assert value(service, "idverify_gallery_references", gallery="demo-register") >= 1
    assert value(service, "idverify_galleries_loaded") == 1
    assert value(service, "idverify_store_up") == 1
    assert value(service, "idverify_audit_leaves") >= 1
    assert "idverify_build_info" in told(service)


def test_the_age_of_the_last_backup_is_told(service: Service) -> None:
    engine, before = service.engine, time.time()
    with engine.database.write() as connection:
        engine.journal.record(connection, EventKind.BACKUP_MADE, ADMINISTRATION)
    families = text_string_to_metric_families(create_app(engine).state.metrics.exposition().decode())
    (sample,) = [one for family in families for one in family.samples if one.name.startswith("idverify_last_backup")]
    assert before - 1 <= sample.value <= time.time()


def test_the_store_being_down_costs_what_only_it_knows(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> NoReturn:
        raise StorageUnavailable("database: OperationalError")

    monkeypatch.setattr(type(service.engine.galleries), "list", unreachable)
    names = told(service)
    assert {"idverify_build_info", "idverify_store_up"} <= names
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


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    path = Path(__file__).parents[2] / "docs" / "grafana-dashboard.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


@pytest.fixture(scope="module")
def queries(document: dict[str, Any]) -> list[str]:
    found = [target["expr"] for panel in document["panels"] for target in panel["targets"]]
    assert len(found) >= len(document["panels"]) > 0
    return found


@pytest.fixture(scope="module")
def labels_served(service: Service, photo: Photo) -> dict[str, set[str]]:
    """The labels of every metric of an application that has answered a few requests and was backed up."""
    engine = service.engine
    with engine.database.write() as connection:
        engine.journal.record(connection, EventKind.BACKUP_MADE, ADMINISTRATION)
    person = service.enrol(94)
    service.client(Scope.VERIFY).post(
        "/v1/verifications", data=FORM | {"person": person}, files={"image": photo(94, 2)}
    )
    text = service.stranger().get("/metrics").text
    seen: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            seen.setdefault(sample.name, {"job", "instance"}).update(sample.labels)
    return seen


def test_every_query_of_the_dashboard_uses_metrics_that_are_served(
    queries: list[str], labels_served: dict[str, set[str]]
) -> None:
    used = {name for query in queries for name in re.findall(r"\b(?:idverify|process)_\w+", query)}
    assert used - labels_served.keys() == set()


def test_every_label_in_a_query_is_one_of_its_metric(queries: list[str], labels_served: dict[str, set[str]]) -> None:
    for query in queries:
        names = re.findall(r"\b((?:idverify|process)_\w+)", query)
        own = set.union(*(labels_served[name] for name in names))
        for selector in re.findall(r"\{([^}]*)\}", query):
            assert set(re.findall(r"(\w+)\s*=", selector)) <= own, query
        for grouping in re.findall(r"\bby \(([^)]*)\)", query):
            assert {name.strip() for name in grouping.split(",")} <= own, query


def test_the_dashboard_draws_every_metric_of_ours(queries: list[str], labels_served: dict[str, set[str]]) -> None:
    ours = {name for name in labels_served if name.startswith("idverify_")}
    ours -= {name for name in ours if name.endswith(("_created", "_sum", "_count"))}
    assert {name for name in ours if not any(name in query for query in queries)} == set()


def test_the_dashboards_panels_do_not_overlap_and_have_names(document: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in document["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert panel["title"]
        assert max(x for x, _ in cells) < 24
        assert not taken & cells, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in document["panels"]}) == len(document["panels"])


def test_the_documentation_names_metrics_that_are_served(labels_served: dict[str, set[str]]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "administration.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\bidverify_\w+", text))
    assert named
    assert named <= labels_served.keys()
