"""Stores visits at stations, their wrapped keys and their captures; they stay sealed here.

A wrapped key stands in a row of its own that never moves and is overwritten when its visit goes: see `person_keys`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from idverify.errors import Conflict
from idverify.ids import GalleryId, VisitId
from idverify.protection.envelope import WrappedKey
from idverify.protection.visit_key import WRAPPED_BYTES
from idverify.storage.rows import RowTable
from idverify.storage.tables.visits import visit_captures, visit_keys
from idverify.storage.tables.visits import visits as table

_BLANK = bytes(WRAPPED_BYTES)


class VisitState(StrEnum):
    """What may still happen to a visit."""

    OPEN = "open"
    """The clerk is at it."""
    EXCEPTION = "exception"
    """The capture failed; another person must approve what is done instead."""
    DONE = "done"
    """Nothing; what became of it can be read for a while."""


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A visit. `subject` is a keyed hash of the person's number; `revision` counts what was saved."""

    visit: VisitId
    wrapped: WrappedKey
    subject: bytes
    gallery: GalleryId
    station: str
    clerk: str
    state: VisitState
    revision: int
    sealed: bytes = field(repr=False)
    created_at: str
    expires_at: str


VISITS = RowTable(
    VisitRow,
    table,
    elsewhere={"wrapped.sealed": visit_keys.c.wrapped_key},
    beside=["key_slot"],
    joined=table.join(visit_keys, visit_keys.c.slot == table.c.key_slot),
)


def add(connection: Connection, row: VisitRow) -> None:
    """Store a new visit; its key goes into a blank row where there is one."""
    VISITS.add(connection, row, key_slot=_put_key(connection, row.wrapped.sealed))


def find(connection: Connection, visit: VisitId) -> VisitRow | None:
    rows = _select(connection, table.c.visit == visit)
    return rows[0] if rows else None


def of_clerk(connection: Connection, station: str, clerk: str) -> list[VisitRow]:
    """What this clerk began at this station, the newest first."""
    return _select(connection, (table.c.station == station) & (table.c.clerk == clerk))[::-1]


def awaiting(connection: Connection, gallery: GalleryId) -> list[VisitRow]:
    """The visits of a gallery that wait for approval, the oldest first."""
    return _select(connection, (table.c.gallery == gallery) & (table.c.state == VisitState.EXCEPTION))


def wrapped_before(connection: Connection, version: int) -> list[VisitRow]:
    """The visits whose key a version older than `version` wraps."""
    return _select(connection, table.c.wrapping_version < version)


def save(connection: Connection, before: VisitRow, after: VisitRow) -> VisitRow:
    """Store `after` in place of `before`, as its next revision; the key too where it is another one.

    Raises Conflict when the visit is gone or was saved by somebody else since `before` was read.
    """
    after = replace(after, revision=before.revision + 1)
    changed = connection.execute(
        update(table)
        .where(table.c.visit == before.visit, table.c.revision == before.revision)
        .values(
            wrapping_version=after.wrapped.wrapping_version,
            state=after.state,
            revision=after.revision,
            sealed=after.sealed,
            expires_at=after.expires_at,
        )
    ).rowcount
    if not changed:
        raise Conflict("the visit was changed in another window meanwhile; open it again")
    if after.wrapped != before.wrapped:
        slot = select(table.c.key_slot).where(table.c.visit == before.visit).scalar_subquery()
        connection.execute(update(visit_keys).where(visit_keys.c.slot == slot).values(wrapped_key=after.wrapped.sealed))
    return after


def put_capture(connection: Connection, visit: VisitId, capture: str, sealed: bytes | None) -> None:
    """Store what was captured. Raises Conflict when the id was used before."""
    connection.execute(insert(visit_captures).values(capture=capture, visit=visit, sealed=sealed))


def find_capture(connection: Connection, capture: str) -> tuple[VisitId, bytes | None] | None:
    """The visit that this capture belongs to and, until it is emptied, its sealed content."""
    query = select(visit_captures.c.visit, visit_captures.c.sealed).where(visit_captures.c.capture == capture)
    row = connection.execute(query).one_or_none()
    return None if row is None else (VisitId(row.visit), row.sealed)


def empty_captures(connection: Connection, visit: VisitId) -> None:
    """Delete the content of every capture of the visit; their ids stay."""
    connection.execute(update(visit_captures).where(visit_captures.c.visit == visit).values(sealed=None))


def erase(connection: Connection, visits: Iterable[VisitId]) -> None:
    """Delete these visits with their captures, and blank their keys."""
    for visit in visits:
        gone = delete(table).where(table.c.visit == visit).returning(table.c.key_slot)
        slot = connection.execute(gone).scalar_one_or_none()
        connection.execute(update(visit_keys).where(visit_keys.c.slot == slot).values(wrapped_key=_BLANK))


def of_subject(connection: Connection, subject: bytes) -> list[VisitId]:
    """The visits of one person."""
    return [
        VisitId(visit)
        for visit in connection.execute(select(table.c.visit).where(table.c.subject == subject)).scalars()
    ]


def expired(connection: Connection, now: str) -> list[VisitId]:
    """The visits whose time is over by `now`."""
    return [
        VisitId(visit) for visit in connection.execute(select(table.c.visit).where(table.c.expires_at <= now)).scalars()
    ]


def _put_key(connection: Connection, wrapped: bytes) -> int:
    free = select(func.min(visit_keys.c.slot)).where(visit_keys.c.wrapped_key == _BLANK).scalar_subquery()
    # Asked again in the update itself: of two who want the same row at once, the second finds it taken.
    reused = update(visit_keys).where(visit_keys.c.slot == free, visit_keys.c.wrapped_key == _BLANK)
    slot: int | None = connection.execute(
        reused.values(wrapped_key=wrapped).returning(visit_keys.c.slot)
    ).scalar_one_or_none()
    if slot is None:
        slot = connection.execute(
            insert(visit_keys).values(wrapped_key=wrapped).returning(visit_keys.c.slot)
        ).scalar_one()
    return slot


def _select(connection: Connection, condition: ColumnElement[bool]) -> list[VisitRow]:
    return VISITS.all(connection, VISITS.select.where(condition).order_by(table.c.created_at, table.c.visit))
