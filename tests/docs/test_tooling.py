"""What a newcomer runs first: `make` tells every target, the hook and the container do what CI does."""

import json
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def made(*arguments: str) -> str:
    # Of a `make` that runs the tests it must know nothing, or it tells the folders that it enters.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=clean, capture_output=True, text=True, check=True).stdout


def test_make_alone_tells_every_target_in_words() -> None:
    targets = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    told = dict(re.findall(r"^  make ([\w-]+) +(\S.*)$", made(), re.MULTILINE))
    assert told.keys() == set(" ".join(targets).split())
    assert made("help") == made()


def test_the_hook_is_there_and_can_be_run() -> None:
    assert made("--dry-run", "hooks").split() == ["git", "config", "core.hooksPath", ".githooks"]
    hook = ROOT / ".githooks" / "pre-commit"
    assert os.access(hook, os.X_OK)
    assert hook.read_text(encoding="utf-8").splitlines()[-1].endswith(" lint")


def test_the_container_has_the_packages_that_ci_installs() -> None:
    wanted = re.findall(r"packages\+=\(([^)]*)\)", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    words = container["onCreateCommand"].split()
    assert set(words[words.index("--no-install-recommends") + 1 :]) == set(" ".join(wanted).split())
