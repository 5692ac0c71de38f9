"""What a station's browser signs verifies for its key and its message only."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from idverify.errors import InvalidInput
from idverify.protection.station_signature import require_station_key, signed_by_station

DER = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _signature(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def test_a_signature_holds_for_its_key_and_message_only(key: ec.EllipticCurvePrivateKey) -> None:
    public = key.public_key().public_bytes(*DER)
    signature = _signature(key, b"message")
    assert signed_by_station(public, b"message", signature)
    assert not signed_by_station(public, b"another", signature)
    other = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(*DER)
    assert not signed_by_station(other, b"message", signature)
    for wrong in (b"", signature[:-1], signature + b"x", bytes(64), signature[:-1] + bytes([signature[-1] ^ 1])):
        assert not signed_by_station(public, b"message", wrong)
    # What DER-speaking libraries write is another form, which browsers do not send.
    assert not signed_by_station(public, b"message", key.sign(b"message", ec.ECDSA(SHA256())))


def test_only_a_p256_public_key_is_taken(key: ec.EllipticCurvePrivateKey) -> None:
    require_station_key(key.public_key().public_bytes(*DER))
    others = (
        ec.generate_private_key(ec.SECP384R1()).public_key().public_bytes(*DER),
        ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(*DER),
        key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        b"",
    )
    for other in others:
        with pytest.raises(InvalidInput, match="station key: expected a"):
            require_station_key(other)
