"""Keeps the root key-encryption keys in a file that only its owner can read.

They seal nothing but the service keys and the keys of backups.

The file holds the current key and the previous ones that something is still sealed under. Destroying a root key here is
what makes the backups of its days unreadable for good.
"""

import base64
import itertools
import json
import os
import secrets
import stat
from pathlib import Path
from typing import NoReturn, Self

from idverify.errors import Conflict, KeyUnavailable
from idverify.protection.sealing import KEY_BYTES, SealingKey, new_key

_MAX_BYTES = 1 << 20
_FEWEST_DIFFERENT = 16
"""Of 32 random bytes, 30 are different on average, and fewer than 16 with a chance below 10**-13."""


class RootKeyFile:
    """The opened file: seals under the current root key, opens under any that it still holds."""

    __slots__ = ("_keys", "current_id", "path")

    def __init__(self, path: Path, current_id: str, keys: dict[str, bytes]) -> None:
        self.path = path
        self.current_id = current_id
        self._keys = keys

    @classmethod
    def create(cls, path: Path) -> Self:
        """Write a new file with one fresh root key, mode 0400. Raises Conflict when `path` exists."""
        root = cls(path, *_fresh())
        try:
            _write_new(path, root._document())
        except FileExistsError as error:
            raise Conflict(
                f"root key file {path} exists already; a second one would orphan what the first sealed"
            ) from error
        _sync_folder(path.parent)
        return root

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file. Raises KeyUnavailable when it is missing, readable by others, or no root key file."""
        try:
            # One descriptor for the checks and the reading: what is checked is what is read.
            # O_NONBLOCK: never wait on a pipe.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise KeyUnavailable(f"root key file {path} does not exist; make one with `idverify keys new`") from error
        except OSError as error:
            raise KeyUnavailable(f"root key file {path} cannot be read: {error.strerror}") from error
        try:
            _check_mode(path, os.fstat(descriptor).st_mode)
            document = os.read(descriptor, _MAX_BYTES)
        finally:
            os.close(descriptor)
        return cls(path, *_parsed(path, document))

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all root keys held, oldest first."""
        return tuple(self._keys)

    def seal(self, plaintext: bytes, associated: bytes) -> bytes:
        """Seal under the current root key."""
        return SealingKey(self._keys[self.current_id]).seal(plaintext, associated)

    def open(self, root_id: str, sealed: bytes, associated: bytes) -> bytes:
        """Open what root key `root_id` sealed. Raises KeyUnavailable when it is not held any more, SealBroken."""
        key = self._keys.get(root_id)
        if key is None:
            raise KeyUnavailable(
                f"root key {root_id} is not in {self.path}: destroyed, or the file belongs to another deployment"
            )
        return SealingKey(key).open(sealed, associated)

    def with_new_current(self) -> Self:
        """Add a fresh root key and make it current; the file is replaced in one step. The previous ones stay."""
        current_id, fresh = _fresh()
        return self._replaced(current_id, self._keys | fresh)

    def destroy(self, root_id: str) -> Self:
        """Drop a previous root key for good: whatever only it opens, backups included, is lost, which is the purpose.

        Raises KeyUnavailable when it is not held, Conflict when it is the current one.
        """
        if root_id not in self._keys:
            raise KeyUnavailable(f"root key {root_id} is not in {self.path}")
        if root_id == self.current_id:
            raise Conflict(
                f"root key {root_id} is the current one; run `idverify keys rotate` and `idverify keys rewrap` first"
            )
        return self._replaced(self.current_id, {name: key for name, key in self._keys.items() if name != root_id})

    def _replaced(self, current_id: str, keys: dict[str, bytes]) -> Self:
        root = type(self)(self.path, current_id, keys)
        beside = self.path.with_name(f"{self.path.name}.{secrets.token_hex(8)}")
        try:
            _write_new(beside, root._document())
            beside.replace(self.path)
        finally:
            beside.unlink(missing_ok=True)
        _sync_folder(self.path.parent)
        return root

    def _document(self) -> bytes:
        keys = {name: base64.b64encode(key).decode() for name, key in self._keys.items()}
        return json.dumps({"current": self.current_id, "keys": keys}, indent=1).encode() + b"\n"

    def __repr__(self) -> str:
        return f"RootKeyFile({str(self.path)!r}, current_id={self.current_id!r}, keys withheld)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


def _fresh() -> tuple[str, dict[str, bytes]]:
    root_id = secrets.token_hex(8)
    return root_id, {root_id: new_key()}


def _check_mode(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise KeyUnavailable(f"root key file {path} is not a regular file")
    if mode & 0o077:
        seen = stat.S_IMODE(mode)
        raise KeyUnavailable(f"root key file {path} has mode {seen:04o}: others can read it; run `chmod 400 {path}`")


def _parsed(path: Path, document: bytes) -> tuple[str, dict[str, bytes]]:
    try:
        content = json.loads(document)
        current_id = content["current"]
        keys = {name: base64.b64decode(text, validate=True) for name, text in content["keys"].items()}
        complete = current_id in keys and all(len(key) == KEY_BYTES for key in keys.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        # `from None`: the error's own text would quote the file.
        raise KeyUnavailable(f"root key file {path} does not hold root keys; restore it from its backup") from None
    if not complete:
        raise KeyUnavailable(
            f"root key file {path} lacks its current key or holds one that is not {KEY_BYTES} bytes long"
        )
    weak = [name for name, key in keys.items() if _is_weak(key)]
    if weak or len(set(keys.values())) < len(keys):
        named = (
            f"key {weak[0]} is not random: it repeats, counts or is text" if weak else "two of its keys are the same"
        )
        raise KeyUnavailable(f"root key file {path}: {named}; make keys with `idverify keys new` or `keys rotate` only")
    return current_id, keys


def _is_weak(key: bytes) -> bool:
    """Was the key typed or filled in rather than drawn? 32 random bytes look so less than once in 10**13 times.

    Zeros, repeated patterns and default keys have few different bytes, counted-up ones few different steps between
    them, pass phrases and hexadecimal digits printable bytes only.
    """
    steps = {(later - earlier) % 256 for earlier, later in itertools.pairwise(key)}
    return len(set(key)) < _FEWEST_DIFFERENT or len(steps) < _FEWEST_DIFFERENT or all(32 <= byte < 127 for byte in key)


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
