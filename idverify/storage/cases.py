"""Stores cases of records that may be one person, and who is in them; it opens nothing of what is sealed in them.

An erased person's memberships go with the person: a case that has fewer members than its `members` says is over.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, select, update

from idverify.errors import NotFound
from idverify.ids import CaseId, EncounterId, GalleryId, PersonId, Pseudonym
from idverify.protection.logged_row import LoggedRow, logged, sorted_elements
from idverify.storage.batched_queries import rows_in_batches
from idverify.storage.encounters import Review
from idverify.storage.rows import RowTable
from idverify.storage.tables.cases import case_galleries as galleries
from idverify.storage.tables.cases import case_members as members
from idverify.storage.tables.cases import case_opinions as opinions
from idverify.storage.tables.cases import cases as table
from idverify.storage.tables.register import encounters, persons


class CaseState(StrEnum):
    """How far a case is. OPEN and HALF look alike to whoever has not given an opinion: the second review is blind."""

    OPEN = "open"
    HALF = "half"
    ESCALATED = "escalated"
    DECIDED = "decided"


AWAITING_OPINION = (CaseState.OPEN, CaseState.HALF)


@logged("cases", "case", at_end=[sorted_elements("galleries")])
@dataclass(frozen=True, slots=True)
class CaseRow(LoggedRow):
    """`source` is what it was made from (an encounter, a line of a report); `evidence` is sealed; `members` counts.

    `round` starts at 1 and grows by one with each contest. `finding`, `decided_by` and `decided_at` are of this round.
    """

    case: CaseId
    origin: str
    source: str
    strength: str
    members: int
    galleries: tuple[GalleryId, ...]
    opened_at: str
    evidence: bytes = field(repr=False)
    round: int = 1
    state: CaseState = CaseState.OPEN
    finding: str | None = None
    decided_by: str | None = None
    decided_at: str | None = None


@logged("case_members", "case", "place")
@dataclass(frozen=True, slots=True)
class CaseMemberRow(LoggedRow):
    """One of the records that a case is about; without a person: a line of a payroll whose face is not enrolled."""

    case: CaseId
    place: int
    person: PersonId | None
    encounter: EncounterId | None


CASES = RowTable(CaseRow, table, lists={"galleries": galleries.c.gallery})
MEMBERS = RowTable(CaseMemberRow, members)


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases to list; None asks for all of that kind. Times are UTC text as `utc_text` writes it."""

    gallery: GalleryId | None = None
    origin: str | None = None
    strength: str | None = None
    opened_before: str | None = None


def add(connection: Connection, row: CaseRow, people: Collection[CaseMemberRow]) -> None:
    """Raises Conflict (at the end of the transaction) when one of that origin and source exists."""
    CASES.add(connection, row)
    MEMBERS.add_all(connection, people)


def get(connection: Connection, case: CaseId, *, lock: bool = False) -> CaseRow:
    """`lock` holds the row until the transaction ends (PostgreSQL; SQLite's writers are alone). Raises NotFound."""
    query = CASES.select.where(table.c.case == case)
    row = CASES.one(connection, query.with_for_update() if lock else query)
    if row is None:
        raise NotFound("no such case; it may have been opened in another deployment")
    return row


def named(connection: Connection, head: str, within: Collection[GalleryId]) -> list[CaseId]:
    """The cases whose id begins with `head` and all of whose galleries are among `within`."""
    outside = exists().where(galleries.c.case == table.c.case, galleries.c.gallery.not_in(within))
    query = select(table.c.case).where(table.c.case.startswith(head, autoescape=True), ~outside)
    return [CaseId(case) for case in connection.execute(query).scalars()]


def known_sources(connection: Connection, origin: str, sources: Collection[str]) -> set[str]:
    """Those of `sources` that a case was made from already."""
    query = select(table.c.source).where(table.c.origin == origin, table.c.source.in_(sources))
    return set(connection.execute(query).scalars())


def members_of(connection: Connection, case: CaseId) -> list[CaseMemberRow]:
    """Those who are still there, in the order in which the case was opened."""
    return MEMBERS.all(connection, MEMBERS.select.where(members.c.case == case).order_by(members.c.place))


def change(
    connection: Connection,
    row: CaseRow,
    *,
    round_: int,
    state: CaseState,
    finding: str | None = None,
    decided_by: str | None = None,
    decided_at: str | None = None,
) -> CaseRow:
    """Returns the new row, whose digest the caller must put into the audit log."""
    values: dict[str, Any] = {
        "round": round_,
        "state": state,
        "finding": finding,
        "decided_by": decided_by,
        "decided_at": decided_at,
    }
    connection.execute(update(table).where(table.c.case == row.case).values(values))
    return replace(row, **values)


