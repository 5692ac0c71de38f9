"""Opens very many templates at once, for a start; each exactly as `Envelope` and `reveal` would open it alone.

It computes once what is the same for all, and leaves every value that is not as expected to those two, which refuse it
in their own words. It gives vectors in the clear: for a gallery in memory, and for nothing else.
"""

from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest

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

SealedRow = tuple[str, str, int, bytes, str, str, int, str, int, str, bytes]
"""A stored template with its person's key: person, pseudonym, wrapping version, wrapped key; then template, encounter,
generation, model, dimension, dtype, sealed."""

Vectors = npt.NDArray[np.float32]

_NONCE = slice(len(HEADER), len(HEADER) + 12)
_CIPHERTEXT = slice(_NONCE.stop, -32)
_COMMITMENT = slice(-32, None)
_WRAPPED_BYTES = OVERHEAD_BYTES + KEY_BYTES
# HMAC (RFC 2104) over SHA-256, whose block has 64 bytes.
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_INNER_REST, _OUTER_REST = b"\x36" * 32, b"\x5c" * 32


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
        self._extract = sha256(_INNER_REST * 2), sha256(_OUTER_REST * 2)

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

    def _alone(self, row: SealedRow) -> bytes:
        """The row by the common way, which says what is wrong with it."""
        person, pseudonym, version, wrapped, template, encounter, generation, model, dimension, dtype, sealed = row
        key = self._envelope.open_person_key(PersonId(person), Pseudonym(pseudonym), WrappedKey(version, wrapped))
        protected = ProtectedTemplate.stored(template, encounter, person, generation, model, dimension, dtype, sealed)
        return reveal(protected, key, self._envelope).vector.tobytes()

    def _opened(self, row: SealedRow) -> bytes | None:
        """The vector's bytes; None for anything that is not as usual."""
        person, pseudonym, version, wrapped, template, encounter, generation, model, dimension, dtype, sealed = row
        if (
            type(wrapped) is not bytes
            or type(sealed) is not bytes
            or len(wrapped) != _WRAPPED_BYTES
            or len(sealed) != self._sealed_bytes
            or wrapped[:2] != HEADER
            or sealed[:2] != HEADER
            or (model, dimension, dtype) != (self._model, self._dimension, DTYPE)
        ):
            return None
        number = _text(person)
        # 1. The data key, by the wrapping key: commitment first, then the cipher (`SealingKey.open`).
        wrapping = self._keyring.wrapping(version)
        associated = b"".join((self._key_start, number, _text(pseudonym), _number(version), _FOUR_NOTHINGS))
        if not compare_digest(_committed(wrapping._commitment_key, associated, wrapped), wrapped[_COMMITMENT]):
            return None
        try:
            data_key = wrapping._cipher.decrypt(wrapped[_NONCE], wrapped[_CIPHERTEXT], associated)
            # 2. Its two keys, by HKDF (`sealing.derive`).
            inner, outer = self._extract[0].copy(), self._extract[1].copy()
            inner.update(data_key)
            outer.update(inner.digest())
            drawn = outer.digest()
            encryption_key = _hmac(drawn, b"idverify encryption 1\x01")
            # 3. The template, likewise.
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
            commitment = _committed(_hmac(drawn, b"idverify commitment 1\x01"), associated, sealed)
            if not compare_digest(commitment, sealed[_COMMITMENT]):
                return None
            return AESGCM(encryption_key).decrypt(sealed[_NONCE], sealed[_CIPHERTEXT], associated)
        except InvalidTag:
            return None


def _hmac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 by a key of 32 bytes; `hmac.digest` takes twice as long."""
    inner = sha256(key.translate(_INNER) + _INNER_REST + message).digest()
    return sha256(key.translate(_OUTER) + _OUTER_REST + inner).digest()


def _committed(key: bytes, associated: bytes, sealed: bytes) -> bytes:
    """The commitment that `sealed` must end with: `SealingKey._commitment` of its parts."""
    ciphertext = sealed[_CIPHERTEXT]
    message = b"".join(
        (
            _COMMITMENT_START,
            sealed[_NONCE],
            b"b",
            len(associated).to_bytes(8, "big"),
            associated,
            b"b",
            len(ciphertext).to_bytes(8, "big"),
            ciphertext,
        )
    )
    return _hmac(key, message)


def _fields(count: int, *some: str | int) -> bytes:
    """The first fields of a `length_prefixed` list of `count` fields."""
    return count.to_bytes(8, "big") + length_prefixed(*some)[8:]


def _text(text: str) -> bytes:
    content = text.encode()
    return b"s" + len(content).to_bytes(8, "big") + content


def _number(number: int) -> bytes:
    content = str(number).encode()
    return b"i" + len(content).to_bytes(8, "big") + content


_COMMITMENT_START = _fields(4) + length_prefixed(HEADER, bytes(12))[8:-12]
_FOUR_NOTHINGS = length_prefixed(None, None, None, None)[8:]
