"""Makes and opens the keys of visits: one random key for each, wrapped like a person's.

Deleting a visit's key erases its draft. This module stores no key.
"""

from typing import NoReturn

from idverify.ids import VisitId
from idverify.protection.canonical import length_prefixed
from idverify.protection.envelope import WrappedKey
from idverify.protection.keyring import Keyring
from idverify.protection.sealing import KEY_BYTES, OVERHEAD_BYTES, SealingKey, new_key

WRAPPED_BYTES = KEY_BYTES + OVERHEAD_BYTES
"""Length of every wrapped key."""


class VisitKey:
    """A visit's opened key, to be dropped after use; it never prints or pickles itself."""

    __slots__ = ("_bound_to", "_sealing")

    def __init__(self, secret: bytes, bound_to: tuple[str, str]) -> None:
        self._sealing = SealingKey(secret)
        self._bound_to = bound_to

    def seal(self, plaintext: bytes, record: str) -> bytes:
        """Seal `plaintext` for the place in this visit that `record` names."""
        return self._sealing.seal(plaintext, self._associated(record))

    def open(self, sealed: bytes, record: str) -> bytes:
        """The plaintext. Raises SealBroken when value, visit or place is not the one it was sealed for."""
        return self._sealing.open(sealed, self._associated(record))

    def _associated(self, record: str) -> bytes:
        return length_prefixed("idverify visit", 1, *self._bound_to, record)

    def __repr__(self) -> str:
        return "VisitKey(withheld)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


class VisitKeys:
    """Makes, opens and rewraps the keys of visits."""

    __slots__ = ("_deployment", "_keyring")

    def __init__(self, deployment: str, keyring: Keyring) -> None:
        self._deployment = deployment
        self._keyring = keyring

    def new(self, visit: VisitId, wrapping_version: int) -> tuple[VisitKey, WrappedKey]:
        """A fresh random key, opened and wrapped by that wrapping key."""
        secret = new_key()
        return self._key(visit, secret), self._wrap(visit, secret, wrapping_version)

    def open(self, visit: VisitId, wrapped: WrappedKey) -> VisitKey:
        """Raises SealBroken when the key is not this visit's or was altered, KeyUnavailable."""
        return self._key(visit, self._unwrap(visit, wrapped))

    def rewrap(self, visit: VisitId, wrapped: WrappedKey) -> WrappedKey:
        """The same key under the current wrapping key. Raises SealBroken, KeyUnavailable."""
        return self._wrap(visit, self._unwrap(visit, wrapped), self._keyring.current_wrapping_version)

    def _key(self, visit: VisitId, secret: bytes) -> VisitKey:
        return VisitKey(secret, (self._deployment, visit))

    def _wrap(self, visit: VisitId, secret: bytes, version: int) -> WrappedKey:
        return WrappedKey(version, self._keyring.wrapping(version).seal(secret, self._context(visit, version)))

    def _unwrap(self, visit: VisitId, wrapped: WrappedKey) -> bytes:
        version = wrapped.wrapping_version
        return self._keyring.wrapping(version).open(wrapped.sealed, self._context(visit, version))

    def _context(self, visit: VisitId, version: int) -> bytes:
        return length_prefixed("idverify visit key", 1, self._deployment, visit, version)
