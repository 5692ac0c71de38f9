"""Both wheels in environments that hold what they declare and nothing else: what is imported, run and left out there.

No registry is asked: what is declared is linked from the environment that the tests run in, so that its versions are
those of the lock file.
"""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from idverify.receipts import Receipts
from tests.packaging.own_imports import CHECKOUT, third_party
from tests.packaging.test_requirements import applications

RECEIPTS_MAX_BYTES = 20_000_000
SIGNER = Receipts([bytes(31) + b"\x01"], "5f3b9a52")
CLAIMS = {
    "aud": "revenue-authority",
    "jti": "request-1",
    "iat": 4_102_444_800,
    "exp": 4_102_445_100,
    "outcome": "match",
    "reason": "similarity_at_or_above_threshold",
    "request_digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",  # of b"abc"
    "policy": "civil-register/fmr-1e-04",
    "audit_position": 7,
}
# Everything but what runs when it is imported.
IMPORT_ALL = """
import importlib, pkgutil, idverify
for module in pkgutil.walk_packages(idverify.__path__, "idverify."):
    if not module.name.endswith("__main__") and ".migrations" not in module.name:
        importlib.import_module(module.name)
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and a folder to work in that is no checkout."""

    root: Path
    work: Path

    @property
    def site_packages(self) -> Path:
        return next((self.root / "lib").glob("python*")) / "site-packages"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """One of the environment's own commands, as a user at a terminal would run it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("IDVERIFY_", "PYTHON"))}
        ours = {"IDVERIFY_DATA_DIR": str(self.work / "data"), "IDVERIFY_MODEL_SET": "builtin"}
        program = str(self.root / "bin" / command[0])
        return subprocess.run(
            [program, *command[1:]], env=kept | ours, cwd=self.work, capture_output=True, text=True, check=False
        )

    def finds(self, names: Iterable[str]) -> set[str]:
        """Which of these top-level modules can be imported."""
        program = f"import importlib.util as u; print(*[n for n in {sorted(names)} if u.find_spec(n)])"
        return set(self.run("python", "-c", program).stdout.split())


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Both wheels, built by hatchling as `pip wheel` would; by distribution."""
    folder = tmp_path_factory.mktemp("wheels")
    for root in (CHECKOUT, CHECKOUT / "idverify_receipts"):
        build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
        subprocess.run(build, cwd=root, check=True, capture_output=True)
    return {wheel.name.partition("-")[0]: wheel for wheel in folder.glob("*.whl")}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, wheels: Mapping[str, Path]) -> Environment:
    """The library, the receipts, and what they declare."""
    return _environment(tmp_path_factory, wheels["idverify_receipts"], wheels["idverify"])


@pytest.fixture(scope="module")
def receipts(tmp_path_factory: pytest.TempPathFactory, wheels: Mapping[str, Path]) -> Environment:
    """The receipts alone, and what they declare."""
    return _environment(tmp_path_factory, wheels["idverify_receipts"])


def test_each_environment_has_all_that_its_distributions_declare(library: Environment, receipts: Environment) -> None:
    for environment in (library, receipts):
        checked = _uv("pip", "check", "--python", str(environment.root))
        assert checked.returncode == 0, checked.stderr


def test_every_module_of_the_library_is_imported_without_what_the_service_needs(library: Environment) -> None:
    imported = library.run("python", "-c", IMPORT_ALL)
    assert imported.returncode == 0, imported.stderr
    beside = third_party(*applications()) - third_party("idverify")
    assert {"fastapi", "uvicorn", "jinja2", "weasyprint", "scipy"} <= beside
    # markupsafe comes with alembic's templates, pydantic_core with pydantic.
    assert library.finds(beside | {"api", "staff", "tomlkit", "matplotlib"}) == {"markupsafe", "pydantic_core"}


