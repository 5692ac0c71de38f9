"""Signed answers are checked by anybody with a JWT library and the published keys, and by nothing else."""

import base64
import json

import jwt
import pytest

from idverify import keys
from idverify.receipts import Receipts
from idverify_receipts.checking import RECEIPT_TYPE, check
from idverify_receipts.errors import ReceiptInvalid
from tests.deployments import Register, access

# RFC 8037, appendix A.1 and A.3: a private key, and the thumbprint of its public half.
RFC8037_SEED = base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
RFC8037_PUBLIC = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
RFC8037_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
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
CLAIMS = {"decision": "match", "request": "r-1", "exp": 4_102_444_800}


def test_the_key_id_is_the_thumbprint_of_rfc_7638() -> None:
    receipts = Receipts([RFC8037_SEED], "d-1")
    (key,) = receipts.jwks()["keys"]
    assert (key["kty"], key["crv"], key["x"]) == ("OKP", "Ed25519", RFC8037_PUBLIC)
    assert key["kid"] == receipts.key_id == RFC8037_THUMBPRINT
    assert "d" not in key


def test_the_example_of_rfc_8037_is_signed_alike() -> None:
    """Appendix A.4: the same key over the same signing input gives this signature."""
    key = jwt.PyJWK.from_dict({**Receipts([RFC8037_SEED], "d-1").jwks()["keys"][0]})
    compact = (
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    )
    assert jwt.PyJWS().decode(compact, key, algorithms=["EdDSA"]) == b"Example of Ed25519 signing"


def test_a_receipt_verifies_with_the_published_keys() -> None:
    receipts = Receipts([RFC8037_SEED], "d-1")
    receipt = receipts.sign(CLAIMS)
    published = jwt.PyJWKSet.from_dict(json.loads(json.dumps(receipts.jwks())))
    header = jwt.get_unverified_header(receipt)
    assert header == {"alg": "EdDSA", "typ": RECEIPT_TYPE, "kid": RFC8037_THUMBPRINT}
    assert jwt.decode(receipt, published[header["kid"]], algorithms=["EdDSA"]) == {"iss": "d-1", **CLAIMS}


def test_a_changed_receipt_does_not_verify() -> None:
    receipts = Receipts([RFC8037_SEED], "d-1")
    key = jwt.PyJWK.from_dict(receipts.jwks()["keys"][0])
    header, payload, signature = receipts.sign({**CLAIMS, "decision": "no_match"}).split(".")
    better = _encoded({**CLAIMS, "decision": "match"})
    other_signature = receipts.sign(CLAIMS).rpartition(".")[2]
    unsigned = _encoded({"alg": "none", "typ": RECEIPT_TYPE, "kid": receipts.key_id})
    for forged in (
        f"{header}.{better}.{signature}",
        f"{header}.{payload}.{other_signature}",
        f"{header}.{payload}.",
        f"{unsigned}.{better}.",
        Receipts([bytes(32)], "d-1").sign(CLAIMS),
    ):
        with pytest.raises(jwt.InvalidTokenError):
            jwt.decode(forged, key, algorithms=["EdDSA"])


def test_a_deployment_signs_with_the_same_key_after_a_restart_and_another_with_another(own_register: Register) -> None:
    receipts = own_register.engine.receipts
    assert own_register.another().receipts.jwks() == receipts.jwks()
    assert receipts.key_id != RFC8037_THUMBPRINT


def test_a_receipt_of_before_a_rotation_is_checked_with_the_keys_of_after(own_register: Register) -> None:
    engine = own_register.engine
    before = engine.receipts.sign(FULL)
    for _ in range(2):
        keys.rotate(engine.database, own_register.settings.root_keys, engine.deployment.keys, engine.journal, access())
    restarted = own_register.another().receipts
    published = restarted.jwks()
    assert len({key["kid"] for key in published["keys"]}) == 3
    assert published["keys"][0]["kid"] == restarted.key_id != engine.receipts.key_id
    after = restarted.sign(FULL)
    for receipt in (before, after):
        assert check(receipt, published) == {"iss": restarted.issuer, **FULL}
    with pytest.raises(ReceiptInvalid, match="not among the given ones"):
        check(after, engine.receipts.jwks())


def _encoded(content: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
