"""Accounts of staff: administrators add, suspend, resume and recover them; every change is an audit leaf."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import uuid4

from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.errors import Conflict, InvalidInput, NotFound
from idverify.ids import GalleryId, StaffId
from idverify.storage import staff as table
from idverify.storage import staff_sessions as sessions
from idverify.storage.database import Connection, Database
from idverify.storage.staff import StaffCredentialRow, StaffRow
from idverify.stored.audit_journal import Journal
from staff.accounts.one_time_codes import LIFETIME, new_code

LANGUAGES = ("en", "st", "sw")
"""English, Sesotho, Kiswahili (ISO 639-1)."""
_LONGEST_NAME = 80


class Role(StrEnum):
    """What a member of staff is there for."""

    CLERK = "clerk"
    SUPERVISOR = "supervisor"
    ANALYST = "analyst"
    LEAD_ANALYST = "lead_analyst"


class StaffCredentialKind(StrEnum):
    PASSWORD = "password"  # noqa: S105  a name
    PASSKEY = "passkey"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Account:
    """A member of staff. `signs_in_by`: the kinds of credential that are valid now."""

    staff: StaffId
    display_name: str
    roles: frozenset[Role]
    galleries: frozenset[GalleryId]
    language: str
    suspended: bool
    signs_in_by: frozenset[StaffCredentialKind]


class Accounts:
    """What administrators do with accounts."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal

    def add(
        self,
        staff: StaffId,
        *,
        display_name: str,
        roles: Iterable[Role],
        galleries: Iterable[GalleryId],
        language: str,
        access: Access,
    ) -> str:
        """A new account and the one-time code of its first sign-in, shown this once. Raises InvalidInput, Conflict."""
        row = StaffRow(
            staff=staff,
            display_name=_display_name(display_name),
            roles=tuple(sorted(set(roles))),
            galleries=tuple(sorted(set(galleries))),
            created_at=utc_text(self._journal.now()),
            language=_language(language),
        )
        if not row.roles or not row.galleries:
            raise InvalidInput("account: expected at least one role and one gallery")
        with self._database.write() as connection:
            if table.find(connection, staff) is not None:
                raise Conflict(f"account {staff} exists already; choose another name, or suspend it first")
            table.add(connection, row)
            code, credential = self._hand_out_code(connection, staff)
            records = {row.log_name: row.digest, credential.log_name: credential.digest}
            self._journal.record(connection, EventKind.STAFF_ADDED, access, reason=staff, records=records)
        return code

    def change(
        self, staff: StaffId, *, roles: Iterable[Role] = (), galleries: Iterable[GalleryId] = (), access: Access
    ) -> None:
        """Other roles, other galleries, or both; what is not given stays. It holds in running sessions, too.

        Raises NotFound.
        """
        with self._database.write() as connection:
            row = _found(connection, staff)
            changed = replace(
                row,
                roles=tuple(sorted(set(roles))) or row.roles,
                galleries=tuple(sorted(set(galleries))) or row.galleries,
            )
            table.set_rights(connection, changed)
            records = {changed.log_name: changed.digest}
            self._journal.record(connection, EventKind.STAFF_CHANGED, access, reason=staff, records=records)

    def suspend(self, staff: StaffId, access: Access) -> None:
        """Nobody signs in by this account from now on, and its sessions are over. Raises NotFound."""
        with self._database.write() as connection:
            sessions.end_all(connection, staff, utc_text(self._journal.now()))
            self._set_status(connection, staff, table.SUSPENDED, EventKind.STAFF_SUSPENDED, access)

    def resume(self, staff: StaffId, access: Access) -> None:
        """Raises NotFound."""
        with self._database.write() as connection:
            self._set_status(connection, staff, table.ACTIVE, EventKind.STAFF_RESUMED, access)

    def recover(self, staff: StaffId, access: Access) -> str:
        """End every session and credential of somebody who cannot get in; a one-time code to begin again with.

        Raises NotFound.
        """
        with self._database.write() as connection:
            row = _found(connection, staff)
            now = utc_text(self._journal.now())
            sessions.end_all(connection, staff, now)
            ended = [end(connection, item, now) for item in table.credentials_of(connection, staff) if item.live(now)]
            code, credential = self._hand_out_code(connection, staff)
            records = {row.log_name: row.digest} | {item.log_name: item.digest for item in (credential, *ended)}
            self._journal.record(connection, EventKind.STAFF_RECOVERED, access, reason=staff, records=records)
        return code

    def list(self) -> tuple[Account, ...]:
        """All accounts by name."""
        now = utc_text(self._journal.now())
        with self._database.read() as connection:
            live = [item for item in table.all_credentials(connection) if item.live(now)]
            return tuple(
                account_of(row, [item for item in live if item.staff == row.staff])
                for row in table.all_staff(connection)
            )

    def set_language(self, staff: StaffId, language: str) -> None:
        """In which language pages greet this person from now on. Raises InvalidInput."""
        with self._database.write() as connection:
            table.set_language(connection, staff, _language(language))

    def _set_status(
        self, connection: Connection, staff: StaffId, status: str, event: EventKind, access: Access
    ) -> None:
        row = replace(_found(connection, staff), status=status)
        table.set_status(connection, staff, status)
        self._journal.record(connection, event, access, reason=staff, records={row.log_name: row.digest})

    def _hand_out_code(self, connection: Connection, staff: StaffId) -> tuple[str, StaffCredentialRow]:
        code, stored = new_code()
        now = self._journal.now()
        until = utc_text(now + LIFETIME)
        row = StaffCredentialRow(str(uuid4()), staff, StaffCredentialKind.CODE, "", stored, utc_text(now), until)
        table.add_credential(connection, row)
        return code, row


def account_of(row: StaffRow, live: Iterable[StaffCredentialRow]) -> Account:
    """`live`: the credentials that are valid now."""
    return Account(
        staff=row.staff,
        display_name=row.display_name,
        roles=frozenset(Role(role) for role in row.roles),
        galleries=frozenset(row.galleries),
        language=row.language,
        suspended=row.status != table.ACTIVE,
        signs_in_by=frozenset(StaffCredentialKind(item.kind) for item in live),
    )


def end(connection: Connection, row: StaffCredentialRow, now: str) -> StaffCredentialRow:
    """The credential is valid no more; returns the row to log."""
    table.end_credential(connection, row, now)
    return replace(row, expires_at=now)


def _found(connection: Connection, staff: StaffId) -> StaffRow:
    row = table.find(connection, staff)
    if row is None:
        raise NotFound(f"no account {staff}; `python -m enrolment staff list` shows them")
    return row


def _language(text: str) -> str:
    if text not in LANGUAGES:
        raise InvalidInput(f"language: expected one of {', '.join(LANGUAGES)}")
    return text


def _display_name(text: str) -> str:
    name = " ".join(text.split())
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise InvalidInput(f"display name: expected 1 to {_LONGEST_NAME} printable characters")
    return name
