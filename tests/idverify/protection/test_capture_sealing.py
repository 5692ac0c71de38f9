"""What is sealed to a deployment opens there, for its station, capture and nonce only, also after rotations."""

import pickle

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from idverify.errors import KeyUnavailable, SealBroken
from idverify.protection.capture_sealing import CaptureContext, CaptureKeys, CapturePublicKey
from idverify.protection.keyring import Keyring, RootKeyFile, first_service_keys, rotated_service_keys

CONTEXT = CaptureContext("maseru-1", "0c9f3d1a", "nonce-1")
PHOTOGRAPH = b"a photograph" * 100


def test_a_sealed_capture_opens_once_everything_is_as_it_was_sealed(keyring: Keyring, deployment: str) -> None:
    keys = CaptureKeys(deployment, keyring)
    sealed = sealed_to(keys.current, CONTEXT.info(deployment))
    assert PHOTOGRAPH[:12] not in sealed
    assert keys.open(keys.current.key_id, sealed, CONTEXT) == PHOTOGRAPH


@pytest.mark.parametrize(
    "context",
    [
        CaptureContext("maseru-2", "0c9f3d1a", "nonce-1"),
        CaptureContext("maseru-1", "0c9f3d1b", "nonce-1"),
        CaptureContext("maseru-1", "0c9f3d1a", "nonce-2"),
    ],
)
def test_it_opens_for_no_other_station_capture_or_nonce(
    keyring: Keyring, deployment: str, context: CaptureContext
) -> None:
    keys = CaptureKeys(deployment, keyring)
    sealed = sealed_to(keys.current, CONTEXT.info(deployment))
    with pytest.raises(SealBroken):
        keys.open(keys.current.key_id, sealed, context)


def test_it_opens_in_no_other_deployment_and_not_when_altered(keyring: Keyring, deployment: str) -> None:
    keys = CaptureKeys(deployment, keyring)
    sealed = sealed_to(keys.current, CONTEXT.info(deployment))
    with pytest.raises(SealBroken):
        CaptureKeys("another", keyring).open(keys.current.key_id, sealed, CONTEXT)
    for at in (0, 1, 64, 65, len(sealed) - 1):
        altered = bytearray(sealed)
        altered[at] ^= 1
        with pytest.raises(SealBroken):
            keys.open(keys.current.key_id, bytes(altered), CONTEXT)
    with pytest.raises(SealBroken, match="at least 81 bytes"):
        keys.open(keys.current.key_id, sealed[:80], CONTEXT)


def test_fields_cannot_slide_into_each_other(deployment: str) -> None:
    with pytest.raises(SealBroken):
        CaptureContext("maseru-1\nx", "y", "z").info(deployment)


def test_what_was_sealed_before_a_rotation_opens_after_it_also_in_a_service_that_ran_on(
    root: RootKeyFile, deployment: str
) -> None:
    stored = first_service_keys(root, deployment)
    before = CaptureKeys(deployment, Keyring.open(stored, root, deployment))
    rotated = root.with_new_current()
    fresh = rotated_service_keys(stored, rotated, deployment)
    rows = list({(key.kind, key.version): key for key in (*stored, *fresh)}.values())
    after = CaptureKeys(deployment, Keyring.open(rows, rotated, deployment))
    assert after.current.key_id != before.current.key_id
    old = sealed_to(before.current, CONTEXT.info(deployment))
    assert after.open(before.current.key_id, old, CONTEXT) == PHOTOGRAPH
    new = sealed_to(after.current, CONTEXT.info(deployment))
    with pytest.raises(KeyUnavailable):
        before.open(after.current.key_id, new, CONTEXT)
    running = CaptureKeys(
        deployment, Keyring.open(stored, root, deployment).following(lambda: Keyring.open(rows, rotated, deployment))
    )
    assert running.open(after.current.key_id, new, CONTEXT) == PHOTOGRAPH


def test_the_keys_show_and_pickle_nothing(keyring: Keyring, deployment: str) -> None:
    keys = CaptureKeys(deployment, keyring)
    assert repr(keys) == f"CaptureKeys(current {keys.current.key_id}, keys withheld)"
    with pytest.raises(TypeError):
        pickle.dumps(keys)


def sealed_to(key: CapturePublicKey, info: bytes) -> bytes:
    """What a station's browser makes, by the other implementation that we have."""
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key.point)
    return Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM).encrypt(PHOTOGRAPH, public, info)
