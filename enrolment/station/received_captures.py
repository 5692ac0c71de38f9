"""How a capture comes from a station: sealed in the browser, signed by the station's key, with a nonce of the server.

1. the station of the session signed exactly this capture, nonce and content: StationUnknown;
2. it opens for this deployment, station, capture and nonce: SealBroken, KeyUnavailable;
3. the nonce is spent in the transaction that takes the capture: NonceUnknown, NonceForeign, NonceReplayed.
"""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

from fastapi import Header, Request

from enrolment.station.capture_package import CapturePackage, unpacked
from idverify.engine import Engine
from idverify.errors import InvalidInput, KeyUnavailable, SealBroken
from idverify.ids import StaffId
from idverify.protection.capture_sealing import CaptureContext
from idverify.storage.database import Connection
from staff.accounts.nonces import NonceKind
from staff.accounts.parts import Staff
from staff.accounts.sessions import StaffSession
from staff.accounts.station_proof import decoded
from staff.accounts.stations import CAPTURE

NONCE_LIFETIME = timedelta(hours=1)
"""Of a nonce for a page that is open; those for captures out of reach live for days (a setting)."""
_CAPTURE_ID = re.compile(r"[0-9a-f-]{36}")


class CaptureBroken(InvalidInput):
    """The capture does not open: altered, or sealed for something else, or to a key that is gone."""

    code = "capture_broken"


@dataclass(frozen=True, slots=True)
class SealedCapture:
    """A capture as it came: all of it but `sealed` was chosen by the browser, and nothing of it is believed yet."""

    capture: str
    nonce: str
    key_id: str
    signature: str = field(repr=False)
    sealed: bytes = field(repr=False)

    @property
    def signed(self) -> bytes:
        """What the station signed: static/sealing.js writes the same."""
        return f"{self.capture}\n{self.nonce}\n{hashlib.sha256(self.sealed).hexdigest()}".encode()


async def sealed_capture(
    request: Request,
    capture: Annotated[str, Header(alias="Capture-Id", max_length=36)],
    nonce: Annotated[str, Header(alias="Capture-Nonce", max_length=100)],
    key: Annotated[str, Header(alias="Capture-Key", max_length=100)],
    signature: Annotated[str, Header(alias="Capture-Signature", max_length=100)],
) -> SealedCapture:
    """The body, within the cap of its address, and the headers beside it. Raises InvalidInput."""
    if not _CAPTURE_ID.fullmatch(capture):
        raise InvalidInput("capture id: expected a UUID")
    return SealedCapture(capture, nonce, key, signature, await request.body())


def opened(engine: Engine, staff: Staff, session: StaffSession, sealed_capture: SealedCapture) -> CapturePackage:
    """What is in it. Raises StationUnknown, CaptureBroken, InvalidInput."""
    station = session.require_station().station
    with engine.database.read() as connection:  # 1
        staff.stations.require_signed(
            connection, station, CAPTURE, sealed_capture.signed, decoded(sealed_capture.signature)
        )
    try:  # 2
        context = CaptureContext(station, sealed_capture.capture, sealed_capture.nonce)
        content = engine.capture_keys.open(sealed_capture.key_id, sealed_capture.sealed, context)
    except (SealBroken, KeyUnavailable):
        raise CaptureBroken("the capture does not open; take it again") from None
    return unpacked(content)


def issue(engine: Engine, staff: Staff, session: StaffSession) -> str:
    """A nonce for a capture in this session, at its station."""
    with engine.database.write() as connection:
        return staff.nonces.issue(
            connection,
            NonceKind.CAPTURE,
            NONCE_LIFETIME,
            session=session.session,
            staff=session.staff,
            station=session.require_station().station,
        )


def spend(connection: Connection, staff: Staff, session: StaffSession, sealed_capture: SealedCapture) -> StaffId | None:
    """Use the nonce up; returns to whom it was given."""  # 3
    station = session.require_station().station
    row = staff.nonces.spend(
        connection, sealed_capture.nonce, NonceKind.CAPTURE, session=session.session, station=station
    )
    return row.staff
