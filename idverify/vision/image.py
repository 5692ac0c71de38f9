"""Turns the bytes of a photograph into upright RGB pixels, within limits; no photograph may be decoded in another way.

The checks, in order; all but the last two run before any decoder sees a byte. Those two are a
`Decoder`'s: `decode_pixels` in this process, or `idverify.vision.decoder_pool` in a confined one.

1. no more bytes than the cap;
2. JPEG or PNG by magic bytes alone (a file name or media type is never believed);
3. a coding that we take: 8 bit, one still image, no animation, no transparency;
4. complete: every segment within the file, the end marker there, and nothing after it;
5. sides and area within the limits, as the header states them;
6. decoded by the one decoder, to the size that the header stated, with no part left undecoded;
7. EXIF orientation applied once.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

# The decoder reads its own pixel limit when it is loaded, so this must stand before the import: measured, a 65-byte PNG
# makes OpenCV 5 ask for 2.7 GB without it. Check 5 is the limit we rely on; this one stands behind it.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(25_000_000))

import cv2
import numpy as np
import numpy.typing as npt

from idverify.errors import ImageCorrupt, ImageFormatUnsupported, ImageTooLarge, ImageTooSmall
from idverify.vision import jpeg, png
from idverify.vision.header import Header

Pixels: TypeAlias = npt.NDArray[np.uint8]
# Checks 6 and 7: the bytes, and the header that checks 2 to 5 accepted, to upright RGB pixels.
Decoder: TypeAlias = Callable[[bytes, Header], Pixels]

_GREY = b"\x80\x80\x80"  # what libjpeg paints where the coded data ended too early
# A decoder that still lacks data reads these as data, one that is finished does not. No 0xFF, and 0x00 first in case
# the data were cut behind a 0xFF.
_FILLER = bytes(range(200)) * 2
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")

# Annex K.1 of ITU-T T.81: the luminance table that libjpeg scales for quality 1 to 100; only its sum is needed here.
_STANDARD_LUMA_SUM = 3688.0


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What a photograph may be: sizes that cameras make and that decode within bounded memory and time."""

    max_bytes: int = 5 * 1024 * 1024
    min_side_px: int = 200
    max_side_px: int = 6000
    max_pixels: int = 25_000_000


