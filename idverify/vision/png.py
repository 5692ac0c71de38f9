"""Checks a PNG's chunks within bounds: accepts one complete, opaque or RGBA, 8-bit still image with nothing after it.

It neither inflates nor decodes. Check numbers are those of `idverify.vision.image`.
"""

import struct
import zlib
from collections.abc import Iterator

from idverify.errors import ImageCorrupt, ImageFormatUnsupported
from idverify.vision.exif import NORMAL, exif_orientation
from idverify.vision.header import Header, refuse_corrupt

MAGIC = b"\x89PNG\r\n\x1a\n"

_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # colour types taken: grey, RGB, grey + alpha, RGB + alpha; not palettes
_MAX_CHUNKS = 5000  # at the cap of 5 MiB, a chunk a kilobyte; encoders write 8 KiB and more into each
_REFUSED = {b"acTL": "an animation", b"fcTL": "an animation", b"fdAT": "an animation", b"tRNS": "a transparent colour"}


def read_png(data: bytes) -> Header:
    """ISO/IEC 15948 clause 5: chunks of length, type, data and CRC; IHDR first, IDAT together, IEND last.

    Raises ImageFormatUnsupported (check 3) or ImageCorrupt (check 4).
    """
    frame: tuple[int, int, int] | None = None
    orientation = NORMAL
    previous, idat_seen, position = b"", False, 0
    for kind, body, end in _chunks(data):
        if (kind == b"IHDR") != (frame is None):
            refuse_corrupt("PNG", "an image header that is missing, late or repeated")
        if kind in _REFUSED:  # check 3
            raise ImageFormatUnsupported(
                f"PNG: expected one opaque still picture, got {_REFUSED[kind]}; save it as JPEG"
            )
        if kind == b"IHDR":
            frame = _frame(data[body : end - 4])
        elif kind == b"IDAT":
            if idat_seen and previous != b"IDAT":
                refuse_corrupt("PNG", "image data in two places")
            idat_seen = True
        elif kind == b"eXIf":
            orientation = exif_orientation(data[body : end - 4])
        previous, position = kind, end
    if frame is None or not idat_seen:
        refuse_corrupt("PNG", "no image data")
    if position != len(data):  # check 4
        raise ImageCorrupt(f"PNG: {len(data) - position} bytes after the end chunk; save the picture again, alone")
    width_px, height_px, channels = frame
    return Header("png", width_px, height_px, channels, orientation, None, several_scans=False)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each `_chunk` up to the end chunk."""
    position = len(MAGIC)
    for _ in range(_MAX_CHUNKS):
        kind, body, position = _chunk(data, position)
        yield kind, body, position
        if kind == b"IEND":
            return
    refuse_corrupt("PNG", f"more than {_MAX_CHUNKS} chunks")


def _chunk(data: bytes, position: int) -> tuple[bytes, int, int]:
    """(type, where its data begins, where its CRC ends) of the chunk at `position`."""
    length = int.from_bytes(data[position : position + 4], "big")
    body = position + 8
    end = body + length + 4
    if end > len(data):
        refuse_corrupt("PNG", "a chunk that runs past the end of the file: it is cut short")
    if zlib.crc32(memoryview(data)[position + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
        refuse_corrupt("PNG", "a chunk whose check sum is wrong")
    return data[position + 4 : body], body, end


def _frame(body: bytes) -> tuple[int, int, int]:
    """(width, height, channels) from IHDR."""
    if len(body) != 13:
        refuse_corrupt("PNG", "an image header of the wrong length")
    width_px, height_px, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", body)
    if depth != 8 or colour not in _CHANNELS:  # check 3
        raise ImageFormatUnsupported(
            f"PNG: expected 8 bits, grey or RGB, got {depth} bits and colour type {colour}; save it as 8-bit RGB"
        )
    if not width_px or not height_px or compression or filtering or interlace > 1:
        refuse_corrupt("PNG", "an image header that contradicts itself")
    return width_px, height_px, _CHANNELS[colour]
