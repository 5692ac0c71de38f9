"""Schemathesis, all checks, against the document that the API serves of itself (docs/security.md)."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from citizens import portrait_jpeg
from enrolment import composition
from enrolment.enroller import EnrolmentRequest
from idverify.clients.agencies import Scope
from idverify.ids import PersonId
from idverify.storage import audit_verification, record_check
from tests.api.conftest import ADMINISTRATION, GALLERY, PURPOSE, Service, open_engine, served
from tests.soak.schema_hooks import PEOPLE

DEPLOYED = Path(__file__).parents[2]
BEYOND = 1_000_000
PATIENCE_S = 7_200


@pytest.fixture
def generous(tmp_path: Path, model_dir: Path) -> Iterator[Service]:
    """A service with `PEOPLE` in it whose caps no run reaches."""
    attempt_limits = (
        "verifications_per_person_per_day",
        "verifications_per_person_per_month",
        "consecutive_failures_per_person",
        "close_calls_per_person_per_year",
        "identifications_per_client_per_day",
        "requests_per_client_per_minute",
    )
    with open_engine(tmp_path, model_dir, **dict.fromkeys(attempt_limits, BEYOND)) as engine:
        for seed, person in enumerate(PEOPLE, start=1):
            photographs = [portrait_jpeg(seed, 1)]
            composition.enroller(engine).enrol(
                EnrolmentRequest(PersonId(person), GALLERY, photographs, ADMINISTRATION, source="cli")
            )
        with served(engine) as running:
            yield running


@pytest.mark.parametrize(
    ("examples", "least_cases"),
    [pytest.param(2, 300, id="some"), pytest.param(1_600, 20_000, id="all", marks=pytest.mark.soak)],
)
def test_it_answers_as_its_document_says_whatever_is_sent(
    generous: Service, tmp_path: Path, examples: int, least_cases: int
) -> None:
    key = generous.client(*Scope, galleries=(GALLERY,), purposes=(PURPOSE,)).headers["authorization"]
    report = tmp_path / "report.json"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{generous.url}/openapi.json"),
        *("--header", f"Authorization: {key}", "--checks", "all", "--mode", "all", "--seed", "1"),
        *("--max-examples", str(examples), "--continue-on-failure", "--generation-database", "none"),
        # How long an answer takes on a busy machine, or one that was paused, is no finding.
        *("--request-timeout", str(PATIENCE_S), "--max-response-time", str(PATIENCE_S)),
        *("--report", "json", "--report-json-path", str(report), "--no-color"),
    ]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.soak.schema_hooks",
        "PYTHONPATH": str(DEPLOYED),
        "NO_PROXY": "127.0.0.1",
    }
    result = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=PATIENCE_S
    )
    assert report.exists(), result.stderr
    found = json.loads(report.read_text())
    print(f"\n{found['test_cases']}")
    assert result.returncode == 0, result.stdout
    assert found["test_cases"]["generated"] >= least_cases
    assert found["failures"] == found["errors"] == []
    with generous.engine.database.read() as connection:
        audit_verification.verify(connection, generous.engine.deployment.keys.checkpoint_signer)
        assert list(record_check.discrepancies(connection)) == []
