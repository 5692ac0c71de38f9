"""Reports and their parts as sealed bytes; it opens none."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from idverify.errors import NotFound
from idverify.ids import GalleryId, PersonId
from idverify.storage.paging import pages
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
class PartRow:
    """One part, counted from 0, beside the first of the persons whom it is about."""

    part: int
    person: PersonId | None
    sealed: bytes = field(repr=False)


def add(connection: Connection, row: ReportRow, parts: Iterable[PartRow]) -> None:
    """Raises Conflict (at the end of the transaction) when it exists, or one for the same search does."""
    connection.execute(
        insert(reports).values(
            report=row.report,
            kind=row.kind,
            galleries=list(row.galleries),
            search=row.search,
            made_at=row.made_at,
            signature=row.signature,
            head=row.head,
        )
    )
    values = [{"report": row.report, "part": one.part, "person": one.person, "sealed": one.sealed} for one in parts]
    if values:
        connection.execute(insert(report_parts), values)


def get(connection: Connection, report: str) -> ReportRow:
    """Raises NotFound."""
    row = connection.execute(select(reports).where(reports.c.report == report)).one_or_none()
    if row is None:
        raise NotFound(f"no report {report}")
    return _report(row)


def of_search(connection: Connection, search: str) -> str | None:
    """The id of the report that closes this search, or None."""
    return connection.execute(select(reports.c.report).where(reports.c.search == search)).scalar_one_or_none()


def all_reports(connection: Connection) -> list[ReportRow]:
    """Every report, the newest first."""
    return [_report(row) for row in connection.execute(select(reports).order_by(reports.c.made_at.desc()))]


def parts(connection: Connection, report: str, *, batch: int = 500) -> Iterator[PartRow]:
    """The parts that are still there, in order."""
    query = select(report_parts.c.part, report_parts.c.person, report_parts.c.sealed)
    for row in pages(connection, query.where(report_parts.c.report == report), report_parts.c.part, batch):
        yield PartRow(row.part, None if row.person is None else PersonId(row.person), row.sealed)


def drop(connection: Connection, report: str) -> None:
    """Delete a report and its parts. Raises NotFound."""
    if not connection.execute(delete(reports).where(reports.c.report == report)).rowcount:
        raise NotFound(f"no report {report}")


def _report(row: Row[Any]) -> ReportRow:
    galleries = tuple(map(GalleryId, row.galleries))
    return ReportRow(row.report, row.kind, galleries, row.search, row.made_at, row.signature, row.head)
