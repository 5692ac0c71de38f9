"""What the detector is trained on: portraits from near and far, several people in clutter, and pictures of nobody.

It promises the same scene for the same seed, each face with its box and landmarks in pixels of the scene.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.training.clutter import Pixels, clutter
from models.training.portraits import Portraits
from models.training.spoiling import cover, spoil

SIDE_PX, NEAR_SIDE_PX = 160, 224
NEAR_FACE_PX = 112.0  # as the engine's detector looks again (idverify/vision/detector.py)
MOST_FACES = 6
_SMALLEST_FACE_PX = 13.0

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """`pixels` (side, side, 3) RGB; `boxes` (6, 4): x, y, width, height; `points` (6, 10); zero where no face is."""

    pixels: Pixels
    boxes: Floats
    points: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """A portrait laid into the scene: `matrix` (2, 3) takes its pixels to the scene's, centres to centres."""

    matrix: Floats
    side_px: int
    box: Floats
    points: Floats

    @classmethod
    def of(
        cls, portraits: Portraits, index: int, size_px: float, centre: Floats, turn: float, side_px: int = SIDE_PX
    ) -> _Placed:
        left, top, right, bottom = portraits.boxes[index].tolist()
        scale = size_px / max(right - left, bottom - top)
        cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
        linear = np.array([[cosine, -sine], [sine, cosine]], np.float32)
        middle = np.array([(left + right) / 2, (top + bottom) / 2], np.float32)
        matrix = np.concatenate([linear, (centre - linear @ middle)[:, None]], axis=1)
        sides = np.array([right - left, bottom - top], np.float32) * scale
        points = portraits.landmarks[index] @ linear.T + matrix[:, 2]
        box = np.concatenate([centre - sides / 2, sides]).astype(np.float32)
        return cls(matrix, side_px, box, points.astype(np.float32))

    def warped(self, pixels: Pixels, *, border: int = cv2.BORDER_CONSTANT) -> Pixels:
        # Shrinking by more than half would skip pixels: a mean first.
        matrix, scale = self.matrix, float(np.hypot(*self.matrix[0, :2]))
        if scale < 0.5:
            halves = 0.5 if scale > 0.25 else 0.25
            pixels = np.asarray(cv2.resize(pixels, None, fx=halves, fy=halves, interpolation=cv2.INTER_AREA), np.uint8)
            # A pixel of the smaller picture lies in the middle of those that it is the mean of.
            inner = np.full(2, (1 / halves - 1) / 2, np.float32)
            linear, middle = matrix[:, :2] / halves, matrix[:, :2] @ inner + matrix[:, 2]
            matrix = np.concatenate([linear, middle[:, None]], axis=1)
        side = (self.side_px, self.side_px)
        return np.asarray(cv2.warpAffine(pixels, matrix, side, flags=cv2.INTER_LINEAR, borderMode=border), np.uint8)


def scene(portraits: Portraits, seed: tuple[int, ...]) -> Scene:
    """The scene of that seed."""
    rng = np.random.default_rng(seed)
    drawn = rng.random()
    if drawn < 0.48:
        pixels, placed = _one_person(portraits, rng)
    elif drawn < 0.70:
        pixels, placed = _several_people(portraits, rng)
    else:
        pixels, placed = _nobody(portraits, rng), []
    return _finished(rng, pixels, placed)


def near_scene(portraits: Portraits, seed: tuple[int, ...]) -> Scene:
    """As the detector looks again, (224, 224): a face near, almost upright and in the middle; now and then nobody."""
    rng = np.random.default_rng(seed)
    if rng.random() < 0.1:
        return _finished(rng, clutter(rng, NEAR_SIDE_PX), [])
    index = int(rng.integers(len(portraits)))
    size = NEAR_FACE_PX * float(np.exp(rng.normal(0, 0.06)))
    if rng.random() < 0.2:  # the source has no more pixels, or the first look was wrong about them
        size = float(np.exp(rng.uniform(np.log(40), np.log(140))))
    centre = rng.normal(NEAR_SIDE_PX / 2, 5.0, 2).astype(np.float32)
    turn = float(np.radians(rng.normal(0, 12 if rng.random() < 0.2 else 4)))
    face = _Placed.of(portraits, index, size, centre, turn, NEAR_SIDE_PX)
    source = portraits.pixels(index)
    if rng.random() < 0.6:
        pixels = face.warped(source, border=cv2.BORDER_CONSTANT if rng.random() < 0.7 else cv2.BORDER_REPLICATE)
    else:
        pixels = _laid(clutter(rng, NEAR_SIDE_PX), face, source, None)
    return _finished(rng, pixels, [face], clean=0.35)


def _finished(rng: np.random.Generator, pixels: Pixels, placed: list[_Placed], *, clean: float = 0.0) -> Scene:
    """Something before some of the faces, a poor camera but for a `clean` share, and a mirror for half."""
    if rng.random() >= clean:
        for face in placed:
            if rng.random() < 0.2:
                pixels = cover(rng, pixels, face.points)
        pixels = spoil(rng, pixels)
    boxes, points = np.zeros((MOST_FACES, 4), np.float32), np.zeros((MOST_FACES, 10), np.float32)
    for n, face in enumerate(placed):
        boxes[n], points[n] = face.box, face.points.ravel()
    if rng.random() < 0.5:
        pixels = _mirror(pixels, boxes, points)
    return Scene(np.ascontiguousarray(pixels), boxes, points)


def _turn(rng: np.random.Generator) -> float:
    return float(np.radians(np.clip(rng.normal(0, 11), -35, 35)))