def awaiting(
    connection: Connection,
    states: Collection[CaseState],
    analyst: str,
    within: Collection[GalleryId],
    asked: CaseFilter,
    *,
    limit: int,
    offset: int = 0,
) -> list[CaseRow]:
    """The oldest cases in these states that this person may decide: all in their galleries, never touched by them."""
    untouched = ~exists().where(opinions.c.case == table.c.case, opinions.c.analyst == analyst)
    query = _living(within, asked).where(table.c.state.in_(states), untouched, _not_own_work(analyst))
    return CASES.all(connection, query.order_by(table.c.opened_at, table.c.case).limit(limit).offset(offset))


def decided_since(connection: Connection, within: Collection[GalleryId], since: str) -> list[CaseRow]:
    """Cases decided at or after `since`, and those reopened after a decision, oldest first: what is to be exported."""
    settled = and_(table.c.state == CaseState.DECIDED, table.c.decided_at >= since)
    query = _living(within, CaseFilter()).where(settled | (table.c.round > 1))
    return CASES.all(connection, query.order_by(table.c.opened_at, table.c.case))


def all_cases(connection: Connection, *, batch: int = 1000) -> Iterator[CaseRow]:
    """Every case, by id, fetched `batch` at a time."""
    last = ""
    query = CASES.select.order_by(table.c.case).limit(batch)
    while rows := CASES.all(connection, query.where(table.c.case > last)):
        yield from rows
        last = rows[-1].case


def all_members(connection: Connection, *, batch: int = 1000) -> Iterator[tuple[Pseudonym | None, CaseMemberRow]]:
    """Every membership with its person's pseudonym, if it is a person's."""
    for case in rows_in_batches(connection, select(table.c.case), table.c.case, batch):
        query = MEMBERS.select.outerjoin(persons, persons.c.person == members.c.person).add_columns(persons.c.pseudonym)
        found = connection.execute(query.where(members.c.case == case.case).order_by(members.c.place))
        for *columns, pseudonym in found:
            yield pseudonym, MEMBERS.row(columns)


def marked_without_case(connection: Connection, *, limit: int) -> list[EncounterId]:
    """The oldest encounters marked at enrolment that no case was made from yet."""
    seen = exists().where(table.c.origin == "enrolment", table.c.source == encounters.c.encounter)
    query = select(encounters.c.encounter).where(encounters.c.review == Review.PENDING, ~seen)
    order = (encounters.c.created_at, encounters.c.encounter)
    return [EncounterId(found) for found in connection.execute(query.order_by(*order).limit(limit)).scalars()]


def over_by_erasure(connection: Connection, *, limit: int) -> list[EncounterId]:
    """Encounters still marked from enrolment whose case ended because somebody else in it was erased."""
    there = select(func.count()).where(members.c.case == table.c.case).scalar_subquery()
    query = select(encounters.c.encounter).join(table, table.c.source == encounters.c.encounter)
    over = query.where(table.c.origin == "enrolment", encounters.c.review == Review.PENDING, there < table.c.members)
    return [EncounterId(found) for found in connection.execute(over.limit(limit)).scalars()]


def about(connection: Connection, people: Collection[PersonId]) -> list[CaseId]:
    """Living cases whose persons are exactly these, whatever became of them."""
    mine = select(members.c.case).where(members.c.person.in_(people)).group_by(members.c.case)
    all_of_them = mine.having(func.count(members.c.person.distinct()) == len(set(people)))
    others = select(members.c.case).where(members.c.person.not_in(people) | members.c.person.is_(None))
    there = select(func.count()).where(members.c.case == table.c.case).scalar_subquery()
    query = select(table.c.case).where(
        table.c.case.in_(all_of_them), table.c.case.not_in(others), there == table.c.members
    )
    return [CaseId(case) for case in connection.execute(query).scalars()]


def _living(within: Collection[GalleryId], asked: CaseFilter) -> Select[*tuple[Any, ...]]:
    """Cases all of whose galleries are among `within` and all of whose members are still there."""
    outside = exists().where(galleries.c.case == table.c.case, galleries.c.gallery.not_in(within))
    there = select(func.count()).where(members.c.case == table.c.case).scalar_subquery()
    wanted: list[ColumnElement[bool]] = [~outside, there == table.c.members]
    if asked.gallery is not None:
        wanted.append(exists().where(galleries.c.case == table.c.case, galleries.c.gallery == asked.gallery))
    if asked.origin is not None:
        wanted.append(table.c.origin == asked.origin)
    if asked.strength is not None:
        wanted.append(table.c.strength == asked.strength)
    if asked.opened_before is not None:
        wanted.append(table.c.opened_at <= asked.opened_before)
    return CASES.select.where(*wanted)


def _not_own_work(analyst: str) -> ColumnElement[bool]:
    own = and_(members.c.case == table.c.case, members.c.encounter == encounters.c.encounter)
    return ~exists().where(own, encounters.c.clerk == analyst)
