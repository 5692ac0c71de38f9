"""Pictures without a face: gradients, textures, patterns, heaps of shapes, writing. They surround faces or stand alone.

It promises (H, W, 3) uint8 pixels from the generator alone; it must not draw anything that two eyes and a mouth make.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


def clutter(rng: np.random.Generator, side_px: int) -> Pixels:
    """One square picture."""
    ground = (_gradient, _texture, _texture, _pattern)[rng.integers(4)](rng, side_px)
    if rng.random() < 0.6:
        _heap(rng, ground, int(rng.integers(2, 24)))
    return ground


def _colour(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Any colour; a third of them the colour of some skin, which alone makes no face."""
    if rng.random() < 1 / 3:
        red = rng.uniform(50, 240)
        return np.array([red, red * rng.uniform(0.6, 0.85), red * rng.uniform(0.4, 0.75)])
    return rng.uniform(0, 255, 3)


def _gradient(rng: np.random.Generator, side: int) -> Pixels:
    corners = np.array([[_colour(rng), _colour(rng)], [_colour(rng), _colour(rng)]], np.float32)
    return np.asarray(cv2.resize(corners, (side, side), interpolation=cv2.INTER_LINEAR), np.float32).astype(np.uint8)


def _texture(rng: np.random.Generator, side: int) -> Pixels:
    """Noise of several coarsenesses between two colours."""
    total = np.zeros((side, side), np.float32)
    for cells in rng.choice([2, 3, 5, 8, 13, 21, 40, 80], int(rng.integers(1, 4)), replace=False).tolist():
        noise = rng.standard_normal((cells, cells), dtype=np.float32)
        total += cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC)
    share = np.clip(total * np.float32(rng.uniform(0.1, 0.5)) + 0.5, 0, 1)[..., None]
    one, other = _colour(rng).astype(np.float32), _colour(rng).astype(np.float32)
    return np.asarray(one * share + other * (1 - share), np.float32).astype(np.uint8)


def _pattern(rng: np.random.Generator, side: int) -> Pixels:
    """Stripes, checks or dots."""
    angle, period = rng.uniform(0, np.pi), float(np.exp(rng.uniform(np.log(4), np.log(60))))
    x, y = np.meshgrid(np.arange(side, dtype=np.float32), np.arange(side, dtype=np.float32))
    along = np.sin((x * np.cos(angle) + y * np.sin(angle)) * (2 * np.pi / period))
    across = np.sin((y * np.cos(angle) - x * np.sin(angle)) * (2 * np.pi / period) + rng.uniform(0, 6))
    wave = (along, along * across, np.maximum(along, across))[rng.integers(3)]
    if rng.random() < 0.5:
        wave = np.sign(wave)
    share = (wave[..., None] + 1) / 2
    return np.asarray(_colour(rng) * share + _colour(rng) * (1 - share), np.float32).astype(np.uint8)


def _heap(rng: np.random.Generator, pixels: Pixels, shapes: int) -> None:
    """Draws boxes, discs, rings, sticks, polygons and letters over the picture."""
    side = pixels.shape[0]
    for _ in range(shapes):
        colour = tuple(int(c) for c in _colour(rng))
        x, y = rng.integers(-10, side + 10, 2).tolist()
        size = float(np.exp(rng.uniform(np.log(3), np.log(side / 2))))
        wide, high = (max(1, int(size * rng.uniform(0.3, 1))) for _ in range(2))
        thickness = -1 if rng.random() < 0.6 else int(rng.integers(1, 5))
        match int(rng.integers(6)):
            case 0:
                cv2.rectangle(pixels, (x, y), (x + wide, y + high), colour, thickness)
            case 1 | 2:
                turn = float(rng.uniform(0, 180))
                cv2.ellipse(pixels, (x, y), (wide, high), turn, 0, 360, colour, thickness, cv2.LINE_AA)
            case 3:
                end = (x + int(rng.normal(0, size)), y + int(rng.normal(0, size)))
                cv2.line(pixels, (x, y), end, colour, abs(thickness), cv2.LINE_AA)
            case 4:
                corners = (np.array([x, y]) + rng.normal(0, size / 2, (int(rng.integers(3, 7)), 2))).astype(np.int32)
                cv2.fillPoly(pixels, [corners], colour, cv2.LINE_AA)
            case _:
                word = "".join(map(chr, rng.integers(48, 123, int(rng.integers(1, 8)))))
                cv2.putText(pixels, word, (x, y), int(rng.integers(0, 8)), size / 40, colour, abs(thickness))
