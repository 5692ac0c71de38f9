"""The credentials that staff set for themselves: one password and any number of passkeys."""

from dataclasses import dataclass
from uuid import uuid4

from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.errors import Conflict, InvalidInput, NotFound
from idverify.ids import StaffId
from idverify.storage import staff as table
from idverify.storage import staff_sessions as sessions
from idverify.storage.database import Connection, Database
from idverify.storage.staff import StaffCredentialRow
from idverify.stored.audit_journal import Journal
from staff.accounts.accounts import StaffCredentialKind, end
from staff.accounts.passkeys import NewPasskey
from staff.accounts.passwords import Passwords

_LONGEST_LABEL = 60


@dataclass(frozen=True, slots=True)
class Held:
    """A credential as its owner sees it. `since` as `utc_text` writes it."""

    credential: str
    kind: StaffCredentialKind
    label: str
    since: str


class StaffCredentials:
    """Every change is a leaf of the log, and ends the one-time code of the account."""

    def __init__(self, database: Database, journal: Journal, passwords: Passwords) -> None:
        self._database = database
        self._journal = journal
        self._passwords = passwords

    def set_password(self, staff: StaffId, password: str, access: Access, *, here: bytes = b"") -> None:
        """The password from now on; the one before it is refused, and every session but `here` is over.

        Raises PasswordRefused.
        """
        self._passwords.require_good(password, staff)
        stored = self._passwords.hash(password)
        with self._database.write() as connection:
            sessions.end_all(connection, staff, self._now, but=here)
            row = StaffCredentialRow(str(uuid4()), staff, StaffCredentialKind.PASSWORD, "", stored, self._now)
            self._put(connection, row, access)

    def add_passkey(self, staff: StaffId, passkey: NewPasskey, label: str, access: Access) -> None:
        """One more passkey; `label` is what its owner calls it. Raises InvalidInput, Conflict."""
        label = " ".join(label.split())
        if not 0 < len(label) <= _LONGEST_LABEL or not label.isprintable():
            raise InvalidInput(f"passkey: expected a name of 1 to {_LONGEST_LABEL} printable characters")
        row = StaffCredentialRow(
            passkey.credential,
            staff,
            StaffCredentialKind.PASSKEY,
            label,
            passkey.public_key,
            self._now,
            uses=passkey.uses,
        )
        with self._database.write() as connection:
            self._put(connection, row, access)

    def remove(self, staff: StaffId, credential: str, access: Access, *, here: bytes) -> None:
        """Refuse it from now on, and end every session but `here`: one may have been begun with it.

        Raises NotFound; Conflict for the last one, without which nobody could sign in.
        """
        with self._database.write() as connection:
            live = self._live(connection, staff)
            chosen = [item for item in live if item.credential == credential]
            if not chosen:
                raise NotFound("this account has no such credential")
            if len(live) == 1:
                raise Conflict("the last credential of an account cannot be removed; add another one first")
            ended = end(connection, chosen[0], self._now)
            sessions.end_all(connection, staff, self._now, but=here)
            records = {ended.log_name: ended.digest}
            self._journal.record(
                connection, EventKind.STAFF_CREDENTIAL_REVOKED, access, reason=ended.kind, records=records
            )

    def list(self, staff: StaffId) -> tuple[Held, ...]:
        """Passwords and passkeys that are valid now, oldest first."""
        with self._database.read() as connection:
            live = self._live(connection, staff)
        return tuple(
            Held(item.credential, StaffCredentialKind(item.kind), item.label, item.created_at)
            for item in live
            if item.kind != StaffCredentialKind.CODE
        )

    def _put(self, connection: Connection, row: StaffCredentialRow, access: Access) -> None:
        """The credential, and the end of what it takes the place of."""
        if table.credential(connection, row.credential) is not None:
            raise Conflict("this passkey is known already; use another one")
        replaced = {StaffCredentialKind.CODE, StaffCredentialKind.PASSWORD} & {StaffCredentialKind.CODE, row.kind}
        live = self._live(connection, row.staff)
        ended = [end(connection, item, self._now) for item in live if item.kind in replaced]
        table.add_credential(connection, row)
        records = {item.log_name: item.digest for item in (row, *ended)}
        self._journal.record(connection, EventKind.STAFF_CREDENTIAL_ADDED, access, reason=row.kind, records=records)

    def _live(self, connection: Connection, staff: StaffId) -> tuple[StaffCredentialRow, ...]:
        return tuple(item for item in table.credentials_of(connection, staff) if item.live(self._now))

    @property
    def _now(self) -> str:
        return utc_text(self._journal.now())
