"""Computes the Merkle tree of RFC 6962, section 2.1: its hashes, its root and its proofs; it stores nothing."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of a leaf: sha256 over 0x00 and the leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: sha256 over 0x01 and both children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The roots of the perfect subtrees of a tree of `size` leaves, largest first; leaves are appended with no more.

    There is one for each bit that is set in `size`, so at most 64 hashes, whatever the length of the log.
    """

    size: int = 0
    subtrees: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.subtrees) != self.size.bit_count():
            raise ValueError(f"frontier of {self.size} leaves: expected {self.size.bit_count()} hashes")

    def append(self, leaf_digest: bytes) -> Self:
        """The frontier after one more leaf, given by its hash."""
        subtrees, digest, size = self.subtrees, leaf_digest, self.size
        while size & 1:  # a perfect subtree of the same height stands to the left: the two become one
            digest, subtrees, size = node_hash(subtrees[-1], digest), subtrees[:-1], size >> 1
        return type(self)(self.size + 1, (*subtrees, digest))

    @property
    def root(self) -> bytes:
        """The tree's root hash."""
        if not self.subtrees:
            return EMPTY_ROOT
        digest = self.subtrees[-1]
        for subtree in reversed(self.subtrees[:-1]):
            digest = node_hash(subtree, digest)
        return digest

    def to_bytes(self) -> bytes:
        """The size in 8 bytes (big-endian), then the hashes in their order."""
        return self.size.to_bytes(8, "big") + b"".join(self.subtrees)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Raises ValueError when `content` is not what `to_bytes` gave."""
        if len(content) < 8 or (len(content) - 8) % HASH_BYTES:
            raise ValueError(f"frontier: {len(content)} bytes are not a size and whole hashes")
        subtrees = tuple(content[at : at + HASH_BYTES] for at in range(8, len(content), HASH_BYTES))
        return cls(int.from_bytes(content[:8], "big"), subtrees)


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 over leaf hashes."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return node_hash(tree_root(leaves[:split]), tree_root(leaves[split:]))


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """PATH of RFC 6962, 2.1.1: the hashes that lead from leaf `index` to the root. Raises IndexError."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} of {len(leaves)}")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(leaves[:split], index), tree_root(leaves[split:])]
    return [*inclusion_proof(leaves[split:], index - split), tree_root(leaves[:split])]


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """PROOF of RFC 6962, 2.1.2: that the first `old_size` leaves are a prefix of these. Raises IndexError."""
    if not 0 < old_size <= len(leaves):
        raise IndexError(f"old size {old_size} of {len(leaves)}")
    return _subproof(leaves, old_size, whole=True)


def includes(root: bytes, size: int, index: int, leaf_digest: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the leaf with this hash is leaf `index` of the tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, digest = index, size - 1, leaf_digest
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            digest = node_hash(sibling, digest)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            digest = node_hash(digest, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and digest == root


def extends(old_root: bytes, old_size: int, root: bytes, size: int, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of `size` leaves begins with that of `old_size` (RFC 9162, 2.1.4.2)."""
    if not 0 < old_size <= size:
        return False
    if old_size == size:
        return not proof and old_root == root
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not path:
        return False
    position, last = old_size - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and old == old_root and new == root


def _subproof(leaves: Sequence[bytes], old_size: int, *, whole: bool) -> list[bytes]:
    if old_size == len(leaves):
        return [] if whole else [tree_root(leaves)]
    split = _split(len(leaves))
    if old_size <= split:
        return [*_subproof(leaves[:split], old_size, whole=whole), tree_root(leaves[split:])]
    return [*_subproof(leaves[split:], old_size - split, whole=False), tree_root(leaves[:split])]


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
