"""What cannot be recorded is not answered: a full disk, an audit table that takes nothing (docs/security.md)."""

import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from citizens import portrait_jpeg
from tests.deployments import REGISTER
from tests.requirements import missing
from tests.soak.load import PURPOSE
from tests.soak.running import Services

FORM = {"gallery": REGISTER, "purpose": PURPOSE}
Fault = Callable[[Services, dict[str, str | int]], AbstractContextManager[None]]
Request = Callable[[httpx.Client], httpx.Response]
REQUESTS: dict[str, Request] = {
    "verification": lambda http: http.post(
        "/v1/verifications", data=FORM | {"person": "N-1"}, files={"image": portrait_jpeg(1, 2)}
    ),
    "verification of somebody unknown": lambda http: http.post(
        "/v1/verifications", data=FORM | {"person": "N-9"}, files={"image": portrait_jpeg(1, 2)}
    ),
    "identification": lambda http: http.post("/v1/identifications", data=FORM, files={"image": portrait_jpeg(1, 2)}),
    "enrolment": lambda http: http.post("/v1/persons/N-2/encounters", data=FORM, files={"images": portrait_jpeg(2, 1)}),
    "look at a person": lambda http: http.get("/v1/persons/N-1", params={"purpose": PURPOSE}),
    "access log": lambda http: http.get("/v1/persons/N-1/accesses", params={"purpose": PURPOSE}),
    "erasure": lambda http: http.delete("/v1/persons/N-1", params={"purpose": PURPOSE}),
}


@pytest.fixture
def http(services: Services, deployment: tuple[dict[str, str | int], str]) -> Iterator[httpx.Client]:
    """A client of a running service in which N-1 is enrolled."""
    url, key = services.start(), deployment[1]
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
        enrolled = client.post("/v1/persons/N-1/encounters", data=FORM, files={"images": portrait_jpeg(1, 1)})
        assert enrolled.status_code == 201, enrolled.text
        yield client
    services.kill()


@contextmanager
def full_disk(services: Services, _settings: dict[str, str | int]) -> Iterator[None]:
    """Every write of the service to a file fails with ENOSPC."""
    if shutil.which("strace") is None:
        missing("strace is not installed")
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64"]
    tracer = subprocess.Popen([*command, "-e", "inject=pwrite64:error=ENOSPC", "-p", str(services.child)])
    tasks = Path(f"/proc/{services.child}/task")
    while any("TracerPid:\t0\n" in (task / "status").read_text() for task in tasks.iterdir()):
        assert tracer.poll() is None, "strace may not trace here"
        time.sleep(0.001)
    try:
        yield
    finally:
        tracer.send_signal(signal.SIGINT)  # it lets go of the service and ends
        tracer.wait(10)


@contextmanager
def closed_audit_table(_services: Services, settings: dict[str, str | int]) -> Iterator[None]:
    """The table of the log takes no row more."""
    if url := settings.get("database_url"):
        on = (
            "CREATE FUNCTION closed() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'read-only' USING ERRCODE = 'insufficient_privilege'; END $$;"
            "CREATE TRIGGER closed BEFORE INSERT ON audit_leaves FOR EACH ROW EXECUTE FUNCTION closed()"
        )
        _on_postgresql(str(url), on)
        yield
        _on_postgresql(str(url), "DROP TRIGGER closed ON audit_leaves; DROP FUNCTION closed")
        return
    path = Path(str(settings["data_dir"])) / "idverify.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TRIGGER closed BEFORE INSERT ON audit_leaves BEGIN SELECT RAISE(ABORT, 'read-only'); END"
        )
        yield
        connection.execute("DROP TRIGGER closed")


@pytest.mark.parametrize(
    ("deployment", "fault"),
    [
        pytest.param("sqlite", full_disk, id="sqlite-full-disk"),
        pytest.param("sqlite", closed_audit_table, id="sqlite-closed-audit-table"),
        pytest.param("postgresql", closed_audit_table, id="postgresql-closed-audit-table"),
    ],
    indirect=["deployment"],
)
def test_no_decision_leaves_that_is_not_recorded(
    http: httpx.Client,
    services: Services,
    deployment: tuple[dict[str, str | int], str],
    fault: Fault,
) -> None:
    with fault(services, deployment[0]):
        for name, request in REQUESTS.items():
            answer = request(http)
            assert answer.status_code == 503, (name, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == "storage_unavailable"
            assert answer.json().keys() == {"type", "title", "status", "detail", "code", "request_id"}
            assert "match" not in answer.text
            assert "retry-after" in answer.headers
    # Mended, it goes on by itself, and nothing of what failed is there.
    for name, request in REQUESTS.items():
        answer = request(http)
        assert answer.is_success, (name, answer.text)
        if name == "enrolment":
            assert answer.json()["outcome"] == "enrolled"


def _on_postgresql(url: str, statements: str) -> None:
    with closing(psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True)) as connection:
        connection.execute(statements.encode())
