"""A sealed stream opens whole and in order, or not at all."""

import io
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idverify.errors import SealBroken
from idverify.protection.sealing import OVERHEAD_BYTES, SealingKey, new_key
from idverify.protection.stream import BLOCK_BYTES, open_stream, seal_stream

BLOCK = BLOCK_BYTES + OVERHEAD_BYTES
CONTENT = b"abc" * BLOCK_BYTES  # exactly three blocks


def opened(key: SealingKey, sealed: bytes, associated: bytes = b"of") -> bytes:
    return b"".join(open_stream(key, io.BytesIO(sealed), associated))


@pytest.fixture(scope="module")
def key() -> SealingKey:
    return SealingKey(new_key())


@pytest.fixture(scope="module")
def sealed(key: SealingKey) -> bytes:
    return b"".join(seal_stream(key, [CONTENT], b"of"))


@pytest.mark.parametrize("length", [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES])
def test_any_length_comes_back(key: SealingKey, length: int) -> None:
    content = bytes(length)
    assert opened(key, b"".join(seal_stream(key, [content], b"of"))) == content


def test_pieces_of_any_size_make_one_stream(key: SealingKey) -> None:
    pieces = [b"x" * size for size in (0, 700_000, 1, 900_000, 2_500_000, 0)]
    blocks = list(seal_stream(key, pieces, b"of"))
    assert [len(block) for block in blocks[:-1]] == [BLOCK] * 3
    assert opened(key, b"".join(blocks)) == b"".join(pieces)


def swapped(sealed: bytes) -> bytes:
    return sealed[BLOCK : 2 * BLOCK] + sealed[:BLOCK] + sealed[2 * BLOCK :]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda sealed: b"", id="empty"),
        pytest.param(lambda sealed: sealed[:-1], id="a byte short"),
        pytest.param(lambda sealed: sealed[:BLOCK], id="cut after the first block"),
        pytest.param(lambda sealed: sealed[: 2 * BLOCK], id="cut before the last block"),
        pytest.param(lambda sealed: sealed + b"\0", id="a byte appended"),
        pytest.param(lambda sealed: sealed + sealed[2 * BLOCK :], id="last block twice"),
        pytest.param(lambda sealed: sealed[:BLOCK] + sealed, id="first block twice"),
        pytest.param(lambda sealed: sealed[BLOCK:], id="first block dropped"),
        pytest.param(lambda sealed: sealed[:BLOCK] + sealed[2 * BLOCK :], id="middle block dropped"),
        pytest.param(swapped, id="blocks swapped"),
    ],
)
def test_a_stream_that_was_cut_or_rearranged_is_refused(
    key: SealingKey, sealed: bytes, change: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(SealBroken):
        opened(key, change(sealed))


@settings(max_examples=25, deadline=None)
@given(place=st.integers(0, 3 * BLOCK - 1), bit=st.integers(0, 7))
def test_no_bit_may_differ(key: SealingKey, sealed: bytes, place: int, bit: int) -> None:
    altered = bytearray(sealed)
    altered[place] ^= 1 << bit
    with pytest.raises(SealBroken, match=f"block {place // BLOCK}"):
        opened(key, bytes(altered))


def test_it_opens_under_its_own_key_and_name_only(key: SealingKey, sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        opened(SealingKey(new_key()), sealed)
    with pytest.raises(SealBroken):
        opened(key, sealed, b"another")