def _one_person(portraits: Portraits, rng: np.random.Generator) -> tuple[Pixels, list[_Placed]]:
    """A portrait from any distance, wherever the face is."""
    index = int(rng.integers(len(portraits)))
    size, turn = float(np.exp(rng.uniform(np.log(28), np.log(155)))), _turn(rng)
    spread = max(2.0, (SIDE_PX - 0.55 * size) / 2 * 0.55)
    centre = np.clip(rng.normal(SIDE_PX / 2, spread, 2), 0.28 * size, SIDE_PX - 0.28 * size).astype(np.float32)
    face = _Placed.of(portraits, index, size, centre, turn)
    source = portraits.pixels(index)
    if rng.random() < 0.5:
        return face.warped(source, border=int(rng.choice([cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE]))), [face]
    return _laid(clutter(rng, SIDE_PX), face, source, None), [face]


def _several_people(portraits: Portraits, rng: np.random.Generator) -> tuple[Pixels, list[_Placed]]:
    pixels = clutter(rng, SIDE_PX)
    placed: list[_Placed] = []
    for _ in range(int(rng.integers(2, MOST_FACES + 1))):
        size = float(np.exp(rng.uniform(np.log(_SMALLEST_FACE_PX), np.log(72))))
        centre = rng.uniform(0.5 * size, SIDE_PX - 0.5 * size, 2).astype(np.float32)
        index = int(rng.integers(len(portraits)))
        face = _Placed.of(portraits, index, size, centre, _turn(rng))
        window = _grown(face.box, float(rng.uniform(1.25, 2.0)))
        if any(_touch(window, other.box) for other in placed):
            continue
        placed.append(face)
        pixels = _laid(pixels, face, portraits.pixels(index), window if rng.random() < 0.7 else face.box)
    return pixels, placed


def _nobody(portraits: Portraits, rng: np.random.Generator) -> Pixels:
    """Clutter, or people without their face: shoulders and hair, the face covered, its pieces in disorder."""
    pixels = clutter(rng, SIDE_PX)
    if rng.random() < 0.65:
        return pixels
    index = int(rng.integers(len(portraits)))
    size = float(np.exp(rng.uniform(np.log(30), np.log(150))))
    centre = rng.uniform(0.2 * SIDE_PX, 0.8 * SIDE_PX, 2).astype(np.float32)
    face = _Placed.of(portraits, index, size, centre, _turn(rng))
    source = portraits.pixels(index)
    left, top, right, bottom = (max(0, round(edge)) for edge in portraits.boxes[index].tolist())
    area = source[top:bottom, left:right]
    if rng.random() < 0.5:
        # What hair, a hood or a turned head leaves: one colour of the picture where the face was, a little uneven.
        tone = source[int(rng.integers(source.shape[0])), int(rng.integers(source.shape[1]))].astype(np.int16)
        mask = np.zeros(source.shape[:2], np.uint8)
        middle, axes = ((left + right) // 2, (top + bottom) // 2), ((right - left) // 2 + 6, (bottom - top) // 2 + 8)
        cv2.ellipse(mask, middle, axes, 0, 0, 360, 255, -1)
        flat = np.clip(tone + rng.integers(-9, 10, (*source.shape[:2], 1)), 0, 255).astype(np.uint8)
        source = np.where(mask[..., None] > 0, flat, source)
    else:
        rows, columns = area.shape[0] // 4, area.shape[1] // 4
        tiles = [
            area[r * rows : (r + 1) * rows, c * columns : (c + 1) * columns].copy() for r in range(4) for c in range(4)
        ]
        for place, tile in enumerate(rng.permutation(16).tolist()):
            r, c = divmod(place, 4)
            area[r * rows : (r + 1) * rows, c * columns : (c + 1) * columns] = np.rot90(tiles[tile], 2)
    return _laid(pixels, face, source, None)


def _laid(pixels: Pixels, face: _Placed, source: Pixels, window: Floats | None) -> Pixels:
    """The portrait over the picture, cut out by the window (x, y, width, height) if there is one."""
    mask = face.warped(np.full(source.shape[:2], 255, np.uint8))
    if window is not None:
        cut = np.zeros_like(mask)
        x, y, width, height = (round(float(edge)) for edge in window)
        cv2.rectangle(cut, (x, y), (x + width, y + height), 255, -1)
        mask = np.minimum(mask, cut)
    return np.where(mask[..., None] > 127, face.warped(source), pixels)


def _grown(box: Floats, factor: float) -> Floats:
    return np.concatenate([box[:2] - box[2:] * (factor - 1) / 2, box[2:] * factor]).astype(np.float32)


def _touch(one: Floats, other: Floats) -> bool:
    return bool(np.all((one[:2] < other[:2] + other[2:]) & (other[:2] < one[:2] + one[2:])))


def _mirror(pixels: Pixels, boxes: Floats, points: Floats) -> Pixels:
    """Left for right; the landmarks change names with their sides. Changes boxes and points in place."""
    real = boxes[:, 2] > 0
    last = pixels.shape[1] - 1  # coordinates are those of pixels' centres
    boxes[real, 0] = last - boxes[real, 0] - boxes[real, 2]
    swapped = points.reshape(-1, 5, 2)[:, [1, 0, 2, 4, 3]].copy()
    swapped[..., 0] = last - swapped[..., 0]
    points[real] = swapped.reshape(-1, 10)[real]
    return np.asarray(cv2.flip(pixels, 1), np.uint8)
