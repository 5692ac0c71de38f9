"""Stores what analysts said about cases, and persons against a decision; notes and statements stay sealed here."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, exists, select

from idverify.ids import CaseId, GalleryId
from idverify.protection.logged_row import LoggedRow, logged
from idverify.storage.rows import RowTable
from idverify.storage.tables.cases import case_contests as contests
from idverify.storage.tables.cases import case_galleries, cases
from idverify.storage.tables.cases import case_opinions as table


@logged("case_opinions", "case", "analyst")
@dataclass(frozen=True, slots=True)
class OpinionRow(LoggedRow):
    """One analyst's finding. `note` is sealed also when it is empty: it hides the finding that `digest` commits to."""

    case: CaseId
    analyst: str
    round: int
    lead: bool
    finding: str
    given_at: str
    note: bytes = field(repr=False)


@logged("case_contests", "case", "round")
@dataclass(frozen=True, slots=True)
class ContestRow(LoggedRow):
    """What a person said against the decision of `round`, and who wrote it down."""

    case: CaseId
    round: int
    recorded_by: str
    recorded_at: str
    statement: bytes = field(repr=False)


OPINIONS = RowTable(OpinionRow, table)
CONTESTS = RowTable(ContestRow, contests)


def add(connection: Connection, row: OpinionRow) -> None:
    """Raises Conflict (at the end of the transaction) when the analyst has given one on that case."""
    OPINIONS.add(connection, row)


def opinions_of(connection: Connection, case: CaseId) -> list[OpinionRow]:
    """All opinions on that case, of every round, in the order in which they were given."""
    query = OPINIONS.select.where(table.c.case == case)
    return OPINIONS.all(connection, query.order_by(table.c.round, table.c.given_at))


def opinions_by(connection: Connection, analyst: str, *, limit: int, offset: int = 0) -> list[OpinionRow]:
    """What this analyst said, the newest first."""
    query = OPINIONS.select.where(table.c.analyst == analyst)
    newest = query.order_by(table.c.given_at.desc(), table.c.case)
    return OPINIONS.all(connection, newest.limit(limit).offset(offset))


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
    yield from map(OPINIONS.row, connection.execute(OPINIONS.select.order_by(table.c.case, table.c.analyst)))


def add_contest(connection: Connection, row: ContestRow) -> None:
    """Raises Conflict (at the end of the transaction) when that round was contested before."""
    CONTESTS.add(connection, row)


def contests_of(connection: Connection, case: CaseId) -> list[ContestRow]:
    """The contests of that case, oldest first."""
    return CONTESTS.all(connection, CONTESTS.select.where(contests.c.case == case).order_by(contests.c.round))


def all_contests(connection: Connection) -> Iterator[ContestRow]:
    """Every contest, by case."""
    yield from map(CONTESTS.row, connection.execute(CONTESTS.select.order_by(contests.c.case, contests.c.round)))
