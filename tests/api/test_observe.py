"""Request ids, headers, the log line, and what a caller sees when we fail."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from api.logs import JsonLines
from idverify.clients import Scope

if TYPE_CHECKING:
    from tests.api.conftest import Photo, Problem, Service

Lines = Callable[[], list[dict[str, Any]]]
FORM = {"gallery": "demo-register", "purpose": "tax-filing"}


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    caplog.set_level(logging.INFO, "idverify.api")
    return lambda: [getattr(record, "fields", {}) for record in caplog.records if record.name == "idverify.api"]


def test_a_fitting_request_id_is_kept_everywhere(service: Service, photo: Photo) -> None:
    person = service.enrol(71)
    answer = service.client(Scope.VERIFY).post(
        "/v1/verifications",
        data=FORM | {"person": person},
        files={"image": photo(71, 2)},
        headers={"X-Request-ID": "e-tax.2026_11-42"},
    )
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "e-tax.2026_11-42"


@pytest.mark.parametrize("offered", ["short", "x" * 65, "with blank here", "semi;colon-long", '"quoted-long"'])
def test_another_request_id_is_replaced(service: Service, offered: str) -> None:
    answer = service.stranger().get("/healthz", headers={"X-Request-ID": offered})
    assert answer.headers["x-request-id"] != offered
    assert len(answer.headers["x-request-id"]) == 32


@pytest.mark.parametrize("path", ["/healthz", "/v1/galleries", "/nowhere", "/docs", "/openapi.json", "/metrics"])
def test_every_answer_carries_the_security_headers(service: Service, path: str) -> None:
    headers = service.stranger().get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers or "uvicorn" not in headers["server"]


def test_one_line_a_request_names_the_route_and_not_the_person(service: Service, lines: Lines) -> None:
    person = service.enrol(72)
    client = service.client(Scope.ENROL)
    client.get(f"/v1/persons/{person}", params={"purpose": "tax-filing"}, headers={"X-Request-ID": "line-0001"})
    (line,) = [line for line in lines() if line["request_id"] == "line-0001"]
    assert line.pop("duration_ms") > 0
    assert line == {
        "method": "GET",
        "route": "/v1/persons/{person}",
        "status": 200,
        "outcome": "ok",
        "request_id": "line-0001",
        "client": client.headers["x-client"],
    }
    assert person not in json.dumps(lines())


def test_the_line_tells_the_outcome(service: Service, photo: Photo, lines: Lines) -> None:
    client = service.client(Scope.VERIFY)
    client.post("/v1/verifications", data=FORM | {"person": "C-nobody"}, files={"image": photo(73, 1)})
    client.post("/v1/verifications", json={})
    client.get("/nowhere")
    assert [line["outcome"] for line in lines()] == ["no_match", "request_invalid", "route_not_found"]
    assert lines()[-1]["route"] == "(none)"


def test_an_unforeseen_failure_tells_the_caller_nothing_but_the_request_id(
    service: Service, lines: Lines, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise RuntimeError("secret: P-1024-7")

    monkeypatch.setattr(type(service.engine.galleries), "list", fail)
    answer = service.client().get("/v1/galleries")
    document = problem(answer, 500, "internal_error")
    assert "secret" not in answer.text
    failure = next(line for line in lines() if "error" in line)
    assert failure["error"] == "RuntimeError"
    assert failure["request_id"] == document["request_id"]
    assert "secret" not in json.dumps(failure)
    assert any("galleries" in frame for frame in failure["frames"])


def test_log_lines_are_json_without_the_text_of_exceptions() -> None:
    try:
        raise ValueError("P-1024-7")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "it failed", (), sys.exc_info())
    line = json.loads(JsonLines().format(record))
    assert (line["level"], line["event"], line["error"]) == ("error", "it failed", "ValueError")
    assert "P-1024-7" not in json.dumps(line)
