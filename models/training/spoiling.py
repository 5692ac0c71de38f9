"""What happens to a picture between a face and a network: light, colour, blur, few pixels, grain, compression, cover.

Every function takes and gives (H, W, 3) uint8 pixels and draws from the generator that it is given.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


def spoil(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """A picture as a poor camera in poor light would have it; about one in ten stays as it is."""
    if rng.random() < 0.1:
        return pixels
    if rng.random() < 0.75:
        pixels = _other_colours(rng, pixels)
    if rng.random() < 0.3:
        pixels = _side_light(rng, pixels)
    if rng.random() < 0.3:
        pixels = _u8(cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.3, 1.7))))
    elif rng.random() < 0.3:
        pixels = _fewer_pixels(rng, pixels)
    if rng.random() < 0.35:
        pixels = _grain(rng, pixels)
    if rng.random() < 0.35:
        _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(22, 92))])
        pixels = _u8(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    return pixels


def cover(rng: np.random.Generator, pixels: Pixels, points: npt.NDArray[np.float32]) -> Pixels:
    """Something before the face whose five landmarks are `points` (5, 2) px: glasses, a mask, a hand, a microphone."""
    eyes = float(np.hypot(*(points[1] - points[0])))
    colour = tuple(int(c) for c in rng.integers(0, 256, 3))
    covered = pixels.copy()
    kind = rng.integers(4)
    if kind == 0:  # glasses
        thickness = max(1, round(eyes * float(rng.uniform(0.03, 0.09))))
        radius = max(2, round(eyes * float(rng.uniform(0.28, 0.42))))
        fill = rng.random() < 0.4
        for point in points[:2]:
            cv2.circle(covered, _at(point), radius, colour, -1 if fill else thickness, cv2.LINE_AA)
        cv2.line(covered, _at(points[0]), _at(points[1]), colour, thickness, cv2.LINE_AA)
    elif kind == 1:  # a mask over mouth and chin
        across, mouth = points[4] - points[3], (points[3] + points[4]) / 2
        down = (mouth - (points[0] + points[1]) / 2) * 0.8
        nose = points[2] + (mouth - points[2]) * float(rng.uniform(0.0, 0.6))
        outline = np.array([nose - across, nose + across, mouth + across * 0.8 + down, mouth - across * 0.8 + down])
        cv2.fillConvexPoly(covered, np.round(outline).astype(np.int32), colour, cv2.LINE_AA)
    else:  # a hand, a strand, a microphone: a blob or a bar
        centre = points[rng.integers(5)] + rng.normal(0, 0.4 * eyes, 2)
        axes = np.maximum(1, eyes * rng.uniform((0.15, 0.1), (0.7, 0.45)))
        ellipse = (int(axes[0]), int(axes[1]))
        cv2.ellipse(covered, _at(centre), ellipse, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    return covered


def _at(point: npt.NDArray[np.floating]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _other_colours(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """Exposure, contrast, gamma and white balance by one table; now and then without colour."""
    if rng.random() < 0.12:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        pixels = _u8(cv2.merge([grey, grey, grey]))
    levels = np.linspace(0, 1, 256)[:, None] ** float(np.exp(rng.normal(0, 0.25)))
    gains = float(np.exp(rng.normal(0, 0.22))) * np.exp(rng.normal(0, 0.08, 3))
    contrast, pivot = float(np.exp(rng.normal(0, 0.18))), float(rng.uniform(0.3, 0.6))
    table = np.clip(((levels - pivot) * contrast + pivot) * gains, 0, 1) * 255
    return _u8(cv2.LUT(pixels, table.astype(np.uint8)[None]))


def _side_light(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """A slope of light across the picture."""
    height, width = pixels.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
    slope = x[None, :] * np.float32(np.cos(angle)) + y[:, None] * np.float32(np.sin(angle))
    factor = np.exp2(slope * np.float32(rng.uniform(0.2, 1.1)))
    return _u8(cv2.multiply(pixels, cv2.merge([factor] * 3), dtype=cv2.CV_8U))


def _fewer_pixels(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    share = float(rng.uniform(0.35, 0.85))
    small = cv2.resize(pixels, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA)
    return _u8(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


def _grain(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """Noise of one deviation; eight bits of randomness a pixel are enough for grain."""
    reach = float(rng.uniform(3, 28))
    noise = (rng.integers(0, 256, pixels.shape, np.uint8).astype(np.int16) - 128).astype(np.float32) * (reach / 128)
    return _u8(cv2.add(pixels, noise, dtype=cv2.CV_8U))


def _u8(pixels: object) -> Pixels:
    return np.asarray(pixels, np.uint8)
