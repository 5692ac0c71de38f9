"""Opens very many templates at once, for a start; each exactly as `Envelope` and `reveal` would open it alone.

It computes once what is the same for all, and leaves every value that is not as expected to those two, which refuse it
in their own words. It gives vectors in the clear: for a gallery in memory, and for nothing else.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from idverify.embedding import UNIT_TOLERANCE
from idverify.ids import ModelDigest, PersonId, Pseudonym
from idverify.protection.canonical import length_prefixed
from idverify.protection.envelope import SEAL_SCHEMA, Envelope, SealKind, WrappedKey
from idverify.protection.sealing import HEADER, KEY_BYTES, OVERHEAD_BYTES
from idverify.protection.template import DTYPE, ProtectedTemplate, reveal

SealedRow = tuple[str, str, int, bytes, str, str, int, str, int, str, bytes, str]
"""A stored template with its person's key: person, pseudonym, wrapping version, wrapped key; then template, encounter,
generation, model, dimension, dtype, sealed; then the gallery that it is opened for, to which no seal is bound."""

Vectors = npt.NDArray[np.float32]

_NONCE = slice(len(HEADER), len(HEADER) + 12)
_CIPHERTEXT = slice(_NONCE.stop, -32)
_COMMITMENT = slice(-32, None)
_WRAPPED_BYTES = OVERHEAD_BYTES + KEY_BYTES
# HMAC (RFC 2104) over SHA-256, whose block has 64 bytes.
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_INNER_REST, _OUTER_REST = b"\x36" * 32, b"\x5c" * 32


_Keyed: TypeAlias = "tuple[hashlib._Hash, hashlib._Hash]"


@dataclass(frozen=True, slots=True, repr=False)
class _Wrapping:
    """A wrapping key: its cipher, and its commitments as far as they go without a message."""

    cipher: AESGCM
    committing: _Keyed


class Opener:
    """Opens templates of one embedder under the keys of one deployment."""

    def __init__(self, envelope: Envelope, model: ModelDigest, dimension: int) -> None:
        self._envelope = envelope
        self._keyring = envelope._keyring
        self._model = model
        self._dimension = dimension
        self._sealed_bytes = OVERHEAD_BYTES + 4 * dimension
        deployment = envelope._deployment
        # What stands before the person's number and behind the record's name in the associated data of both wraps:
        # `SealContext.associated_data`, field by field.
        start = ("idverify seal", SEAL_SCHEMA, deployment)
        self._key_start = _fields(12, *start, SealKind.DATA_KEY, "persons")
        self._template_start = _fields(12, *start, SealKind.TEMPLATE, "templates")
        self._template_end = _fields(0, model, dimension, DTYPE)[8:]
        # HKDF's extraction has the same all-zero salt for every key (RFC 5869, 2.2).
        self._extract = _keyed(bytes(32))
        self._wrapping: dict[int, _Wrapping] = {}

    def open(self, rows: Sequence[SealedRow]) -> Vectors:
        """The vectors, float32 (rows, dimension). Raises SealBroken, KeyUnavailable, InvalidInput as one by one."""
        vectors = np.empty((len(rows), self._dimension), np.float32)
        plain = memoryview(vectors).cast("B")  # type: ignore[arg-type]
        size = 4 * self._dimension
        for place, row in enumerate(rows):
            opened = self._opened(row)
            plain[place * size : (place + 1) * size] = self._alone(row) if opened is None else opened
        norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        for place in np.flatnonzero(~(np.abs(norms - 1) <= UNIT_TOLERANCE)).tolist():
            plain[place * size : (place + 1) * size] = self._alone(rows[place])
        return vectors

    def _unwrapped_by(self, version: int) -> _Wrapping:
        key = self._keyring.wrapping(version)
        self._wrapping[version] = _Wrapping(key._cipher, _keyed(key._commitment_key))
        return self._wrapping[version]

    def _alone(self, row: SealedRow) -> bytes:
        """The row by the common way, which says what is wrong with it."""
        person, pseudonym, version, wrapped, template, encounter, generation, model, dimension, dtype, sealed, _ = row
        key = self._envelope.open_person_key(PersonId(person), Pseudonym(pseudonym), WrappedKey(version, wrapped))
        protected = ProtectedTemplate.stored(template, encounter, person, generation, model, dimension, dtype, sealed)
        return reveal(protected, key, self._envelope).vector.tobytes()

    def _opened(self, row: SealedRow) -> bytes | None:
        """The vector's bytes; None for anything that is not as usual."""
        person, pseudonym, version, wrapped, template, encounter, generation, model, dimension, dtype, sealed, _ = row
        if (
            type(wrapped) is not bytes
            or type(sealed) is not bytes
            or len(wrapped) != _WRAPPED_BYTES
            or len(sealed) != self._sealed_bytes
            or wrapped[:2] != HEADER
            or sealed[:2] != HEADER
            or model != self._model
            or dimension != self._dimension
            or dtype != DTYPE
        ):
            return None
        number = _text(person)
        # 1. The data key, by the wrapping key: commitment first, then the cipher (`SealingKey.open`).
        wrapping = self._wrapping.get(version) or self._unwrapped_by(version)
        associated = b"".join((self._key_start, number, _text(pseudonym), _number(version), _FOUR_NOTHINGS))
        nonce, ciphertext = wrapped[_NONCE], wrapped[_CIPHERTEXT]
        commitment = _hmac_of(wrapping.committing, _committed(associated, nonce, ciphertext))
        if not compare_digest(commitment, wrapped[_COMMITMENT]):
            return None
        try:
            data_key = wrapping.cipher.decrypt(nonce, ciphertext, associated)
            # 2. Its two keys, by HKDF (`sealing.derive`).
            blocks = _blocks(_hmac_of(self._extract, data_key))
            encryption_key = _hmac(blocks, b"idverify encryption 1\x01")
            commitment_key = _hmac(blocks, b"idverify commitment 1\x01")
            # 3. The template, likewise.
            nonce, ciphertext = sealed[_NONCE], sealed[_CIPHERTEXT]
            associated = b"".join(
                (
                    self._template_start,
                    number,
                    _text(template),
                    _number(generation),
                    _text(encounter),
                    self._template_end,
                )
            )
            commitment = _hmac(_blocks(commitment_key), _committed(associated, nonce, ciphertext))
            if not compare_digest(commitment, sealed[_COMMITMENT]):
                return None
            return AESGCM(encryption_key).decrypt(nonce, ciphertext, associated)
        except InvalidTag:
            return None


