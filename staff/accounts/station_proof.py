"""Binds a session to the station whose key its browser proves to hold; a failed proof binds it to no station."""

import base64
import binascii
from dataclasses import dataclass

from idverify.access import Access
from idverify.audit.events import EventKind
from idverify.engine import Engine
from idverify.errors import InvalidInput
from idverify.ids import RequestId, StaffId, StationId, station_id
from staff.accounts.composition import Staff
from staff.accounts.nonces import NonceKind
from staff.accounts.refusals import NonceForeign, NonceReplayed, NonceUnknown, StationUnknown
from staff.accounts.stations import SIGN_IN


@dataclass(frozen=True, slots=True)
class StationProof:
    """The station's name, the challenge that it was given, and its signature (base64url); all "": no station."""

    station: str
    challenge: str
    signature: str


def proved_station(
    engine: Engine, staff: Staff, proof: StationProof, session: bytes, clerk: StaffId, request_id: str
) -> StationId | None:
    """The station, or None.

    Whoever signs in at a browser that is no station any more may do so all the same, at no station: a supervisor must
    be able to activate it again. The failed proof is a leaf of the log.
    """
    if not proof.station:
        return None
    try:
        with engine.database.write() as connection:
            staff.nonces.spend(connection, proof.challenge, NonceKind.STATION, session=session)
            station = staff.stations.require_signed(
                connection,
                station_id(proof.station),
                SIGN_IN,
                proof.challenge.encode(),
                decoded(proof.signature),
            )
    except (StationUnknown, NonceUnknown, NonceForeign, NonceReplayed, InvalidInput) as error:
        access = Access(RequestId(request_id), "sign-in", clerk=clerk)
        with engine.database.write() as connection:
            engine.journal.record(connection, EventKind.STAFF_REFUSED, access, reason=error.code)
        return None
    return station.station


def decoded(text: str) -> bytes:
    """The bytes of base64url without padding. Raises InvalidInput."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("expected base64url") from None
