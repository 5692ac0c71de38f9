"""Enrolment stations: added by an administrator, activated in one browser, then identified by that browser's key."""

import hmac
from dataclasses import dataclass

from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.errors import Conflict, NotFound
from idverify.ids import GalleryId, StationId
from idverify.protection.station_signature import require_station_key, signed_by_station
from idverify.storage import galleries
from idverify.storage import stations as table
from idverify.storage.database import Connection, Database
from idverify.storage.stations import StationRow
from idverify.stored.audit_journal import Journal
from staff.accounts.nonces import NonceKind, Nonces
from staff.accounts.one_time_codes import LIFETIME, new_code, stored_code
from staff.accounts.refusals import ActivationRefused, StationUnknown

ACTIVATION = "activation"
SIGN_IN = "sign-in"
CAPTURE = "capture"
"""What a station signs for; it stands in what is signed, so that a signature for one is none for another."""


@dataclass(frozen=True, slots=True)
class Station:
    """A station; `activated`: a browser holds its key."""

    station: StationId
    gallery: GalleryId
    suspended: bool
    activated: bool


class Stations:
    """Every change is audited."""

    def __init__(self, database: Database, journal: Journal, nonces: Nonces) -> None:
        self._database = database
        self._journal = journal
        self._nonces = nonces

    def add(self, station: StationId, gallery: GalleryId, access: Access) -> str:
        """A new station and its activation code, shown this once. Raises GalleryNotFound, Conflict."""
        code, stored = new_code()
        with self._database.write() as connection:
            galleries.get(connection, gallery)
            if table.find(connection, station) is not None:
                raise Conflict(f"station {station} exists already; `stations renew` gives it to another browser")
            now = self._journal.now()
            row = StationRow(station, gallery, utc_text(now), code=stored, code_expires_at=utc_text(now + LIFETIME))
            table.add(connection, row)
            self._record(connection, EventKind.STATION_ADDED, access, row)
        return code

    def renew(self, station: StationId, access: Access) -> str:
        """Forget the browser that is the station now; a code to activate another one. Raises NotFound."""
        code, stored = new_code()
        with self._database.write() as connection:
            until = utc_text(self._journal.now() + LIFETIME)
            row = table.change(
                connection, _found(connection, station), public_key=None, code=stored, code_expires_at=until
            )
            self._record(connection, EventKind.STATION_RENEWED, access, row)
        return code

    def suspend(self, station: StationId, access: Access) -> None:
        """Nothing from this station is taken from now on. Raises NotFound."""
        self._set_status(station, table.SUSPENDED, EventKind.STATION_SUSPENDED, access)

    def resume(self, station: StationId, access: Access) -> None:
        """Raises NotFound."""
        self._set_status(station, table.ACTIVE, EventKind.STATION_RESUMED, access)

    def list(self) -> tuple[Station, ...]:
        """All stations by name."""
        with self._database.read() as connection:
            return tuple(station_of(row) for row in table.all_stations(connection))

    def activate(
        self,
        connection: Connection,
        station: StationId,
        *,
        code: str,
        challenge: str,
        session: bytes,
        public_key: bytes,
        signature: bytes,
        access: Access,
    ) -> Station:
        """Make the browser that holds `public_key` (P-256, DER) the station, in the caller's transaction.

        1. the code is this station's, unused and not expired: ActivationRefused, also for a station that is not there;
        2. the browser holds the private key: it signed a challenge that this session was given: StationUnknown,
           NonceUnknown and its kind.
        """
        row = table.find(connection, station)
        # 1. The code.
        now = utc_text(self._journal.now())
        expected = b"" if row is None or row.code is None or (row.code_expires_at or "") <= now else row.code
        if row is None or not hmac.compare_digest(expected, stored_code(code)):
            raise ActivationRefused("the station's name or its activation code is wrong, used or expired")
        # 2. The key.
        self._nonces.spend(connection, challenge, NonceKind.STATION, session=session)
        require_station_key(public_key)
        if not signed_by_station(public_key, signed_bytes(ACTIVATION, challenge.encode()), signature):
            raise StationUnknown("the browser did not sign with the key that it offered")
        activated = table.change(connection, row, public_key=public_key, code=None, code_expires_at=None)
        self._record(connection, EventKind.STATION_ACTIVATED, access, activated)
        return station_of(activated)

    def require_signed(
        self, connection: Connection, station: StationId, purpose: str, message: bytes, signature: bytes
    ) -> Station:
        """The active station whose key signed `message` for `purpose`. Raises StationUnknown, whatever is wrong."""
        row = table.find(connection, station)
        if (
            row is None
            or row.status != table.ACTIVE
            or row.public_key is None
            or not signed_by_station(row.public_key, signed_bytes(purpose, message), signature)
        ):
            raise StationUnknown("this was not signed by the key of an active station")
        return station_of(row)

    def _set_status(self, station: StationId, status: str, event: EventKind, access: Access) -> None:
        with self._database.write() as connection:
            row = table.change(connection, _found(connection, station), status=status)
            self._record(connection, event, access, row)

    def _record(self, connection: Connection, event: EventKind, access: Access, row: StationRow) -> None:
        self._journal.record(
            connection, event, access, reason=row.station, gallery=row.gallery, records={row.log_name: row.digest}
        )


def signed_bytes(purpose: str, message: bytes) -> bytes:
    """What a station's key signs: `station-key.js` puts the same line in front."""
    return f"idverify station {purpose}\n".encode() + message


def station_of(row: StationRow) -> Station:
    return Station(row.station, row.gallery, row.status != table.ACTIVE, row.public_key is not None)


def _found(connection: Connection, station: StationId) -> StationRow:
    row = table.find(connection, station)
    if row is None:
        raise NotFound(f"no station {station}; `python -m enrolment stations list` shows them")
    return row
