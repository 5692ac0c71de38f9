"""Seals a stream of any length in blocks under one key, so that it opens whole and in order or not at all.

The STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance", 2015), as in age: each block is sealed with its index and whether it is the last one. A block that
was altered, moved, dropped, repeated or taken from another stream does not open, nor does a stream that was cut, even
between two blocks. What the reader is handed before an error is genuine, but only the end says that it is complete.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from idverify.errors import SealBroken
from idverify.protection.canonical import length_prefixed
from idverify.protection.sealing import OVERHEAD_BYTES, SealingKey

BLOCK_BYTES = 1 << 20
"""Plaintext of every block but the last, which has less or as much."""


def seal_stream(key: SealingKey, pieces: Iterable[bytes], associated: bytes) -> Iterator[bytes]:
    """The sealed blocks of what `pieces` make together; use a key for one stream only."""
    index, waiting = 0, bytearray()
    for piece in pieces:
        waiting += piece
        while (
            len(waiting) > BLOCK_BYTES
        ):  # the last block is not known before the end, so a full block waits for what follows
            yield key.seal(bytes(waiting[:BLOCK_BYTES]), _place(associated, index, last=False))
            del waiting[:BLOCK_BYTES]
            index += 1
    yield key.seal(bytes(waiting), _place(associated, index, last=True))


def open_stream(key: SealingKey, file: BinaryIO, associated: bytes) -> Iterator[bytes]:
    """The plaintext of the blocks that follow in `file`, to its end.

    Raises SealBroken at the first block that is not the one that was sealed in that place.
    """
    index = 0
    block = file.read(BLOCK_BYTES + OVERHEAD_BYTES)
    last = False
    while not last:
        following = file.read(BLOCK_BYTES + OVERHEAD_BYTES)
        last = not following
        try:
            plaintext = key.open(block, _place(associated, index, last=last))
        except SealBroken:
            raise SealBroken(
                f"block {index}: altered, moved, cut off or of another stream; the blocks before it are genuine"
            ) from None
        yield plaintext
        block, index = following, index + 1


def _place(associated: bytes, index: int, *, last: bool) -> bytes:
    return length_prefixed("idverify stream", 1, associated, index, int(last))
