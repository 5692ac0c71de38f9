"""Enrolment stations: the gallery that each enrols into, and the public key of the browser that is it."""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from idverify.errors import NotFound
from idverify.ids import GalleryId, StationId
from idverify.protection.canonical import record_digest
from idverify.storage.tables.staff import stations as table

ACTIVE = "active"
SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class StationRow:
    """`public_key`: P-256 in DER, None until a browser was activated. `code`: digest of its activation code."""

    station: StationId
    gallery: GalleryId
    created_at: str
    status: str = ACTIVE
    public_key: bytes | None = field(default=None, repr=False)
    code: bytes | None = field(default=None, repr=False)
    code_expires_at: str | None = None

    @property
    def log_name(self) -> str:
        """Its name in the audit log."""
        return f"stations/{self.station}"

    @property
    def digest(self) -> str:
        """sha256 (hex) over all columns: a key that was put in behind the service's back shows here."""
        code = (self.code, self.code_expires_at)
        return record_digest(
            "stations", self.station, self.gallery, self.created_at, self.status, self.public_key, *code
        )


def add(connection: Connection, row: StationRow) -> None:
    """Raises Conflict (at the end of the transaction) when it exists, or its gallery does not."""
    connection.execute(
        insert(table).values(
            station=row.station,
            gallery=row.gallery,
            created_at=row.created_at,
            status=row.status,
            public_key=row.public_key,
            code=row.code,
            code_expires_at=row.code_expires_at,
        )
    )


def find(connection: Connection, station: StationId) -> StationRow | None:
    """The station, or None."""
    rows = _select(connection, select(table).where(table.c.station == station))
    return rows[0] if rows else None


def all_stations(connection: Connection) -> list[StationRow]:
    """Every station, by name."""
    return _select(connection, select(table).order_by(table.c.station))


def change(connection: Connection, row: StationRow, **columns: Any) -> StationRow:
    """Write these columns; returns the new row, whose digest the caller must log. Raises NotFound."""
    if not connection.execute(update(table).where(table.c.station == row.station).values(**columns)).rowcount:
        raise NotFound(f"no station {row.station}")
    return replace(row, **columns)


def _select(connection: Connection, query: Select[*tuple[Any, ...]]) -> list[StationRow]:
    return [
        StationRow(
            station=StationId(row.station),
            gallery=GalleryId(row.gallery),
            created_at=row.created_at,
            status=row.status,
            public_key=row.public_key,
            code=row.code,
            code_expires_at=row.code_expires_at,
        )
        for row in connection.execute(query)
    ]