DEFAULT_LIMITS = ImageLimits()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Image:
    """An upright picture: `pixels` is uint8 RGB, shape (height, width, 3), read-only.

    `jpeg_quality` is the libjpeg quality 1 to 100 estimated from the quantisation table, None for a PNG.
    """

    pixels: Pixels
    format: str
    jpeg_quality: int | None
    _halves: list[Pixels] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.pixels.setflags(write=False)

    def halved(self, times: int) -> Pixels:
        """The picture halved `times` times (0 or more), each pixel the mean of 2 x 2; made once and kept."""
        while len(self._halves) < times:
            finer = self._halves[-1] if self._halves else self.pixels
            height, width = max(1, finer.shape[0] // 2), max(1, finer.shape[1] // 2)
            even = finer[: 2 * height, : 2 * width]
            self._halves.append(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))  # type: ignore[arg-type]
        return self._halves[times - 1] if times else self.pixels

    @property
    def width_px(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height_px(self) -> int:
        return int(self.pixels.shape[0])

    def __repr__(self) -> str:
        return f"Image({self.format}, {self.width_px} x {self.height_px}, pixels withheld)"


def decode_pixels(data: bytes, header: Header) -> Pixels:
    """Upright RGB pixels, uint8, (height, width, 3). Raises ImageCorrupt or ImageFormatUnsupported."""
    return np.ascontiguousarray(upright(decode_as_stored(data, header), header.orientation))


def decode(data: bytes, limits: ImageLimits = DEFAULT_LIMITS, decoder: Decoder = decode_pixels) -> Image:
    """Decode a photograph. Raises ImageTooLarge, ImageTooSmall, ImageFormatUnsupported or ImageCorrupt."""
    if len(data) > limits.max_bytes:  # check 1
        raise ImageTooLarge(f"photograph: expected at most {limits.max_bytes} bytes, got {len(data)}; save it smaller")
    header = _read_header(data)  # checks 2, 3 and 4
    _check_size(header, limits)  # check 5
    pixels = decoder(data, header)  # checks 6 and 7
    return Image(pixels, header.format, _jpeg_quality(header.luma_quantisation))


def _read_header(data: bytes) -> Header:
    if data.startswith(jpeg.MAGIC):
        return jpeg.read_jpeg(data)
    if data.startswith(png.MAGIC):
        return png.read_png(data)
    raise ImageFormatUnsupported(  # check 2
        "photograph: expected a JPEG or PNG file, but the first bytes are of neither; save it as JPEG"
    )


def _check_size(header: Header, limits: ImageLimits) -> None:
    width_px, height_px = header.width_px, header.height_px
    if max(width_px, height_px) > limits.max_side_px or width_px * height_px > limits.max_pixels:
        raise ImageTooLarge(
            f"photograph: expected sides of at most {limits.max_side_px} px and {limits.max_pixels} pixels in all, "
            f"got {width_px} x {height_px}; save it smaller"
        )
    if min(width_px, height_px) < limits.min_side_px:
        raise ImageTooSmall(
            f"photograph: expected sides of at least {limits.min_side_px} px, got {width_px} x {height_px}; "
            "send the original, not a thumbnail"
        )


def decode_as_stored(data: bytes, header: Header) -> Pixels:
    """Check 6. RGB, uint8, (stored height, stored width, 3). Raises ImageCorrupt or ImageFormatUnsupported."""
    if header.format == "jpeg" and 8 * len(data) < (header.width_px // 8) * (header.height_px // 8):
        raise undecodable(header)  # a Huffman coded file has at least one bit for each block of 8 x 8 px
    opaque = header.channels in (1, 3)
    flags = (cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION) if opaque else cv2.IMREAD_UNCHANGED
    pixels = _imdecode(data, flags)
    if pixels is None or pixels.dtype != np.uint8 or pixels.shape[:2] != (header.height_px, header.width_px):
        raise undecodable(header)
    if not opaque:
        return _without_alpha(pixels)
    suspicious = header.several_scans or pixels[-1, -1].tobytes() == _GREY
    if header.format == "jpeg" and suspicious and _lacks_data(data, pixels, flags):
        raise undecodable(header)
    return pixels


def undecodable(header: Header) -> ImageCorrupt:
    return ImageCorrupt(f"{header.format}: the picture could not be decoded whole; save or take it again")


def see_through() -> ImageFormatUnsupported:
    return ImageFormatUnsupported("PNG: expected an opaque picture, got transparent parts; save it as JPEG")


def _imdecode(data: bytes, flags: int) -> Pixels | None:
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)  # type: ignore[return-value]
    except cv2.error:
        return None


def _without_alpha(pixels: Pixels) -> Pixels:
    """A see-through picture looks different on every background, so alpha is taken only where it says nothing."""
    if pixels.ndim != 3 or pixels.shape[2] != 4 or int(pixels[..., 3].min()) != 255:
        raise see_through()
    return cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB)  # type: ignore[return-value]


def _lacks_data(data: bytes, pixels: Pixels, flags: int) -> bool:
    """Whether the coded data ends before the picture does, although an end marker was put after it.

    libjpeg then paints the rest grey, or leaves it coarse, without telling. Bytes added before the end marker are
    ignored when the picture was complete and change it when it was not. A restart marker stands among them, because a
    decoder that waits for the next restart interval skips all else. It costs a second decode, so it is run only where
    the last pixel is that very grey or the file has several scans.
    """
    restarts = _RESTART.findall(data, data.rindex(b"\xff\xda"))
    following = bytes([0xFF, 0xD0 | (restarts[-1][0] + 1 if restarts else 0) & 7])
    probe = _imdecode(data[:-2] + _FILLER + following + _FILLER + data[-2:], flags)
    return probe is None or not np.array_equal(probe, pixels)


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Check 7, as a view: undo what EXIF orientation says about how the camera was held (EXIF 2.32, table 6)."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)  # 5 to 8 have rows and columns exchanged
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def _jpeg_quality(luma_quantisation: tuple[int, ...] | None) -> int | None:
    """Invert libjpeg's `jpeg_quality_scaling` on the table's mean step; exact to about 1 above quality 10."""
    if luma_quantisation is None:
        return None
    percent = 100.0 * sum(luma_quantisation) / _STANDARD_LUMA_SUM
    quality = (200.0 - percent) / 2.0 if percent <= 100.0 else 5000.0 / percent
    return int(min(max(round(quality), 1), 100))
