"""Calls a deployment as an agency does at the API, and as the browser of an enrolment station does.

What a station's browser does is written down here once more and not taken from the service, so that both must agree.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from tests.browser import Served
from tests.visitors import Visitor, visiting

PURPOSE = "tax-filing"
STATION = "/staff/station/"
_HELD = re.compile(r'data-([a-z]+)="([^"]*)"')


def agency(site: Served, key: str) -> httpx.Client:
    """An agency's HTTP client with its key, or with an access token; "": one without any."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(base_url=site.url, headers=headers, timeout=30, trust_env=False)


def verify(
    client: httpx.Client, person: str, photograph: bytes, *, gallery: str = "civil-register", once: str | None = None
) -> httpx.Response:
    """Ask whether the photograph shows that person; `once` is the Idempotency-Key."""
    form = {"gallery": gallery, "purpose": PURPOSE, "person": person}
    headers = {} if once is None else {"Idempotency-Key": once}
    return client.post("/v1/verifications", data=form, files={"image": photograph}, headers=headers)


def search(client: httpx.Client, photograph: bytes, *, gallery: str = "civil-register") -> httpx.Response:
    """Ask who in the gallery it is."""
    form = {"gallery": gallery, "purpose": PURPOSE}
    return client.post("/v1/identifications", data=form, files={"image": photograph})


def base64url(data: bytes) -> str:
    """Without padding, as browsers write it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True)
class StationKey:
    """The key that a station's browser holds."""

    private: ec.EllipticCurvePrivateKey

    @classmethod
    def new(cls) -> "StationKey":
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def of_pem(cls, text: str) -> "StationKey":
        private = load_pem_private_key(text.encode(), None)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        return cls(private)

    @property
    def pem(self) -> str:
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    @property
    def public(self) -> str:
        return base64url(self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    def signature(self, purpose: str, message: str) -> str:
        """Over `message` for `purpose`: r and s, 32 bytes each."""
        signed = self.private.sign(f"idverify station {purpose}\n{message}".encode(), ec.ECDSA(SHA256()))
        r, s = decode_dss_signature(signed)
        return base64url(r.to_bytes(32) + s.to_bytes(32))


@dataclass(frozen=True)
class SealTo:
    """What a station seals a capture to: the service's key and a nonce."""

    deployment: str
    station: str
    key: str
    point: str
    nonce: str

    def parcel(self, station: StationKey, photographs: list[bytes], about: dict[str, Any]) -> "Parcel":
        """The photographs, sealed and signed under a new capture id."""
        capture = str(uuid4())
        head = json.dumps({**about, "frames": [len(one) for one in photographs]}).encode()
        packed = len(head).to_bytes(4) + head + b"".join(photographs)
        point = base64.urlsafe_b64decode(self.point + "=" * (-len(self.point) % 4))
        to = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        info = "\n".join(("idverify capture 1", self.deployment, self.station, capture, self.nonce)).encode()
        sealed = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM).encrypt(packed, to, info)
        signed = f"{capture}\n{self.nonce}\n{hashlib.sha256(sealed).hexdigest()}"
        headers = {
            "Capture-Id": capture,
            "Capture-Nonce": self.nonce,
            "Capture-Key": self.key,
            "Capture-Signature": station.signature("capture", signed),
        }
        return Parcel(headers, sealed)


@dataclass(frozen=True)
class Parcel:
    """A sealed capture with the headers that it is sent with."""

    headers: dict[str, str]
    sealed: bytes


@dataclass(frozen=True)
class StationBrowser:
    """A browser that holds a station's key."""

    site: Served
    visitor: Visitor
    station: str
    key: StationKey

    def activate(self, code: str) -> None:
        """A supervisor is signed in and enters the code."""
        challenge = self.visitor.send("/staff/stations/challenge", {}).json()["challenge"]
        body = {
            "station": self.station,
            "code": code,
            "challenge": challenge,
            "public_key": self.key.public,
            "signature": self.key.signature("activation", challenge),
        }
        answer = self.visitor.send("/staff/stations/activate", body)
        assert answer.status_code == 200, answer.text

    def sign_in(self, name: str, password: str) -> None:
        """At this station."""
        challenge = self.visitor.send("/staff/sign-in/station-challenge", {}).json()["challenge"]
        fields = {
            "name": name,
            "password": password,
            "station": self.station,
            "station_challenge": challenge,
            "station_signature": self.key.signature("sign-in", challenge),
        }
        answer = self.visitor.post("/staff/sign-in", fields)
        assert answer.status_code == 303, answer.text
        assert f"Station {self.station}" in self.visitor.get("/staff/").text

    def begin(self, number: str) -> str:
        """A visit of that person, to be photographed next; its id."""
        answer = self.visitor.post(f"{STATION}visits", {"number": number}, page=STATION)
        assert answer.status_code == 303, answer.text
        visit = answer.headers["location"].rpartition("/")[2]
        self.act(visit, "basis", basis="consent")
        return str(visit)

    def act(self, visit: str, act: str, **fields: str) -> None:
        """Send one of the forms of the visit."""
        address = f"{STATION}visits/{visit}"
        answer = self.visitor.post(f"{address}/{act}", fields, page=address)
        assert answer.status_code == 303, answer.text

    def page(self, visit: str) -> str:
        """The visit as it is now."""
        answer = self.visitor.get(f"{STATION}visits/{visit}")
        assert answer.status_code == 200, answer.text
        return answer.text

    def capture(self, visit: str, photograph: bytes) -> None:
        """Take a photograph into the visit."""
        held = dict(_HELD.findall(self.page(visit)))
        names = ("deployment", "station", "key", "point", "nonce")
        seal_to = SealTo(*(html.unescape(held[name]) for name in names))
        parcel = seal_to.parcel(self.key, [photograph], {"source": "camera"})
        answer = self.send(parcel, f"{STATION}visits/{visit}/captures")
        assert answer.status_code == 200, answer.text

    def supplies(self) -> SealTo:
        """What it takes along for a photograph out of the service's reach."""
        given = self.visitor.send(f"{STATION}away/supplies", {}, page=STATION).json()
        return SealTo(given["deployment"], given["station"], given["key_id"], given["point"], given["nonces"][0])

    def send(self, parcel: Parcel, address: str) -> httpx.Response:
        """Send a sealed capture."""
        headers = {
            "Origin": self.site.url,
            "X-CSRF-Token": self.visitor.csrf(STATION),
            "Accept": "application/json",
            "Content-Type": "application/octet-stream",
            **parcel.headers,
        }
        return self.visitor.http.post(address, content=parcel.sealed, headers=headers)


@contextmanager
def signed_in(site: Served, name: str, password: str) -> Iterator[Visitor]:
    """A browser in which that member of staff is signed in, at no station."""
    with visiting(site) as visitor:
        answer = visitor.sign_in(name, password)
        assert answer.status_code == 303, answer.text
        yield visitor


@contextmanager
def at_station(site: Served, station: Mapping[str, str], password: str) -> Iterator[StationBrowser]:
    """The clerk at the station; `station` has its name, private key and clerk."""
    with visiting(site) as visitor:
        browser = StationBrowser(site, visitor, station["name"], StationKey.of_pem(station["private_key"]))
        browser.sign_in(station["clerk"], password)
        yield browser
