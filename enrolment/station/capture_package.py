"""Packs and unpacks the content of a sealed capture: frames, and what the station states. It decodes no frame."""

import json
from dataclasses import dataclass, field
from typing import Any

from idverify.errors import InvalidInput

MOST_FRAMES = 5
_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class CapturePackage:
    """`about` is what the station states of the capture; `frames` are photographs as they came from the camera."""

    about: dict[str, Any]
    frames: tuple[bytes, ...] = field(repr=False)

    def packed(self) -> bytes:
        """The bytes that `unpacked` takes, as static/sealing.js writes them: the length of a JSON object in 4 bytes
        (big-endian), the object with the frames' lengths in `frames`, then the frames.
        """
        about = json.dumps({**self.about, "frames": [len(frame) for frame in self.frames]}).encode()
        return len(about).to_bytes(_LENGTH_BYTES, "big") + about + b"".join(self.frames)


def unpacked(content: bytes) -> CapturePackage:
    """Raises InvalidInput when the bytes are not what `CapturePackage.packed` writes."""
    begin = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "big")
    try:
        about = json.loads(content[_LENGTH_BYTES:begin])
        lengths = about.pop("frames")
        fits = all(type(length) is int and length > 0 for length in lengths)
        if not fits or not 1 <= len(lengths) <= MOST_FRAMES or begin + sum(lengths) != len(content):
            raise ValueError
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise InvalidInput(f"capture: expected 1 to {MOST_FRAMES} frames with their lengths before them") from None
    frames = []
    for length in lengths:
        frames.append(content[begin : begin + length])
        begin += length
    return CapturePackage(about, tuple(frames))
