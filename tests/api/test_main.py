"""`python -m api` as people start it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from idverify.access import Access
from idverify.administration.deployment import Deployment
from idverify.ids import PersonId, RequestId
from idverify.settings import Settings

if TYPE_CHECKING:
    from tests.api.conftest import Photo

ACCESS = Access(RequestId("tests-api"), "administration")


def command(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IDVERIFY_")}
    return subprocess.Popen(
        [sys.executable, "-m", "api", *arguments],
        env=kept | environment,
        cwd=Path(__file__).parents[2],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def listening(process: subprocess.Popen[str]) -> tuple[str, str]:
    """The address that it says it listens on, and all it said so far."""
    said = ""
    assert process.stderr is not None
    while "running on" not in said:
        line = process.stderr.readline()
        assert line, f"it ended instead: {said}"
        said += line
    (url,) = re.findall(r"https?://127\.0\.0\.1:\d+", said)
    return url, said


def test_it_serves_what_was_enrolled_and_stops_when_told(
    deployment_with_a_person: tuple[Path, Path, str, str], photo: Photo
) -> None:
    folder, model_dir, key, person = deployment_with_a_person
    process = command("--port", "0", IDVERIFY_DATA_DIR=str(folder), IDVERIFY_MODEL_DIR=str(model_dir))
    try:
        url, said = listening(process)
        answer = httpx.post(
            f"{url}/v1/verifications",
            headers={"Authorization": f"Bearer {key}"},
            data={"gallery": "demo-register", "person": person, "purpose": "tax-filing"},
            files={"image": photo(101, 2)},
            trust_env=False,
            timeout=30,
        )
        assert answer.json()["outcome"] == "match", answer.text
    finally:
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=20)
    assert process.returncode == 0
    assert '"route": "/v1/verifications"' in rest
    assert person not in said + rest


def test_what_was_acknowledged_before_the_stop_is_there_afterwards(
    registrar_of_an_empty_deployment: tuple[Path, Path, str], photo: Photo
) -> None:
    folder, model_dir, key = registrar_of_an_empty_deployment
    process = command("--port", "0", IDVERIFY_DATA_DIR=str(folder), IDVERIFY_MODEL_DIR=str(model_dir))
    url, _ = listening(process)
    acknowledged, picture = [], photo(102, 1)

    def enrol_until_it_stops(worker: int) -> None:
        for number in range(1_000):
            try:
                answer = httpx.post(
                    f"{url}/v1/persons/C-{worker}-{number}/encounters",
                    headers={"Authorization": f"Bearer {key}"},
                    data={"gallery": "demo-register", "purpose": "tax-filing"},
                    files={"images": picture},
                    trust_env=False,
                    timeout=30,
                )
            except httpx.TransportError:
                return
            assert answer.status_code == 201, answer.text
            acknowledged.append(f"C-{worker}-{number}")

    with ThreadPoolExecutor(4) as workers:
        running = [workers.submit(enrol_until_it_stops, worker) for worker in range(4)]
        while len(acknowledged) < 8:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        for worker in running:
            worker.result()
    process.communicate(timeout=20)
    assert process.returncode == 0
    with Deployment.open(Settings.read(data_dir=folder)) as deployment:
        for person in acknowledged:
            assert deployment.persons.show(PersonId(person), ACCESS).encounters


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"IDVERIFY_PROT": "hunter2"}, "IDVERIFY_PORT"),
        ({}, "idverify database migrate"),
    ],
)
def test_it_does_not_start_on_a_wrong_configuration(tmp_path: Path, environment: dict[str, str], told: str) -> None:
    process = command(**{"IDVERIFY_DATA_DIR": str(tmp_path), **environment})
    out, error = process.communicate(timeout=30)
    assert process.returncode == 2
    assert told in error
    assert len(error.strip().splitlines()) == 1, error
    assert "hunter2" not in out + error


def test_a_start_loads_nothing_that_only_reports_and_letters_need() -> None:
    """Both take a second, and WeasyPrint needs Pango, which a machine that only verifies may lack."""
    heavy = {"scipy.stats", "weasyprint"}
    code = f"import api.app, enrolment.__main__, sys; print(sorted({heavy} & sys.modules.keys()))"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert told.stdout == "[]\n"
