"""Reads the orientation from EXIF data and nothing else. It reads no byte outside the block and never fails."""

import struct

NORMAL = 1
_ORIENTATION_TAG = 0x0112
_SHORT = 3


def exif_orientation(tiff: bytes) -> int:
    """Orientation 1 to 8 (EXIF 2.32, table 6) from a TIFF block; 1 when the tag is absent or unreadable.

    Only the first directory (IFD0) is read, so a thumbnail's own orientation is never taken for the picture's.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return NORMAL
    (directory,) = struct.unpack_from(order + "I", tiff, 4)
    if directory + 2 > len(tiff):
        return NORMAL
    (entries,) = struct.unpack_from(order + "H", tiff, directory)
    for start in range(directory + 2, min(directory + 2 + 12 * entries, len(tiff) - 11), 12):
        tag, kind, count, value = struct.unpack_from(order + "HHIH", tiff, start)
        if tag == _ORIENTATION_TAG:
            return value if kind == _SHORT and count == 1 and 1 <= value <= 8 else NORMAL
    return NORMAL
