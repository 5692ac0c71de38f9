"""Clients of the service: agencies, what they may do, and the HMAC of their credential, never itself."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from idverify.errors import ClientNotFound
from idverify.ids import ClientId, GalleryId
from idverify.storage.tables import clients as table

ACTIVE = "active"
SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class ClientRow:
    """`status` is "active" or "suspended"; compare `secret_hmac` in constant time."""

    client: ClientId
    secret_hmac: bytes = field(repr=False)
    scopes: tuple[str, ...]
    galleries: tuple[GalleryId, ...]
    purposes: tuple[str, ...]
    sees_scores: bool
    created_at: str
    status: str = ACTIVE


def add(connection: Connection, row: ClientRow) -> None:
    """Raises Conflict (at the end of the transaction) when it exists."""
    connection.execute(
        insert(table).values(
            client=row.client,
            secret_hmac=row.secret_hmac,
            scopes=list(row.scopes),
            galleries=list(row.galleries),
            purposes=list(row.purposes),
            sees_scores=row.sees_scores,
            status=row.status,
            created_at=row.created_at,
        )
    )


def find(connection: Connection, client: ClientId) -> ClientRow | None:
    """The client, or None."""
    rows = _select(connection, select(table).where(table.c.client == client))
    return rows[0] if rows else None


def all_clients(connection: Connection) -> list[ClientRow]:
    """Every client, by name."""
    return _select(connection, select(table).order_by(table.c.client))


def set_status(connection: Connection, client: ClientId, status: str) -> None:
    """Raises ClientNotFound."""
    if not connection.execute(update(table).where(table.c.client == client).values(status=status)).rowcount:
        raise ClientNotFound(f"no client {client}")


def _select(connection: Connection, query: Select[*tuple[Any, ...]]) -> list[ClientRow]:
    return [
        ClientRow(
            client=ClientId(row.client),
            secret_hmac=row.secret_hmac,
            scopes=tuple(row.scopes),
            galleries=tuple(row.galleries),
            purposes=tuple(row.purposes),
            sees_scores=row.sees_scores,
            created_at=row.created_at,
            status=row.status,
        )
        for row in connection.execute(query)
    ]
