"""What tests see of other processes, and how they wait for them."""

import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = str(Path(__file__).parents[1])


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true; the time allowed only bounds a failing run."""
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def status(pid: int, field: str) -> str:
    """One field of /proc/PID/status, empty when there is no such process."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    except FileNotFoundError:
        return ""
    return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(field + ":"))


def gone(pid: int) -> bool:
    return status(pid, "State")[:1] in ("", "Z")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def assert_confined(pid: int) -> None:
    """That a worker process writes no core file, gains no privileges, and is ended by no signal to its whole group."""
    limits = Path(f"/proc/{pid}/limits").read_text("ascii").splitlines()
    assert next(line.split()[4:6] for line in limits if line.startswith("Max core file size")) == ["0", "0"]
    assert status(pid, "NoNewPrivs") == "1"
    ignored = int(status(pid, "SigIgn"), 16)
    assert all(ignored >> (each - 1) & 1 for each in (signal.SIGINT, signal.SIGTERM))


@contextmanager
def to_be_killed(program: str) -> Iterator[list[int]]:
    """Runs a program that makes a pool as `pool` and kills it at the end; gives the ids of the pool's processes."""
    waiting = "\nprint(*pool.pids, flush=True)\ninput()\n"
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program) + waiting],
        env={"PYTHONPATH": ROOT},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as service:
        assert service.stdout is not None
        try:
            yield [int(pid) for pid in service.stdout.readline().split()]
        finally:
            service.kill()
