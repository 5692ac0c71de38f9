"""`python -m api` does not start on what it must not start on: exit status 2 and one line that says what to do."""

import base64
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from idverify.protection.root_key import RootKeyFile
from idverify.storage.database import Database
from idverify.vision.manifest import REFERENCE, Manifest, ModelSet, NetworkRole
from tests.commands import without_note

PASSWORD = "changeme"  # which everybody tries first


@dataclass
class Deployment:
    """The files that a service is started on, whole until a test breaks something."""

    folder: Path
    models: Path

    @property
    def root_key(self) -> Path:
        return self.folder / "root.key"

    def start(self, **environment: str) -> tuple[int, str, str]:
        """Exit status, standard output and standard error of a service that is expected to end by itself."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("IDVERIFY_")}
        own = {"IDVERIFY_DATA_DIR": str(self.folder), "IDVERIFY_MODEL_DIR": str(self.models)}
        done = subprocess.run(
            [sys.executable, "-m", "api", "--port", "0"],
            env=kept | own | environment,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def sql(self, statement: str) -> None:
        with closing(sqlite3.connect(self.folder / "idverify.sqlite3")) as connection, connection:
            connection.execute(statement)

    def replace_root_keys(self, key: bytes) -> None:
        document = json.loads(self.root_key.read_bytes())
        document["keys"] = dict.fromkeys(document["keys"], base64.b64encode(key).decode())
        self.root_key.chmod(0o600)
        self.root_key.write_text(json.dumps(document))
        self.root_key.chmod(0o400)


@pytest.fixture
def deployment(tmp_path: Path, empty_register_files: Path, model_dir: Path, model_set: ModelSet) -> Deployment:
    shutil.copytree(empty_register_files, tmp_path, dirs_exist_ok=True)
    models = tmp_path / "models"
    models.mkdir()
    for file in model_set.files.values():
        shutil.copyfile(model_dir / file.name, models / file.name)
    return Deployment(tmp_path, models)


def refusal(outcome: tuple[int, str, str]) -> str:
    """The one line of a refusal."""
    status, out, error = outcome
    assert (status, out) == (2, ""), error
    (line,) = without_note(error).splitlines()
    assert re.match(r"error \([a-z_]+\): .", line), line
    return line


def test_an_unknown_variable(deployment: Deployment) -> None:
    line = refusal(deployment.start(IDVERIFY_DATABSE_URL="hunter2"))
    assert "did you mean IDVERIFY_DATABASE_URL?" in line
    assert "hunter2" not in line


def test_a_value_that_does_not_fit(deployment: Deployment) -> None:
    line = refusal(deployment.start(IDVERIFY_THREADS="hunter2"))
    assert "IDVERIFY_THREADS: Input should be a valid integer" in line
    assert "hunter2" not in line


def test_a_default_password_of_the_database(deployment: Deployment) -> None:
    url = f"postgresql+psycopg://idv:{PASSWORD}@127.0.0.1:1/idv"
    line = refusal(deployment.start(IDVERIFY_DATABASE_URL=url))
    assert "IDVERIFY_DATABASE_URL" in line
    assert "set another one" in line
    assert PASSWORD not in line


def test_a_database_that_does_not_answer(deployment: Deployment) -> None:
    url = "postgresql+psycopg://idv:mL9-tq2x@127.0.0.1:1/idv"
    line = refusal(deployment.start(IDVERIFY_DATABASE_URL=url))
    assert "database unavailable" in line
    assert "mL9-tq2x" not in line


def test_a_weak_root_key(deployment: Deployment) -> None:
    deployment.replace_root_keys(bytes(32))
    line = refusal(deployment.start())
    assert "is not random" in line
    assert "idverify keys new" in line


def test_a_root_key_file_that_others_can_read(deployment: Deployment) -> None:
    deployment.root_key.chmod(0o440)
    assert f"run `chmod 400 {deployment.root_key}`" in refusal(deployment.start())


def test_a_missing_root_key_file(deployment: Deployment) -> None:
    deployment.root_key.unlink()
    assert "idverify keys new" in refusal(deployment.start())


def test_the_root_key_of_another_deployment(deployment: Deployment) -> None:
    deployment.root_key.unlink()
    RootKeyFile.create(deployment.root_key)
    assert "belongs to another deployment" in refusal(deployment.start())


def test_a_database_without_a_schema(deployment: Deployment) -> None:
    for left in deployment.folder.glob("idverify.sqlite3*"):
        left.unlink()
    assert "run `idverify database migrate`" in refusal(deployment.start())


def test_a_database_without_keys(deployment: Deployment) -> None:
    for left in deployment.folder.glob("idverify.sqlite3*"):
        left.unlink()
    database = Database.open(f"sqlite:///{deployment.folder}/idverify.sqlite3")
    database.migrate()
    database.close()
    assert "make them with `idverify keys new`" in refusal(deployment.start())


def test_a_schema_of_another_version(deployment: Deployment) -> None:
    deployment.sql("UPDATE alembic_version SET version_num = '0000'")
    assert "run `idverify database migrate`" in refusal(deployment.start())


def test_a_model_altered_by_one_byte(deployment: Deployment, model_set: ModelSet) -> None:
    path = deployment.models / list(model_set.files.values())[-1].name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    line = refusal(deployment.start())
    assert path.name in line
    assert "delete it and run `idverify models pull`" in line


def test_a_set_that_is_there_in_part(deployment: Deployment, manifest: Manifest, tmp_path: Path) -> None:
    """The built-in set does not step in for a reference set that lost a file."""
    reference = manifest.set(REFERENCE).files
    (deployment.models / reference[NetworkRole.DETECTOR].name).touch()
    (deployment.models / reference[NetworkRole.EMBEDDER].name).unlink(missing_ok=True)
    line = refusal(deployment.start(IDVERIFY_MODEL_CACHE_DIR=str(tmp_path / "nothing")))
    assert "run `idverify models pull`" in line


def test_an_altered_audit_log(deployment: Deployment) -> None:
    deployment.sql("UPDATE audit_leaves SET leaf_hash = zeroblob(32) WHERE sequence = 1")
    assert "audit leaf 1" in refusal(deployment.start())
