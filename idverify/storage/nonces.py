"""Values that are good for one use: issued, and spent by one statement, so that no two transactions both spend one."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, insert, select, update

from idverify.ids import StaffId, StationId
from idverify.storage.tables.staff import nonces as table


@dataclass(frozen=True, slots=True)
class NonceRow:
    """`nonce` is the sha256 of the value; `session`, `staff` and `station`: to whom it was given, where it is bound."""

    nonce: bytes = field(repr=False)
    kind: str
    issued_at: str
    expires_at: str
    session: bytes | None = field(default=None, repr=False)
    staff: StaffId | None = None
    station: StationId | None = None
    spent_at: str | None = None


def add(connection: Connection, row: NonceRow) -> None:
    """A fresh one."""
    connection.execute(
        insert(table).values(
            nonce=row.nonce,
            kind=row.kind,
            session=row.session,
            staff=row.staff,
            station=row.station,
            issued_at=row.issued_at,
            expires_at=row.expires_at,
        )
    )


def find(connection: Connection, nonce: bytes) -> NonceRow | None:
    """The nonce of that digest, spent or not, or None."""
    row = connection.execute(select(table).where(table.c.nonce == nonce)).one_or_none()
    if row is None:
        return None
    return NonceRow(
        nonce=row.nonce,
        kind=row.kind,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        session=row.session,
        staff=None if row.staff is None else StaffId(row.staff),
        station=None if row.station is None else StationId(row.station),
        spent_at=row.spent_at,
    )


def spend(connection: Connection, nonce: bytes, now: str) -> bool:
    """False when it was spent before, also by a transaction that runs beside this one."""
    unspent = (table.c.nonce == nonce) & table.c.spent_at.is_(None)
    spent = connection.execute(update(table).where(unspent).values(spent_at=now).returning(table.c.nonce))
    return spent.first() is not None


def drop_expired(connection: Connection, now: str) -> None:
    """Delete those that nobody can spend any more."""
    connection.execute(delete(table).where(table.c.expires_at <= now))
