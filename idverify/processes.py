"""Starts programs of ours as worker processes, confines them, replaces them, and ends them all with the service.

It must not give a worker the environment of the service, which may hold a database password, nor a descriptor beyond
those that its user names. What a worker is asked and what it answers is known to its user only.
"""

import ctypes
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Generic, Protocol, Self, TypeVar

# From linux/prctl.h.
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


class _Closable(Protocol):
    def fileno(self) -> int: ...

    def close(self) -> None: ...


Channel = TypeVar("Channel", bound=_Closable)
"""One end of a pair of Unix sockets: a `socket.socket`, or a `multiprocessing.connection.Connection`."""


class WorkerLost(Exception):
    """The worker died over what it was asked, or did not answer it as it should within its deadline."""


class WorkerProcess(Generic[Channel]):
    """A program of ours in a process of its own, and the service's end of the channel to it; for a thread at a time."""

    def __init__(
        self,
        program: str,
        channel: tuple[Channel, Channel],
        *arguments: int,
        descriptors: Sequence[int] = (),
        variables: Mapping[str, str] | None = None,
        passed_on: Collection[str] = (),
        deadline_s: float = 0,
    ) -> None:
        """Start `python -m program CHANNEL [DESCRIPTOR…] [ARGUMENT…]`, and do not wait for it.

        `channel`: both ends, the service's first; it inherits the other one and `descriptors`. It gets `variables`, and
        those named in `passed_on` as the service has them. A read or write at the service's end that waits for longer
        than `deadline_s` (0: any time) raises BlockingIOError. Raises OSError when no process can be started.
        """
        self.channel, theirs = channel
        inherited = (theirs.fileno(), *descriptors)
        try:
            with socket.socket(fileno=os.dup(self.channel.fileno())) as ours:
                timeval = struct.pack("ll", *divmod(round(deadline_s * 1e6), 10**6))  # see socket(7)
                for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                    ours.setsockopt(socket.SOL_SOCKET, option, timeval)
            self._process = subprocess.Popen(  # noqa: S603  our own module, no shell, numbers for arguments
                [sys.executable, "-P", "-m", program, *map(str, inherited), *map(str, arguments)],
                pass_fds=inherited,
                env={
                    "PYTHONPATH": str(Path(__file__).parents[1]),
                    "OPENBLAS_NUM_THREADS": "1",  # there is a process for each core
                    **{name: os.environ[name] for name in passed_on if name in os.environ},
                    **(variables or {}),
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            self.channel.close()
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def dead(self) -> bool:
        return self._process.poll() is not None

    def end(self) -> None:
        """Kill it; a worker holds nothing that must be saved."""
        self._process.kill()
        self._process.wait()
        self.channel.close()


class PoolWorker(WorkerProcess[Channel], ABC):
    """A worker of a `WorkerPool`. It sends one message when it is ready to be asked."""

    old = False
    """Set it when the worker has done its share and is to be replaced."""
    _ready = False

    @abstractmethod
    def greeted(self) -> bool:
        """Read that message, which has come, and say whether it is the right one; may raise what the worker tells."""

    def ready(self, timeout_s: float) -> bool:
        """Whether it can be asked, at the latest after `timeout_s`. Raises what `greeted` does."""
        if not self._ready:
            with suppress(OSError, EOFError):
                waiting = select.poll()
                waiting.register(self.channel.fileno(), select.POLLIN)
                self._ready = bool(waiting.poll(timeout_s * 1000)) and self.greeted()
        return self._ready


Worker = TypeVar("Worker", bound=PoolWorker[Any])


@dataclass(slots=True)
class _Slot(Generic[Worker]):
    """One worker at a time, used by one thread at a time; and the successor of an old one while it starts."""

    now: Worker
    successor: Worker | None = None


class WorkerPool(Generic[Worker]):
    """Workers of one kind, for threads that queue for a free one. Each is replaced when it is dead, lost or old.

    The successor of an old one is started beside it, so that nobody waits for a start.
    """

    def __init__(
        self,
        name: str,
        unavailable: type[Exception],
        start: Callable[[], Worker],
        workers: int,
        *,
        start_deadline_s: float = 30.0,
    ) -> None:
        """Start that many, wait for none. Where none is to be had, this, `check` and `worker` raise `unavailable`."""
        self._name, self._unavailable, self._start, self._start_deadline_s = name, unavailable, start, start_deadline_s
        self._idle: SimpleQueue[_Slot[Worker] | None] = SimpleQueue()
        self._slots: list[_Slot[Worker]] = []
        try:
            for _ in range(workers):
                self._slots.append(_Slot(self._started()))
                self._idle.put(self._slots[-1])
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> frozenset[int]:
        """The process ids of the workers, for those who watch them."""
        return frozenset(slot.now.pid for slot in self._slots)

    def check(self) -> list[Worker]:
        """The workers, when each of them is ready; to be called before anybody else uses the pool."""
        return [self._ready(slot) for slot in self._slots]

    @contextmanager
    def worker(self) -> Iterator[Worker]:
        """A free worker that is ready, for the length of the block, in which it must answer all that it is asked.

        When the block raises anything, the worker is replaced: nobody knows what it would answer next. An OSError or
        EOFError of the channel comes out as WorkerLost.
        """
        slot = self._idle.get()
        try:
            if slot is None:
                raise self._refusal("the service is shutting down; try again")
            worker = self._ready(slot)
            try:
                yield worker
            except BaseException as error:
                with suppress(self._unavailable):  # where none can be started, the next one to ask tries again
                    self._replace(slot)
                if isinstance(error, (OSError, EOFError)):
                    raise WorkerLost(f"{self._name}: the worker process ended or did not answer") from None
                raise
        finally:
            self._idle.put(slot)

    def close(self) -> None:
        """End every worker, each after what it has in hand; whoever asks later finds the pool closed."""
        while self._slots:
            slot = self._idle.get()
            if slot is not None:
                for worker in filter(None, (slot.now, slot.successor)):
                    worker.end()
                self._slots.remove(slot)
        self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ready(self, slot: _Slot[Worker]) -> Worker:
        if slot.now.dead:  # it died while it had nothing to do: not the fault of what is asked now
            self._replace(slot)
        elif slot.now.old:
            self._make_way(slot)
        if not slot.now.ready(self._start_deadline_s):
            self._replace(slot)
            raise self._refusal("a worker process did not start; look for a lack of memory or processes")
        return slot.now

    def _make_way(self, slot: _Slot[Worker]) -> None:
        """Start the successor, or hand over to it when it is ready; one that can not be had is tried again."""
        if slot.successor is None:
            with suppress(self._unavailable):
                slot.successor = self._started()
        elif slot.successor.dead:
            slot.successor.end()
            slot.successor = None
        elif slot.successor.ready(0):
            self._replace(slot)

    def _replace(self, slot: _Slot[Worker]) -> None:
        """End the worker; its successor takes over, or a new one."""
        slot.now.end()
        if slot.successor is None:
            slot.now = self._started()
        else:
            slot.now, slot.successor = slot.successor, None

    def _started(self) -> Worker:
        try:
            return self._start()
        except OSError as error:
            raise self._refusal(f"no worker process could be started ({error.strerror})") from None

    def _refusal(self, why: str) -> Exception:
        return self._unavailable(f"{self._name}: {why}")


def confine() -> None:
    """What every worker program does first: no core file, no new privileges, no end by a signal to the whole group."""
    for each in (signal.SIGINT, signal.SIGTERM):  # the service says when its workers end
        signal.signal(each, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold photographs or templates
    _set(_PR_SET_NO_NEW_PRIVS, 1)


def give_up_rights(memory_bytes: int, cpu_s: int) -> None:
    """`confine`, and give up for good what a worker that only computes never needs.

    `memory_bytes` is on top of what it uses now, `cpu_s` the processor time of its life. With a limit of 0 descriptors,
    every call that would give a new one (a file, a socket, a pipe, a copy) fails. The root user could lift the limits
    again, so the service should not run as root.
    """
    confine()
    used_bytes = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    os.chdir("/")
    _set(_PR_SET_DUMPABLE, 0)
    for limit, most in (
        (resource.RLIMIT_AS, used_bytes + memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(limit, (most, most))


def _set(option: int, value: int) -> None:
    """See prctl(2)."""
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
