"""What one process of the append test does: append to the audit log, a transaction a leaf, as fast as it can."""

from queue import Queue
from threading import Barrier

from idverify.access import Access
from idverify.administration.deployment import Deployment
from idverify.audit.events import EventKind
from idverify.ids import RequestId
from idverify.settings import Settings

TOGETHER = 50


def append(settings: dict[str, str], name: str, number: int, barrier: Barrier, positions: "Queue[list[int]]") -> None:
    """Append `number` leaves, their positions go into the queue.

    SQLite's lock is not fair, so the writers wait for each other at the start and after every `TOGETHER` leaves.
    """
    access = Access(RequestId(name), "audit", clerk=name)
    taken = []
    with Deployment.open(Settings.read(**settings)) as deployment:
        for done in range(number):
            if done % TOGETHER == 0:
                barrier.wait(60)
            with deployment.database.write() as connection:
                taken.append(deployment.journal.record(connection, EventKind.AUDIT_READ, access))
    positions.put(taken)
