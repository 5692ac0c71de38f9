"""Stores sessions by the HMAC of their token, and how often each name failed to sign in; it judges neither."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from idverify.ids import StaffId, StationId
from idverify.storage.rows import RowTable
from idverify.storage.tables.staff import staff_failures
from idverify.storage.tables.staff import staff_sessions as table


@dataclass(frozen=True, slots=True)
class StaffSessionRow:
    """Times as `utc_text` writes them. `provisional`: begun with a one-time code, for setting a credential only."""

    session: bytes = field(repr=False)
    staff: StaffId
    station: StationId | None
    provisional: bool
    started_at: str
    seen_at: str
    expires_at: str
    locked_at: str | None = None
    ended_at: str | None = None


SESSIONS = RowTable(StaffSessionRow, table)


def add(connection: Connection, row: StaffSessionRow) -> None:
    """A new session."""
    SESSIONS.add(connection, row)


def find(connection: Connection, session: bytes) -> StaffSessionRow | None:
    """The session of that name, in whatever state, or None."""
    return SESSIONS.one(connection, SESSIONS.select.where(table.c.session == session))


def touch(connection: Connection, session: bytes, now: str) -> None:
    """Somebody is at it."""
    _set(connection, session, seen_at=now)


def lock(connection: Connection, session: bytes, now: str) -> bool:
    """False when it was locked already, also by a transaction that runs beside this one."""
    unlocked = (table.c.session == session) & table.c.locked_at.is_(None)
    locked = connection.execute(update(table).where(unlocked).values(locked_at=now).returning(table.c.session))
    return locked.first() is not None


def unlock(connection: Connection, session: bytes, now: str) -> None:
    _set(connection, session, locked_at=None, seen_at=now)


def end(connection: Connection, session: bytes, now: str) -> None:
    _set(connection, session, ended_at=now)


def end_all(connection: Connection, staff: StaffId, now: str, *, but: bytes = b"") -> None:
    """End every session of an account, `but` one."""
    others = table.c.session != but
    running = (table.c.staff == staff) & table.c.ended_at.is_(None) & others
    connection.execute(update(table).where(running).values(ended_at=now))


def drop_expired(connection: Connection, now: str) -> None:
    """Delete those that have expired; ended ones stay until then, so that their use can be told from a guess."""
    connection.execute(delete(table).where(table.c.expires_at <= now))


def failures(connection: Connection, subject: bytes) -> tuple[int, str] | None:
    """How many in a row, and when the last one was; None when there is none."""
    query = select(staff_failures.c.failures, staff_failures.c.last_at).where(staff_failures.c.subject == subject)
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.failures, row.last_at)


def count_failure(connection: Connection, subject: bytes, now: str) -> None:
    """One more in a row."""
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(
        dialect.insert(staff_failures)
        .values(subject=subject, failures=1, last_at=now)
        .on_conflict_do_update(
            index_elements=[staff_failures.c.subject],
            set_={"failures": staff_failures.c.failures + 1, "last_at": now},
        )
    )


def forget_failures(connection: Connection, subject: bytes) -> None:
    """The row of failures is over."""
    connection.execute(delete(staff_failures).where(staff_failures.c.subject == subject))


def forget_failures_before(connection: Connection, time: str) -> None:
    """Failures that are so old count no more."""
    connection.execute(delete(staff_failures).where(staff_failures.c.last_at < time))


def _set(connection: Connection, session: bytes, **columns: Any) -> None:
    connection.execute(update(table).where(table.c.session == session).values(**columns))
