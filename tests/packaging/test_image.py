"""The image holds every package of ours that the service imports: Dockerfile and .dockerignore against the imports."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.packaging.own_imports import CHECKOUT, reached

STARTS = ("api.__main__", "staff.app")


def copied() -> dict[str, str]:
    """What the Dockerfile copies from the checkout, and where to."""
    lines = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copies = [line.split()[1:] for line in lines if line.startswith("COPY ") and "--from=" not in line]
    assert all(len(copy) == 2 for copy in copies)
    return dict(copies)


def test_every_package_that_the_service_reaches_is_copied() -> None:
    packages = {module.partition(".")[0] for module in reached(*STARTS)}
    assert {"api", "staff", "idverify", "idverify_receipts"} <= packages
    kept = {source: place for source, place in copied().items() if (CHECKOUT / source / "__init__.py").is_file()}
    assert kept == {package: f"/srv/{package}" for package in packages}


def test_what_is_copied_is_let_in_and_nothing_else_is() -> None:
    lines = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").split()
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == copied().keys()


def test_the_service_is_imported_from_what_was_copied_alone(tmp_path: Path) -> None:
    for source, place in copied().items():
        target = tmp_path / place.removeprefix("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (CHECKOUT / source).is_dir() else shutil.copy
        copy(CHECKOUT / source, target)
    served = tmp_path / "srv"
    ours = sorted({module.partition(".")[0] for module in reached(*STARTS)})
    program = (
        f"import sys, {', '.join(STARTS)}\n"
        f"ours = [m.__file__ for name, m in sys.modules.items() if name.partition('.')[0] in {ours}]\n"
        "print(*ours, sep='\\n')\n"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IDVERIFY_")}
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=kept | {"PYTHONPATH": str(served), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=served,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    files = run.stdout.split()
    assert len(files) > 100
    assert [file for file in files if not file.startswith(str(served))] == []
