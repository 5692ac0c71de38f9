"""What a photograph's file header states, read before any decoder runs; it decodes no pixel.

The checks are numbered as in `idverify.vision.image`.
"""

from dataclasses import dataclass
from typing import Literal, NoReturn

from idverify.errors import ImageCorrupt


@dataclass(frozen=True, slots=True)
class Header:
    """What the file claims: sides as stored (before orientation), EXIF orientation 1 to 8, channels 1 to 4.

    `luma_quantisation` is a JPEG's first quantisation table (64 steps), None for a PNG; `several_scans` says that a
    JPEG is progressive or sends its components one after another.
    """

    format: Literal["jpeg", "png"]
    width_px: int
    height_px: int
    channels: int
    orientation: int
    luma_quantisation: tuple[int, ...] | None
    several_scans: bool


def refuse_corrupt(format_name: str, seen: str) -> NoReturn:
    """Raise ImageCorrupt with the one wording that both formats use."""
    raise ImageCorrupt(f"{format_name}: expected one complete image, found {seen}; save or take the picture again")
