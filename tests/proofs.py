"""What clients prove themselves by, made for tests: key pairs, signed assertions, certificates of an authority."""

import base64
import functools
import ipaddress
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@functools.cache
def key_of(algorithm: str) -> PrivateKey:
    """One private key for each algorithm that clients may sign by."""
    if algorithm == "EdDSA":
        return Ed25519PrivateKey.generate()
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65_537, 2048)


def pem(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def private_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def assertion(
    key: Any,
    client: str,
    audience: str,
    *,
    algorithm: str = "EdDSA",
    header: dict[str, Any] | None = None,
    now_s: float | None = None,
    **claims: Any,
) -> str:
    """A good assertion, or one with `claims` in the place of its own (None: without that claim)."""
    now_s = time.time() if now_s is None else now_s
    good = {"iss": client, "sub": client, "aud": audience, "exp": int(now_s) + 120, "jti": str(uuid4())}
    chosen = {name: value for name, value in {**good, **claims}.items() if value is not None}
    return jwt.encode(chosen, key, algorithm=algorithm, headers=header)


def flipped(token: str) -> str:
    """The token with one bit of its signature changed."""
    head, _, signature = token.rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))
    raw[0] ^= 1
    return f"{head}.{base64.urlsafe_b64encode(bytes(raw)).rstrip(b'=').decode()}"


@dataclass(frozen=True)
class Identity:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def thumbprint(self) -> str:
        digest = Hash(SHA256())
        digest.update(self.der)
        return base64.urlsafe_b64encode(digest.finalize()).rstrip(b"=").decode()


def authority(name: str = "Test Authority") -> Identity:
    """A new certificate authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _signed(name, key, _named(name), key, x509.BasicConstraints(ca=True, path_length=None))


def issued(by: Identity, name: str, *, server: bool = False) -> Identity:
    """A certificate for a client, or for a server on loopback."""
    key = ec.generate_private_key(ec.SECP256R1())
    usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    extensions: list[x509.ExtensionType] = [
        x509.ExtendedKeyUsage([usage]),
        x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
    ]
    return _signed(name, key, by.certificate.subject, by.key, *extensions)


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    *extensions: x509.ExtensionType,
) -> Identity:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer, _named(name), key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return Identity(builder.sign(issuer_key, SHA256()), key)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
