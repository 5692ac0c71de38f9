"""Clients of the service: agencies, what they may do, and what they prove themselves by: never a secret itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from idverify.errors import ClientNotFound, CredentialInvalid
from idverify.ids import ClientId, GalleryId
from idverify.protection.canonical import record_digest
from idverify.storage.tables.callers import client_credentials, used_assertions
from idverify.storage.tables.callers import clients as table

ACTIVE = "active"
SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class ClientRow:
    """`status` is "active" or "suspended"; a quota that is None is the settings'."""

    client: ClientId
    scopes: tuple[str, ...]
    galleries: tuple[GalleryId, ...]
    purposes: tuple[str, ...]
    sees_scores: bool
    created_at: str
    status: str = ACTIVE
    requests_per_minute: int | None = None
    identifications_per_day: int | None = None

    @property
    def log_name(self) -> str:
        """Its name in the audit log."""
        return f"clients/{self.client}"

    @property
    def digest(self) -> str:
        """sha256 (hex) over all columns: rights that were widened behind the service's back show here."""
        lists = (*self.scopes, None, *self.galleries, None, *self.purposes)
        quotas = (self.requests_per_minute, self.identifications_per_day)
        # As before there were any, where there are none: the log holds digests of then.
        own = () if quotas == (None, None) else (None, *quotas)
        return record_digest("clients", self.client, self.status, self.sees_scores, self.created_at, *lists, *own)


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """One thing that a client proves itself by; `expires_at` None: until it is rotated or revoked.

    `stored` is the HMAC of a secret (compare it in constant time), a public key in DER, or a certificate's sha256.
    """

    client: ClientId
    credential: str
    kind: str
    stored: bytes = field(repr=False)
    created_at: str
    expires_at: str | None = None

    @property
    def log_name(self) -> str:
        """Its name in the audit log."""
        return f"client_credentials/{self.client}/{self.credential}"

    @property
    def digest(self) -> str:
        """sha256 (hex) over all columns."""
        what = (self.client, self.credential, self.kind, self.stored, self.created_at, self.expires_at)
        return record_digest("client_credentials", *what)

    def live(self, now: str) -> bool:
        """Whether it is valid at `now`, a time as `utc_text` writes it."""
        return self.expires_at is None or now < self.expires_at


def add(connection: Connection, row: ClientRow) -> None:
    """Raises Conflict (at the end of the transaction) when it exists."""
    connection.execute(
        insert(table).values(
            client=row.client,
            scopes=list(row.scopes),
            galleries=list(row.galleries),
            purposes=list(row.purposes),
            sees_scores=row.sees_scores,
            status=row.status,
            created_at=row.created_at,
            requests_per_minute=row.requests_per_minute,
            identifications_per_day=row.identifications_per_day,
        )
    )


def find(connection: Connection, client: ClientId) -> ClientRow | None:
    """The client, or None."""
    rows = _select(connection, _FOUND, name=client)
    return rows[0] if rows else None


def all_clients(connection: Connection) -> list[ClientRow]:
    """Every client, by name."""
    return _select(connection, select(table).order_by(table.c.client))


def set_status(connection: Connection, client: ClientId, status: str) -> None:
    """Raises ClientNotFound."""
    if not connection.execute(update(table).where(table.c.client == client).values(status=status)).rowcount:
        raise ClientNotFound(f"no client {client}")


def set_quotas(
    connection: Connection, client: ClientId, requests_per_minute: int | None, identifications_per_day: int | None
) -> None:
    """None: the settings'."""
    quotas = {"requests_per_minute": requests_per_minute, "identifications_per_day": identifications_per_day}
    connection.execute(update(table).where(table.c.client == client).values(quotas))


def add_credential(connection: Connection, row: CredentialRow) -> None:
    """Raises Conflict (at the end of the transaction) when the client has it already."""
    connection.execute(
        insert(client_credentials).values(
            client=row.client,
            credential=row.credential,
            kind=row.kind,
            stored=row.stored,
            created_at=row.created_at,
            expires_at=row.expires_at,
        )
    )


def credentials_of(connection: Connection, client: ClientId) -> tuple[CredentialRow, ...]:
    """All credentials of a client, those that expired too, oldest first."""
    return _credentials(connection, _CREDENTIALS, name=client)


def all_credentials(connection: Connection) -> tuple[CredentialRow, ...]:
    """The credentials of every client."""
    return _credentials(connection, select(client_credentials))


def set_expiry(connection: Connection, row: CredentialRow, expires_at: str) -> None:
    """The credential is valid until then."""
    which = (client_credentials.c.client == row.client) & (client_credentials.c.credential == row.credential)
    connection.execute(update(client_credentials).where(which).values(expires_at=expires_at))


def use_assertion(connection: Connection, client: ClientId, assertion: bytes, *, now: str, expires_at: str) -> None:
    """Remember until `expires_at` that the assertion of this digest was used, and forget those that expired.

    Raises CredentialInvalid when it was used before, also by a transaction that runs beside this one.
    """
    connection.execute(delete(used_assertions).where(used_assertions.c.expires_at <= now))
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {"client": client, "assertion": assertion, "expires_at": expires_at}
    # One statement decides: it waits for a transaction that has the same row and then finds it.
    # It returns the row that it inserted; the row count of an insert means nothing on PostgreSQL (-1).
    first_use = dialect.insert(used_assertions).values(values).on_conflict_do_nothing()
    if connection.execute(first_use.returning(used_assertions.c.client)).first() is None:
        raise CredentialInvalid("the assertion was used before")


def _select(connection: Connection, query: Select[*tuple[Any, ...]], **values: str) -> list[ClientRow]:
    return [
        ClientRow(
            client=ClientId(row.client),
            scopes=tuple(row.scopes),
            galleries=tuple(row.galleries),
            purposes=tuple(row.purposes),
            sees_scores=row.sees_scores,
            created_at=row.created_at,
            status=row.status,
            requests_per_minute=row.requests_per_minute,
            identifications_per_day=row.identifications_per_day,
        )
        for row in connection.execute(query, values)
    ]


def _credentials(connection: Connection, query: Select[*tuple[Any, ...]], **values: str) -> tuple[CredentialRow, ...]:
    rows: Sequence[Any] = connection.execute(query, values).all()
    return tuple(
        CredentialRow(ClientId(row.client), row.credential, row.kind, row.stored, row.created_at, row.expires_at)
        for row in rows
    )


# Put together once, because every request looks its client up.
_FOUND = select(table).where(table.c.client == bindparam("name"))
_CREDENTIALS = (
    select(client_credentials)
    .where(client_credentials.c.client == bindparam("name"))
    .order_by(client_credentials.c.created_at, client_credentials.c.credential)
)
