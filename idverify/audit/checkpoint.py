"""Signs and verifies checkpoints of the log (C2SP tlog-checkpoints in signed notes, Ed25519); it stores nothing.

origin                                          https://c2sp.org/tlog-checkpoint
size in decimal                                 https://c2sp.org/signed-note
root hash in base64

— origin base64(key id, 4 bytes, and signature)
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import NoReturn, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from idverify.audit.log import HASH_BYTES
from idverify.errors import CheckpointInvalid

_ED25519 = b"\x01"
"""The signature type of Ed25519 in a signed note."""
_KEY_NAME = re.compile(r"[^\s+]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was signed: the log named `origin` had `size` leaves and this root."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public key of the log `name`; `text` is the form that other tools read."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of sha256(name, newline, type, public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public_key).digest()[:4]

    @property
    def text(self) -> str:
        encoded = base64.b64encode(_ED25519 + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises CheckpointInvalid."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        key = _decoded(encoded)
        if not _KEY_NAME.fullmatch(name) or key[:1] != _ED25519 or len(key) != 1 + 32:
            raise CheckpointInvalid("verifier key: expected NAME+KEYID+KEY with an Ed25519 key")
        verifier = cls(name, key[1:])
        if key_id != verifier.key_id.hex():
            raise CheckpointInvalid(f"verifier key {name}: its key id is not that of its key; it was copied wrongly")
        return verifier

    def verified_text(self, note: str) -> str:
        """The text of a signed note, when this key signed it. Raises CheckpointInvalid."""
        text, separator, signatures = note.rpartition("\n\n")
        if not separator or not signatures.endswith("\n"):
            raise CheckpointInvalid("signed note: expected a text, an empty line and signatures")
        text += "\n"
        for line in signatures.splitlines():
            signature = _decoded(line.removeprefix(f"— {self.name} ")) if line.startswith(f"— {self.name} ") else b""
            if signature[:4] == self.key_id:
                try:
                    Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature[4:], text.encode())
                except InvalidSignature:
                    break
                return text
        raise CheckpointInvalid(f"signed note: no valid signature by {self.name}+{self.key_id.hex()}")


class LeafKey:
    """Authenticates leaves: whoever has only the database can compute a leaf's hash, but not its MAC."""

    __slots__ = ("_key",)

    def __init__(self, secret: bytes) -> None:
        """`secret`: 32 secret bytes that serve nothing else."""
        self._key = secret

    def mac(self, digest: bytes) -> bytes:
        """HMAC-SHA256 over a leaf's hash, 32 bytes."""
        return hmac.digest(self._key, digest, "sha256")

    def __repr__(self) -> str:
        return "LeafKey(withheld)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


class CheckpointSigner:
    """Signs checkpoints of the log `origin`, a name without spaces or plus signs, and authenticates its leaves."""

    __slots__ = ("_key", "_last", "leaf_key", "origin")

    def __init__(self, origin: str, seed: bytes, leaf_secret: bytes) -> None:
        """`seed`: of the Ed25519 key; `leaf_secret`: of the leaves' MACs; 32 secret bytes each."""
        if not _KEY_NAME.fullmatch(origin):
            raise ValueError(f"origin: expected a name without spaces or plus signs, got {origin!r}")
        self.origin = origin
        self.leaf_key = LeafKey(leaf_secret)
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._last = Checkpoint(origin, 0, b""), ""

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey(self.origin, self._key.public_key().public_bytes_raw())

    def sign(self, size: int, root: bytes) -> str:
        """The signed note that the log has `size` leaves and this root; the same for the same log (RFC 8032)."""
        signed = Checkpoint(self.origin, size, root)
        last, note = self._last  # the next append asks for the note of this one again
        if signed != last:
            signature = self.verifier.key_id + self._key.sign(signed.body().encode())
            note = f"{signed.body()}\n— {self.origin} {base64.b64encode(signature).decode()}\n"
            self._last = signed, note
        return note

    def __repr__(self) -> str:
        return f"CheckpointSigner({self.origin!r}, key withheld)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


def verify(note: str, verifier: VerifierKey) -> Checkpoint:
    """The checkpoint of a signed note. Raises CheckpointInvalid when malformed, of another log or not signed by it."""
    lines = verifier.verified_text(note).split("\n")
    if len(lines) < 4 or lines[0] != verifier.name:
        raise CheckpointInvalid(f"checkpoint: expected one of the log {verifier.name}")
    root = _decoded(lines[2])
    if not _SIZE.fullmatch(lines[1]) or len(root) != HASH_BYTES:
        raise CheckpointInvalid("checkpoint: expected a size in decimal and a root hash of 32 bytes in base64")
    return Checkpoint(lines[0], int(lines[1]), root)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
