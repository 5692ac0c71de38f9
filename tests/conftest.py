"""What many tests share: the models, the real photographs, the rendered citizens; missing ones skip, or fail in CI.

IDVERIFY_MODEL_DIR names a folder of model files; where the reference set is nowhere, the tests run on the built-in one.
IDVERIFY_REQUIRE_ALL=1 turns every skip for want of photographs into a failure.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from platformdirs import user_cache_path

from citizens import portrait_jpeg
from idverify.vision.manifest import BUILTIN, REFERENCE, Manifest, ModelFiles, ModelSet, load_manifest, manifest_path
from idverify.vision.reader import Reader
from idverify.vision.runtime import Runtime

SHARED = Path(__file__).parents[2] / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--screenshots DIR`: where tests that walk through pages keep pictures of them, for docs/."""
    parser.addoption("--screenshots", default=None, metavar="DIR", help="keep pictures of pages in DIR")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--screenshots`, only the tests that take some are run."""
    if config.getoption("--screenshots") is not None:
        items[:] = [item for item in items if "screenshots" in getattr(item, "fixturenames", ())]


def missing(what: str) -> NoReturn:
    """Skip the test because `what` is not on this machine; fail it where nothing may be skipped."""
    if os.environ.get("IDVERIFY_REQUIRE_ALL") == "1":
        pytest.fail(f"{what}, and IDVERIFY_REQUIRE_ALL=1 allows no skipping", pytrace=False)
    pytest.skip(what)


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
