"""Stores enrolment stations: the gallery that each enrols into and its browser's public key, never a private one."""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, update

from idverify.errors import NotFound
from idverify.ids import GalleryId, StationId
from idverify.protection.logged_row import LoggedRow, logged
from idverify.storage.rows import RowTable
from idverify.storage.tables.staff import stations as table

ACTIVE = "active"
SUSPENDED = "suspended"


@logged("stations", "station")
@dataclass(frozen=True, slots=True)
class StationRow(LoggedRow):
    """`public_key`: P-256 in DER, None until a browser was activated. `code`: digest of its activation code.

    A key that was put in behind the service's back shows in the digest.
    """

    station: StationId
    gallery: GalleryId
    created_at: str
    status: str = ACTIVE
    public_key: bytes | None = field(default=None, repr=False)
    code: bytes | None = field(default=None, repr=False)
    code_expires_at: str | None = None


STATIONS = RowTable(StationRow, table)


def add(connection: Connection, row: StationRow) -> None:
    """Raises Conflict (at the end of the transaction) when it exists, or its gallery does not."""
    STATIONS.add(connection, row)


def find(connection: Connection, station: StationId) -> StationRow | None:
    """The station, or None."""
    return STATIONS.one(connection, STATIONS.select.where(table.c.station == station))


def all_stations(connection: Connection) -> list[StationRow]:
    """Every station, by name."""
    return STATIONS.all(connection, STATIONS.select.order_by(table.c.station))


def change(connection: Connection, row: StationRow, **columns: Any) -> StationRow:
    """Write these columns; returns the new row, whose digest the caller must log. Raises NotFound."""
    if not connection.execute(update(table).where(table.c.station == row.station).values(**columns)).rowcount:
        raise NotFound(f"no station {row.station}")
    return replace(row, **columns)
