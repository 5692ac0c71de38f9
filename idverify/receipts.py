"""Signs answers as compact JWS (EdDSA) that anybody who holds the public keys can check later, offline.

It checks none: `idverify_receipts.checking` does, in a distribution of its own that needs nothing of this library.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence

import jwt
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from idverify_receipts.checking import ALGORITHM, RECEIPT_TYPE


class Receipts:
    """Signs the claims of answers with the deployment's newest Ed25519 answer key (RFC 8037)."""

    def __init__(self, seeds: Sequence[bytes], issuer: str) -> None:
        """`seeds`: the 32 secret bytes of each answer-signing key, the newest first; `issuer`: the deployment."""
        keys = [Ed25519PrivateKey.from_private_bytes(seed) for seed in seeds]
        self._key = keys[0]
        self._jwks = [_jwk(key) for key in keys]
        self.key_id = self._jwks[0]["kid"]
        self.issuer = issuer

    def sign(self, claims: Mapping[str, object], *, type_: str = RECEIPT_TYPE) -> str:
        """The compact JWS of `claims` and the issuer; its header names type and key."""
        headers = {"kid": self.key_id, "typ": type_}
        return jwt.encode({"iss": self.issuer, **claims}, self._key, algorithm=ALGORITHM, headers=headers)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Every public key that ever signed, the newest first, as a JWK set (RFC 7517)."""
        return {"keys": [dict(key) for key in self._jwks]}


def _jwk(key: Ed25519PrivateKey) -> dict[str, str]:
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(public)}
    # RFC 7638: the key id is the thumbprint of the required members in canonical order.
    return jwk | {"kid": _base64url(hashlib.sha256(rfc8785.dumps(jwk)).digest()), "use": "sig", "alg": ALGORITHM}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
