"""Contact sheets and folders of rendered citizens.

It promises one row of portraits a person, or one folder a person; it must not decide how anybody looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from citizens.capture import Capture
from citizens.identity import Identity
from citizens.portrait import portrait_jpeg, render

_MARGIN_PX = 8


def contact_sheet(
    people: int, portraits: int, *, seed: int = 0, tile_px: tuple[int, int] = (180, 240), per_row: int = 4
) -> NDArray[np.uint8]:
    """A sheet (H, W, 3) RGB: `per_row` people a line, each with that many portraits side by side."""
    lines = -(-people // per_row)
    width, height = tile_px[0] * portraits + _MARGIN_PX, tile_px[1] + _MARGIN_PX
    sheet = np.full((lines * height + _MARGIN_PX, min(people, per_row) * width + _MARGIN_PX, 3), 255, np.uint8)
    for n in range(people):
        top, left = _MARGIN_PX + n // per_row * height, _MARGIN_PX + n % per_row * width
        for k in range(portraits):
            x = left + k * tile_px[0]
            sheet[top : top + tile_px[1], x : x + tile_px[0]] = _tile(seed + n, k, tile_px)
    return sheet


def _tile(identity_seed: int, visit: int, tile_px: tuple[int, int]) -> NDArray[np.uint8]:
    capture = Capture.frontal() if visit == 0 else Capture.from_seed(identity_seed * 1000 + visit)
    pixels = render(Identity.from_seed(identity_seed), capture).pixels
    return np.asarray(cv2.resize(pixels, tile_px, interpolation=cv2.INTER_AREA), np.uint8)


def write_sheet(path: Path, sheet: NDArray[np.uint8]) -> None:
    """Writes a sheet in the format that the file's suffix names."""
    if not cv2.imwrite(str(path), sheet[..., ::-1]):
        raise OSError(f"could not write a picture to {path}: does its folder exist?")


def write_folder(out: Path, people: int, portraits: int, *, seed: int = 0) -> Iterator[Path]:
    """Writes OUT/citizen-0001/citizen-0001_0001.jpg and so on, giving each path once it is written."""
    for n in range(1, people + 1):
        name = f"citizen-{n:04d}"
        (out / name).mkdir(parents=True, exist_ok=True)
        for k in range(1, portraits + 1):
            path = out / name / f"{name}_{k:04d}.jpg"
            path.write_bytes(portrait_jpeg(seed + n - 1, k))
            yield path
