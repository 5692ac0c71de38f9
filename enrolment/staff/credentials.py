"""What somebody proves themselves by, as they set it themselves: one password, and as many passkeys as they like."""

from dataclasses import dataclass
from uuid import uuid4

from enrolment.staff.accounts import CredentialKind, end
from enrolment.staff.passkeys import NewPasskey
from enrolment.staff.passwords import Passwords
from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.errors import Conflict, InvalidInput, NotFound
from idverify.ids import StaffId
from idverify.journal import Journal
from idverify.storage import staff as table
from idverify.storage.database import Connection, Database
from idverify.storage.staff import StaffCredentialRow

_LONGEST_LABEL = 60


@dataclass(frozen=True, slots=True)
class Held:
    """A credential as its owner sees it. `since` as `utc_text` writes it."""

    credential: str
    kind: CredentialKind
    label: str
    since: str


class StaffCredentials:
    """Every change is a leaf of the log, and ends the one-time code of the account."""

    def __init__(self, database: Database, journal: Journal, passwords: Passwords) -> None:
        self._database = database
        self._journal = journal
        self._passwords = passwords

    def set_password(self, staff: StaffId, password: str, access: Access) -> None:
        """The password from now on; the one before it is refused. Raises PasswordRefused."""
        self._passwords.require_good(password, staff)
        stored = self._passwords.hash(password)
        self._put(str(uuid4()), staff, CredentialKind.PASSWORD, "", stored, 0, access)

    def add_passkey(self, staff: StaffId, passkey: NewPasskey, label: str, access: Access) -> None:
        """One more passkey; `label` is what its owner calls it. Raises InvalidInput, Conflict."""
        label = " ".join(label.split())
        if not 0 < len(label) <= _LONGEST_LABEL or not label.isprintable():
            raise InvalidInput(f"passkey: expected a name of 1 to {_LONGEST_LABEL} printable characters")
        self._put(passkey.credential, staff, CredentialKind.PASSKEY, label, passkey.public_key, passkey.uses, access)

    def remove(self, staff: StaffId, credential: str, access: Access) -> None:
        """Refuse it from now on. Raises NotFound; Conflict for the last one, without which nobody could sign in."""
        with self._database.write() as connection:
            live = self._live(connection, staff)
            chosen = [item for item in live if item.credential == credential]
            if not chosen:
                raise NotFound("this account has no such credential")
            if len(live) == 1:
                raise Conflict("the last credential of an account cannot be removed; add another one first")
            ended = end(connection, chosen[0], utc_text(self._journal.now()))
            records = {ended.record: ended.digest}
            self._journal.record(
                connection, EventKind.STAFF_CREDENTIAL_REVOKED, access, reason=ended.kind, records=records
            )

    def list(self, staff: StaffId) -> tuple[Held, ...]:
        """Passwords and passkeys that are valid now, oldest first."""
        with self._database.read() as connection:
            live = self._live(connection, staff)
        return tuple(
            Held(item.credential, CredentialKind(item.kind), item.label, item.created_at)
            for item in live
            if item.kind != CredentialKind.CODE
        )

    def _put(
        self, name: str, staff: StaffId, kind: CredentialKind, label: str, stored: bytes, uses: int, access: Access
    ) -> None:
        with self._database.write() as connection:
            if table.credential(connection, name) is not None:
                raise Conflict("this passkey is known already; use another one")
            now = utc_text(self._journal.now())
            replaced = {CredentialKind.CODE, CredentialKind.PASSWORD} & {CredentialKind.CODE, kind}
            ended = [end(connection, item, now) for item in self._live(connection, staff) if item.kind in replaced]
            row = StaffCredentialRow(name, staff, kind, label, stored, now, uses=uses)
            table.add_credential(connection, row)
            records = {item.record: item.digest for item in (row, *ended)}
            self._journal.record(connection, EventKind.STAFF_CREDENTIAL_ADDED, access, reason=kind, records=records)

    def _live(self, connection: Connection, staff: StaffId) -> tuple[StaffCredentialRow, ...]:
        now = utc_text(self._journal.now())
        return tuple(item for item in table.credentials_of(connection, staff) if item.live(now))
