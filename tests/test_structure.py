"""The layout of the code holds: names stand once, packages form no circle, each capability has one owner."""

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "idverify_receipts",
    "idverify",
    "staff",
    "pages",
    "enrolment",
    "analysis",
    "api",
    "citizens",
    "demo",
    "benchmarks",
)
PRODUCT = tuple(package for package in PACKAGES if package != "benchmarks")
MOST_MODULES_OF_THE_LIBRARY = 26
"""Modules and packages directly in idverify/. Thirty are where a newcomer stops seeing the flow in the tree."""


def sources(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    """Each module's path from the root, and its syntax tree; migrations of the database are history, not code."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> Iterator[str]:
    """Full names of whatever is imported anywhere in the module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_public_class_name_stands_twice() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path, tree in sources(*PRODUCT, "models"):
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path)
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


def test_the_library_has_few_modules_at_its_root() -> None:
    found = {
        path.stem
        for path in (ROOT / "idverify").iterdir()
        if path.name != "__init__.py" and (path.suffix == ".py" or (path / "__init__.py").exists())
    }
    assert len(found) <= MOST_MODULES_OF_THE_LIBRARY, sorted(found)


def test_no_packages_import_each_other_in_a_circle() -> None:
    """Of each top-level package: its subpackages, and each module that stands directly in it."""
    beside: dict[str, set[str]] = {}
    for path, tree in sources(*PACKAGES):
        own = part_of(path)
        found = {part_of(f"{name.replace('.', '/')}") for name in imports(tree)} - {None, own}
        beside.setdefault(str(own), set()).update(map(str, found))
    TopologicalSorter(beside).prepare()  # raises CycleError naming the circle


def part_of(path: str) -> str | None:
    """The subpackage, or the module directly in a top-level package, that a file or an imported name belongs to."""
    package, _, rest = path.removesuffix(".py").partition("/")
    first = rest.partition("/")[0]
    if package not in PACKAGES or not first:
        return None
    here = ROOT / package / first
    return f"{package}/{first}" if here.is_dir() or here.with_suffix(".py").exists() else None


def test_the_package_of_staff_imports_nothing_by_itself() -> None:
    # The layers name staff.app, staff.account_pages and staff.accounts: what the package itself imported is in none.
    (tree,) = (tree for path, tree in sources("staff") if path == "staff/__init__.py")
    assert list(imports(tree)) == []


def test_authenticated_encryption_is_imported_in_protection_only() -> None:
    owners = {
        path
        for path, tree in sources(*PRODUCT)
        if any(name.startswith("cryptography.hazmat.primitives.ciphers") for name in imports(tree))
    }
    assert owners
    assert {Path(path).parent.as_posix() for path in owners} == {"idverify/protection"}


def test_the_network_is_asked_for_models_only() -> None:
    network = {"urllib.request", "http.client", "socketserver", "ftplib", "smtplib"}
    owners = {path for path, tree in sources("idverify", "citizens") if network & set(imports(tree))}
    assert owners == {"idverify/vision/download.py"}


@pytest.fixture(scope="module")
def contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    found: list[dict[str, Any]] = settings["contracts"]
    return found


def test_import_contracts_cover_every_package(contracts: list[dict[str, Any]]) -> None:
    (applications,) = (one for one in contracts if one["type"] == "layers" and "idverify" in one["layers"])
    named = {name for layer in applications["layers"] for name in layer.split(" | ")}
    staff = {f"staff.{path.stem}" for path in (ROOT / "staff").iterdir() if not path.name.startswith("_")}
    assert named == {*PACKAGES} - {"staff", "citizens"} | staff
    for owned in ("faiss", "onnxruntime", "sqlalchemy", "jinja2", "cryptography"):
        sources_of = [set(one["source_modules"]) for one in contracts if owned in one.get("forbidden_modules", ())]
        assert {*PRODUCT} in sources_of, owned
