"""Worker processes are replaced when they die, hang or grow old; threads share them; they do only what they must."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from idverify.processes import PoolWorker, WorkerLost, WorkerPool
from tests.processes import assert_confined, eventually, gone

ROOT = str(Path(__file__).parents[2])
PROGRAM = "tests.idverify.worker_program"
LONG_S = 30.0


class Unavailable(Exception):
    """What the pools here raise when there is no worker to be had."""


class Echo(PoolWorker[Connection]):
    """A process of `worker_program`; old after `share` answers."""

    def __init__(
        self,
        *limits: int,
        share: int = 10**9,
        program: str = PROGRAM,
        deadline_s: float = LONG_S,
        descriptors: Sequence[int] = (),
        variables: Mapping[str, str] | None = None,
        passed_on: Collection[str] = (),
    ) -> None:
        super().__init__(
            program,
            Pipe(),
            *limits,
            descriptors=descriptors,
            variables=variables,
            passed_on=passed_on,
            deadline_s=deadline_s,
        )
        self.left = share

    def greeted(self) -> bool:
        return bool(self.channel.recv() == "ready")

    def ask(self, asked: str, argument: str = "") -> str:
        self.channel.send((asked, argument))
        answer: str = self.channel.recv()
        self.left -= 1
        self.old = self.left <= 0
        return answer


def pool_of(
    workers: int = 1, *, share: int = 10**9, program: str = PROGRAM, deadline_s: float = LONG_S
) -> WorkerPool[Echo]:
    start = partial(Echo, share=share, program=program, deadline_s=deadline_s)
    return WorkerPool("echo", Unavailable, start, workers)


def ask(pool: WorkerPool[Echo], asked: str, argument: str = "") -> str:
    with pool.worker() as worker:
        return worker.ask(asked, argument)


def only(pool: WorkerPool[Echo]) -> int:
    (pid,) = pool.pids
    return pid


@pytest.fixture
def pool() -> Iterator[WorkerPool[Echo]]:
    with pool_of() as opened:
        yield opened


@pytest.fixture(params=["confined", "without rights"])
def worker(request: pytest.FixtureRequest) -> Iterator[Echo]:
    """One that is ready, of either kind."""
    with tempfile.TemporaryFile() as spare:
        started = Echo(50_000_000, 30, descriptors=[spare.fileno()]) if request.param == "without rights" else Echo()
    assert started.ready(LONG_S)
    yield started
    started.end()


def test_a_crash_costs_what_was_asked_and_the_next_worker_answers(pool: WorkerPool[Echo]) -> None:
    pool.check()
    first = only(pool)
    with pytest.raises(WorkerLost):
        ask(pool, "crash")
    assert gone(first)
    assert ask(pool, "echo", "a") == "a"
    assert only(pool) != first


def test_a_worker_that_hangs_is_ended_at_its_deadline() -> None:
    with pool_of(deadline_s=0.2) as pool:
        pool.check()
        first = only(pool)
        with pytest.raises(WorkerLost):
            ask(pool, "hang")
        assert gone(first)


def test_a_worker_that_takes_nothing_in_is_ended_at_its_deadline_as_well() -> None:
    with pool_of(deadline_s=0.2) as pool:
        pool.check()
        first = only(pool)
        os.kill(first, signal.SIGSTOP)
        with pytest.raises(WorkerLost, match="echo: the worker process ended or did not answer"):
            ask(pool, "echo", "more than any socket holds " * 1_000_000)
        assert gone(first)


def test_a_worker_that_died_while_idle_costs_nothing(pool: WorkerPool[Echo]) -> None:
    pool.check()
    first = only(pool)
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: gone(first))
    assert ask(pool, "echo", "a") == "a"


def test_nobody_gets_the_answer_to_what_another_one_asked(pool: WorkerPool[Echo]) -> None:
    with suppress(KeyboardInterrupt), pool.worker() as worker:
        worker.channel.send(("echo", "of the one who was interrupted"))
        raise KeyboardInterrupt
    assert ask(pool, "echo", "a") == "a"


def test_an_old_worker_answers_until_its_successor_is_ready() -> None:
    with pool_of(share=3) as pool:
        pool.check()
        first = only(pool)
        for number in range(3):
            assert ask(pool, "echo", str(number)) == str(number)
            assert only(pool) == first

        def replaced() -> bool:
            assert ask(pool, "echo", "b") == "b"
            return only(pool) != first

        assert eventually(replaced)
        assert gone(first)


def test_a_successor_that_dies_is_started_again_and_nothing_is_lost() -> None:
    with pool_of(share=1) as pool:
        pool.check()
        first = only(pool)
        for _ in range(2):  # the second starts a successor
            ask(pool, "echo")
        successor = pool._slots[0].successor
        assert successor is not None
        os.kill(successor.pid, signal.SIGKILL)
        assert eventually(lambda: successor.dead)

        def replaced() -> bool:
            assert ask(pool, "echo", "b") == "b"
            return only(pool) not in (first, successor.pid)

        assert eventually(replaced)


def test_where_no_process_can_be_had_the_pool_says_so_and_tries_again_for_the_next() -> None:
    had = [True, False, False, True]

    def start() -> Echo:
        if not had.pop(0):
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return Echo()

    with WorkerPool("echo", Unavailable, start, 1) as pool:
        with pytest.raises(WorkerLost):  # its replacement is the first that can not be had
            ask(pool, "crash")
        with pytest.raises(Unavailable, match=r"echo: no worker process could be started \(Resource temporarily"):
            ask(pool, "echo")
        assert ask(pool, "echo", "a") == "a"
        assert had == []


def test_a_pool_that_can_not_be_started_whole_leaves_nothing() -> None:
    started: list[Echo] = []

    def start() -> Echo:
        if started:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        started.append(Echo())
        return started[-1]

    with pytest.raises(Unavailable):
        WorkerPool("echo", Unavailable, start, 2)
    assert gone(started[0].pid)


def test_a_program_that_does_not_say_that_it_is_ready_did_not_start() -> None:
    with pool_of(program="idverify.errors") as pool:
        with pytest.raises(Unavailable, match="echo: a worker process did not start"):
            pool.check()
        with pytest.raises(Unavailable, match="echo: a worker process did not start"):
            ask(pool, "echo")


def test_threads_queue_for_a_free_worker() -> None:
    with pool_of(2) as pool, ThreadPoolExecutor(8) as threads:
        numbers = [str(number) for number in range(60)]
        assert list(threads.map(lambda number: ask(pool, "echo", number), numbers)) == numbers
        assert len(pool.pids) == 2


def test_closing_waits_for_what_is_in_hand_and_later_askers_are_refused() -> None:
    pool = pool_of()
    pool.check()
    pid = only(pool)
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(ask, pool, "echo", "a")
        assert eventually(pool._idle.empty)
        closing = threading.Thread(target=pool.close)
        closing.start()
        os.kill(pid, signal.SIGCONT)
        assert answer.result() == "a"
        closing.join()
    assert gone(pid)
    for _ in range(2):
        with pytest.raises(Unavailable, match="echo: the service is shutting down"):
            ask(pool, "echo")
    pool.close()


def test_pools_leave_no_process_and_no_descriptor() -> None:
    def once() -> list[int]:
        with pool_of(2, share=1) as pool:
            ask(pool, "echo")
            ask(pool, "echo")
            ask(pool, "echo")  # by an old one, which has a successor now
            with pytest.raises(WorkerLost):
                ask(pool, "crash")
            return [each.pid for slot in pool._slots for each in (slot.now, slot.successor) if each is not None]

    once()
    before = len(list(Path("/proc/self/fd").iterdir()))
    pids = [pid for _ in range(2) for pid in once()]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert all(map(gone, pids))


def test_both_ends_are_closed_where_no_process_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(FileNotFoundError):
        Echo()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_workers_end_when_the_service_is_killed() -> None:
    program = """
        from tests.idverify.test_processes import pool_of
        pool = pool_of(2)
        pool.check()
        print(*pool.pids, flush=True)
        input()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={"PYTHONPATH": ROOT},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as service:
        assert service.stdout is not None
        pids = [int(pid) for pid in service.stdout.readline().split()]
        assert len(pids) == 2
        service.kill()
    assert eventually(lambda: all(map(gone, pids)))


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
