"""Opens captures that come from a station, and issues and spends the nonces that make each count once.

A capture is sealed in the browser, signed by the station's key, and holds a nonce of the server. No frame is decoded
here.

1. the station of the session signed exactly this capture, nonce and content: StationUnknown;
2. it opens for this deployment, station, capture and nonce: SealBroken, KeyUnavailable;
3. the nonce is spent in the transaction that takes the capture: NonceUnknown, NonceForeign, NonceReplayed.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

from enrolment.station.capture_package import CapturePackage, unpacked
from idverify.errors import InvalidInput, KeyUnavailable, SealBroken
from idverify.ids import StaffId
from idverify.protection.capture_sealing import CaptureContext, CaptureKeys
from idverify.storage.database import Connection, Database
from staff.accounts.nonces import NonceKind, Nonces
from staff.accounts.sessions import StaffSession
from staff.accounts.station_proof import decoded
from staff.accounts.stations import CAPTURE, Stations

NONCE_LIFETIME = timedelta(hours=1)
"""Of a nonce for a page that is open; those for offline captures live for days (a setting)."""


class CaptureBroken(InvalidInput):
    """The capture does not open: altered, or sealed for something else, or to a key that is gone."""

    code = "capture_broken"


@dataclass(frozen=True, slots=True)
class SealedCapture:
    """A capture as it came from the browser; nothing of it is verified yet."""

    capture: str
    nonce: str
    key_id: str
    signature: str = field(repr=False)
    sealed: bytes = field(repr=False)

    @property
    def signed(self) -> bytes:
        """What the station signed: static/sealing.js writes the same."""
        return f"{self.capture}\n{self.nonce}\n{hashlib.sha256(self.sealed).hexdigest()}".encode()


@dataclass(frozen=True, slots=True)
class CaptureSealingKey:
    """The deployment's public key that captures are sealed to; `point` is base64url of 65 bytes."""

    deployment: str
    key_id: str
    point: str


class ReceivedCaptures:
    """The captures and nonces of one deployment's stations."""

    def __init__(
        self,
        database: Database,
        capture_keys: CaptureKeys,
        stations: Stations,
        nonces: Nonces,
        offline_nonce_lifetime: timedelta,
    ) -> None:
        self._database = database
        self._capture_keys = capture_keys
        self._stations = stations
        self._nonces = nonces
        self.offline_nonce_lifetime = offline_nonce_lifetime

    @property
    def sealing_key(self) -> CaptureSealingKey:
        """The key to seal the next captures to."""
        key = self._capture_keys.current
        point = base64.urlsafe_b64encode(key.point).rstrip(b"=").decode()
        return CaptureSealingKey(self._capture_keys.deployment, key.key_id, point)

    def open(self, session: StaffSession, sealed_capture: SealedCapture) -> CapturePackage:
        """The content of the capture. Raises StationUnknown, CaptureBroken, InvalidInput."""
        station = session.require_station().station
        with self._database.read() as connection:  # 1
            self._stations.require_signed(
                connection, station, CAPTURE, sealed_capture.signed, decoded(sealed_capture.signature)
            )
        try:  # 2
            context = CaptureContext(station, sealed_capture.capture, sealed_capture.nonce)
            content = self._capture_keys.open(sealed_capture.key_id, sealed_capture.sealed, context)
        except (SealBroken, KeyUnavailable):
            raise CaptureBroken("the capture does not open; take it again") from None
        return unpacked(content)

    def issue(self, session: StaffSession) -> str:
        """A nonce for a capture in this session, at its station."""
        with self._database.write() as connection:
            return self._nonces.issue(
                connection,
                NonceKind.CAPTURE,
                NONCE_LIFETIME,
                session=session.session,
                staff=session.staff,
                station=session.require_station().station,
            )

    def issue_offline(self, session: StaffSession, count: int) -> list[str]:
        """That many nonces for captures of this clerk at this station, in whatever session they are sent."""
        with self._database.write() as connection:
            return [
                self._nonces.issue(
                    connection,
                    NonceKind.CAPTURE,
                    self.offline_nonce_lifetime,
                    staff=session.staff,
                    station=session.station_id,
                )
                for _ in range(count)
            ]

    def spend(self, connection: Connection, session: StaffSession, sealed_capture: SealedCapture) -> StaffId | None:
        """Use the nonce up; returns to whom it was given."""  # 3
        station = session.require_station().station
        row = self._nonces.spend(
            connection, sealed_capture.nonce, NonceKind.CAPTURE, session=session.session, station=station
        )
        return row.staff
