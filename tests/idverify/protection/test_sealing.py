"""A sealed value opens under its key and associated data only, and says so the moment a single bit differs."""

import pickle

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from idverify.errors import SealBroken
from idverify.protection.sealing import OVERHEAD_BYTES, SealingKey, derive, derive_each, new_key, open_once


def test_keys_are_derived_by_hkdf_sha256() -> None:
    # RFC 5869, appendix A.3 (no salt, no info); a shorter output is a prefix of a longer one.
    assert derive(b"\x0b" * 22, b"").hex() == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"


def test_keys_for_several_purposes_are_those_for_each_alone() -> None:
    secret = new_key()
    assert derive_each(secret, b"one", b"two") == [
        HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret) for purpose in (b"one", b"two")
    ]


def test_a_secret_used_once_opens_what_its_key_opens_and_nothing_else() -> None:
    secret = new_key()
    sealed = SealingKey(secret).seal(b"four", b"where")
    assert open_once(secret, sealed, b"where") == b"four"
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            open_once(secret, bytes(altered), b"where")
    with pytest.raises(SealBroken):
        open_once(secret, sealed, b"elsewhere")
    with pytest.raises(SealBroken):
        open_once(new_key(), sealed, b"where")


def test_what_is_sealed_opens() -> None:
    key = SealingKey(new_key())
    for plaintext in (b"", b"x", bytes(512)):
        sealed = key.seal(plaintext, b"where")
        assert len(sealed) == len(plaintext) + OVERHEAD_BYTES
        assert key.open(sealed, b"where") == plaintext


def test_the_same_plaintext_never_seals_alike() -> None:
    key = SealingKey(new_key())
    assert len({key.seal(b"same", b"same") for _ in range(64)}) == 64


def test_every_single_bit_matters() -> None:
    key = SealingKey(new_key())
    sealed = key.seal(b"four", b"where")
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            key.open(bytes(altered), b"where")


def test_another_place_another_key_or_a_cut_value_does_not_open() -> None:
    key = SealingKey(new_key())
    sealed = key.seal(b"secret", b"where")
    with pytest.raises(SealBroken):
        key.open(sealed, b"elsewhere")
    with pytest.raises(SealBroken):
        SealingKey(new_key()).open(sealed, b"where")
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            key.open(sealed[:length], b"where")


def test_a_ciphertext_that_gcm_itself_accepts_is_refused_without_the_commitment() -> None:
    """Key commitment: whoever can forge GCM's tag under a second key still lacks that key's commitment."""
    secret, other = new_key(), new_key()
    sealed = SealingKey(secret).seal(b"secret", b"where")
    nonce = sealed[2:14]
    forged = (
        sealed[:14] + AESGCM(derive(other, b"idverify encryption 1")).encrypt(nonce, b"other!", b"where") + sealed[-32:]
    )
    with pytest.raises(SealBroken, match="altered, moved"):
        SealingKey(other).open(forged, b"where")


def test_a_key_shows_and_pickles_nothing() -> None:
    key = SealingKey(new_key())
    assert repr(key) == "SealingKey(withheld)"
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_a_key_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 32 bytes"):
        SealingKey(b"short")
