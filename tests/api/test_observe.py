"""Request ids, headers, the log line, and what a caller sees when we fail."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
import uvicorn

from api.logs import LIBRARY_EVENTS as LISTED
from api.logs import JsonLines
from idverify.clients.agencies import Scope

if TYPE_CHECKING:
    from tests.api.conftest import Photo, Problem, Service

Lines = Callable[[], list[dict[str, Any]]]
LineOf = Callable[[str], dict[str, Any]]
SECRET = "P-1024-7"
FORM = {"gallery": "demo-register", "purpose": "tax-filing"}


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    caplog.set_level(logging.INFO, "idverify.api")
    return lambda: [getattr(record, "fields", {}) for record in caplog.records if record.name == "idverify.api"]


@pytest.fixture
def line_of(lines: Lines) -> LineOf:
    """The line of a request, waited for: it is written when the answer has been sent."""

    def wait_for(request_id: str) -> dict[str, Any]:
        for _ in range(1_000):
            for line in lines():
                if line["request_id"] == request_id and "route" in line:
                    return line
            time.sleep(0.01)
        raise AssertionError(f"no line of request {request_id}")

    return wait_for


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


def test_one_line_a_request_names_the_route_and_not_the_person(service: Service, line_of: LineOf, lines: Lines) -> None:
    person = service.enrol(72)
    client = service.client(Scope.ENROL)
    client.get(f"/v1/persons/{person}", params={"purpose": "tax-filing"}, headers={"X-Request-ID": "line-0001"})
    line = line_of("line-0001")
    assert line.pop("duration_ms") > 0
    assert line == {
        "method": "GET",
        "route": "/v1/persons/{person}",
        "status": 200,
        "outcome": "ok",
        "reason": None,
        "request_id": "line-0001",
        "client": client.headers["x-client"],
    }
    assert person not in json.dumps(lines())


def test_the_line_tells_outcome_and_reason(service: Service, photo: Photo, empty_room: bytes, line_of: LineOf) -> None:
    client = service.client(Scope.VERIFY)
    form = FORM | {"person": "C-nobody"}
    client.post("/v1/verifications", data=form, files={"image": photo(73, 1)}, headers={"X-Request-ID": "line-0002"})
    client.post("/v1/verifications", data=form, files={"image": empty_room}, headers={"X-Request-ID": "line-0003"})
    client.post("/v1/verifications", json={}, headers={"X-Request-ID": "line-0004"})
    client.get("/nowhere", headers={"X-Request-ID": "line-0005"})
    told = [line_of(f"line-000{number}") for number in (2, 3, 4, 5)]
    assert [(line["outcome"], line["reason"]) for line in told] == [
        ("no_match", "similarity_below_threshold"),
        ("not_processed", "no_face"),
        ("request_invalid", None),
        ("route_not_found", None),
    ]
    assert told[-1]["route"] == "(none)"


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


def formatted(logger: str, message: object, *arguments: object, **extra: Any) -> dict[str, Any]:
    """What is written of a record of that logger."""
    record = logging.LogRecord(logger, logging.ERROR, "/srv/somewhere/module.py", 7, message, arguments, None)
    record.__dict__.update(extra)
    line = json.loads(JsonLines().format(record))
    assert line.pop("time").endswith("Z")
    assert isinstance(line, dict)
    return line


def test_log_lines_are_json_without_the_text_of_exceptions() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        record = logging.LogRecord("idverify.api", logging.ERROR, __file__, 1, "failure", (), sys.exc_info())
    line = json.loads(JsonLines().format(record))
    assert (line["level"], line["event"], line["error"]) == ("error", "failure", "ValueError")
    assert SECRET not in json.dumps(line)


@pytest.mark.parametrize(
    ("logger", "message", "arguments"),
    [
        ("sqlalchemy.engine.Engine", "INSERT INTO persons VALUES (%s)", (SECRET,)),
        ("sqlalchemy.engine.Engine", f"[parameters: ('{SECRET}',)]", ()),
        ("alembic.runtime.migration", "Running upgrade %s", (SECRET,)),
        ("uvicorn.error", "Exception in ASGI application %s", (SECRET,)),
        ("uvicorn.access", '%s - "%s %s HTTP/%s" %d', ("::1", "GET", f"/v1/persons/{SECRET}", "1.1", 200)),
        ("asyncio", f"Task exception was never retrieved {SECRET}", ()),
        ("py.warnings", SECRET, ()),
        ("idverify.vision", f"read {SECRET}", ()),
        ("idverify.vision", "failure", (SECRET,)),
        ("a.library", ValueError(SECRET), ()),
    ],
)
def test_what_no_list_allows_is_withheld_and_its_place_told(
    logger: str, message: object, arguments: tuple[object, ...]
) -> None:
    assert formatted(logger, message, *arguments) == {
        "level": "error",
        "event": "(withheld)",
        "logger": logger,
        "source": "module:7",
    }


def test_fields_that_are_not_allowed_are_dropped() -> None:
    fields = {"person": SECRET, "path": f"/v1/persons/{SECRET}", "status": 200, "frames": ["a:1 f"], "error": object()}
    assert formatted("idverify.api", "request", fields=fields, color_message=SECRET) == {
        "level": "error",
        "event": "request",
        "status": 200,
        "frames": ["a:1 f"],
        "error": "(withheld)",
    }


def test_what_uvicorn_says_of_itself_is_told() -> None:
    message = "Uvicorn running on %s://%s:%d (Press CTRL+C to quit)"
    assert "http://127.0.0.1:80 " in formatted("uvicorn.error", message, "http", "127.0.0.1", 80)["event"]
    taken = OSError(98, f"error while attempting to bind on address {SECRET}")
    assert formatted("uvicorn.error", taken)["event"] == "Address already in use"


def test_a_line_that_a_library_writes_within_a_request_carries_its_id(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def speak(*_: object) -> tuple[()]:
        record = logging.LogRecord("a.library", logging.ERROR, "module.py", 1, SECRET, (), None)
        written.append(JsonLines().format(record))
        return ()

    monkeypatch.setattr(type(service.engine.galleries), "list", speak)
    service.client().get("/v1/galleries", headers={"X-Request-ID": "layers-0001"})
    assert [json.loads(line)["request_id"] for line in written] == ["layers-0001"]
    assert "request_id" not in formatted("a.library", "outside")


def test_uvicorn_still_words_its_messages_as_they_are_listed() -> None:
    """A message that uvicorn reworded would be withheld: then the list is to be brought up to date."""
    folder = Path(uvicorn.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    told = {message.removeprefix("Uvicorn running on ").removesuffix(" (Press CTRL+C to quit)") for message in LISTED}
    assert {message for message in told if message not in source} == set()
