"""Accounts of staff and what they prove themselves by: hashes, digests and public keys, never a secret itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from idverify.errors import NotFound
from idverify.ids import GalleryId, StaffId
from idverify.protection.canonical import record_digest
from idverify.storage.tables.staff import staff as table
from idverify.storage.tables.staff import staff_credentials

ACTIVE = "active"
SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class StaffRow:
    """`status` is "active" or "suspended". `language` is a convenience, and the only column outside the digest."""

    staff: StaffId
    display_name: str
    roles: tuple[str, ...]
    galleries: tuple[GalleryId, ...]
    created_at: str
    language: str
    status: str = ACTIVE

    @property
    def log_name(self) -> str:
        """Its name in the audit log."""
        return f"staff/{self.staff}"

    @property
    def digest(self) -> str:
        """sha256 (hex): roles that were widened behind the service's back show here."""
        lists = (*self.roles, None, *self.galleries)
        return record_digest("staff", self.staff, self.display_name, self.status, self.created_at, *lists)


@dataclass(frozen=True, slots=True)
class StaffCredentialRow:
    """One thing that somebody proves themselves by; `expires_at` None: until it is revoked.

    `stored` is the argon2id hash of a password, the COSE public key of a passkey (whose id `credential` is), or the
    sha256 of a one-time code. `uses` is the passkey's own count and outside the digest.
    """

    credential: str
    staff: StaffId
    kind: str
    label: str
    stored: bytes = field(repr=False)
    created_at: str
    expires_at: str | None = None
    uses: int = 0

    @property
    def log_name(self) -> str:
        """Its name in the audit log."""
        return f"staff_credentials/{self.credential}"

    @property
    def digest(self) -> str:
        """sha256 (hex) over all columns but `uses`."""
        what = (self.credential, self.staff, self.kind, self.label, self.stored, self.created_at, self.expires_at)
        return record_digest("staff_credentials", *what)

    def live(self, now: str) -> bool:
        """Whether it is valid at `now`, a time as `utc_text` writes it."""
        return self.expires_at is None or now < self.expires_at


def add(connection: Connection, row: StaffRow) -> None:
    """Raises Conflict (at the end of the transaction) when it exists."""
    connection.execute(
        insert(table).values(
            staff=row.staff,
            display_name=row.display_name,
            roles=list(row.roles),
            galleries=list(row.galleries),
            status=row.status,
            created_at=row.created_at,
            language=row.language,
        )
    )


def find(connection: Connection, staff: StaffId) -> StaffRow | None:
    """The account, or None."""
    rows = _select(connection, select(table).where(table.c.staff == staff))
    return rows[0] if rows else None


def all_staff(connection: Connection) -> list[StaffRow]:
    """Every account, by name."""
    return _select(connection, select(table).order_by(table.c.staff))


def set_status(connection: Connection, staff: StaffId, status: str) -> None:
    """Raises NotFound."""
    if not connection.execute(update(table).where(table.c.staff == staff).values(status=status)).rowcount:
        raise NotFound(f"no account {staff}")


def set_rights(connection: Connection, row: StaffRow) -> None:
    """Write the roles and galleries of an account."""
    rights = {"roles": list(row.roles), "galleries": list(row.galleries)}
    connection.execute(update(table).where(table.c.staff == row.staff).values(rights))


def set_language(connection: Connection, staff: StaffId, language: str) -> None:
    connection.execute(update(table).where(table.c.staff == staff).values(language=language))


def add_credential(connection: Connection, row: StaffCredentialRow) -> None:
    """Raises Conflict (at the end of the transaction) when it exists."""
    connection.execute(
        insert(staff_credentials).values(
            credential=row.credential,
            staff=row.staff,
            kind=row.kind,
            label=row.label,
            stored=row.stored,
            created_at=row.created_at,
            expires_at=row.expires_at,
            uses=row.uses,
        )
    )


def credential(connection: Connection, name: str) -> StaffCredentialRow | None:
    """The credential of that id, whoever has it, or None."""
    rows = _credentials(connection, select(staff_credentials).where(staff_credentials.c.credential == name))
    return rows[0] if rows else None


def credentials_of(connection: Connection, staff: StaffId) -> tuple[StaffCredentialRow, ...]:
    """All credentials of an account, those that ended too, oldest first."""
    order = (staff_credentials.c.created_at, staff_credentials.c.credential)
    return _credentials(
        connection, select(staff_credentials).where(staff_credentials.c.staff == staff).order_by(*order)
    )


def all_credentials(connection: Connection) -> tuple[StaffCredentialRow, ...]:
    """The credentials of every account."""
    return _credentials(connection, select(staff_credentials))


def end_credential(connection: Connection, row: StaffCredentialRow, at: str) -> None:
    """The credential is valid until then."""
    which = staff_credentials.c.credential == row.credential
    connection.execute(update(staff_credentials).where(which).values(expires_at=at))


def count_use(connection: Connection, row: StaffCredentialRow, uses: int) -> None:
    """What the passkey says of how often it was used."""
    which = staff_credentials.c.credential == row.credential
    connection.execute(update(staff_credentials).where(which).values(uses=uses))


def _select(connection: Connection, query: Select[*tuple[Any, ...]]) -> list[StaffRow]:
    return [
        StaffRow(
            staff=StaffId(row.staff),
            display_name=row.display_name,
            roles=tuple(row.roles),
            galleries=tuple(GalleryId(gallery) for gallery in row.galleries),
            created_at=row.created_at,
            language=row.language,
            status=row.status,
        )
        for row in connection.execute(query)
    ]


def _credentials(connection: Connection, query: Select[*tuple[Any, ...]]) -> tuple[StaffCredentialRow, ...]:
    rows: Sequence[Any] = connection.execute(query).all()
    return tuple(
        StaffCredentialRow(
            credential=row.credential,
            staff=StaffId(row.staff),
            kind=row.kind,
            label=row.label,
            stored=row.stored,
            created_at=row.created_at,
            expires_at=row.expires_at,
            uses=row.uses,
        )
        for row in rows
    )
