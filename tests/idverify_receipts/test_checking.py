"""A receipt passes every check or is named as none; a set without keys is an error and no verdict."""

import base64
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from idverify.receipts import Receipts
from idverify_receipts.checking import RECEIPT_TYPE, check
from idverify_receipts.errors import InvalidInput, ReceiptInvalid

SEED = bytes(31) + b"\x01"
FULL: dict[str, object] = {
    "aud": "revenue-authority",
    "jti": "r-1",
    "iat": 1_700_000_000,
    "exp": 1_700_000_300,
    "outcome": "match",
    "reason": "similarity_at_or_above_threshold",
    "request_digest": "sha256:00",
    "policy": "civil-register/fmr-1e-04",
    "audit_position": 7,
}


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"typ": "at+jwt"},
        {"typ": None},
        {"kid": "unknown"},
        {"crit": ["exp"]},
        {"jku": "https://elsewhere.example/jwks.json"},
        {"jwk": {"kty": "OKP"}},
    ],
)
def test_a_header_that_says_more_or_other_is_refused(header: dict[str, object]) -> None:
    receipts = Receipts([SEED], "d-1")
    signed = receipts.sign(FULL).split(".")
    told = {"alg": "EdDSA", "typ": RECEIPT_TYPE, "kid": receipts.key_id} | header
    forged = _encoded({name: value for name, value in told.items() if value is not None})
    with pytest.raises(ReceiptInvalid):
        check(".".join((forged, *signed[1:])), receipts.jwks())


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "..", "é.é.é", "\ud800.a.b", "x" * 70_000, "e30.e30.e30"])
def test_what_is_no_receipt_is_refused(text: str) -> None:
    with pytest.raises(ReceiptInvalid):
        check(text, Receipts([SEED], "d-1").jwks())


@pytest.mark.parametrize("time", [-1, 10**12, 10**30])
@pytest.mark.parametrize("name", ["iat", "exp"])
def test_a_time_that_no_calendar_has_is_refused(name: str, time: int) -> None:
    receipts = Receipts([SEED], "d-1")
    with pytest.raises(ReceiptInvalid, match="times of the years"):
        check(receipts.sign({**FULL, name: time}), receipts.jwks())


@pytest.mark.parametrize("name", ["iss", "aud", "jti", "iat", "exp", "request_digest", "audit_position"])
def test_a_receipt_without_one_of_its_claims_is_none(name: str) -> None:
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    receipts = Receipts([SEED], "d-1")
    claims = {claim: value for claim, value in {"iss": "d-1", **FULL}.items() if claim != name}
    signed = jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": receipts.key_id, "typ": RECEIPT_TYPE})
    with pytest.raises(ReceiptInvalid, match=name):
        check(signed, receipts.jwks())


@pytest.mark.parametrize(
    "jwks",
    [
        {},
        {"keys": []},
        {"keys": "x"},
        {"keys": [{"kty": "oct", "k": "AA"}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1"}]},
    ],
)
def test_a_set_of_no_keys_is_an_error_and_no_verdict(jwks: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as refused:
        check(Receipts([SEED], "d-1").sign(FULL), jwks)
    assert not isinstance(refused.value, ReceiptInvalid)


def _encoded(content: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
