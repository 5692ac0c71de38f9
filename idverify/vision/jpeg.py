"""Checks a JPEG's markers within bounds: accepts one complete 8-bit Huffman-coded image and nothing after it.

It decodes no coefficient. Check numbers are those of `idverify.vision.image`; T.81 is ITU-T Recommendation T.81.
"""

import re
import struct
from dataclasses import dataclass, field

from idverify.errors import ImageCorrupt, ImageFormatUnsupported
from idverify.vision.exif import NORMAL, exif_orientation
from idverify.vision.header import Header, refuse_corrupt

MAGIC = b"\xff\xd8\xff"

_EOI, _SOS, _DQT, _APP1 = 0xD9, 0xDA, 0xDB, 0xE1
_FRAMES_TAKEN = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended sequential and progressive, all Huffman coded
# Lossless, hierarchical and arithmetic frames, arithmetic conditioning, and a height that comes after the scan (DNL).
_REFUSED = frozenset({0xC3, *range(0xC5, 0xD0), 0xDC, 0xDE, 0xDF})
# In entropy-coded data 0xFF is followed by 0x00 (stuffing), a restart marker or a fill 0xFF; all else ends the scan.
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Elsewhere: fill bytes (T.81 B.1.1.2), then a marker that may stand between segments.
_MARKER = re.compile(rb"\xff+([\xc0-\xcf\xd9-\xfe])")
# Cameras write some tens of segments and encoders at most a score of scans; each scan costs a pass over the picture.
_MAX_SEGMENTS = 1000
_MAX_SCANS = 32
_COEFFICIENTS = 64
_NOT_SENT = 255


@dataclass(slots=True)
class _Notes:
    """What the segments before and between the scans say that is not the frame."""

    orientation: int = NORMAL
    luma_quantisation: tuple[int, ...] | None = None

    def take(self, marker: int, segment: bytes) -> None:
        """Keep the first quantisation table and the first orientation."""
        if marker == _DQT and self.luma_quantisation is None:
            self.luma_quantisation = _read_quantisation(segment)
        elif marker == _APP1 and self.orientation == NORMAL and segment.startswith(b"Exif\0\0"):
            self.orientation = exif_orientation(segment[6:])


@dataclass(slots=True)
class _Frame:
    """The frame header, and for each component the lowest bit that each coefficient was sent down to."""

    width_px: int
    height_px: int
    lowest_bit: dict[int, list[int]] = field(default_factory=dict)
    scans: int = 0

    def is_complete(self) -> bool:
        return not any(any(bits) for bits in self.lowest_bit.values())


def read_jpeg(data: bytes) -> Header:
    """T.81 annex B: markers, each with its segment, and after each SOS the entropy-coded scan.

    Raises ImageFormatUnsupported (check 3) or ImageCorrupt (check 4).
    """
    frame: _Frame | None = None
    notes, position = _Notes(), 2
    for _ in range(_MAX_SEGMENTS):
        marker, position = _next_marker(data, position)
        if marker == _EOI:
            break
        segment, position = _segment(data, position)
        if marker in _FRAMES_TAKEN:
            if frame is not None:
                refuse_corrupt("JPEG", "two frame headers")
            frame = _read_frame(segment)
        elif marker in _REFUSED:  # check 3
            raise ImageFormatUnsupported(
                f"JPEG: expected baseline or progressive coding, got marker 0x{marker:02X}; save it as baseline JPEG"
            )
        elif marker == _SOS:
            _note_scan(frame, segment)
            position = _end_of_scan(data, position)
        else:
            notes.take(marker, segment)
    else:
        refuse_corrupt("JPEG", f"more than {_MAX_SEGMENTS} segments")
    if frame is None or not frame.is_complete():
        refuse_corrupt("JPEG", "an end marker before the whole image")
    if position != len(data):  # check 4
        raise ImageCorrupt(f"JPEG: {len(data) - position} bytes after the end marker; save the picture again, alone")
    return Header(
        "jpeg",
        frame.width_px,
        frame.height_px,
        len(frame.lowest_bit),
        notes.orientation,
        notes.luma_quantisation,
        frame.scans > 1,
    )


def _next_marker(data: bytes, position: int) -> tuple[int, int]:
    found = _MARKER.match(data, position)
    if found is None:
        refuse_corrupt("JPEG", "the end of the file, or other bytes, where a marker must stand")
    return data[found.end() - 1], found.end()


def _segment(data: bytes, position: int) -> tuple[bytes, int]:
    length = int.from_bytes(data[position : position + 2], "big")
    end = position + length
    if length < 2 or end > len(data):
        refuse_corrupt("JPEG", "a segment that runs past the end of the file: it is cut short")
    return data[position + 2 : end], end


def _read_frame(segment: bytes) -> _Frame:
    if len(segment) < 6:
        refuse_corrupt("JPEG", "a frame header that is too short")
    precision, height_px, width_px, components = struct.unpack_from(">BHHB", segment)
    if precision != 8 or components not in (1, 3):  # check 3
        raise ImageFormatUnsupported(
            f"JPEG: expected 8 bits and 1 or 3 components, got {precision} bits and {components}; save it as RGB"
        )
    names = segment[6::3]
    if len(segment) != 6 + 3 * components or len(set(names)) != components or not width_px or not height_px:
        refuse_corrupt("JPEG", "a frame header that contradicts itself")
    return _Frame(width_px, height_px, {name: [_NOT_SENT] * _COEFFICIENTS for name in names})


def _note_scan(frame: _Frame | None, segment: bytes) -> None:
    """Mark what this scan sends (T.81 B.2.3, G.1.1.1): a picture is complete when all of every component was sent."""
    components = segment[0] if segment else 0
    if frame is None or not 1 <= components <= 3 or len(segment) != 4 + 2 * components:
        refuse_corrupt("JPEG", "a scan header that contradicts the frame header")
    frame.scans += 1
    if frame.scans > _MAX_SCANS:
        refuse_corrupt("JPEG", f"more than {_MAX_SCANS} scans")
    first, last, bits = segment[-3:]
    names = segment[1:-3:2]
    if not first <= last < _COEFFICIENTS or not set(names) <= frame.lowest_bit.keys():
        refuse_corrupt("JPEG", "a scan header that contradicts the frame header")
    for name in names:
        frame.lowest_bit[name][first : last + 1] = [bits & 0x0F] * (last + 1 - first)


def _end_of_scan(data: bytes, position: int) -> int:
    found = _SCAN_END.search(data, position)
    if found is None:
        refuse_corrupt("JPEG", "no end marker: the file is cut short")
    return found.start()


def _read_quantisation(segment: bytes) -> tuple[int, ...]:
    layout = ">64H" if segment[:1] >= b"\x10" else ">64B"
    if len(segment) < 1 + struct.calcsize(layout):
        refuse_corrupt("JPEG", "a quantisation table that is too short")
    return struct.unpack_from(layout, segment, 1)
