"""Authenticates staff by password, one-time code or passkey; a failure is recorded and never says what was wrong.

1. wrong tries in a row make the next one wait, for unknown names as for known ones;
2. the same argon2id work is done and the same answer given whether the name is known or not;
3. a suspended account is answered like an unknown one;
4. a passkey signs a challenge that this browser was given, once, after its user was verified.
"""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn

from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.errors import InvalidInput
from idverify.ids import StaffId, staff_id
from idverify.storage import staff as table
from idverify.storage.database import Connection, Database
from idverify.storage.staff import StaffCredentialRow
from idverify.stored.audit_journal import Journal
from staff.accounts.accounts import StaffCredentialKind
from staff.accounts.nonces import NonceKind, Nonces
from staff.accounts.one_time_codes import stored_code
from staff.accounts.passkeys import RelyingParty
from staff.accounts.passwords import Passwords
from staff.accounts.refusals import NonceForeign, NonceReplayed, NonceUnknown, SignInRefused
from staff.accounts.throttle import Throttle

CHALLENGE_LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Proved:
    """Whose credential it was, and of which kind; `credential` is its row."""

    staff: StaffId
    kind: StaffCredentialKind
    credential: StaffCredentialRow


class SignIn:
    """Finds out whose password, code or passkey it is; starting a session is the caller's."""

    def __init__(
        self, database: Database, journal: Journal, passwords: Passwords, throttle: Throttle, nonces: Nonces
    ) -> None:
        self._database = database
        self._journal = journal
        self._passwords = passwords
        self._throttle = throttle
        self._nonces = nonces

    def by_password(self, name: str, password: str, access: Access) -> Proved:
        """Raises SignInRefused, QuotaExceeded."""
        staff = self._admitted(name, access)
        live = self._live(staff, StaffCredentialKind.PASSWORD)
        # 2. The same work for everybody.
        if not self._passwords.fits(live[0].stored if live else None, password):
            self._refuse(staff, access, "wrong_password")
        return self._proved(live[0])

    def by_code(self, name: str, code: str, access: Access) -> Proved:
        """The one-time code of a first sign-in or a recovery. Raises SignInRefused, QuotaExceeded."""
        staff = self._admitted(name, access)
        offered = stored_code(code)
        fitting = [
            item for item in self._live(staff, StaffCredentialKind.CODE) if hmac.compare_digest(item.stored, offered)
        ]
        if not fitting:
            self._refuse(staff, access, "wrong_code")
        return self._proved(fitting[0])

    def by_passkey(
        self, answer: dict[str, object], challenge: str, session: bytes, party: RelyingParty, access: Access
    ) -> Proved:
        """`session`: what is stored of the cookie that the challenge was given to. Raises SignInRefused."""
        with self._database.read() as connection:
            row = table.credential(connection, str(answer.get("id", "")))
        live = self._live(None if row is None else row.staff, StaffCredentialKind.PASSKEY)
        held = next((item for item in live if row is not None and item.credential == row.credential), None)
        try:
            # 4. The challenge, once.
            with self._database.write() as connection:
                self._nonces.spend(connection, challenge, NonceKind.PASSKEY, session=session)
            if held is None:
                raise SignInRefused("the passkey does not fit")
            uses = party.signed(answer, challenge, held.stored, held.uses)
        except (SignInRefused, NonceUnknown, NonceForeign, NonceReplayed):
            self._refuse(None if row is None else row.staff, access, "wrong_passkey")
        with self._database.write() as connection:
            table.count_use(connection, held, uses)
        return self._proved(held)

    def _admitted(self, name: str, access: Access) -> StaffId | None:
        """The account's name, None for text that can be none's, which waits its turn just the same."""
        text = name.strip().lower()
        try:
            staff = staff_id(text)
        except InvalidInput:
            staff = None
        # 1. Not too many in a row.
        with self._database.write() as connection:
            refusal = self._throttle.admit(connection, text, self._journal.now())
            if refusal is not None:
                self._note_failure(connection, staff, access, "throttled")
        if refusal is not None:
            raise refusal
        return staff

    def _live(self, staff: StaffId | None, kind: StaffCredentialKind) -> list[StaffCredentialRow]:
        """The account's valid credentials of that kind; none of a suspended account."""
        if staff is None:
            return []
        now = utc_text(self._journal.now())
        with self._database.read() as connection:
            account = table.find(connection, staff)
            # 3. A suspended account is like an unknown one.
            if account is None or account.status != table.ACTIVE:
                return []
            credentials = table.credentials_of(connection, staff)
        return [item for item in credentials if item.kind == kind and item.live(now)]

    def _proved(self, credential: StaffCredentialRow) -> Proved:
        with self._database.write() as connection:
            self._throttle.succeed(connection, credential.staff)
        return Proved(credential.staff, StaffCredentialKind(credential.kind), credential)

    def _refuse(self, staff: StaffId | None, access: Access, reason: str) -> NoReturn:
        with self._database.write() as connection:
            self._note_failure(connection, staff, access, reason)
        raise SignInRefused("name and credential do not go together")

    def _note_failure(self, connection: Connection, staff: StaffId | None, access: Access, reason: str) -> None:
        # A name that nobody has is not written down: people type their password there.
        known = staff is not None and table.find(connection, staff) is not None
        by = Access(access.request, access.purpose, clerk=staff if known else None, station=access.station)
        self._journal.record(connection, EventKind.STAFF_SIGN_IN_FAILED, by, reason=reason if known else "unknown_name")
