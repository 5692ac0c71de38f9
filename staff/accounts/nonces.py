"""Issues and spends nonces: what carries one was made recently and is accepted once."""

import hashlib
import secrets
from datetime import timedelta
from enum import StrEnum

from idverify.audit.events import utc_text
from idverify.ids import StaffId, StationId
from idverify.storage import nonces as table
from idverify.storage.database import Connection
from idverify.storage.nonces import NonceRow
from idverify.stored.audit_journal import Journal
from staff.accounts.refusals import NonceForeign, NonceReplayed, NonceUnknown

_BYTES = 32


class NonceKind(StrEnum):
    """What a nonce is good for, and for nothing else."""

    CAPTURE = "capture"
    PASSKEY = "passkey"
    STATION = "station"


class Nonces:
    """Issues and spends, each in the caller's transaction."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def issue(
        self,
        connection: Connection,
        kind: NonceKind,
        lifetime: timedelta,
        *,
        session: bytes | None = None,
        staff: StaffId | None = None,
        station: StationId | None = None,
    ) -> str:
        """A new one (base64url, 43 characters), bound to whatever is named here."""
        now = self._journal.now()
        table.drop_expired(connection, utc_text(now))
        text = secrets.token_urlsafe(_BYTES)
        row = NonceRow(
            nonce=_digest(text),
            kind=kind,
            issued_at=utc_text(now),
            expires_at=utc_text(now + lifetime),
            session=session,
            staff=staff,
            station=station,
        )
        table.add(connection, row)
        return text

    def spend(
        self,
        connection: Connection,
        text: str,
        kind: NonceKind,
        *,
        session: bytes | None = None,
        station: StationId | None = None,
    ) -> NonceRow:
        """Use it up; returns to whom it was issued and when. The use stands when the transaction commits.

        1. it was issued for this kind of act and has not expired: NonceUnknown;
        2. where it is bound to a session or a station, it comes from there: NonceForeign;
        3. it was not used before, by one statement: NonceReplayed.
        """
        now = utc_text(self._journal.now())
        row = table.find(connection, _digest(text))
        # 1. Issued, for this.
        if row is None or row.kind != kind or row.expires_at <= now:
            raise NonceUnknown("this one-use number was never given out for this, or has expired")
        # 2. To this browser.
        if (row.session is not None and row.session != session) or (row.station is not None and row.station != station):
            raise NonceForeign("this one-use number was given to another session or station")
        # 3. Once.
        if not table.spend(connection, row.nonce, now):
            raise NonceReplayed("this one-use number was used before")
        return row


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
