"""Authenticated encryption of one value under one key; the only owner of AEAD, and no nonce is drawn elsewhere.

A sealed value is

    version (1) | algorithm (1) | nonce (12) | AES-256-GCM ciphertext and tag | commitment (32)

AES-GCM alone does not commit to its key: somebody who knows two keys can make one ciphertext that opens under both, to
different texts (Grubbs et al., "Message Franking via Committing Authenticated Encryption", 2017). So a second key
derived from the same secret authenticates header, nonce, associated data and ciphertext with HMAC-SHA256. Its collision
resistance binds the sealed value to key, nonce, associated data and plaintext together (CMT-4 of Bellare and Hoang,
2022), and because it is checked before the cipher runs, GCM's weaker tag is never an oracle.
"""

import hashlib
import hmac
import os
from typing import NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from idverify.errors import SealBroken
from idverify.protection.canonical import length_prefixed

KEY_BYTES = 32
HEADER = bytes([1, 1])
"""Version 1, algorithm 1: AES-256-GCM and HMAC-SHA256, both keys by HKDF-SHA256."""
_NONCE_BYTES = 12
_TAG_BYTES = 16
_COMMITMENT_BYTES = hashlib.sha256().digest_size
OVERHEAD_BYTES = len(HEADER) + _NONCE_BYTES + _TAG_BYTES + _COMMITMENT_BYTES


def new_key() -> bytes:
    """32 random bytes from the operating system."""
    return os.urandom(KEY_BYTES)


def derive(secret: bytes, purpose: bytes) -> bytes:
    """HKDF-SHA256 (RFC 5869) of a uniformly random `secret`, without salt, with `purpose` as info: 32 bytes."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(secret)


class SealingKey:
    """A secret of 32 bytes, able to seal and open; it never prints, compares or pickles itself.

    Nonces are random: a key may seal 2**32 values before the chance of a repeat passes 2**-32 (NIST SP 800-38D, 8.3).
    The busiest keys here, the wrapping keys, seal one value for each person.
    """

    __slots__ = ("_cipher", "_commitment_key")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError(f"sealing key: expected {KEY_BYTES} bytes, got {len(secret)}")
        self._cipher = AESGCM(derive(secret, b"idverify encryption 1"))
        self._commitment_key = derive(secret, b"idverify commitment 1")

    def seal(self, plaintext: bytes, associated: bytes) -> bytes:
        """Seal `plaintext` together with `associated`, which is authenticated but not stored."""
        nonce = os.urandom(_NONCE_BYTES)
        ciphertext = self._cipher.encrypt(nonce, plaintext, associated)
        return HEADER + nonce + ciphertext + self._commitment(HEADER, nonce, associated, ciphertext)

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """The plaintext. Raises SealBroken when any bit of value or `associated` differs, or the key is another."""
        # 1. The shape and the version, so that the slices below mean what they say.
        if len(sealed) < OVERHEAD_BYTES or sealed[: len(HEADER)] != HEADER:
            raise SealBroken(f"sealed value: expected at least {OVERHEAD_BYTES} bytes of version 1, got {len(sealed)}")
        header, rest = sealed[: len(HEADER)], sealed[len(HEADER) :]
        nonce, ciphertext = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:-_COMMITMENT_BYTES]
        # 2. The commitment, in constant time, before the cipher sees anything.
        if not hmac.compare_digest(self._commitment(header, nonce, associated, ciphertext), rest[-_COMMITMENT_BYTES:]):
            raise SealBroken("sealed value: altered, moved to another record, or sealed under another key")
        # 3. The cipher's own tag.
        try:
            return self._cipher.decrypt(nonce, ciphertext, associated)
        except InvalidTag as error:
            raise SealBroken("sealed value: the commitment holds but the authentication tag does not") from error

    def _commitment(self, header: bytes, nonce: bytes, associated: bytes, ciphertext: bytes) -> bytes:
        message = length_prefixed(header, nonce, associated, ciphertext)
        return hmac.digest(self._commitment_key, message, hashlib.sha256)

    def __repr__(self) -> str:
        return "SealingKey(withheld)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")
