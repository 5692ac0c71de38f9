"""Every secret by purpose is, to the byte, the one that the first release used, and nothing else gives such a secret.

The literals were computed by the code of the first release from the keys of `tests.keyrings`, those of later purposes
by the code that brought them. None may ever change.
"""

import ast
from collections import Counter
from pathlib import Path

import pytest

from idverify.protection import keyring as module
from idverify.protection.keyring import SecretPurpose, ServiceKeyKind
from tests.keyrings import CLIENT_HMAC, PERSON_HMAC, fixed_keyring

REPOSITORY = Path(__file__).resolve().parents[3]
PRODUCT = ("idverify", "staff", "pages", "enrolment", "analysis", "api", "benchmarks", "demo")
OF_A_KIND = {
    SecretPurpose.ATTEMPT_COUNTERS: PERSON_HMAC.hex(),
    SecretPurpose.SIGN_IN_THROTTLE: PERSON_HMAC.hex(),
    SecretPurpose.STAFF_SESSIONS: PERSON_HMAC.hex(),
    SecretPurpose.CLIENT_SECRETS: CLIENT_HMAC.hex(),
}
"""The only purposes that get a service key as it is."""
DERIVED = {
    SecretPurpose.KEPT_ANSWER_HASHES: "03f115acd0dbe0f1be2711b592555ae1d2367293de14f1d9329fcb2b72316c51",
    SecretPurpose.KEPT_ANSWER_SEALS: "dcdc0e26d17309444b68e4d4d418ed013681328d23c7c3fc07f8340df51ab7a4",
    SecretPurpose.STATION_DRAFTS: "3d9ac22e95301e97ef729ffdc437bdfa89a15f1611a3879f8d1bab402966ce0f",
    SecretPurpose.JOINT_RECORDS: "220b14800042b4d941777dde7acbad44b89c542f56ba7aeedebca554db5d95b9",
    SecretPurpose.PERSON_PAIRS: "6991e1bbf411dc3a28b071175f8ef9268fdf27591f3c0d24ef67ed00fbebc18e",
    SecretPurpose.RECEIPT_CODES: "83841a53ac126646bbff979fb721ccd9b276b47c749aec76cc490563dbf28071",
    SecretPurpose.OPEN_DATA_LOTS: "0813bde2230f9a18bd4735e18b0300db011a9be82be5d986826d85f998d8a4f9",
    SecretPurpose.AUDIT_LEAVES: "2c82562ce1f39ab0b07c754d4c92af0d2ce0406619d00a64370a38e552a7327a",
    SecretPurpose.TOKEN_SIGNING: "a11a21a565c9621683ba5353979ddbe23b62a005435a72602709580d23c8d863",
}
DERIVING = {
    Path("idverify/protection/keyring.py"),
    Path("idverify/protection/sealing.py"),
    # A sealing key for each record, from the secret of their purpose.
    Path("idverify/stored/joint_sealing.py"),
    Path("idverify/stored/kept_answers.py"),
}


@pytest.mark.parametrize("purpose", SecretPurpose, ids=lambda purpose: purpose.name)
def test_the_secret_of_a_purpose_is_what_it_was_in_the_first_release(purpose: SecretPurpose) -> None:
    assert fixed_keyring().derived(purpose).hex() == (OF_A_KIND | DERIVED)[purpose]


def test_no_two_purposes_share_a_secret_but_the_three_that_share_a_service_key() -> None:
    keyring = fixed_keyring()
    shared = Counter(keyring.derived(purpose) for purpose in SecretPurpose)
    assert {secret: times for secret, times in shared.items() if times > 1} == {PERSON_HMAC: 3}


def test_a_new_purpose_must_have_a_label_of_its_own() -> None:
    raw = {purpose for purpose, (_, label) in module._DERIVATIONS.items() if label is None}
    assert raw == set(OF_A_KIND)
    labels = [label for _, label in module._DERIVATIONS.values() if label is not None]
    assert all(labels)
    assert len(labels) == len(set(labels)) == len(SecretPurpose) - len(raw)


def test_the_docstring_lists_every_purpose_as_the_code_has_it() -> None:
    assert module.__doc__ is not None
    rows = [line.split("|")[1:-1] for line in module.__doc__.splitlines() if "_HMAC |" in line]
    told = {purpose.strip(): (kind.strip(), label.strip()) for purpose, kind, label, _ in rows}
    assert told == {
        purpose.name: (kind.name, "(raw)" if label is None else label.decode())
        for purpose, (kind, label) in module._DERIVATIONS.items()
    }


@pytest.mark.parametrize("kind", [ServiceKeyKind.PERSON_HMAC, ServiceKeyKind.CLIENT_HMAC])
def test_a_key_of_several_purposes_is_never_given_out_itself(kind: ServiceKeyKind) -> None:
    for give in (fixed_keyring().service_key, fixed_keyring().every_version):
        with pytest.raises(ValueError, match=r"expected Keyring\.derived") as refused:
            give(kind)
        assert not any(secret.hex() in str(refused.value) for secret in (PERSON_HMAC, CLIENT_HMAC))


def test_nobody_but_the_keyring_names_these_keys_or_derives_from_a_service_key() -> None:
    naming, deriving = set[Path](), set[Path]()
    for source in (path for folder in PRODUCT for path in (REPOSITORY / folder).rglob("*.py")):
        place = source.relative_to(REPOSITORY)
        for node in ast.walk(ast.parse(source.read_text(), place)):
            name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
            if name in {"PERSON_HMAC", "CLIENT_HMAC", "_others"}:
                naming.add(place)
            if isinstance(node, ast.ImportFrom) and {"derive", "HKDF"} & {one.name for one in node.names}:
                deriving.add(place)
    assert naming == {Path("idverify/protection/keyring.py")}
    # Captures are sealed under a shared secret of HPKE's own.
    assert deriving <= DERIVING | {Path("idverify/protection/capture_sealing.py")}


def test_the_service_key_is_stored_under_the_name_of_the_first_release() -> None:
    assert ServiceKeyKind.PERSON_HMAC.value == "subject-hmac"
    assert ServiceKeyKind.CLIENT_HMAC.value == "client-hmac"
