"""Each distribution declares what it imports and nothing else: the library, the extra `service`, the receipts."""

import importlib.metadata
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import idverify
import idverify_receipts
from tests.packaging.own_imports import CHECKOUT, reached, third_party

OURS = frozenset({"idverify", "idverify_receipts"})
# What is needed without an import of ours: the file and the words in it by which something else loads it.
LOADED_BY_NAME = {
    "psycopg": ("idverify/storage/database.py", "postgresql+psycopg"),
    "fastapi-swagger": ("api/swagger_ui.py", '"fastapi_swagger"'),
    "httptools": ("api/server.py", "uvicorn.protocols.http.httptools_impl"),
    "python-multipart": ("api/request_reading.py", "starlette.formparsers"),
    "uvloop": ("api/server.py", 'loop="uvloop"'),
}
# What belongs to a declared distribution, which fixes its version.
PARTS = {"starlette": "fastapi", "pydantic-core": "pydantic", "markupsafe": "jinja2"}


def project(folder: Path = CHECKOUT) -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return content


def names(requirements: Iterable[str]) -> set[str]:
    return {canonicalize_name(Requirement(one).name) for one in requirements}


def distributions(imports: Iterable[str]) -> set[str]:
    """The distributions that these top-level names come from, each part by the distribution that it belongs to."""
    providers = importlib.metadata.packages_distributions()
    found = set()
    for name in imports:
        assert name in providers, f"{name} is imported and not installed"
        provider = canonicalize_name(providers[name][0])
        found.add(PARTS.get(provider, provider))
    return found


def applications() -> set[str]:
    return {module.partition(".")[0] for module in reached("api.__main__", "staff.app")} - OURS


def loaded_by_name(declared: set[str]) -> set[str]:
    return declared & LOADED_BY_NAME.keys()


def test_the_library_declares_what_it_imports_and_nothing_else() -> None:
    declared = names(project()["dependencies"])
    assert distributions(third_party("idverify")) | loaded_by_name(declared) | {"idverify-receipts"} == declared


def test_the_extra_service_declares_what_the_applications_import_beside_the_library() -> None:
    library, service = names(project()["dependencies"]), names(project()["optional-dependencies"]["service"])
    assert applications() == {"api", "staff", "pages", "enrolment", "analysis"}
    assert (distributions(third_party(*applications())) - library) | loaded_by_name(service) == service
    assert not library & service


def test_the_receipts_declare_what_they_import_and_nothing_else() -> None:
    (requirement,) = map(Requirement, project(CHECKOUT / "idverify_receipts")["dependencies"])
    assert distributions(third_party("idverify_receipts")) == {canonicalize_name(requirement.name)} == {"pyjwt"}
    assert requirement.extras == {"crypto"}


@pytest.mark.parametrize("name", sorted(LOADED_BY_NAME))
def test_what_is_loaded_by_name_still_is(name: str) -> None:
    file, words = LOADED_BY_NAME[name]
    assert words in (CHECKOUT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize(("part", "whole"), PARTS.items())
def test_a_part_comes_with_the_distribution_that_it_belongs_to(part: str, whole: str) -> None:
    assert part in names(importlib.metadata.requires(whole) or [])


def test_who_develops_has_all_that_the_service_needs() -> None:
    assert "idverify[service]" in project()["optional-dependencies"]["dev"]


def test_both_distributions_are_of_one_version_and_one_licence() -> None:
    assert idverify_receipts.__version__ == idverify.__version__
    (needed,) = [one for one in map(Requirement, project()["dependencies"]) if one.name == "idverify-receipts"]
    assert needed.specifier.contains(idverify_receipts.__version__)
    licence = (CHECKOUT / "LICENSE").read_bytes()
    assert (CHECKOUT / "idverify_receipts" / "LICENSE").read_bytes() == licence


def test_everything_of_the_receipts_is_packed() -> None:
    build = tomllib.loads((CHECKOUT / "idverify_receipts" / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    there = {file.name for file in (CHECKOUT / "idverify_receipts").glob("*.py")}
    assert set(build["only-include"]) == there | {"py.typed"}


@pytest.mark.parametrize(
    ("lock", "declared"),
    [
        ("requirements.lock", ("service",)),
        ("requirements-dev.lock", ("service", "dev")),
        ("requirements-training.lock", ("training",)),
    ],
)
def test_a_lock_file_pins_what_is_declared_with_hashes_and_names_no_registry(
    lock: str, declared: tuple[str, ...]
) -> None:
    text = (CHECKOUT / lock).read_text(encoding="utf-8")
    pinned = re.findall(r"^([a-z0-9._-]+)==\S+(?: ;.*)? \\\n    --hash=sha256:", text, flags=re.MULTILINE)
    entries = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(pinned) == len(entries)
    extras = project()["optional-dependencies"]
    wanted = names(project()["dependencies"]).union(*(names(extras[extra]) for extra in declared))
    assert wanted - {"idverify", "idverify-receipts"} <= set(map(canonicalize_name, pinned))
    assert not {"idverify", "idverify-receipts"} & set(pinned)
    assert "://" not in text


def test_the_image_installs_nothing_that_only_developers_need() -> None:
    extras = project()["optional-dependencies"]
    text = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
    pinned = {line.partition("==")[0] for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))}
    tools = names(extras["dev"]) - names(extras["service"]) - {"packaging"}  # which onnxruntime needs too
    assert {"pytest", "matplotlib", "tomlkit"} <= tools
    assert not pinned & tools
