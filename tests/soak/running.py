"""Services that are started, stopped and killed by the tests: forked by a process of their own, one at a time."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Services:
    """Services forked by a process of its own, one at a time, on one deployment; each is killed in the end."""

    def __init__(self, process: "subprocess.Popen[str]", settings: dict[str, str | int]) -> None:
        self._process = process
        self._settings = settings
        self.child = 0

    def start(self) -> str:
        """Fork one; returns its address."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(self._settings) + "\n")
        self._process.stdin.flush()
        child, port = self._line().split()
        self.child = int(child)
        return f"http://127.0.0.1:{port}"

    def kill(self) -> None:
        """End the one that runs, if one does."""
        if self.child:
            os.kill(self.child, signal.SIGKILL)
            self.child = 0
            assert int(self._line()) == -signal.SIGKILL, "the service had ended by itself"

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the forking process ended"
        return line


@contextmanager
def forking_process(model_dir: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start the process that forks services; it is ready when this yields."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.soak.services", str(model_dir)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
