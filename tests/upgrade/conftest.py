"""The deployment of release 0.1: upgraded once, opened once for tests that only look, and copied for those that act."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from idverify.vision.manifest import BUILTIN, manifest_path
from idverify.vision.reader import Reader
from tests.commands import Commands
from tests.upgrade.upgrading import Upgraded, builtin_reader, migrate, opened, unpacked


@pytest.fixture(scope="session")
def reader_of_then() -> Reader:
    """The model set of the fixture, whichever the other tests run on."""
    return builtin_reader()


@pytest.fixture(scope="session")
def upgraded_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files after the upgrade; copy before use."""
    folder = unpacked(Path(__file__).with_name("release_0_1"), tmp_path_factory.mktemp("release-0-1"))
    migrate(folder)
    return folder


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory, upgraded_files: Path, reader_of_then: Reader
) -> Iterator[Upgraded]:
    """One that all tests of a module share: they may look, and change nothing that another one looks at."""
    folder = tmp_path_factory.mktemp("upgraded")
    shutil.copytree(upgraded_files, folder, dirs_exist_ok=True)
    with opened(folder, reader_of_then) as upgraded:
        yield upgraded


@pytest.fixture
def own_files(tmp_path: Path, upgraded_files: Path) -> Path:
    """The files of this test's own deployment."""
    return Path(shutil.copytree(upgraded_files, tmp_path / "own"))


@pytest.fixture
def own(own_files: Path, reader_of_then: Reader) -> Iterator[Upgraded]:
    """A service of this test's own."""
    with opened(own_files, reader_of_then) as upgraded:
        yield upgraded


@pytest.fixture
def commands(own_files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    """Commands on the test's own deployment, beside its service if it has one."""
    monkeypatch.setenv("IDVERIFY_MODEL_SET", BUILTIN)
    return Commands(own_files / "deployment", manifest_path().with_name(BUILTIN), monkeypatch, capsys)
