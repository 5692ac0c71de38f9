"""Stores long jobs and what became of each item, so that an interrupted job can go on; it runs none."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from idverify.errors import NotFound
from idverify.ids import PersonId
from idverify.storage.batched_queries import rows_in_batches
from idverify.storage.rows import RowTable
from idverify.storage.tables.administration import job_items, jobs


class JobState(StrEnum):
    RUNNING = "running"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class JobRow:
    job: str
    kind: str
    parameters: Mapping[str, Any]
    created_at: str
    updated_at: str
    state: JobState = JobState.RUNNING


@dataclass(frozen=True, slots=True)
class JobItemRow:
    """What became of one item. `person` lets an erasure find it; `detail` is text fit for a report."""

    item: str
    outcome: str
    reason: str | None = None
    detail: str | None = field(default=None, repr=False)
    person: PersonId | None = None


JOBS = RowTable(JobRow, jobs)
ITEMS = RowTable(JobItemRow, job_items, beside=["job"])


def add(connection: Connection, row: JobRow) -> None:
    """Raises Conflict (at the end of the transaction) when it exists."""
    JOBS.add(connection, row)


def find(connection: Connection, job: str, *, lock: bool = False) -> JobRow | None:
    """The job, or None. `lock` holds the row until the transaction ends (PostgreSQL; SQLite's writers are alone)."""
    query = JOBS.select.where(jobs.c.job == job)
    return JOBS.one(connection, query.with_for_update() if lock else query)


def get(connection: Connection, job: str) -> JobRow:
    """Raises NotFound."""
    row = find(connection, job)
    if row is None:
        raise NotFound(f"no job {job}")
    return row


def running(connection: Connection, kind: str) -> list[JobRow]:
    """The jobs of that kind that did not come to an end, newest first: candidates to resume."""
    return [row for row in of_kind(connection, kind) if row.state is JobState.RUNNING]


def of_kind(connection: Connection, kind: str) -> list[JobRow]:
    """The jobs of that kind, newest first."""
    query = JOBS.select.where(jobs.c.kind == kind)
    return JOBS.all(connection, query.order_by(jobs.c.created_at.desc(), jobs.c.job))


def set_state(connection: Connection, job: str, state: JobState, updated_at: str) -> None:
    """Raises NotFound."""
    changed = connection.execute(
        update(jobs).where(jobs.c.job == job).values(state=state, updated_at=updated_at)
    ).rowcount
    if not changed:
        raise NotFound(f"no job {job}")


def set_parameters(connection: Connection, job: str, parameters: Mapping[str, Any]) -> None:
    """Replace what the job was started with."""
    connection.execute(update(jobs).where(jobs.c.job == job).values(parameters=dict(parameters)))


def drop(connection: Connection, job: str) -> None:
    """Delete the job with its items and all that hangs on it."""
    connection.execute(delete(jobs).where(jobs.c.job == job))


def add_item(connection: Connection, job: str, row: JobItemRow) -> None:
    """Record an item's outcome. Raises Conflict (at the end of the transaction) when it has one."""
    ITEMS.add(connection, row, job=job)


def forget_items(connection: Connection, job: str, outcomes: Collection[str]) -> None:
    """Drop the items that came to one of `outcomes`, so that they are tried again."""
    connection.execute(delete(job_items).where(job_items.c.job == job, job_items.c.outcome.in_(outcomes)))


def done_items(connection: Connection, job: str) -> set[str]:
    """The keys of all items that have an outcome."""
    return set(connection.execute(select(job_items.c.item).where(job_items.c.job == job)).scalars())


def count_items(connection: Connection, job: str) -> int:
    """How many items have an outcome."""
    return connection.execute(select(func.count()).where(job_items.c.job == job)).scalar_one()


def items(connection: Connection, job: str, *, batch: int = 1000) -> Iterator[JobItemRow]:
    """Every item of the job, by key, fetched `batch` rows at a time."""
    query = ITEMS.select.where(job_items.c.job == job)
    yield from map(ITEMS.row, rows_in_batches(connection, query, job_items.c.item, batch))


def outcomes(connection: Connection, job: str) -> dict[tuple[str, str | None], int]:
    """How many items there are of each (outcome, reason)."""
    pair = (job_items.c.outcome, job_items.c.reason)
    query = select(*pair, func.count()).where(job_items.c.job == job).group_by(*pair)
    return {(outcome, reason): number for outcome, reason, number in connection.execute(query)}
