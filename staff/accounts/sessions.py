"""Sessions of staff: the browser holds a random token, the database its HMAC. Ended sessions are distinguished
from unknown tokens.

Without the HMAC's key, which is not in the database, nobody can add a session to it. A session ends at sign-out, at the
end of its lifetime and when its account is suspended or recovered; it locks after idle time, and only its own person
unlocks it.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.ids import GalleryId, StaffId, StationId
from idverify.protection.keyring import Keyring, SecretPurpose
from idverify.settings import Settings
from idverify.storage import staff as accounts
from idverify.storage import staff_sessions as table
from idverify.storage import stations
from idverify.storage.database import Connection, Database
from idverify.storage.staff import StaffRow
from idverify.storage.staff_sessions import StaffSessionRow
from idverify.stored.audit_journal import Journal
from staff.accounts.accounts import Role
from staff.accounts.refusals import GalleryForeign, RoleMissing, SessionEnded, StationUnknown
from staff.accounts.stations import Station, station_of

_TOKEN_BYTES = 32
_TOUCH_EVERY = timedelta(seconds=20)
"""A sign of life is written down no more often than that."""


@dataclass(frozen=True, slots=True)
class StaffSession:
    """Somebody who is signed in. `session` is what is stored of the token; `station` None: at no station."""

    staff: StaffId
    display_name: str
    roles: frozenset[Role]
    galleries: frozenset[GalleryId]
    station: Station | None
    language: str
    provisional: bool
    locked: bool
    expires_at: str
    session: bytes = field(repr=False)
    csrf_token: str = field(repr=False)

    @property
    def station_id(self) -> StationId | None:
        return None if self.station is None else self.station.station

    def require_role(self, *roles: Role) -> None:
        """Raises RoleMissing unless the account has one of `roles`."""
        if self.roles.isdisjoint(roles):
            raise RoleMissing(f"this needs the role {' or '.join(roles)}")

    def require_gallery(self, gallery: GalleryId) -> None:
        """Raises GalleryForeign."""
        if gallery not in self.galleries:
            raise GalleryForeign("this account may not work in that gallery")

    def require_station(self) -> Station:
        """The active station of this session. Raises StationUnknown, GalleryForeign."""
        if self.station is None or self.station.suspended:
            raise StationUnknown("this session is bound to no active station")
        self.require_gallery(self.station.gallery)
        return self.station


class Sessions:
    """Starts, finds, locks and ends sessions; each of these but the finding is a leaf of the log."""

    def __init__(self, database: Database, journal: Journal, settings: Settings, keyring: Keyring) -> None:
        self._database = database
        self._journal = journal
        self._hmac_key = keyring.derived(SecretPurpose.STAFF_SESSIONS)
        self._lifetime = timedelta(seconds=settings.session_lifetime_s)
        self._idle_lock = timedelta(seconds=settings.session_idle_lock_s)

    def start(
        self,
        connection: Connection,
        staff: StaffId,
        *,
        by: str,
        station: StationId | None,
        access: Access,
        replaces: bytes | None = None,
    ) -> str:
        """The token of a new session, never one that the browser brought (fixation); the one it replaces is over.

        `by`: the kind of credential; a one-time code gives a session that is good for setting another one only.
        """
        now = self._journal.now()
        table.drop_expired(connection, utc_text(now))
        if replaces is not None:
            table.end(connection, replaces, utc_text(now))
        token = new_token()
        row = StaffSessionRow(
            session=self.name_of(token),
            staff=staff,
            station=station,
            provisional=by == "code",
            started_at=utc_text(now),
            seen_at=utc_text(now),
            expires_at=utc_text(now + self._lifetime),
        )
        table.add(connection, row)
        self._journal.record(connection, EventKind.STAFF_SIGNED_IN, access, reason=by)
        return token

    def find(self, token: str, access: Access, *, alive: bool = True) -> StaffSession | None:
        """The session of that token, locked or not; None for a token that never was one's.

        `alive`: this request is a sign of life. Raises SessionEnded.
        """
        with self._database.read() as connection:
            row = table.find(connection, self.name_of(token))
            account = None if row is None else accounts.find(connection, row.staff)
            station = None if row is None or row.station is None else stations.find(connection, row.station)
        if row is None or account is None:
            return None
        now = self._journal.now()
        if row.ended_at is not None or row.expires_at <= utc_text(now) or account.status != accounts.ACTIVE:
            raise SessionEnded("this session has ended; sign in again", clerk=row.staff)
        idle = now - datetime.fromisoformat(row.seen_at)
        if row.locked_at is None and idle > self._idle_lock:
            found = _session_of(row, account, None if station is None else station_of(station), token, locked=True)
            self.lock(found, access, reason="idle")
            return found
        if row.locked_at is None and alive and idle > _TOUCH_EVERY:
            with self._database.write() as connection:
                table.touch(connection, row.session, utc_text(now))
        locked = row.locked_at is not None
        return _session_of(row, account, None if station is None else station_of(station), token, locked=locked)

    def name_of(self, token: str) -> bytes:
        """What is stored of a token, of a session's or of one that nobody has signed in with yet."""
        return hmac.digest(self._hmac_key, b"staff session:" + token.encode(), hashlib.sha256)

    def lock(self, session: StaffSession, access: Access, *, reason: str) -> None:
        """Nothing is shown or done any more until the same person unlocks it."""
        with self._database.write() as connection:
            if table.lock(connection, session.session, utc_text(self._journal.now())):
                by = Access(access.request, access.purpose, clerk=session.staff, station=session.station_id)
                self._journal.record(connection, EventKind.STAFF_LOCKED, by, reason=reason)

    def unlock(self, connection: Connection, session: StaffSession, access: Access, *, by: str) -> None:
        """Its person has proved themselves again, by that kind of credential."""
        table.unlock(connection, session.session, utc_text(self._journal.now()))
        self._journal.record(connection, EventKind.STAFF_UNLOCKED, access, reason=by)

    def end(self, session: StaffSession, access: Access) -> None:
        """Sign out: the token is good for nothing from now on, wherever a copy of it is."""
        with self._database.write() as connection:
            table.end(connection, session.session, utc_text(self._journal.now()))
            self._journal.record(connection, EventKind.STAFF_SIGNED_OUT, access)


def new_token() -> str:
    """256 random bits, as a cookie holds them."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def csrf_of(token: str) -> str:
    """The CSRF token that belongs to a session's token: only who can read our pages knows it."""
    mac = hmac.digest(token.encode(), b"idverify csrf", hashlib.sha256)
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def _session_of(
    row: StaffSessionRow, account: StaffRow, station: Station | None, token: str, *, locked: bool
) -> StaffSession:
    return StaffSession(
        staff=row.staff,
        display_name=account.display_name,
        roles=frozenset(Role(role) for role in account.roles),
        galleries=frozenset(account.galleries),
        station=station,
        language=account.language,
        provisional=row.provisional,
        locked=locked,
        expires_at=row.expires_at,
        session=row.session,
        csrf_token=csrf_of(token),
    )