def test_the_librarys_commands_work_where_nothing_else_is_installed(library: Environment) -> None:
    told = library.run("idverify", "--help")
    assert (told.returncode, told.stderr) == (0, "")
    assert "receipt" in told.stdout
    checked = library.run("idverify", "models", "check")
    assert checked.returncode == 0, checked.stderr
    assert "as pinned" in checked.stdout


@pytest.mark.parametrize(
    ("altered", "options", "status", "last"),
    [
        (False, ["--photograph", "photo.jpg", "--audience", "revenue-authority"], 0, "GENUINE"),
        (True, [], 20, "NOT GENUINE: the signature does not fit: the receipt was altered"),
        (False, ["--photograph", "nowhere.jpg"], 2, "error (invalid_input): nowhere.jpg: No such file or directory"),
    ],
    ids=["genuine", "altered", "no photograph"],
)
def test_both_commands_give_one_verdict_with_one_exit_status(
    library: Environment, receipts: Environment, altered: bool, options: list[str], status: int, last: str
) -> None:
    signed = SIGNER.sign(CLAIMS)
    for environment, command in ((library, ["idverify", "receipt"]), (receipts, ["idverify-receipts"])):
        (environment.work / "jwks.json").write_text(json.dumps(SIGNER.jwks()))
        (environment.work / "receipt").write_text(signed[:-8] + "A" * 8 if altered else signed)
        (environment.work / "photo.jpg").write_bytes(b"abc")
        told = environment.run(*command, "verify", "receipt", "--jwks", "jwks.json", *options)
        assert told.returncode == status, told.stderr
        assert (told.stdout + told.stderr).splitlines()[-1] == last
        assert ("revenue-authority" in told.stdout) == (status == 0)


def test_who_checks_receipts_alone_installs_little_and_nothing_of_the_library(receipts: Environment) -> None:
    absent = third_party("idverify", *applications()) | {"idverify"}
    assert receipts.finds(absent) == {"jwt", "cryptography"}
    # As it is downloaded: without the bytecode that Python writes beside it.
    walked = os.walk(receipts.site_packages, followlinks=True)
    files = [Path(folder, name) for folder, _, names in walked for name in names if not name.endswith(".pyc")]
    assert 1_000_000 < sum(file.stat().st_size for file in files) < RECEIPTS_MAX_BYTES


def _environment(tmp_path_factory: pytest.TempPathFactory, *installed: Path) -> Environment:
    environment = Environment(tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("work"))
    venv.create(environment.root, symlinks=True)
    made = _uv("pip", "install", "--no-deps", "--python", str(environment.root), *map(str, installed))
    assert made.returncode == 0, made.stderr
    ours = list(importlib.metadata.distributions(path=[str(environment.site_packages)]))
    there = {canonicalize_name(one.name) for one in ours}
    for name in _needed(requirement for one in ours for requirement in one.requires or []) - there:
        _link(importlib.metadata.distribution(name), environment.site_packages)
    return environment


def _needed(requirements: Iterable[str]) -> set[str]:
    """The names of these requirements and of all that they require in turn, here and now."""
    needed: set[str] = set()
    waiting = [(Requirement(one), "") for one in requirements]
    seen = set()
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        needed.add(name)
        for wanted in {"", *requirement.extras}:
            if (name, wanted) not in seen and name != "idverify-receipts":
                seen.add((name, wanted))
                waiting += [(Requirement(one), wanted) for one in importlib.metadata.requires(name) or []]
    return needed


def _link(distribution: importlib.metadata.Distribution, site_packages: Path) -> None:
    """Put the installed files of one distribution there too: links by their top-level names, and its own metadata."""
    for top in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
        target = Path(str(distribution.locate_file(top))).resolve()
        if top.endswith(".dist-info"):
            shutil.copytree(target, site_packages / top)  # uv sees no links there
        elif not (site_packages / top).exists():
            (site_packages / top).symlink_to(target)


def _uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "uv", "--offline", "--no-cache", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
