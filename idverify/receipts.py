"""Signed answers: compact JWS (EdDSA) that anybody holding the public key can check later, offline."""

import base64
import hashlib
from collections.abc import Mapping

import jwt
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TYPE = "idverify-receipt+jwt"
ALGORITHM = "EdDSA"


class Receipts:
    """Signs the claims of answers with the deployment's Ed25519 answer key (RFC 8037)."""

    def __init__(self, seed: bytes) -> None:
        """`seed`: the 32 secret bytes of the answer-signing service key."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._jwk = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(public)}
        # RFC 7638: the key id is the thumbprint of the required members in canonical order.
        self.key_id = _base64url(hashlib.sha256(rfc8785.dumps(self._jwk)).digest())

    def sign(self, claims: Mapping[str, object]) -> str:
        """The compact JWS of `claims`; its header names type and key."""
        return jwt.encode(dict(claims), self._key, algorithm=ALGORITHM, headers={"kid": self.key_id, "typ": TYPE})

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public key as a JWK set (RFC 7517), for `/.well-known/jwks.json`."""
        return {"keys": [self._jwk | {"kid": self.key_id, "use": "sig", "alg": ALGORITHM}]}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
