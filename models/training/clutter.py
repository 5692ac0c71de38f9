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
    for _ in range(int(rng.integers(1, 5)) if rng.random() < 0.6 else 0):
        _thing(rng, ground)
    return ground


def _colour(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Any colour; a third of them the colour of some skin, which alone makes no face."""
    if rng.random() < 1 / 3:
        red = rng.uniform(50, 240)
        return np.array([red, red * rng.uniform(0.6, 0.85), red * rng.uniform(0.4, 0.75)])
    return rng.uniform(0, 255, 3)


def _gradient(rng: np.random.Generator, side: int) -> Pixels:
    rows, columns = rng.integers(2, 6, 2).tolist()
    places = np.array([_colour(rng) for _ in range(rows * columns)], np.float32).reshape(rows, columns, 3)
    if rng.random() < 0.5:  # of one colour, in uneven light
        places = places[:1, :1] * rng.uniform(0.4, 1.2, (rows, columns, 1)).astype(np.float32)
    way = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(2)]
    return np.clip(np.asarray(cv2.resize(places, (side, side), interpolation=way)), 0, 255).astype(np.uint8)


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


def _thing(rng: np.random.Generator, pixels: Pixels) -> None:
    """Draws a round or square thing with marks on it: a lamp, a socket, a plate, a clock, a drawer, a screen."""
    side = pixels.shape[0]
    size = float(np.exp(rng.uniform(np.log(12), np.log(side))))
    middle = rng.uniform(0, side, 2)
    axes = size / 2 * np.array([rng.uniform(0.6, 1.1), rng.uniform(0.6, 1.2)])
    body, dark = _colour(rng), rng.random() < 0.75
    turn = float(rng.normal(0, 8))
    shape = int(rng.integers(3))
    rim = int(max(1, size * rng.uniform(0.01, 0.08)))
    for colour, thickness in ((body, -1), (body * rng.uniform(0.2, 1.1), rim))[: 1 + int(rng.random() < 0.6)]:
        _shape(pixels, shape, middle, axes, turn, colour, thickness)
    if shape and rng.random() < 0.3:  # shaded like a ball
        for share in np.linspace(0.9, 0.2, 6).tolist():
            off = axes * (1 - share) * rng.uniform(-0.3, 0.3, 2)
            _shape(pixels, 1, middle + off, axes * share, turn, np.clip(body * (1.35 - 0.35 * share), 0, 255), -1)
    ink = body * rng.uniform(0.05, 0.7) if dark else np.clip(body * rng.uniform(1.2, 2) + 30, 0, 255)
    mark, radius = int(rng.integers(4)), max(1.0, size * float(rng.uniform(0.02, 0.14)))
    for place in _places(rng):
        at = middle + axes * place
        if mark == 3:
            ink = _colour(rng)
        _shape(pixels, min(mark, 2), at, radius * np.array([1.0, rng.uniform(0.3, 1.6)]), turn, ink, -1)


def _places(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Where the marks lie, in half sides of the thing: (N, 2); never two over one."""
    match int(rng.integers(4)):
        case 0:  # anywhere
            return rng.uniform(-0.75, 0.75, (int(rng.integers(1, 6)), 2))
        case 1:  # a row, or a column
            count = int(rng.integers(2, 6))
            row = np.stack([np.linspace(0, rng.uniform(0.3, 1.2), count), np.zeros(count)], axis=1)
            row += rng.uniform(-0.6, 0.2, 2)
            return row if rng.random() < 0.75 else row[:, ::-1]
        case 2:  # a grid
            columns, rows = (np.linspace(-0.6, 0.6, int(count)) for count in rng.integers(2, 6, 2))
            return np.stack([each.ravel() for each in np.meshgrid(columns, rows)], axis=1)
        case _:  # a ring
            angles = rng.uniform(0, 6) + np.linspace(0, 2 * np.pi, int(rng.integers(4, 13)), endpoint=False)
            return rng.uniform(0.3, 0.8) * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _shape(
    pixels: Pixels,
    shape: int,
    middle: npt.NDArray[np.float64],
    axes: npt.NDArray[np.float64],
    turn_deg: float,
    colour: npt.NDArray[np.float64],
    thickness: int,
) -> None:
    """A box (0), an ellipse (1, 2)."""
    ink = tuple(int(c) for c in np.clip(colour, 0, 255))
    if shape == 0:
        corners = cv2.boxPoints((middle.tolist(), (2 * axes).tolist(), turn_deg)).astype(np.int32)
        if thickness < 0:
            cv2.fillConvexPoly(pixels, corners, ink, cv2.LINE_AA)
        else:
            cv2.polylines(pixels, [corners], True, ink, thickness, cv2.LINE_AA)
        return
    at, sides = (round(float(middle[0])), round(float(middle[1]))), np.maximum(1, axes).astype(int).tolist()
    cv2.ellipse(pixels, at, (sides[0], sides[1]), turn_deg, 0, 360, ink, thickness, cv2.LINE_AA)
