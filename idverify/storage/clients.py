"""Stores the clients of the service, what each may do and what it proves itself by; it never stores a secret."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, delete, update
from sqlalchemy.dialects import postgresql, sqlite

from idverify.errors import ClientNotFound, CredentialInvalid
from idverify.ids import ClientId, GalleryId
from idverify.protection.logged_row import SEPARATOR, LoggedRow, each, logged, unless_none
from idverify.storage.rows import RowTable
from idverify.storage.tables.callers import client_credentials, used_assertions
from idverify.storage.tables.callers import clients as table

ACTIVE = "active"
SUSPENDED = "suspended"


@logged(
    "clients",
    "client",
    digest=(
        "client",
        "status",
        "sees_scores",
        "created_at",
        each("scopes"),
        SEPARATOR,
        each("galleries"),
        SEPARATOR,
        each("purposes"),
        unless_none("requests_per_minute", "identifications_per_day", separated=True),
    ),
)
@dataclass(frozen=True, slots=True)
class ClientRow(LoggedRow):
    """`status` is "active" or "suspended"; a quota that is None is the settings'.

    Rights that were widened behind the service's back show in the digest.
    """

    client: ClientId
    scopes: tuple[str, ...]
    galleries: tuple[GalleryId, ...]
    purposes: tuple[str, ...]
    sees_scores: bool
    created_at: str
    status: str = ACTIVE
    requests_per_minute: int | None = None
    identifications_per_day: int | None = None


@logged("client_credentials", "client", "credential")
@dataclass(frozen=True, slots=True)
class CredentialRow(LoggedRow):
    """One thing that a client proves itself by; `expires_at` None: until it is rotated or revoked.

    `stored` is the HMAC of a secret (compare it in constant time), a public key in DER, or a certificate's sha256.
    """

    client: ClientId
    credential: str
    kind: str
    stored: bytes = field(repr=False)
    created_at: str
    expires_at: str | None = None

    def live(self, now: str) -> bool:
        """Whether it is valid at `now`, a time as `utc_text` writes it."""
        return self.expires_at is None or now < self.expires_at


CLIENTS = RowTable(ClientRow, table)
CREDENTIALS = RowTable(CredentialRow, client_credentials)


def add(connection: Connection, row: ClientRow) -> None:
    """Raises Conflict (at the end of the transaction) when it exists."""
    CLIENTS.add(connection, row)


def find(connection: Connection, client: ClientId) -> ClientRow | None:
    """The client, or None."""
    return CLIENTS.one(connection, _FOUND, {"name": client})


def all_clients(connection: Connection) -> list[ClientRow]:
    """Every client, by name."""
    return CLIENTS.all(connection, CLIENTS.select.order_by(table.c.client))


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
    CREDENTIALS.add(connection, row)


def credentials_of(connection: Connection, client: ClientId) -> tuple[CredentialRow, ...]:
    """All credentials of a client, those that expired too, oldest first."""
    return tuple(CREDENTIALS.all(connection, _CREDENTIALS, {"name": client}))


def all_credentials(connection: Connection) -> tuple[CredentialRow, ...]:
    """The credentials of every client."""
    return tuple(CREDENTIALS.all(connection, CREDENTIALS.select))


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


# Put together once, because every request looks its client up.
_FOUND = CLIENTS.select.where(table.c.client == bindparam("name"))
_CREDENTIALS = CREDENTIALS.select.where(client_credentials.c.client == bindparam("name")).order_by(
    client_credentials.c.created_at, client_credentials.c.credential
)
