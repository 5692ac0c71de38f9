"""Checks signatures that an enrolment station made with the private key in its browser; it signs nothing."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from idverify.errors import InvalidInput

_HALF_BYTES = 32
"""WebCrypto writes an ECDSA signature on P-256 as r and s, 32 bytes each (IEEE P1363), not in DER."""


def require_station_key(public_key: bytes) -> None:
    """Raises InvalidInput unless `public_key` is a P-256 public key in DER (SubjectPublicKeyInfo)."""
    _opened(public_key)


def signed_by_station(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) is ECDSA P-256 with SHA-256 over `message` by the key's holder."""
    if len(signature) != 2 * _HALF_BYTES:
        return False
    r, s = (int.from_bytes(half) for half in (signature[:_HALF_BYTES], signature[_HALF_BYTES:]))
    try:
        _opened(public_key).verify(encode_dss_signature(r, s), message, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _opened(public_key: bytes) -> EllipticCurvePublicKey:
    try:
        key = load_der_public_key(public_key)
    except ValueError:
        raise InvalidInput("station key: expected a public key in DER form") from None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise InvalidInput("station key: expected a P-256 public key")
    return key
