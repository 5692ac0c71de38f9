"""Readers in processes of their own, so that photographs are read on every core while the service does all the rest.

One process of Python uses little more than one core; networks, decoders and answers beside each other can use more. A
reader process holds the networks and a confined decoder of its own, and must know no person, no key and no database.
What it read comes back through a socket; nothing of it touches a disk.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from idverify.errors import DecoderUnavailable, IdverifyError
from idverify.processes import PoolWorker, WorkerLost, WorkerPool
from idverify.vision.reader import Assessment, Look, Reading, ReadingPolicy, Refusal
from idverify.vision.reader_messages import Networks, Order, Parts, Told
from idverify.vision.stages import Stages

_DEADLINE_S = 60.0
"""No start and no photograph takes so long: the decoder's own deadline is far shorter."""


class _ReaderProcess(PoolWorker[Connection]):
    """One reader process; `networks` is there when it is ready."""

    networks: Networks

    def __init__(self, order: Order) -> None:
        super().__init__("idverify.vision.reader_worker", Pipe(), deadline_s=_DEADLINE_S)
        with suppress(OSError):  # one that died at once shows when it is waited for
            self.channel.send(order)

    def greeted(self) -> bool:
        """Raises what `Reader.open` raised there."""
        self.networks = _checked(self.channel.recv())
        return True


class ReaderPool(WorkerPool[_ReaderProcess]):
    """A `PhotographReader` that runs in other processes; used from several threads, which queue for a free one."""

    def __init__(self, order: Order, processes: int) -> None:
        """Start that many (1 or more) and wait for them. Raises what `Reader.open` raises."""
        self.stages = Stages()
        start = partial(_ReaderProcess, order)
        super().__init__("reader", DecoderUnavailable, start, processes, start_deadline_s=_DEADLINE_S)
        try:
            networks = self.check()[0].networks
        except BaseException:
            self.close()
            raise
        self.model, self.dimension = networks.model, networks.dimension

    def read(self, data: bytes, policy: ReadingPolicy) -> Reading | Refusal:
        """As `Reader.read`."""
        parts: Parts | Refusal = self._result("read", data, policy)
        return parts.joined() if isinstance(parts, Parts) else parts

    def read_best(self, photographs: Sequence[bytes], policy: ReadingPolicy) -> tuple[int, Reading | Refusal]:
        """As `Reader.read_best`, in one process."""
        index: int
        parts: Parts | Refusal
        index, parts = self._result("read_best", photographs, policy)
        return index, parts.joined() if isinstance(parts, Parts) else parts

    def assess_best(self, photographs: Sequence[bytes], policy: ReadingPolicy) -> tuple[int, Assessment | Refusal]:
        """As `Reader.assess_best`, in one process."""
        best: tuple[int, Assessment | Refusal] = self._result("assess_best", photographs, policy)
        return best

    def look(self, data: bytes, policy: ReadingPolicy) -> Look:
        """As `Reader.look`."""
        look: Look = self._result("look", data, policy)
        return look

    def _result(self, method: str, asked: bytes | Sequence[bytes], policy: ReadingPolicy) -> Any:
        try:
            with self.worker() as process:
                process.channel.send((method, asked, policy))
                told: Told = process.channel.recv()  # from our own process
        except WorkerLost as error:
            raise DecoderUnavailable(f"{error}; send the photograph again") from None
        for stage, duration_s in told.stages:
            self.stages.tell(stage, duration_s)
        return _checked(told)


def _checked(told: Told) -> Any:
    """What was asked for. Raises what the reader raised."""
    if isinstance(told.result, IdverifyError):
        raise told.result
    return told.result
