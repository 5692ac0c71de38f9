"""What many tests share: the models, the real photographs, the rendered citizens; missing ones skip, or fail in CI.

IDVERIFY_MODEL_DIR names a folder of model files; where the reference set is nowhere, the tests run on the built-in one.
IDVERIFY_REQUIRE_ALL=1 turns every skip for want of photographs into a failure.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from citizens import portrait_jpeg
from idverify.vision.manifest import BUILTIN, REFERENCE, Manifest, ModelFiles, ModelSet, load_manifest, manifest_path
from idverify.vision.reader import Reader
from idverify.vision.runtime import Runtime
from tests.browser import browsing, chromium, playwright, screenshots
from tests.commands import commands
from tests.deployments import empty_register, empty_register_files, own_register, register, register_files
from tests.requirements import SHARED, missing
from tests.visitors import site, visitor

# Fixtures for all tests: a process can have only one Playwright, and a register is made once.
__all__ = [
    "browsing",
    "chromium",
    "commands",
    "empty_register",
    "empty_register_files",
    "own_register",
    "playwright",
    "register",
    "register_files",
    "screenshots",
    "site",
    "visitor",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--screenshots DIR`: where tests that walk through pages keep pictures of them, for docs/."""
    parser.addoption("--screenshots", default=None, metavar="DIR", help="keep pictures of pages in DIR")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--screenshots`, only the tests that take some are run."""
    if config.getoption("--screenshots") is not None:
        items[:] = [item for item in items if "screenshots" in getattr(item, "fixturenames", ())]


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    return load_manifest()


@pytest.fixture(scope="session")
def model_dir(manifest: Manifest) -> Path:
    """The first of IDVERIFY_MODEL_DIR, the user cache and ../shared/models that holds the whole reference set, or the
    folder of the built-in set.
    """
    chosen = os.environ.get("IDVERIFY_MODEL_DIR")
    folders = [Path(chosen)] if chosen else [user_cache_path("idverify") / "models", SHARED / "models"]
    for folder in folders:
        if all((folder / file.name).is_file() for file in manifest.set(REFERENCE).files.values()):
            return folder
    return manifest_path().with_name(BUILTIN)


@pytest.fixture(scope="session")
def model_set(manifest: Manifest, model_files: ModelFiles) -> ModelSet:
    """The set that a service in this place would choose."""
    return manifest.choose("", model_files)


@pytest.fixture(scope="session")
def model_files(model_dir: Path) -> ModelFiles:
    return ModelFiles(model_dir, model_dir)


@pytest.fixture(scope="session")
def reader(model_set: ModelSet, model_files: ModelFiles) -> Reader:
    return Reader.open(model_set, model_files, Runtime(threads=1))


@pytest.fixture(scope="session")
def lfw_dev() -> Path:
    """A folder of real photographs, one folder a person."""
    folder = SHARED / "faces" / "lfw-dev"
    if not folder.is_dir():
        missing("../shared/faces/lfw-dev, the photographs of real people, is not here")
    return folder


@pytest.fixture(scope="session")
def portrait() -> Callable[[int, int], bytes]:
    """JPEG bytes of a rendered citizen: (identity seed, capture seed)."""
    return portrait_jpeg
