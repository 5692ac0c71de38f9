"""What analysts said about cases, and persons against a decision; notes and statements are sealed bytes here."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, exists, insert, select

from idverify.ids import CaseId, GalleryId
from idverify.protection.canonical import record_digest
from idverify.storage.tables.cases import case_contests as contests
from idverify.storage.tables.cases import case_galleries, cases
from idverify.storage.tables.cases import case_opinions as table


@dataclass(frozen=True, slots=True)
class OpinionRow:
    """One analyst's finding. `note` is sealed also when it is empty: it hides the finding that `digest` commits to."""

    case: CaseId
    analyst: str
    round: int
    lead: bool
    finding: str
    given_at: str
    note: bytes = field(repr=False)

    @property
    def log_name(self) -> str:
        """Its name in the audit log."""
        return f"case_opinions/{self.case}/{self.analyst}"

    @property
    def digest(self) -> str:
        """sha256 (hex) over all columns."""
        said = (self.lead, self.finding, self.given_at, self.note)
        return record_digest("case_opinions", self.case, self.analyst, self.round, *said)


@dataclass(frozen=True, slots=True)
class ContestRow:
    """What a person said against the decision of `round`, and who wrote it down."""

    case: CaseId
    round: int
    recorded_by: str
    recorded_at: str
    statement: bytes = field(repr=False)

    @property
    def log_name(self) -> str:
        """Its name in the audit log."""
        return f"case_contests/{self.case}/{self.round}"

    @property
    def digest(self) -> str:
        """sha256 (hex) over all columns."""
        return record_digest("case_contests", self.case, self.round, self.recorded_by, self.recorded_at, self.statement)


def add(connection: Connection, row: OpinionRow) -> None:
    """Raises Conflict (at the end of the transaction) when the analyst has given one on that case."""
    connection.execute(
        insert(table).values(
            case=row.case,
            analyst=row.analyst,
            round=row.round,
            lead=row.lead,
            finding=row.finding,
            given_at=row.given_at,
            note=row.note,
        )
    )


def opinions_of(connection: Connection, case: CaseId) -> list[OpinionRow]:
    """All opinions on that case, of every round, in the order in which they were given."""
    return list(
        _opinions(connection, select(table).where(table.c.case == case).order_by(table.c.round, table.c.given_at))
    )


def opinions_by(connection: Connection, analyst: str, *, limit: int, offset: int = 0) -> list[OpinionRow]:
    """What this analyst said, the newest first."""
    query = select(table).where(table.c.analyst == analyst)
    newest = query.order_by(table.c.given_at.desc(), table.c.case)
    return list(_opinions(connection, newest.limit(limit).offset(offset)))


def reviewed_twice(connection: Connection, within: Collection[GalleryId]) -> list[tuple[str, str]]:
    """The two findings of every blind pair of reviews in these galleries, the earlier one first."""
    outside = exists().where(case_galleries.c.case == cases.c.case, case_galleries.c.gallery.not_in(within))
    query = (
        select(table.c.case, table.c.round, table.c.finding)
        .join(cases, cases.c.case == table.c.case)
        .where(table.c.lead.is_(False), ~outside)
        .order_by(table.c.case, table.c.round, table.c.given_at, table.c.analyst)
    )
    found: dict[tuple[str, int], list[str]] = {}
    for row in connection.execute(query):
        found.setdefault((row.case, row.round), []).append(row.finding)
    return [(pair[0], pair[1]) for pair in found.values() if len(pair) == 2]


def all_opinions(connection: Connection) -> Iterator[OpinionRow]:
    """Every opinion, by case."""
    return _opinions(connection, select(table).order_by(table.c.case, table.c.analyst))


def add_contest(connection: Connection, row: ContestRow) -> None:
    """Raises Conflict (at the end of the transaction) when that round was contested before."""
    connection.execute(
        insert(contests).values(
            case=row.case,
            round=row.round,
            recorded_by=row.recorded_by,
            recorded_at=row.recorded_at,
            statement=row.statement,
        )
    )


def contests_of(connection: Connection, case: CaseId) -> list[ContestRow]:
    """The contests of that case, oldest first."""
    return list(_contests(connection, select(contests).where(contests.c.case == case).order_by(contests.c.round)))


def all_contests(connection: Connection) -> Iterator[ContestRow]:
    """Every contest, by case."""
    return _contests(connection, select(contests).order_by(contests.c.case, contests.c.round))


def _opinions(connection: Connection, query: Select[*tuple[Any, ...]]) -> Iterator[OpinionRow]:
    for row in connection.execute(query):
        yield OpinionRow(CaseId(row.case), row.analyst, row.round, row.lead, row.finding, row.given_at, row.note)


def _contests(connection: Connection, query: Select[*tuple[Any, ...]]) -> Iterator[ContestRow]:
    for row in connection.execute(query):
        yield ContestRow(CaseId(row.case), row.round, row.recorded_by, row.recorded_at, row.statement)
