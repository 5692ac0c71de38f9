"""Stores values that are good for one use; one statement spends one, so that no two transactions spend the same."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, update

from idverify.ids import StaffId, StationId
from idverify.storage.rows import RowTable
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


NONCES = RowTable(NonceRow, table)


def add(connection: Connection, row: NonceRow) -> None:
    """A fresh one."""
    NONCES.add(connection, row)


def find(connection: Connection, nonce: bytes) -> NonceRow | None:
    """The nonce of that digest, spent or not, or None."""
    return NONCES.one(connection, NONCES.select.where(table.c.nonce == nonce))


def spend(connection: Connection, nonce: bytes, now: str) -> bool:
    """False when it was spent before, also by a transaction that runs beside this one."""
    unspent = (table.c.nonce == nonce) & table.c.spent_at.is_(None)
    spent = connection.execute(update(table).where(unspent).values(spent_at=now).returning(table.c.nonce))
    return spent.first() is not None


def drop_expired(connection: Connection, now: str) -> None:
    """Delete those that nobody can spend any more."""
    connection.execute(delete(table).where(table.c.expires_at <= now))
