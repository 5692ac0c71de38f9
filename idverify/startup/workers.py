"""Does the work of a start with every core: in processes of its own where there is much, in this one where little.

A worker process opens the deployment for itself, so no key crosses from process to process; templates in the clear come
back through a socket, and nothing of it touches a disk. What a worker can not do is done here, where the error is told.
"""

import os
import pickle
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Self

import idverify
from idverify.errors import IdverifyError
from idverify.ids import ModelDigest
from idverify.startup.tasks import StartupTasks
from idverify.storage import audit_log, quick_log_check
from idverify.storage.database import Database

WORTH_WORKERS = 20_000
"""Leaves from which on processes (half a second to start, each) are quicker than this one alone."""
_AHEAD = 2
"""Pieces of work that a worker is given at once, so that it need not wait for this process."""


@dataclass(frozen=True, slots=True)
class DeploymentLocation:
    """Where a worker finds the deployment: the database's address, and the file of its root keys."""

    database: str = field(repr=False)
    root_keys: Path


class StartupWorkers:
    """Workers that all see one state of the database, and this process with them."""

    def __init__(self, here: StartupTasks) -> None:
        self.here = here
        self._channels: list[Connection] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    @classmethod
    def gather(
        cls,
        here: StartupTasks,
        database: Database,
        location: DeploymentLocation,
        model: ModelDigest,
        dimension: int,
        *,
        worth: int = WORTH_WORKERS,
    ) -> Self:
        """As many workers as there are cores for a log of `worth` leaves or more, none for a shorter one."""
        with database.read() as connection:
            leaves = quick_log_check.size_said(connection)
        workers = cls(here)
        try:
            if leaves < worth:
                here.begin()
                return workers
            for _ in os.sched_getaffinity(0):
                workers._recruit((location.database, str(location.root_keys), model, dimension))
            workers._await([*workers._channels])
            # Whoever has their turn in the log keeps everybody else from committing: all begin in one state.
            with database.write() as turn:
                audit_log.take_turn(turn)
                here.begin()
                for channel in workers._channels:
                    channel.send(("begin", ()))
                workers._await([*workers._channels])
        except BaseException:
            workers.dismiss()
            raise
        return workers

    def dismiss(self) -> None:
        """End every worker; they hold nothing that must be saved."""
        for process in self._processes:
            process.kill()
            process.wait()
        for channel in self._channels:
            channel.close()
        self.here.end()

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers, for those who watch them."""
        return [process.pid for process in self._processes]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.dismiss()

    def each(self, work: str, pieces: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        """(place of the piece, its outcome) of a method of `StartupTasks`, as they get done, each once.

        Raises what that method raises.
        """
        waiting = deque(enumerate(pieces))
        given: dict[Connection, deque[tuple[int, tuple[Any, ...]]]] = {channel: deque() for channel in self._channels}
        for channel in [*given] * _AHEAD:
            self._give(channel, work, waiting, given)
        while any(given.values()):
            for channel in self._ready(given):
                place, piece = given[channel].popleft()
                outcome = self._outcome(channel)
                if outcome is None:  # it failed or died: whatever else it was given is undone as well
                    waiting.extendleft([*given.pop(channel), (place, piece)])
                    self._channels.remove(channel)
                    continue
                self._give(channel, work, waiting, given)
                yield place, outcome[0]
        while waiting:
            place, piece = waiting.popleft()
            yield place, getattr(self.here, work)(*piece)

    def _ready(self, given: "Mapping[Connection, object]") -> list[Connection]:
        """Those with an outcome to tell, or with an end; waits for the first."""
        ready = wait([channel for channel, held in given.items() if held])
        return [channel for channel in given if channel in ready]

    def _give(
        self,
        channel: Connection,
        work: str,
        waiting: "deque[tuple[int, tuple[Any, ...]]]",
        given: "dict[Connection, deque[tuple[int, tuple[Any, ...]]]]",
    ) -> None:
        if waiting:
            given[channel].append(waiting.popleft())
            with suppress(OSError):  # a dead worker shows when it is asked for the outcome
                channel.send((work, given[channel][-1][1]))

    def _outcome(self, channel: Connection) -> tuple[Any] | None:
        try:
            return _receive(channel)
        except (OSError, EOFError):
            return None

    def _recruit(self, told: tuple[object, ...]) -> None:
        ours, theirs = socket.socketpair()
        try:
            process = subprocess.Popen(  # noqa: S603  our own module, no shell, a number for an argument
                [sys.executable, "-P", "-m", "idverify.startup.worker", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env=os.environ | {"PYTHONPATH": str(Path(idverify.__file__).parents[1])},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError:  # no processes to be had: this one does it all
            ours.close()
            return
        finally:
            theirs.close()
        channel = Connection(ours.detach())
        self._processes.append(process)
        self._channels.append(channel)
        with suppress(OSError):
            channel.send(told)

    def _await(self, channels: list[Connection]) -> None:
        """Leave out whoever does not say that it is ready."""
        for channel in channels:
            if self._outcome(channel) is None:
                self._channels.remove(channel)


def serve(channel: Connection, tasks: StartupTasks) -> None:
    """Do what is asked until the other side is gone; None says that it could not be done."""
    while True:
        work, piece = channel.recv()
        try:
            outcome = (getattr(tasks, work)(*piece),)
        except IdverifyError:
            outcome = None
        send(channel, outcome)


def send(channel: Connection, outcome: tuple[Any] | None) -> None:
    """Send an outcome; its arrays go as they lie in memory, without a copy, and are overwritten then."""
    arrays: list[pickle.PickleBuffer] = []
    rest = pickle.dumps(outcome, protocol=5, buffer_callback=arrays.append)
    channel.send_bytes(rest)
    channel.send([array.raw().nbytes for array in arrays])
    for array in arrays:
        with array.raw() as plain:
            channel.send_bytes(plain)
            plain[:] = bytes(plain.nbytes)


def _receive(channel: Connection) -> tuple[Any] | None:
    rest = channel.recv_bytes()
    arrays = [bytearray(size) for size in channel.recv()]
    for array in arrays:
        channel.recv_bytes_into(array)
    outcome: tuple[Any] | None = pickle.loads(rest, buffers=arrays)  # noqa: S301  from our own process
    return outcome
