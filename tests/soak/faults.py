"""Puts faults into system calls of a writer with strace, one at a time: to the writer they are the kernel's own."""

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.requirements import missing
from tests.soak.writers import Order

CALLS = ("pwrite64", "write", "fdatasync", "fsync", "ftruncate", "rename")
"""Every system call by which the writers change or sync a file; strace shows where one is missing."""
_TIMEOUT_S = 60


@dataclass(frozen=True)
class Fault:
    """In the `at`-th `call` of a thread of the writer: its error (EIO, ENOSPC), or the end of the process (KILL)."""

    flow: str
    call: str
    kind: str
    at: int

    @property
    def injection(self) -> str:
        what = "signal=KILL" if self.kind == "KILL" else f"error={self.kind}"
        return f"inject={self.call}:{what}:when={self.at}"


@dataclass(frozen=True)
class Ended:
    """How a writer ended (negative: by that signal), and what it had been told until then."""

    status: int
    acts: list[dict[str, object]]
    calls: Counter[str]
    """For each system call, how many the busiest thread made."""
    injected: int


class Writers:
    """The forking process, and writers from it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, flow: str, folder: Path, fault: Fault | None = None, *, traced: bool = False) -> Ended:
        """Do the flow on the deployment in `folder`; in `fault`'s presence or merely `traced`, under strace."""
        report, log = folder / "report.jsonl", folder / "strace.log"
        report.unlink(missing_ok=True)
        log.unlink(missing_ok=True)
        traced = traced or fault is not None
        order = Order(flow, str(folder), str(report), traced)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(order)) + "\n")
        self._process.stdin.flush()
        child = int(self._line())
        if traced:
            inject = [] if fault is None else ["-e", fault.injection]
            command = [
                "strace",
                "-f",
                "-qq",
                "-o",
                str(log),
                "-e",
                f"trace={','.join(CALLS)}",
                *inject,
                "-p",
                str(child),
            ]
            # Its exit status is the writer's, who may be killed.
            result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_TIMEOUT_S)
            if "Operation not permitted" in result.stderr:
                missing(f"strace may not trace here: {result.stderr.strip()}")
        status = int(self._line())
        acts = [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []
        text = log.read_text() if log.exists() else ""
        by_thread = Counter(re.findall(r"^(\d+) +(\w+)\(", text, re.MULTILINE))
        busiest: Counter[str] = Counter()
        for (_, call), number in by_thread.items():
            busiest[call] = max(busiest[call], number)
        killed = int(status == -9 and fault is not None and fault.kind == "KILL")
        return Ended(status, acts, busiest, text.count("(INJECTED)") or killed)

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the forking process ended"
        return line


@contextmanager
def writers(model_dir: Path) -> Iterator[Writers]:
    """Start the forking process. Skips (or fails, where nothing may be skipped) without strace."""
    if shutil.which("strace") is None:
        missing("strace is not installed")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.soak.writers", str(model_dir)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        forking = Writers(process)
        assert forking._line() == "ready\n"
        yield forking
