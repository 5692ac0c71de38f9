"""Pools of `worker_program` processes, for the tests of `idverify.processes`."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from idverify.processes import PoolWorker, WorkerPool

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
