"""The restore drill as an administrator does it: real processes, a service that is killed, a database that is lost."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from idverify.access import Access
from idverify.administration.deployment import Deployment
from idverify.clients.agencies import Scope
from idverify.ids import RequestId
from idverify.settings import Settings
from tests.api.test_main import command, listening
from tests.backups import kept_log
from tests.deployments import PEOPLE, REGISTER, Register, photograph

ACCESS = Access(RequestId("drill"), "administration")
PURPOSE = "tax-filing"


class Agency:
    """A client of the served deployment."""

    def __init__(self, settings: Settings) -> None:
        with Deployment.open(settings) as deployment:
            _, self._key = deployment.clients.add(
                "agency",
                scopes=[Scope.VERIFY, Scope.ENROL],
                galleries=[REGISTER],
                purposes=[PURPOSE],
                sees_scores=False,
                access=ACCESS,
            )

    def enrol(self, url: str, person: str, photo: bytes) -> httpx.Response:
        return self._post(f"{url}/v1/persons/{person}/encounters", {}, {"images": photo})

    def verify(self, url: str, person: str, photo: bytes) -> httpx.Response:
        return self._post(f"{url}/v1/verifications", {"person": person}, {"image": photo})

    def _post(self, url: str, form: dict[str, str], files: dict[str, bytes]) -> httpx.Response:
        return httpx.post(
            url,
            headers={"Authorization": f"Bearer {self._key}"},
            data={"gallery": REGISTER, "purpose": PURPOSE} | form,
            files=files,
            trust_env=False,
            timeout=60,
        )


@pytest.fixture
def idverify(own_register: Register) -> Callable[..., str]:
    """Runs `idverify …` on the register and returns what it said; it must succeed."""

    def run(*arguments: str | Path) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("IDVERIFY_")}
        done = subprocess.run(
            [sys.executable, "-m", "idverify", *arguments],
            env=kept | {"IDVERIFY_DATA_DIR": str(own_register.settings.data_dir)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_drill(own_register: Register, model_dir: Path, tmp_path: Path, idverify: Callable[..., str]) -> None:
    agency, file = Agency(own_register.settings), tmp_path / "nightly.backup"
    environment = {"IDVERIFY_DATA_DIR": str(own_register.settings.data_dir), "IDVERIFY_MODEL_DIR": str(model_dir)}
    acknowledged, stop = [], threading.Event()

    service = command("--port", "0", **environment)
    url, _ = listening(service)

    def write_on() -> None:
        for seed in range(101, 201):
            if stop.is_set():
                return
            if agency.enrol(url, f"C-{seed}", photograph(seed % 5 + 20, 1)).status_code == 201:
                acknowledged.append(f"C-{seed}")

    writer = threading.Thread(target=write_on)
    try:
        # 1. A backup while the service enrols.
        writer.start()
        while len(acknowledged) < 3:
            assert writer.is_alive()
            stop.wait(0.01)
        before = [*PEOPLE, *acknowledged]
        idverify("backup", "--out", file)
        # 2. Erased after the backup; then everything is lost but the root key file, the backup and the audit export.
        idverify("persons", "erase", PEOPLE[0], "--yes")
        stop.set()
        writer.join()
        export = tmp_path / "audit.jsonl"
        (tmp_path / "audit.jsonl.checkpoint").write_text(kept_log(own_register, export).checkpoint, encoding="utf-8")
        own_register.close()
    finally:
        stop.set()
        writer.join()
        service.kill()
        service.communicate()
    assert len(acknowledged) > len(before) - len(PEOPLE), "nobody wrote during the backup"
    for left in own_register.path.parent.glob("idverify.sqlite3*"):
        left.unlink()

    # 3. Back.
    said = idverify("restore", file, "--audit-export", export)
    assert f"Erased again: {PEOPLE[0]}" in said
    assert "older than the checkpoint by" in said
    assert "The audit log verifies" in idverify("audit", "verify")

    # 4. And at work.
    service = command("--port", "0", **environment)
    try:
        url, _ = listening(service)
        assert agency.verify(url, PEOPLE[1], photograph(2, 2)).json()["outcome"] == "match"
        assert agency.verify(url, PEOPLE[0], photograph(1, 2)).json()["outcome"] == "no_match"
        for person in set(before) - set(PEOPLE):
            seed = int(person.removeprefix("C-")) % 5 + 20
            assert agency.verify(url, person, photograph(seed, 2)).json()["outcome"] == "match", person
    finally:
        service.kill()
        service.communicate()