def _blocks(key: bytes) -> tuple[bytes, bytes]:
    """What HMAC puts before the inner and the outer message, by a key of 32 bytes."""
    return key.translate(_INNER) + _INNER_REST, key.translate(_OUTER) + _OUTER_REST


def _keyed(key: bytes) -> _Keyed:
    """HMAC-SHA256 by a key of 32 bytes, as far as it goes without a message: for a key that is used many times."""
    inner, outer = _blocks(key)
    return sha256(inner), sha256(outer)


def _hmac_of(keyed: _Keyed, message: bytes) -> bytes:
    inner, outer = keyed[0].copy(), keyed[1].copy()
    inner.update(message)
    outer.update(inner.digest())
    return outer.digest()


def _hmac(blocks: tuple[bytes, bytes], message: bytes) -> bytes:
    """HMAC-SHA256 by the two blocks of a key; `hmac.digest` takes twice as long."""
    inner, outer = blocks
    return sha256(outer + sha256(inner + message).digest()).digest()


def _committed(associated: bytes, nonce: bytes, ciphertext: bytes) -> bytes:
    """What the commitment of a sealed value is the HMAC of: see `SealingKey._commitment`."""
    return b"".join(
        (
            _COMMITMENT_START,
            nonce,
            _BYTES[len(associated)],
            associated,
            _BYTES[len(ciphertext)],
            ciphertext,
        )
    )


def _fields(count: int, *some: str | int) -> bytes:
    """The first fields of a `length_prefixed` list of `count` fields."""
    return count.to_bytes(8, "big") + length_prefixed(*some)[8:]


def _text(text: str) -> bytes:
    content = text.encode()
    return _TEXT[len(content)] + content


@lru_cache(64)
def _number(number: int) -> bytes:
    """Of versions and generations there are few."""
    content = str(number).encode()
    return b"i" + len(content).to_bytes(8, "big") + content


class _Starts(dict[int, bytes]):
    """What stands before a field's content, by its length; of lengths, too, there are few."""

    def __init__(self, kind: bytes) -> None:
        self._kind = kind

    def __missing__(self, size: int) -> bytes:
        self[size] = start = self._kind + size.to_bytes(8, "big")
        return start


_TEXT, _BYTES = _Starts(b"s"), _Starts(b"b")
_COMMITMENT_START = _fields(4) + length_prefixed(HEADER, bytes(12))[8:-12]
_FOUR_NOTHINGS = length_prefixed(None, None, None, None)[8:]
