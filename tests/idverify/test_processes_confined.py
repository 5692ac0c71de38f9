"""A worker process of `idverify.processes` has only what it needs; one that gave up its rights can open nothing."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.idverify.echo_workers import LONG_S, Echo, only, pool_of
from tests.processes import assert_confined

ROOT = str(Path(__file__).parents[2])


@pytest.fixture(params=["confined", "without rights"])
def worker(request: pytest.FixtureRequest) -> Iterator[Echo]:
    """One that is ready, of either kind."""
    with tempfile.TemporaryFile() as spare:
        started = Echo(50_000_000, 30, descriptors=[spare.fileno()]) if request.param == "without rights" else Echo()
    assert started.ready(LONG_S)
    yield started
    started.end()


def test_a_worker_has_the_variables_that_are_named_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDVERIFY_DATABASE_URL", "postgresql+psycopg://u:hunter2@h/d")
    monkeypatch.setenv("PGHOST", "here")
    monkeypatch.delenv("PGPORT", raising=False)
    worker = Echo(variables={"COLOUR": "blue"}, passed_on=["PGHOST", "PGPORT"])
    assert worker.ready(LONG_S)
    environment = Path(f"/proc/{worker.pid}/environ").read_text().rstrip("\0").split("\0")
    worker.end()
    assert sorted(environment) == ["COLOUR=blue", "OPENBLAS_NUM_THREADS=1", "PGHOST=here", f"PYTHONPATH={ROOT}"]


def test_a_worker_inherits_the_descriptors_that_are_named_and_no_others(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        with pool_of() as pool:
            pool.check()
            held = [link.readlink() for link in Path(f"/proc/{only(pool)}/fd").iterdir()]
    assert sorted(map(str, held))[:3] == ["/dev/null"] * 3
    assert [str(path).partition(":")[0] for path in sorted(held)[3:]] == ["socket"]


def test_a_worker_is_confined(worker: Echo) -> None:
    assert_confined(worker.pid)
    assert worker.ask("core limit") == "(0, 0)"
    for each in (signal.SIGINT, signal.SIGTERM):
        os.kill(worker.pid, each)
    assert worker.ask("echo", "a") == "a"


def test_only_a_worker_that_gave_up_its_rights_can_open_nothing(
    worker: Echo, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{short}/socket")
        listening.listen()
        answers = {worker.ask("open", str(tmp_path / "file")), worker.ask("connect", f"{short}/socket")}
    without_rights = "without rights" in request.node.callspec.id
    assert answers == ({"refused: Too many open files"} if without_rights else {"3 bytes", "connected"})


ATTEMPTS = {
    "open a file": "open('/etc/hostname')",
    "write a file": "open('/tmp/out', 'wb')",
    "list a folder": "os.listdir('/')",
    "open a socket": "socket.socket()",
    "make a pipe": "os.pipe()",
    "copy a descriptor": "os.dup(1)",
    "make shared memory": "os.memfd_create('x')",
    "extend a file": "os.write(spare, b'x')",
    "raise a limit": "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))",
    "start a process": "os._exit(0) if os.fork() == 0 else None",
    "take much memory": "bytearray(200_000_000)",
}
FOR_USERS_ONLY = {"raise a limit", "start a process"}  # the root user's rights are above these


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_confined_process_can_not(attempt: str, tmp_path: Path) -> None:
    as_root = attempt in FOR_USERS_ONLY and os.geteuid() == 0
    become = "os.setgid(65534); os.setuid(65534)" if as_root else "pass"
    program = f"""
        import encodings.ascii, os, resource, signal, socket
        from idverify.processes import give_up_rights
        spare = os.open({str(tmp_path / "spare")!r}, os.O_CREAT | os.O_WRONLY)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        {become}
        give_up_rights(100_000_000, 30)
        try:
            {ATTEMPTS[attempt]}
        except (OSError, MemoryError, ValueError):
            os._exit(7)
        os._exit(0)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], env={"PYTHONPATH": ROOT}, check=False)
    assert done.returncode == 7


def test_a_confined_process_that_computes_for_too_long_is_ended() -> None:
    program = "from idverify.processes import give_up_rights\ngive_up_rights(100_000_000, 1)\nwhile True: pass"
    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": ROOT}, check=False)
    assert -done.returncode in (signal.SIGXCPU, signal.SIGKILL)
