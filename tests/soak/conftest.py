"""What the long runs and their short forms start from."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from idverify.administration.deployment import Deployment
from idverify.clients.agencies import Scope
from idverify.settings import Settings
from idverify.vision.reader import Reader
from tests.deployments import REGISTER, access, create_register, empty_register_files, own_register, register_files
from tests.idverify.storage.conftest import Server, postgresql
from tests.soak.load import PURPOSE
from tests.soak.running import Services, forking_process

__all__ = ["empty_register_files", "own_register", "postgresql", "register_files"]

BEYOND = 1_000_000


@pytest.fixture(params=["sqlite", "postgresql"])
def deployment(request: pytest.FixtureRequest, tmp_path: Path, reader: Reader) -> tuple[dict[str, str | int], str]:
    """Settings of a new deployment with nobody in it, and the key of a client that may do everything."""
    settings: dict[str, str | int] = {
        "data_dir": str(tmp_path),
        "verifications_per_person_per_day": BEYOND,
        "verifications_per_person_per_month": BEYOND,
        "consecutive_failures_per_person": BEYOND,
        "close_calls_per_person_per_year": BEYOND,
        "identifications_per_client_per_day": BEYOND,
        "requests_per_client_per_minute": BEYOND,
    }
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        settings["database_url"] = server.new_database("soak")
    create_register(tmp_path, reader, **{name: value for name, value in settings.items() if name != "data_dir"}).close()
    with Deployment.open(Settings.read(**settings)) as deployment:
        _, key = deployment.clients.add(
            "soak", scopes=list(Scope), galleries=[REGISTER], purposes=[PURPOSE], sees_scores=False, access=access()
        )
    return settings, key


@pytest.fixture(scope="session")
def service_process(model_dir: Path) -> Iterator["subprocess.Popen[str]"]:
    """What `services` are forked from, started once."""
    with forking_process(model_dir) as process:
        yield process


@pytest.fixture
def services(
    deployment: tuple[dict[str, str | int], str], service_process: "subprocess.Popen[str]"
) -> Iterator[Services]:
    """Services of that deployment; none runs yet, and none is left running."""
    started = Services(service_process, deployment[0])
    yield started
    started.kill()
