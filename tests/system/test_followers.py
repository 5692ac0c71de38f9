"""Two processes on one database: what one enrols and erases is soon in the memory of the other, without a search."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from idverify.ids import PersonId
from idverify.vision.reader import Reader
from tests.deployments import Register, access, create_register, photograph
from tests.idverify.storage.conftest import Server

SEARCHABLE = re.compile(r'^idverify_gallery_searchable_references\{gallery="civil-register"\} (\d+)', re.MULTILINE)
PATIENCE_S = 60


@pytest.fixture(params=["sqlite", "postgresql"])
def register_with_a_person(request: pytest.FixtureRequest, tmp_path: Path, reader: Reader) -> Iterator[Register]:
    settings = {}
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        settings["database_url"] = server.new_database("followed")
    register = create_register(tmp_path, reader, **settings)
    register.enrol("C-1", photograph(1, 1))
    yield register
    register.close()


@contextmanager
def service(register: Register, model_dir: Path) -> Iterator[str]:
    """The address of `python -m api` on the register's deployment."""
    settings = register.settings
    own = {
        "IDVERIFY_DATA_DIR": str(settings.data_dir),
        "IDVERIFY_DATABASE_URL": settings.database,
        "IDVERIFY_MODEL_DIR": str(model_dir),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "api", "--port", "0"],
        env={name: value for name, value in os.environ.items() if not name.startswith("IDVERIFY_")} | own,
        cwd=Path(__file__).parents[2],
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stderr is not None
            said = ""
            while "running on" not in said:
                line = process.stderr.readline()
                assert line, f"it ended instead: {said}"
                said += line
            (url,) = re.findall(r"http://127\.0\.0\.1:\d+", said)
            yield url
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0


def test_enrolments_and_erasures_reach_a_process_that_nobody_searches(
    register_with_a_person: Register, model_dir: Path
) -> None:
    register = register_with_a_person
    with service(register, model_dir) as url, httpx.Client(base_url=url, trust_env=False) as client:

        def until_searchable(references: int) -> None:
            give_up_s = time.monotonic() + PATIENCE_S
            while SEARCHABLE.findall(client.get("/metrics").text) != [str(references)]:
                assert time.monotonic() < give_up_s, f"never {references}"
                time.sleep(0.05)

        until_searchable(1)
        register.enrol("C-2", photograph(2, 1))
        until_searchable(2)
        register.engine.persons.erase(PersonId("C-1"), access())
        until_searchable(1)
