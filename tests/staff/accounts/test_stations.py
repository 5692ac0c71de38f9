"""Stations: activated once by their code, bound to sessions by their key, and nothing else passes for one."""

import base64
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from idverify.audit.events import EventKind
from idverify.ids import StationId
from staff.accounts.accounts import Role
from staff.accounts.refusals import StationUnknown
from staff.accounts.stations import CAPTURE, SIGN_IN, signed_bytes
from tests.browser import ADMINISTRATION, PASSWORD, Served
from tests.deployments import PAYROLL
from tests.visitors import Visitor, told, visiting


@dataclass
class Key:
    """What a station's browser holds."""

    private: ec.EllipticCurvePrivateKey

    @property
    def public(self) -> str:
        der = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return _encoded(der)

    def signature(self, purpose: str, message: bytes) -> bytes:
        r, s = decode_dss_signature(self.private.sign(signed_bytes(purpose, message), ec.ECDSA(SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture
def key() -> Key:
    return Key(ec.generate_private_key(ec.SECP256R1()))


def _activate(visitor: Visitor, key: Key, station: str, code: str) -> tuple[int, dict[str, str]]:
    challenge = visitor.send("/staff/stations/challenge", {}).json()["challenge"]
    body = {
        "station": station,
        "code": code,
        "challenge": challenge,
        "public_key": key.public,
        "signature": _encoded(key.signature("activation", challenge.encode())),
    }
    answer = visitor.send("/staff/stations/activate", body)
    return answer.status_code, answer.json()


def _at_station(visitor: Visitor, key: Key, station: str, name: str, *, purpose: str = SIGN_IN) -> dict[str, str]:
    """The fields of a sign-in form at a station."""
    challenge = visitor.send("/staff/sign-in/station-challenge", {}).json()["challenge"]
    return {
        "name": name,
        "password": PASSWORD,
        "station": station,
        "station_challenge": challenge,
        "station_signature": _encoded(key.signature(purpose, challenge.encode())),
    }


def test_a_code_activates_one_browser_once(site: Served, visitor: Visitor, key: Key) -> None:
    site.add_clerk("palesa", Role.SUPERVISOR)
    code = site.add_station("maseru-2")
    visitor.sign_in("palesa")
    wrong = (("maseru-2", "0000-0000-0000-0000"), ("maseru-3", code), ("no such name!", code))
    answers = [_activate(visitor, key, station, typed) for station, typed in wrong]
    assert {(status, problem["code"]) for status, problem in answers} == {(403, "activation_refused")}
    assert _activate(visitor, key, "Maseru-2 ", code.lower()) == (
        200,
        {"station": "maseru-2", "gallery": "civil-register"},
    )
    assert _activate(visitor, key, "maseru-2", code)[0] == 403
    assert told(site.engine, EventKind.STATION_ACTIVATED) == [("palesa", "maseru-2")]
    assert told(site.engine, EventKind.STAFF_REFUSED) == [("palesa", "activation_refused")] * 4


def test_a_session_is_bound_to_the_station_whose_key_signed_the_challenge(
    site: Served, visitor: Visitor, key: Key
) -> None:
    site.add_clerk("palesa", Role.SUPERVISOR)
    site.add_clerk("thabo")
    visitor.sign_in("palesa")
    _activate(visitor, key, "maseru-2", site.add_station("maseru-2"))
    fields = _at_station(visitor, key, "maseru-2", "thabo")
    visitor.post("/staff/sign-in", fields)
    assert "Station maseru-2" in visitor.get("/staff/").text
    # The same signature again, or from another browser, binds to nothing.
    with visiting(site) as another:
        for replaying in (visitor, another):
            replaying.post("/staff/sign-in", fields)
            assert "Not at a station" in replaying.get("/staff/").text
    refused = told(site.engine, EventKind.STAFF_REFUSED)
    assert refused == [("thabo", "nonce_foreign")] * 2
    # A signature for something else is none for signing in, and another key is not the station's.
    visitor.post("/staff/sign-in", _at_station(visitor, key, "maseru-2", "thabo", purpose=CAPTURE))
    other = Key(ec.generate_private_key(ec.SECP256R1()))
    visitor.post("/staff/sign-in", _at_station(visitor, other, "maseru-2", "thabo"))
    assert told(site.engine, EventKind.STAFF_REFUSED)[2:] == [("thabo", "station_unknown")] * 2


def test_a_suspended_or_renewed_station_is_none(site: Served, visitor: Visitor, key: Key) -> None:
    site.add_clerk("palesa", Role.SUPERVISOR)
    site.add_clerk("thabo")
    visitor.sign_in("palesa")
    station = StationId("maseru-2")
    _activate(visitor, key, station, site.add_station(station))
    with visiting(site) as clerk:
        for change, bound in (
            (site.staff.stations.suspend, False),
            (site.staff.stations.resume, True),
            (site.staff.stations.renew, False),
        ):
            change(station, ADMINISTRATION)
            clerk.post("/staff/sign-in", _at_station(clerk, key, station, "thabo"))
            assert ("Station maseru-2" in clerk.get("/staff/").text) is bound


def test_only_a_supervisor_of_its_register_activates_a_station(site: Served, visitor: Visitor, key: Key) -> None:
    site.add_clerk("thabo")
    site.add_clerk("palesa", Role.SUPERVISOR)
    code = site.add_station("treasury-1", PAYROLL)
    visitor.sign_in("thabo")
    assert visitor.get("/staff/stations/activate").status_code == 403
    visitor.sign_in("palesa")
    assert _activate(visitor, key, "treasury-1", code)[0] == 403
    assert told(site.engine, EventKind.STAFF_REFUSED) == [("thabo", "role_missing"), ("palesa", "gallery_foreign")]
    assert [station.activated for station in site.staff.stations.list()] == [False]


def test_what_was_not_signed_by_an_active_stations_key_is_refused(site: Served, key: Key) -> None:
    site.add_station("maseru-2")
    signature = key.signature(CAPTURE, b"a capture")
    for station in ("maseru-2", "nowhere"):
        with site.engine.database.read() as connection, pytest.raises(StationUnknown):
            site.staff.stations.require_signed(connection, StationId(station), CAPTURE, b"a capture", signature)
