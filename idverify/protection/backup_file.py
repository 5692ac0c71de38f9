"""Writes and reads the sealed file of a backup; it knows nothing of the rows that the backup holds.

A file is the line `idverify backup 1`, a line of JSON that names deployment, time, schema and root key and holds the
backup's own key sealed by that root key, and a sealed stream (`idverify.protection.stream`). Every field of the header
is authenticated by the wrap of that key and by every block. Once its root key is destroyed, a backup opens for nobody.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import BinaryIO, Self

from idverify.errors import InvalidInput, SealBroken
from idverify.protection.canonical import length_prefixed
from idverify.protection.root_key import RootKeyFile
from idverify.protection.sealing import SealingKey, new_key
from idverify.protection.stream import open_stream, seal_stream

_FIRST_LINE = b"idverify backup 1\n"
_LONGEST_HEADER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class BackupHeader:
    """Which deployment's backup, made when (UTC text), at which schema revision, by which version of the program."""

    deployment: str
    made_at: str
    revision: str
    version: str

    def associated(self, root_id: str) -> bytes:
        """The associated data of the wrapped key and of every block."""
        return length_prefixed(
            "idverify backup", 1, self.deployment, self.made_at, self.revision, self.version, root_id
        )


def write_sealed(file: BinaryIO, header: BackupHeader, root: RootKeyFile, pieces: Iterable[bytes]) -> None:
    """Write header and content, sealed under a key of its own that the current root key wraps."""
    secret, associated = new_key(), header.associated(root.current_id)
    file.write(_FIRST_LINE + _line(header, root.current_id, root.seal(secret, associated)))
    file.writelines(seal_stream(SealingKey(secret), pieces, associated))


@dataclass(frozen=True, slots=True)
class SealedFile:
    """An opened backup: its header, and its content block by block."""

    header: BackupHeader
    content: Iterator[bytes]
    """Raises SealBroken where the file was altered or cut; complete when it ends without."""

    @classmethod
    def open(cls, file: BinaryIO, root: RootKeyFile) -> Self:
        """Raises InvalidInput for a file that is no backup, KeyUnavailable when its root key is gone, SealBroken."""
        if file.readline(len(_FIRST_LINE)) != _FIRST_LINE:
            raise InvalidInput("the file is no backup that this version reads")
        line = file.readline(_LONGEST_HEADER_BYTES)
        try:
            fields = json.loads(line)
            root_id, sealed_key = fields.pop("root_id"), base64.b64decode(fields.pop("sealed_key"))
            header = BackupHeader(**fields)
            is_canonical = _line(header, root_id, sealed_key) == line
            associated = header.associated(root_id)
        except (ValueError, TypeError, KeyError, AttributeError):
            is_canonical = False
        if not is_canonical:
            raise InvalidInput("the header of the backup is damaged; use another copy")
        try:
            key = SealingKey(root.open(root_id, sealed_key, associated))
        except SealBroken:
            raise SealBroken("the header of the backup was altered; use another copy") from None
        return cls(header, open_stream(key, file, associated))


def _line(header: BackupHeader, root_id: str, sealed_key: bytes) -> bytes:
    content = {**asdict(header), "root_id": root_id, "sealed_key": base64.b64encode(sealed_key).decode()}
    return json.dumps(content).encode() + b"\n"
