"""Stores reports and their parts; they stay sealed here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select

from idverify.errors import NotFound
from idverify.ids import GalleryId, PersonId
from idverify.storage.batched_queries import rows_in_batches
from idverify.storage.rows import RowTable
from idverify.storage.tables.duplicates import report_parts, reports


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One report. `head` is sealed; `signature` is a compact JWS; `search`: the job that it closes, if any."""

    report: str
    kind: str
    galleries: tuple[GalleryId, ...]
    search: str | None
    made_at: str
    signature: str
    head: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReportPartRow:
    """One part, counted from 0, beside the first of the persons whom it is about."""

    part: int
    person: PersonId | None
    sealed: bytes = field(repr=False)


REPORTS = RowTable(ReportRow, reports)
PARTS = RowTable(ReportPartRow, report_parts, beside=["report"])


def add(connection: Connection, row: ReportRow, parts: Iterable[ReportPartRow]) -> None:
    """Raises Conflict (at the end of the transaction) when it exists, or one for the same search does."""
    REPORTS.add(connection, row)
    PARTS.add_all(connection, parts, report=row.report)


def get(connection: Connection, report: str) -> ReportRow:
    """Raises NotFound."""
    row = REPORTS.one(connection, REPORTS.select.where(reports.c.report == report))
    if row is None:
        raise NotFound(f"no report {report}")
    return row


def of_search(connection: Connection, search: str) -> str | None:
    """The id of the report that closes this search, or None."""
    return connection.execute(select(reports.c.report).where(reports.c.search == search)).scalar_one_or_none()


def all_reports(connection: Connection) -> list[ReportRow]:
    """Every report, the newest first."""
    return REPORTS.all(connection, REPORTS.select.order_by(reports.c.made_at.desc()))


def parts(connection: Connection, report: str, *, batch: int = 500) -> Iterator[ReportPartRow]:
    """The parts that are still there, in order."""
    query = PARTS.select.where(report_parts.c.report == report)
    yield from map(PARTS.row, rows_in_batches(connection, query, report_parts.c.part, batch))


def drop(connection: Connection, report: str) -> None:
    """Delete a report and its parts. Raises NotFound."""
    if not connection.execute(delete(reports).where(reports.c.report == report)).rowcount:
        raise NotFound(f"no report {report}")
