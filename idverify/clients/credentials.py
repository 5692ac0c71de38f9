"""The credentials of a client: a secret key, a public key whose private half only the client holds, or a certificate.

It must not keep a secret: of a secret key only the HMAC may be stored.
"""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

import jwt
import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from idverify.errors import InvalidInput
from idverify.ids import ClientId

SECRET_BYTES = 32
KEY_PREFIX = "idv."
"""How every secret key begins. An access token never begins so: it begins with an encoded `{`."""
_RSA_MIN_BITS = 2048
_IDENTIFYING: tuple[str, ...] = ("crv", "e", "kty", "n", "x", "y")

ClientPublicKey = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey


class CredentialKind(StrEnum):
    SECRET = "secret"  # noqa: S105  a name
    PUBLIC_KEY = "public-key"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Credential:
    """`name` may be shown and logged: a digest, of a public key its RFC 7638 thumbprint, of a certificate x5t#S256."""

    kind: CredentialKind
    name: str
    stored: bytes = field(repr=False)

    @classmethod
    def of_secret(cls, stored: bytes) -> Self:
        """`stored`: what `secret_hmac` made of the secret."""
        return cls(CredentialKind.SECRET, hashlib.sha256(stored).hexdigest()[:16], stored)

    @classmethod
    def of_public_key(cls, content: bytes) -> Self:
        """From a PEM public key or a JWK: Ed25519, P-256 or RSA of at least 2048 bits. Raises InvalidInput."""
        key = _parsed(content)
        members: dict[str, str] = dict(jwt.get_algorithm_by_name(algorithm_of(key)).to_jwk(key, as_dict=True))
        # RFC 7638 section 3.2: the members that identify a key, and no others.
        required: dict[str, str] = {name: members[name] for name in _IDENTIFYING if name in members}
        thumbprint = base64url(hashlib.sha256(rfc8785.dumps(required)).digest())
        return cls(
            CredentialKind.PUBLIC_KEY, thumbprint, key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )

    @classmethod
    def of_certificate(cls, content: bytes) -> Self:
        """From a PEM certificate, of which only the digest is kept. Raises InvalidInput."""
        try:
            der = x509.load_pem_x509_certificate(content).public_bytes(Encoding.DER)
        except ValueError:
            raise InvalidInput("certificate: expected one X.509 certificate in PEM form") from None
        digest = hashlib.sha256(der).digest()
        return cls(CredentialKind.CERTIFICATE, base64url(digest), digest)


def new_key(client: ClientId) -> tuple[str, bytes]:
    """A fresh secret key as its holder sends it, and its bytes."""
    secret = secrets.token_bytes(SECRET_BYTES)
    return f"{KEY_PREFIX}{client}.{base64url(secret)}", secret


def secret_hmac(hmac_key: bytes, secret: bytes) -> bytes:
    """What is stored of a secret; `hmac_key` is the secret of SecretPurpose.CLIENT_SECRETS."""
    return hmac.digest(hmac_key, secret, hashlib.sha256)


def stored_public_key(stored: bytes) -> ClientPublicKey:
    """The key of a stored public-key credential. Raises InvalidInput for a kind of key that is not taken."""
    key = load_der_public_key(stored)
    if not isinstance(key, ClientPublicKey):
        raise InvalidInput("public key: of a kind that is not taken")
    return key


def algorithm_of(key: ClientPublicKey) -> str:
    """The one JWS algorithm (RFC 7518, RFC 8037) that this key verifies. Raises InvalidInput for a weak key."""
    if isinstance(key, Ed25519PublicKey):
        return "EdDSA"
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return "ES256"
    if isinstance(key, RSAPublicKey) and key.key_size >= _RSA_MIN_BITS:
        return "PS256"
    raise InvalidInput(f"public key: expected Ed25519, P-256 or RSA of at least {_RSA_MIN_BITS} bits")


def base64url(data: bytes) -> str:
    """Without padding, as in JOSE (RFC 7515)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _parsed(content: bytes) -> ClientPublicKey:
    try:
        key = _from_jwk(content) if content.lstrip().startswith(b"{") else load_pem_public_key(content)
    except (ValueError, TypeError, RecursionError, jwt.PyJWTError):
        raise InvalidInput("public key: expected a PEM public key (not a private one) or one JWK") from None
    if not isinstance(key, ClientPublicKey):
        # A private JWK is parsed as a private key. Its holder must make another one, because this one was shown to us.
        raise InvalidInput("public key: expected the public half of an Ed25519, P-256 or RSA key, and nothing else")
    return key


def _from_jwk(content: bytes) -> object:
    members = json.loads(content)
    return jwt.PyJWK(members, algorithm=_algorithm_of_jwk(members)).key


def _algorithm_of_jwk(members: dict[str, object]) -> str:
    """Chosen by kind, whatever "alg" says: a symmetric key finds none."""
    names = {"OKP": "EdDSA", "EC": "ES256", "RSA": "PS256"}
    kind = members.get("kty")
    if not isinstance(kind, str) or kind not in names:
        raise ValueError("kty")
    return names[kind]
