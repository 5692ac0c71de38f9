"""Does the work of a start with every core: in processes of its own where there is much, in this one where little.

A worker process opens the deployment for itself; no key must cross from process to process. Templates in the clear come
back through a socket, and must not touch a disk. What a worker can not do is done here, where the error is told.
"""

import os
import pickle
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Self

from idverify.errors import IdverifyError
from idverify.ids import ModelDigest
from idverify.processes import WorkerProcess
from idverify.startup.tasks import StartupTasks
from idverify.storage import audit_log, quick_log_check
from idverify.storage.database import Database

WORTH_WORKERS = 20_000
"""Leaves from which on processes (half a second to start, each) are quicker than this one alone."""
_AHEAD = 2
"""Pieces of work that a worker is given at once, so that it need not wait for this process."""
CONNECTION_VARIABLES = (
    # libpq, the client library of PostgreSQL (its manual, "Environment Variables"),
    *("PGAPPNAME", "PGCHANNELBINDING", "PGCLIENTENCODING", "PGCONNECT_TIMEOUT", "PGDATABASE", "PGDATESTYLE", "PGGEQO"),
    *("PGGSSDELEGATION", "PGGSSENCMODE", "PGGSSLIB", "PGHOST", "PGHOSTADDR", "PGKRBSRVNAME", "PGLOADBALANCEHOSTS"),
    *("PGMAXPROTOCOLVERSION", "PGMINPROTOCOLVERSION", "PGOPTIONS", "PGPASSFILE", "PGPASSWORD", "PGPORT"),
    *("PGREQUIREAUTH", "PGREQUIREPEER", "PGREQUIRESSL", "PGSERVICE", "PGSERVICEFILE", "PGSSLCERT", "PGSSLCERTMODE"),
    *("PGSSLCOMPRESSION", "PGSSLCRL", "PGSSLCRLDIR", "PGSSLKEY", "PGSSLMAXPROTOCOLVERSION", "PGSSLMINPROTOCOLVERSION"),
    *("PGSSLMODE", "PGSSLNEGOTIATION", "PGSSLROOTCERT", "PGSSLSNI", "PGSYSCONFDIR", "PGTARGETSESSIONATTRS", "PGTZ"),
    "PGUSER",
    # which finds its .pgpass and .postgresql in the home folder, and uses Kerberos and OpenSSL.
    *("HOME", "KRB5CCNAME", "KRB5_CONFIG", "KRB5_CLIENT_KTNAME", "OPENSSL_CONF", "OPENSSL_MODULES"),
    *("SSL_CERT_DIR", "SSL_CERT_FILE"),
)
"""Variables of the service that a worker gets, so that it reaches the database wherever the service does."""

_Worker = WorkerProcess[Connection]


@dataclass(frozen=True, slots=True)
class DeploymentLocation:
    """Where a worker finds the deployment: the database's address, and the file of its root keys."""

    database: str = field(repr=False)
    root_keys: Path


class StartupWorkers:
    """Workers that all see one state of the database, and this process with them."""

    def __init__(self, here: StartupTasks) -> None:
        self.here = here
        self._workers: list[_Worker] = []

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
            with suppress(OSError):  # no more processes to be had: the others and this one do it all
                for _ in os.sched_getaffinity(0):
                    worker = WorkerProcess("idverify.startup.worker", Pipe(), passed_on=CONNECTION_VARIABLES)
                    workers._workers.append(worker)
            workers._ask_all((location.database, str(location.root_keys), model, dimension))
            # Whoever has their turn in the log keeps everybody else from committing: all begin in one state.
            with database.write() as turn:
                audit_log.take_turn(turn)
                here.begin()
                workers._ask_all(("begin", ()))
        except BaseException:
            workers.close()
            raise
        return workers

    def close(self) -> None:
        """End every worker; they hold nothing that must be saved."""
        while self._workers:
            self._workers.pop().end()
        self.here.end()

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers that are left, for those who watch them."""
        return [worker.pid for worker in self._workers]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def each(self, work: str, pieces: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        """(place of the piece, its outcome) of a method of `StartupTasks`, as they get done, each once.

        Raises what that method raises.
        """
        waiting = deque(enumerate(pieces))
        given: dict[_Worker, deque[tuple[int, tuple[Any, ...]]]] = {worker: deque() for worker in self._workers}

        def give(worker: _Worker) -> None:
            if waiting:
                given[worker].append(waiting.popleft())
                with suppress(OSError):  # a dead worker shows when it is asked for the outcome
                    worker.channel.send((work, given[worker][-1][1]))

        for worker in [*given] * _AHEAD:
            give(worker)
        while busy := {worker.channel: worker for worker, held in given.items() if held}:
            ready = wait([*busy])
            for worker in [worker for channel, worker in busy.items() if channel in ready]:
                place, piece = given[worker].popleft()
                outcome = self._outcome(worker)
                if outcome is None:  # whatever else it was given is undone as well
                    waiting.extendleft([*given.pop(worker), (place, piece)])
                    continue
                give(worker)
                yield place, outcome[0]
        while waiting:
            place, piece = waiting.popleft()
            yield place, getattr(self.here, work)(*piece)

    def _ask_all(self, order: tuple[object, ...]) -> None:
        """Give all of them the same order, and wait for them; who does not do it is left out."""
        for worker in self._workers:
            with suppress(OSError):
                worker.channel.send(order)
        for worker in [*self._workers]:
            self._outcome(worker)

    def _outcome(self, worker: _Worker) -> tuple[Any] | None:
        """What the worker has to tell; none when it failed or died, and it is ended and left out from here on."""
        with suppress(OSError, EOFError):
            outcome = _receive(worker.channel)
            if outcome is not None:
                return outcome
        self._workers.remove(worker)
        worker.end()
        return None


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
