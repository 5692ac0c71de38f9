"""Readers in processes of their own, so that photographs are read on every core while the service does all the rest.

One process of Python uses little more than one core; networks, decoders and answers beside each other can use more. A
reader process holds the networks and a confined decoder of its own, knows no person, no key and no database, and is
replaced when it dies. What it read comes back through a socket; nothing of it touches a disk.
"""

import socket
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self

import idverify
from idverify.errors import DecoderUnavailable, IdverifyError
from idverify.vision.reader import Look, Reading, ReadingPolicy, Refusal
from idverify.vision.reader_messages import Asked, Networks, Order, Parts, Told
from idverify.vision.stages import Stages

_DEADLINE_S = 60.0
"""No start and no photograph takes so long: the decoder's own deadline is far shorter."""


class ReaderPool:
    """A `PhotographReader` that runs in other processes; used from several threads, which queue for a free one."""

    def __init__(self, order: Order, processes: int) -> None:
        """Start that many (1 or more) and wait for them. Raises what `Reader.open` raises."""
        self.stages = Stages()
        self._idle: SimpleQueue[_Process | None] = SimpleQueue()
        self._processes: list[_Process] = []
        try:
            for _ in range(processes):
                self._processes.append(_Process(order))
                self._idle.put(self._processes[-1])
            networks, *_ = [process.await_ready() for process in self._processes]
        except BaseException:
            self.close()
            raise
        self.model, self.dimension = networks.model, networks.dimension

    @property
    def pids(self) -> frozenset[int]:
        """The process ids of the readers, for those who watch them."""
        return frozenset(process.pid for process in self._processes)

    def read(self, data: bytes, policy: ReadingPolicy) -> Reading | Refusal:
        """As `Reader.read`."""
        parts: Parts | Refusal = self._result(("read", data, policy))
        return parts.joined() if isinstance(parts, Parts) else parts

    def look(self, data: bytes, policy: ReadingPolicy) -> Look:
        """As `Reader.look`."""
        look: Look = self._result(("look", data, policy))
        return look

    def close(self) -> None:
        """End every process, each after the photograph that it has in hand; later calls find the readers closed."""
        while self._processes:
            process = self._idle.get()
            if process is not None:
                process.end()
                self._processes.remove(process)
        self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _result(self, asked: Asked) -> Any:
        process = self._idle.get()
        try:
            if process is None:
                raise DecoderUnavailable("reader: the service is shutting down; send the photograph again")
            told = process.ask(asked)
        finally:
            self._idle.put(process)
        for stage, duration_s in told.stages:
            self.stages.tell(stage, duration_s)
        return _checked(told)


class _Process:
    """One process at a time, used by one thread at a time, and replaced when it has died."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._networks: Networks | None
        self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def await_ready(self) -> Networks:
        """Raises what `Reader.open` raised there, and DecoderUnavailable."""
        if self._networks is None:
            networks: Networks = _checked(self._told())
            self._networks = networks
        return self._networks

    def ask(self, asked: Asked) -> Told:
        """Raises DecoderUnavailable when the process dies over it, and what `Reader.open` raises in the next one."""
        if self._process.poll() is not None:  # it died while it had nothing to do: not this photograph's fault
            self._replace()
        self.await_ready()
        with suppress(OSError):  # a dead process shows when it is asked for the outcome
            self._channel.send(asked)
        return self._told()

    def end(self) -> None:
        """It holds nothing that must be saved, and its decoder ends with it."""
        self._process.kill()
        self._process.wait()
        self._channel.close()

    def _told(self) -> Told:
        try:
            if self._channel.poll(_DEADLINE_S):
                told: Told = self._channel.recv()  # from our own process
                return told
        except (OSError, EOFError):
            pass
        self._replace()
        raise DecoderUnavailable("reader: its process ended or did not answer; send the photograph again")

    def _replace(self) -> None:
        """Have the next process ready for the next photograph; where none can be started, that one tries again."""
        self.end()
        with suppress(DecoderUnavailable):
            self._start()

    def _start(self) -> None:
        self._networks = None
        ours, theirs = socket.socketpair()
        self._channel = Connection(ours.detach())
        try:
            self._process = subprocess.Popen(  # noqa: S603  our own module, no shell, a number for an argument
                [sys.executable, "-P", "-m", "idverify.vision.reader_worker", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                # Nothing of the service's own environment, which may hold a database password.
                env={"PYTHONPATH": str(Path(idverify.__file__).parents[1]), "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise DecoderUnavailable(f"reader: no process could be started ({error.strerror})") from None
        finally:
            theirs.close()
        with suppress(OSError):
            self._channel.send(self._order)


def _checked(told: Told) -> Any:
    """What was asked for. Raises what the reader raised."""
    if isinstance(told.result, IdverifyError):
        raise told.result
    return told.result
