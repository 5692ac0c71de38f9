"""Checks that a signed answer is genuine: a compact JWS (EdDSA) against the published keys, offline.

It never decides whether an answer is still good: expiry is for the caller to see. It asks no service and no network.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jwt
from jwt.types import Options

from idverify_receipts.errors import InvalidInput, ReceiptInvalid

RECEIPT_TYPE = "idverify-receipt+jwt"
ALGORITHM = "EdDSA"
MAX_CHARACTERS = 64 * 1024
"""More than the longest receipt: one of a search that found a hundred people."""
_LAST_SECOND = 253_402_300_799
"""The last second of the year 9999."""
_KINDS = {
    RECEIPT_TYPE: "a receipt",
    "idverify-report+jwt": "the signature of a report",
    "idverify-instruction+jwt": "an instruction",
}
"""What the service signs, by the header's type."""
_HEADER = frozenset({"alg", "kid", "typ"})
_CLAIMS = ("iss", "aud", "jti", "iat", "exp", "outcome", "reason", "request_digest", "policy", "audit_position")
_SAID_ALIKE = (
    "outcome",
    "reason",
    "gallery",
    "purpose",
    "policy",
    "audit_position",
    "demonstration",
    "population",
    "presentation_attack",
)


def check(receipt: str, jwks: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of a genuine receipt; whether it has expired meanwhile is for the caller to see in `exp`.

    Raises ReceiptInvalid saying which of the numbered checks failed, InvalidInput when `jwks` is no JWK set.
    """
    claims = check_signed(receipt, jwks, type_=RECEIPT_TYPE, required=_CLAIMS)
    # 5. The times are times: PyJWT was told not to judge them.
    if not all(type(claims[name]) is int for name in ("iat", "exp", "audit_position")):
        raise ReceiptInvalid("expected whole numbers for iat, exp and audit_position")
    if not all(0 <= claims[name] <= _LAST_SECOND for name in ("iat", "exp")):
        raise ReceiptInvalid("expected times of the years 1970 to 9999 for iat and exp")
    return claims


def check_signed(receipt: str, jwks: Mapping[str, Any], *, type_: str, required: Sequence[str]) -> dict[str, Any]:
    """The claims of what the service signed as `type_`: a receipt, or another statement of this service.

    Raises ReceiptInvalid saying which of the numbered checks failed, InvalidInput when `jwks` is no JWK set.
    """
    # 1. The form, before anything is decoded.
    if len(receipt) > MAX_CHARACTERS or receipt.count(".") != 2 or not receipt.isascii():
        raise ReceiptInvalid(f"expected a compact JWS: three parts, at most {MAX_CHARACTERS:,} characters")
    # 2. The header names algorithm, type and key and nothing else: no key of its own, no extension (crit).
    try:
        header = jwt.get_unverified_header(receipt)
    except jwt.InvalidTokenError:
        raise ReceiptInvalid("the header of the receipt can not be read") from None
    if header.get("typ") in _KINDS and header["typ"] != type_:
        raise ReceiptInvalid(f"this is {_KINDS[header['typ']]}, not {_KINDS.get(type_, type_)}")
    if header.keys() != _HEADER or (header["alg"], header["typ"]) != (ALGORITHM, type_):
        raise ReceiptInvalid(f"expected a header of alg {ALGORITHM}, typ {type_} and kid, and nothing else")
    # 3. The key is one of those given.
    key = _keys_of(jwks).get(header["kid"])
    if key is None:
        raise ReceiptInvalid(
            "signed by a key that is not among the given ones: another deployment, or keys from before a rotation; "
            "fetch /.well-known/jwks.json of the deployment that the receipt is said to come from"
        )
    # 4. The signature, over exactly these bytes.
    unjudged: Options = {"verify_exp": False, "verify_aud": False, "verify_iat": False, "require": list(required)}
    try:
        claims: dict[str, Any] = jwt.decode(receipt, key, algorithms=[ALGORITHM], options=unjudged)
    except jwt.MissingRequiredClaimError as error:
        raise ReceiptInvalid(f"the claim {error.claim} is missing") from None
    except jwt.InvalidTokenError:
        raise ReceiptInvalid("the signature does not fit: the receipt was altered") from None
    return claims


def agree(answer: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Raises ReceiptInvalid naming the first field of the answer that its receipt does not bear out."""
    said = {
        "person": claims.get("sub"),
        "request_id": claims["jti"],
        "candidates": claims.get("candidates"),
        "nonce": claims.get("nonce"),
    }
    said |= {name: claims.get(name) for name in _SAID_ALIKE}
    for name, value in said.items():
        shown = answer.get(name)
        if name == "candidates" and isinstance(shown, list):
            shown = [one.get("person") if isinstance(one, dict) else one for one in shown]
        if shown != value:
            raise ReceiptInvalid(f"the answer's field {name} is not what the receipt says")


def _keys_of(jwks: Mapping[str, Any]) -> dict[str, jwt.PyJWK]:
    """The Ed25519 keys of a set by their ids. Raises InvalidInput when there is none."""
    listed = jwks.get("keys")
    fit = [
        one
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict) and (one.get("kty"), one.get("crv")) == ("OKP", "Ed25519") and one.get("kid")
    ]
    try:
        keys = {one["kid"]: jwt.PyJWK.from_dict(one, ALGORITHM) for one in fit}
    except (jwt.PyJWTError, ValueError, TypeError):
        keys = {}
    if not keys:
        raise InvalidInput("keys: expected a JWK set with at least one Ed25519 key, as /.well-known/jwks.json gives it")
    return keys
