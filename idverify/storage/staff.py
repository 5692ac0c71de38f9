"""Stores the accounts of staff and what each proves themselves by: hashes and public keys, never a secret itself."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, update

from idverify.errors import NotFound
from idverify.ids import GalleryId, StaffId
from idverify.protection.logged_row import SEPARATOR, LoggedRow, each, logged
from idverify.storage.rows import RowTable
from idverify.storage.tables.staff import staff as table
from idverify.storage.tables.staff import staff_credentials

ACTIVE = "active"
SUSPENDED = "suspended"


@logged(
    "staff",
    "staff",
    digest=("staff", "display_name", "status", "created_at", each("roles"), SEPARATOR, each("galleries")),
    left_out={"language": "a convenience: it grants nothing"},
)
@dataclass(frozen=True, slots=True)
class StaffRow(LoggedRow):
    """`status` is "active" or "suspended". Roles that were widened behind the service's back show in the digest."""

    staff: StaffId
    display_name: str
    roles: tuple[str, ...]
    galleries: tuple[GalleryId, ...]
    created_at: str
    language: str
    status: str = ACTIVE


@logged("staff_credentials", "credential", left_out={"uses": "the passkey's own count, which grows with each use"})
@dataclass(frozen=True, slots=True)
class StaffCredentialRow(LoggedRow):
    """One thing that somebody proves themselves by; `expires_at` None: until it is revoked.

    `stored` is the argon2id hash of a password, the COSE public key of a passkey (whose id `credential` is), or the
    sha256 of a one-time code. `uses` is the passkey's own count.
    """

    credential: str
    staff: StaffId
    kind: str
    label: str
    stored: bytes = field(repr=False)
    created_at: str
    expires_at: str | None = None
    uses: int = 0

    def live(self, now: str) -> bool:
        """Whether it is valid at `now`, a time as `utc_text` writes it."""
        return self.expires_at is None or now < self.expires_at


STAFF = RowTable(StaffRow, table)
CREDENTIALS = RowTable(StaffCredentialRow, staff_credentials)


def add(connection: Connection, row: StaffRow) -> None:
    """Raises Conflict (at the end of the transaction) when it exists."""
    STAFF.add(connection, row)


def find(connection: Connection, staff: StaffId) -> StaffRow | None:
    """The account, or None."""
    return STAFF.one(connection, STAFF.select.where(table.c.staff == staff))


def all_staff(connection: Connection) -> list[StaffRow]:
    """Every account, by name."""
    return STAFF.all(connection, STAFF.select.order_by(table.c.staff))


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
    CREDENTIALS.add(connection, row)


def credential(connection: Connection, name: str) -> StaffCredentialRow | None:
    """The credential of that id, whoever has it, or None."""
    return CREDENTIALS.one(connection, CREDENTIALS.select.where(staff_credentials.c.credential == name))


def credentials_of(connection: Connection, staff: StaffId) -> tuple[StaffCredentialRow, ...]:
    """All credentials of an account, those that ended too, oldest first."""
    order = (staff_credentials.c.created_at, staff_credentials.c.credential)
    query = CREDENTIALS.select.where(staff_credentials.c.staff == staff).order_by(*order)
    return tuple(CREDENTIALS.all(connection, query))


def all_credentials(connection: Connection) -> tuple[StaffCredentialRow, ...]:
    """The credentials of every account."""
    return tuple(CREDENTIALS.all(connection, CREDENTIALS.select))


def end_credential(connection: Connection, row: StaffCredentialRow, at: str) -> None:
    """The credential is valid until then."""
    which = staff_credentials.c.credential == row.credential
    connection.execute(update(staff_credentials).where(which).values(expires_at=at))


def count_use(connection: Connection, row: StaffCredentialRow, uses: int) -> None:
    """What the passkey says of how often it was used."""
    which = staff_credentials.c.credential == row.credential
    connection.execute(update(staff_credentials).where(which).values(uses=uses))
