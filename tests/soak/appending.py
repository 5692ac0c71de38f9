"""What one process of the append test does: append to the audit log, a transaction a leaf, as fast as it can."""

from pathlib import Path
from queue import Queue

from idverify.access import Access
from idverify.administration import Administration
from idverify.audit.events import EventKind
from idverify.ids import RequestId
from idverify.settings import Settings


def append(settings: dict[str, str], name: str, number: int, ready: Path, positions: "Queue[list[int]]") -> None:
    """Append `number` leaves once the file `ready` is there; their positions go into the queue."""
    access = Access(RequestId(name), "audit", clerk=name)
    taken = []
    with Administration.open(Settings.read(**settings)) as administration:
        while not ready.exists():
            pass  # so that the writers begin together
        for _ in range(number):
            with administration.database.write() as connection:
                taken.append(administration.journal.record(connection, EventKind.AUDIT_READ, access))
    positions.put(taken)
