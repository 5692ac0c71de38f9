"""Opens captures that a station's browser sealed for this service; it holds the private keys and seals nothing.

HPKE in base mode (RFC 9180): DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, single shot. What a capture belongs
to goes into HPKE's `info`, which is bound to the key like associated data is: a capture that was sealed for another
deployment, station, capture id or nonce does not open. Base mode proves nobody's identity; the station's signature
does.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from idverify.errors import KeyUnavailable, SealBroken
from idverify.protection.keyring import Keyring, ServiceKeyKind

ENCAPSULATED_BYTES = 65
"""An uncompressed point of P-256, which stands before the ciphertext."""
OVERHEAD_BYTES = ENCAPSULATED_BYTES + 16
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256's group (FIPS 186-5)


@dataclass(frozen=True, slots=True)
class CaptureContext:
    """What one sealed capture belongs to; none of the fields may hold a line break."""

    station: str
    capture: str
    nonce: str

    def info(self, deployment: str) -> bytes:
        """HPKE's `info`; the station's page writes the same lines (enrolment/station/static/sealing.js)."""
        fields = (deployment, self.station, self.capture, self.nonce)
        if any("\n" in field for field in fields):
            raise SealBroken("sealed capture: a name in its context holds a line break")
        return "\n".join(("idverify capture 1", *fields)).encode()


@dataclass(frozen=True, slots=True)
class CapturePublicKey:
    """What a station seals to: `point` is the uncompressed point of P-256, 65 bytes; `key_id` is made from it."""

    key_id: str
    point: bytes


class CaptureKeys:
    """The key pairs of one deployment, one for each version of its capture-sealing key."""

    __slots__ = ("_by_id", "_current", "_deployment", "_keyring")

    def __init__(self, deployment: str, keyring: Keyring) -> None:
        self._deployment = deployment
        self._keyring = keyring
        self._read(keyring)

    @property
    def deployment(self) -> str:
        return self._deployment

    @property
    def current(self) -> CapturePublicKey:
        """The key to seal the next captures to."""
        return self._current

    def open(self, key_id: str, sealed: bytes, context: CaptureContext) -> bytes:
        """The plaintext of `sealed` (encapsulated key, then ciphertext).

        Raises KeyUnavailable for a key that no version of this deployment has, SealBroken when anything was altered or
        the context is another.
        """
        key = self._by_id.get(key_id)
        if key is None:  # rotated by another process since
            self._read(self._keyring.reread())
            key = self._by_id.get(key_id)
        if key is None:
            raise KeyUnavailable("sealed capture: its key is none of this deployment's; take the capture again")
        if len(sealed) < OVERHEAD_BYTES:
            raise SealBroken(f"sealed capture: expected at least {OVERHEAD_BYTES} bytes, got {len(sealed)}")
        try:
            return _suite().decrypt(sealed, key, context.info(self._deployment))
        except (InvalidTag, ValueError) as error:  # ValueError: the encapsulated key is no point of the curve
            raise SealBroken("sealed capture: altered, or sealed for another station, capture or nonce") from error

    def _read(self, keyring: Keyring) -> None:
        pairs = [_private_key(secret) for secret in keyring.every_version(ServiceKeyKind.CAPTURE_SEALING)]
        self._by_id = {_public(pair).key_id: pair for pair in pairs}
        self._current = _public(pairs[0])

    def __repr__(self) -> str:
        return f"CaptureKeys(current {self._current.key_id}, keys withheld)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


def _suite() -> Suite:
    return Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def _private_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """The key pair of a 32-byte secret: FIPS 186-5 A.2.1 on 48 bytes by HKDF, so that its bias is below 2**-128."""
    extra = HKDF(algorithm=SHA256(), length=48, salt=None, info=b"idverify capture sealing 1").derive(secret)
    return ec.derive_private_key(int.from_bytes(extra, "big") % (_ORDER - 1) + 1, ec.SECP256R1())


def _public(pair: ec.EllipticCurvePrivateKey) -> CapturePublicKey:
    point = pair.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    key_id = base64.urlsafe_b64encode(hashlib.sha256(point).digest()[:16]).rstrip(b"=").decode()
    return CapturePublicKey(key_id, point)
