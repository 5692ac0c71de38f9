"""Seals and opens one value under one key, by authenticated encryption; it stores nothing.

No other module encrypts with AES-GCM or draws a nonce for it.

A sealed value is

    version (1) | algorithm (1) | nonce (12) | AES-256-GCM ciphertext and tag | commitment (32)

AES-GCM alone does not commit to its key: somebody who knows two keys can make one ciphertext that opens under both, to
different texts (Grubbs et al., "Message Franking via Committing Authenticated Encryption", 2017). So a second key
derived from the same secret authenticates header, nonce, associated data and ciphertext with HMAC-SHA256. Its collision
resistance binds the sealed value to key, nonce, associated data and plaintext together (CMT-4 of Bellare and Hoang,
2022), and because it is checked before the cipher runs, GCM's weaker tag is never an oracle.
"""

import hashlib
import os
from typing import NoReturn

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from idverify.errors import SealBroken
from idverify.protection.canonical import encoded_fields, list_start

KEY_BYTES = 32
HEADER = bytes([1, 1])
"""Version 1, algorithm 1: AES-256-GCM and HMAC-SHA256, both keys by HKDF-SHA256."""
_NONCE_BYTES = 12
_TAG_BYTES = 16
_COMMITMENT_BYTES = hashlib.sha256().digest_size
_NONCE = slice(len(HEADER), len(HEADER) + _NONCE_BYTES)
_CIPHERTEXT = slice(len(HEADER) + _NONCE_BYTES, -_COMMITMENT_BYTES)
_COMMITMENT = slice(-_COMMITMENT_BYTES, None)
OVERHEAD_BYTES = len(HEADER) + _NONCE_BYTES + _TAG_BYTES + _COMMITMENT_BYTES
"""What a sealed value has more than its plaintext."""
_COMMITTED_START = list_start(4) + encoded_fields(HEADER)
_SHA256 = SHA256()


def new_key() -> bytes:
    """32 random bytes from the operating system."""
    return os.urandom(KEY_BYTES)


def derive(secret: bytes, purpose: bytes) -> bytes:
    """HKDF-SHA256 (RFC 5869) of a uniformly random `secret`, without salt, with `purpose` as info: 32 bytes."""
    (key,) = derive_each(secret, purpose)
    return key


def derive_each(secret: bytes, *purposes: bytes) -> list[bytes]:
    """`derive` of one secret for each of several purposes, in less time than one call for each.

    The extraction (RFC 5869, 2.2) is the same for all. A key of 32 bytes is the first block of the expansion (2.3),
    HMAC-SHA256(extracted, purpose | 0x01), for which one keyed HMAC is copied: a start does this for each template.
    """
    extracted = HMAC(HKDF.extract(_SHA256, None, secret), _SHA256)
    return [_first_block(extracted.copy(), purpose) for purpose in purposes]


def _first_block(keyed: HMAC, purpose: bytes) -> bytes:
    keyed.update(purpose + b"\x01")
    return keyed.finalize()


class SealingKey:
    """A secret of 32 bytes, able to seal and open; it never prints, compares or pickles itself.

    Nonces are random: a key may seal 2**32 values before the chance of a repeat passes 2**-32 (NIST SP 800-38D, 8.3).
    The busiest keys here, the wrapping keys, seal one value for each person.
    """

    __slots__ = ("_cipher", "_commitment")

    def __init__(self, secret: bytes) -> None:
        self._cipher, self._commitment = _cipher_and_commitment(secret)

    def seal(self, plaintext: bytes, associated: bytes) -> bytes:
        """Seal `plaintext` together with `associated`, which is authenticated but not stored."""
        nonce = os.urandom(_NONCE_BYTES)
        ciphertext = self._cipher.encrypt(nonce, plaintext, associated)
        commitment = self._commitment.copy()
        commitment.update(_committed(nonce, associated, ciphertext))
        return HEADER + nonce + ciphertext + commitment.finalize()

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """The plaintext. Raises SealBroken when any bit of value or `associated` differs, or the key is another."""
        return _opened(self._cipher, self._commitment.copy(), sealed, associated)

    def __repr__(self) -> str:
        return "SealingKey(withheld)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


def open_once(secret: bytes, sealed: bytes, associated: bytes) -> bytes:
    """`SealingKey(secret).open(sealed, associated)`, in less time for a secret that opens one value only."""
    cipher, commitment = _cipher_and_commitment(secret)
    return _opened(cipher, commitment, sealed, associated)


def _cipher_and_commitment(secret: bytes) -> tuple[AESGCM, HMAC]:
    """The cipher and the HMAC, without a message yet, by the two keys of a secret."""
    if len(secret) != KEY_BYTES:
        raise ValueError(f"sealing key: expected {KEY_BYTES} bytes, got {len(secret)}")
    encryption_key, commitment_key = derive_each(secret, b"idverify encryption 1", b"idverify commitment 1")
    return AESGCM(encryption_key), HMAC(commitment_key, _SHA256)


def _opened(cipher: AESGCM, commitment: HMAC, sealed: bytes, associated: bytes) -> bytes:
    """The plaintext, by the cipher and an HMAC that has no message yet. Raises SealBroken."""
    # 1. The shape and the version, so that the slices below mean what they say.
    if len(sealed) < OVERHEAD_BYTES or sealed[: len(HEADER)] != HEADER:
        raise SealBroken(f"sealed value: expected at least {OVERHEAD_BYTES} bytes of version 1, got {len(sealed)}")
    nonce, ciphertext = sealed[_NONCE], sealed[_CIPHERTEXT]
    # 2. The commitment, in constant time, before the cipher sees anything.
    commitment.update(_committed(nonce, associated, ciphertext))
    try:
        commitment.verify(sealed[_COMMITMENT])
    except InvalidSignature:
        raise SealBroken("sealed value: altered, moved to another record, or sealed under another key") from None
    # 3. The cipher's own tag.
    try:
        return cipher.decrypt(nonce, ciphertext, associated)
    except InvalidTag as error:
        raise SealBroken("sealed value: the commitment holds but the authentication tag does not") from error


def _committed(nonce: bytes, associated: bytes, ciphertext: bytes) -> bytes:
    """The message of the commitment: the list of header, nonce, associated data and ciphertext."""
    return _COMMITTED_START + encoded_fields(nonce, associated, ciphertext)
