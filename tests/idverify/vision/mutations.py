"""Good photographs damaged at random, the same way for the same seed; PNGs with their check sums made right again."""

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image as Pillow

from tests.idverify.vision.hostile import PNG_MAGIC, encoded, scene


def seeds() -> dict[str, bytes]:
    """The good pictures, one of each coding that is taken."""
    small = scene(240, 200)
    turned = Pillow.Exif()
    turned[0x0112] = 6
    return {
        "baseline": encoded(small, quality=85),
        "progressive": encoded(small, progressive=True),
        "restart markers": encoded(small, restart_marker_blocks=5),
        "unsubsampled with EXIF": encoded(small, subsampling=0, exif=turned, icc_profile=bytes(200)),
        "grey JPEG": encoded(small.convert("L")),
        "RGB PNG": encoded(small, "png", exif=turned),
        "RGBA PNG": encoded(small.convert("RGBA"), "png"),
        "grey PNG": encoded(small.convert("L"), "png"),
    }


def mutations(count: int, seed: int, good: dict[str, bytes] | None = None) -> Iterator[tuple[str, bytes]]:
    """`count` damaged files, each with the name of the good one that it was; `good` is `seeds()` when not given."""
    rng = np.random.default_rng(seed)
    good = good or seeds()
    names = list(good)
    for number in range(count):
        name = names[number % len(names)]
        data = bytearray(good[name])
        for _ in range(int(rng.integers(1, 5))):
            _damage(data, rng, good[names[int(rng.integers(len(names)))]])
        if "PNG" in name and rng.random() < 0.8:  # else only the check sums would ever be tested
            data = _with_right_check_sums(data)
        yield name, bytes(data)


def _damage(data: bytearray, rng: np.random.Generator, other: bytes) -> None:
    """One small injury. Half of them fall on the first bytes, where the headers are."""
    at = int(rng.integers(0, min(len(data), 800 if rng.random() < 0.5 else len(data)) or 1))
    length = int(rng.integers(1, 40))
    match int(rng.integers(8)):
        case 0:
            data[at : at + 1] = bytes([data[at] ^ (1 << int(rng.integers(8)))]) if data else b""
        case 1:
            data[at : at + length] = rng.bytes(length)
        case 2:
            del data[at : at + length]
        case 3:
            data[at:at] = data[at : at + length]
        case 4:
            data[at:at] = bytes([0xFF, int(rng.integers(256))])  # a JPEG marker
        case 5:
            data[at : at + 2] = struct.pack(">H", int(rng.choice([0, 1, 2, 0x7FFF, 0xFFFF])))  # a length
        case 6:
            start = int(rng.integers(len(other)))
            data[at : at + length] = other[start : start + length]
        case _:
            data[at : at + 4] = struct.pack(">I", int(rng.choice([0, 1, 200, 6000, 2**31 - 1, 2**32 - 1])))


def _with_right_check_sums(data: bytearray) -> bytearray:
    position = len(PNG_MAGIC)
    while position + 12 <= len(data):
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        if end > len(data):
            break
        data[end - 4 : end] = struct.pack(">I", zlib.crc32(data[position + 4 : end - 4]))
        position = end
    return data
