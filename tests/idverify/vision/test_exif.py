"""The orientation is read within bounds, whatever the block says."""

import struct

import pytest

from idverify.vision.exif import exif_orientation


def block(order: str, entries: list[tuple[int, int, int, int]], offset: int = 8) -> bytes:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    body = struct.pack(order + "H", len(entries))
    for tag, kind, count, value in entries:
        body += struct.pack(order + "HHIHH", tag, kind, count, value, 0)
    return mark + struct.pack(order + "I", offset) + bytes(offset - 8) + body


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("offset", [8, 30])
def test_the_tag_is_found_in_both_byte_orders(order: str, offset: int) -> None:
    entries = [(0x010F, 2, 4, 0), (0x0112, 3, 1, 6)]
    assert exif_orientation(block(order, entries, offset)) == 6


@pytest.mark.parametrize(
    "entry", [(0x0112, 3, 1, 0), (0x0112, 3, 1, 9), (0x0112, 4, 1, 6), (0x0112, 3, 2, 6), (0x0111, 3, 1, 6)]
)
def test_a_value_that_makes_no_sense_counts_as_upright(entry: tuple[int, int, int, int]) -> None:
    assert exif_orientation(block("<", [entry])) == 1


def test_a_block_cut_anywhere_counts_as_upright_or_tells_the_truth() -> None:
    whole = block(">", [(0x0112, 3, 1, 8)])
    assert {exif_orientation(whole[:length]) for length in range(len(whole))} <= {1, 8}


def test_an_offset_beyond_the_block_is_not_followed() -> None:
    assert exif_orientation(b"II*\0" + struct.pack("<I", 0xFFFFFFF0) + bytes(40)) == 1
    assert exif_orientation(b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 0xFFFF) + bytes(6)) == 1
