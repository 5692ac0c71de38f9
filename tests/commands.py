"""The commands as their users run them: by their entry points, with what they printed and their exit status."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from analysis.__main__ import app as analysis_app
from enrolment.__main__ import app as enrolment_app
from idverify.access import Access
from idverify.administration import dual_control
from idverify.administration.deployment import Deployment
from idverify.cli import main as idverify_main
from idverify.cli.terminal import run
from idverify.ids import RequestId
from idverify.settings import Settings

ROOT = Path(__file__).parents[1]
ENTRIES: dict[str, Callable[[], None]] = {
    "idverify": idverify_main,
    "enrolment": lambda: run(enrolment_app),
    "analysis": lambda: run(analysis_app),
}


@dataclass(frozen=True)
class Told:
    """What a command came to."""

    status: int
    out: str
    err: str


def without_note(errors: str) -> str:
    """What a command wrote on stderr, but for the line about the built-in set, where the tests run on it."""
    lines = errors.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("The builtin model set is for demonstrations: "))


@dataclass(frozen=True)
class Commands:
    """Runs commands on the deployment in `folder`, in this process or in one of their own."""

    folder: Path
    model_dir: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, program: str, *arguments: str | Path) -> Told:
        """In this process: an exception that is not turned into a message fails the test."""
        for name, value in self.environment.items():
            self.monkeypatch.setenv(name, value)
        self.monkeypatch.setattr(sys, "argv", [program, *map(str, arguments)])
        self.capsys.readouterr()
        status = 0
        try:
            ENTRIES[program]()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0
        printed = self.capsys.readouterr()
        return Told(status, printed.out, without_note(printed.err))

    def idverify(self, *arguments: str | Path) -> Told:
        return self("idverify", *arguments)

    def done(self, *arguments: str | Path) -> str:
        """What an `idverify` command that must succeed printed."""
        told = self.idverify(*arguments)
        assert told.status == 0, told.err
        return told.out

    def refused(self, *arguments: str | Path) -> str:
        """The one line on stderr of an `idverify` command that must be refused."""
        told = self.idverify(*arguments)
        assert (told.status, told.out) == (2, ""), told
        assert told.err.startswith("error (")
        assert "Traceback" not in told.err
        return told.err

    def confirmed(self, proposed: str) -> str:
        """What a second administrator is told who confirms what the first one `proposed`."""
        by = Access(RequestId(str(uuid4())), "administration", clerk="the-second-administrator")
        with Deployment.open(Settings.read(data_dir=self.folder)) as deployment:
            return dual_control.confirm(deployment, proposed.split()[-1], by)

    def process(self, *arguments: str | Path, **variables: str) -> Told:
        """`python -m …` in a process of its own, not on a terminal."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("IDVERIFY_")}
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            env={**clean, **self.environment, **variables},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Told(done.returncode, done.stdout, without_note(done.stderr))

    @property
    def environment(self) -> dict[str, str]:
        return {"IDVERIFY_DATA_DIR": str(self.folder), "IDVERIFY_MODEL_DIR": str(self.model_dir)}


@pytest.fixture
def commands(
    tmp_path: Path, model_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    """Commands on this test's own register (`own_register`, `empty_register`), or in an empty folder."""
    return Commands(tmp_path, model_dir, monkeypatch, capsys)
