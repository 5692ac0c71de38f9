"""What surrounds the face in the camera's plane: backdrop, shoulders and clothes, neck, ears.

It promises layers that go with the head's place and turn; it must not touch the face.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from citizens.canvas import coverage, curve
from citizens.capture import Capture
from citizens.head import Grid, Head
from citizens.light import backdrop_light, key_and_fill, lamp_colour, lamp_direction
from citizens.palette import Rgb, scaled
from citizens.pose import Camera

# Linear light (rows, columns, 3) at x (1, columns) and y (rows, 1), in mm of the camera's plane without roll.
Shader = Callable[[Grid, Grid], Grid]


@dataclass(frozen=True, slots=True)
class Layer:
    """Paints shapes given in mm of the camera's plane on an image (rows, columns, 3) of linear light."""

    image: Grid
    camera: Camera

    def fill(
        self,
        outline_mm: Grid,
        paint: Rgb | Shader,
        feather_mm: float = 0.8,
        *,
        opacity: float = 1.0,
        rolls: bool = True,
    ) -> None:
        """A filled outline (N, 2) in an sRGB colour or a shader; the body does not roll with the head."""
        camera = self.camera
        unrolled = np.asarray(outline_mm, np.float64) * camera.px_per_mm + np.array(camera.centre_px)
        points: NDArray[np.float64] = camera.plane(outline_mm) if rolls else unrolled
        sigma = feather_mm * camera.px_per_mm
        margin = 2 + 2.5 * sigma
        rows, columns = self.image.shape[:2]
        x0, y0 = np.clip((points.min(axis=0) - margin).astype(int), 0, (columns - 1, rows - 1)).tolist()
        x1, y1 = np.clip((points.max(axis=0) + margin).astype(int) + 1, (x0 + 1, y0 + 1), (columns, rows)).tolist()
        mask = coverage(points - (x0, y0), (y1 - y0, x1 - x0), sigma)[..., None]
        if opacity < 1:
            mask *= np.float32(opacity)
        if callable(paint):
            x = (np.arange(x0, x1, dtype=np.float32)[None, :] - camera.centre_px[0]) / camera.px_per_mm
            y = (np.arange(y0, y1, dtype=np.float32)[:, None] - camera.centre_px[1]) / camera.px_per_mm
            colour = paint(x, y)
        else:
            colour = np.square(np.asarray(paint, np.float32))
        area = self.image[y0:y1, x0:x1]
        step = colour - area
        step *= mask
        area += step


def backdrop(capture: Capture, size_px: tuple[int, int]) -> Grid:
    """(rows, columns, 3) of linear light behind the person."""
    rng = np.random.default_rng([capture.seed, 10])
    if capture.background == "plain":
        shade = np.array([[1.02, 1.02], [0.96, 0.96]], np.float32)
    elif capture.background == "gradient":
        shade = rng.uniform(0.7, 1.12, (2, 2)).astype(np.float32)
    else:
        shade = rng.uniform(0.55, 1.2, (5, 4)).astype(np.float32)
    wall = np.square(np.asarray(capture.background_rgb, np.float32)) * backdrop_light(capture)
    smooth = cv2.INTER_LINEAR if shade.shape == (2, 2) else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(shade[..., None] * wall, size_px, interpolation=smooth), np.float32)


def draw_body(layer: Layer, head: Head, capture: Capture) -> None:
    """Shoulders in their clothes, without the neck."""
    i = head.identity
    neck, base = neck_half_width_mm(head), i.chin_drop_mm
    rng = np.random.default_rng([capture.seed, 11])
    folds = rng.standard_normal((4, 7), dtype=np.float32)
    cloth = np.square(np.asarray(capture.clothes_rgb, np.float32)) * lamp_colour(capture)
    slope = 0.30 * capture.light_contrast * float(lamp_direction(capture)[0])

    def shader(x: Grid, y: Grid) -> Grid:
        creases = cv2.resize(folds, (x.shape[1], y.shape[0]), interpolation=cv2.INTER_CUBIC)
        light = np.clip(0.66 + slope * x / 180 - 0.10 * np.abs(x / 180) ** 3 + 0.05 * creases, 0.1, 1.2)
        return np.asarray(light[..., None] * cloth, np.float32)

    half = [
        (neck * 0.8, base + 16),
        (neck + 14, base + 33),
        (118, base + 54),
        (168, base + 80),
        (192, base + 150),
        (200, 800),
    ]
    shoulders = curve([(-u, v) for u, v in reversed(half)] + half, 6)
    layer.fill(shoulders, shader, rolls=False)


def neck_half_width_mm(head: Head) -> float:
    """The neck goes with the jaw."""
    return 0.5 * head.identity.face_width_mm * (0.37 + 0.38 * head.identity.jaw_width)


def draw_neck(layer: Layer, head: Head, capture: Capture, skin: Rgb) -> None:
    """The neck down to the collar, in the head's shadow, and the collar on it."""
    half, chin = neck_half_width_mm(head), head.identity.chin_drop_mm
    depth = {"round": 44, "vneck": 72, "shirt": 50, "jacket": 52}[capture.clothes]
    sides = [(half, 40), (half * 0.97, chin + 6), (half + 5, chin + 30)]
    opening = [(half * 0.75, chin + 39), (0, chin + depth)]
    right = curve(sides + opening, 6)
    outline = np.vstack([right, (right * (-1, 1))[::-1]])
    lamp, (key, fill) = lamp_direction(capture), key_and_fill(capture)
    paint = np.square(np.asarray(skin, np.float32)) * lamp_colour(capture)

    def shader(x: Grid, y: Grid) -> Grid:
        sine = np.clip(x / (half * 1.06), -1, 1)
        facing = np.maximum(lamp[0] * sine + lamp[2] * np.sqrt(1 - sine**2) + 0.25, 0) / 1.25
        shadow = 0.40 + 0.42 * np.clip((y - chin + 2) / 50, 0, 1) ** 1.3
        return np.asarray(((key * facing + 0.75 * fill) * shadow)[..., None] * paint, np.float32)

    layer.fill(outline, shader, 0.9, rolls=False)
    if capture.clothes in ("round", "vneck"):
        _neckline(layer, capture, half, chin, depth)
    else:
        _collar(layer, capture, half, chin, depth)


def _neckline(layer: Layer, capture: Capture, half: float, chin: float, depth: float) -> None:
    """The hem of a pullover."""
    share = 0.78 if capture.clothes == "round" else 0.58
    rim = scaled(capture.clothes_rgb, 0.66 * _exposure(capture))
    for side in (-1, 1):
        line = curve([(side * (half + 6), chin + 27), (side * half * share, chin + 41), (0, chin + depth)], 8)
        layer.fill(np.vstack([line, (line + np.array([0, 5]))[::-1]]), rim, 0.7, rolls=False)


def _collar(layer: Layer, capture: Capture, half: float, chin: float, depth: float) -> None:
    """A shirt's collar, and over it the lapels of a jacket."""
    exposure = _exposure(capture)
    white = scaled((0.88, 0.88, 0.87), 0.85 * exposure)
    colour = scaled(capture.clothes_rgb, 0.88 * exposure)
    for side in (-1, 1):
        if capture.clothes == "jacket":
            lapel = [(half + 9, 26), (half * 0.35, 110), (0, 190), (60, 190), (62, 92), (half + 22, 72)]
            front = [(0, depth - 4), (half + 2, 30), (half * 0.4, 108), (0, 180)]
            layer.fill(_mirrored(lapel, side, chin), scaled(capture.clothes_rgb, 0.72 * exposure), rolls=False)
            layer.fill(_mirrored(front, side, chin), white, 0.6, rolls=False)
            colour = white
        flap = [(half + 5, 18), (half + 9, 30), (half * 0.62, 74), (0, depth), (half * 0.66, 40)]
        crease = [(half + 9, 30), (half * 0.62, 74), (0, depth), (half * 0.62, 77)]
        layer.fill(_mirrored(flap, side, chin), colour, 0.6, rolls=False)
        layer.fill(_mirrored(crease, side, chin), scaled(colour, 0.6), 0.5, opacity=0.8, rolls=False)


def _mirrored(points: Sequence[tuple[float, float]], side: int, chin_mm: float) -> Grid:
    """Points of the image's right half, given from the chin down, on that side."""
    return np.array([(side * u, chin_mm + v) for u, v in points], np.float32)


def _exposure(capture: Capture) -> float:
    """The factor of an sRGB colour for flat things that face the camera."""
    return float(np.sqrt(capture.light_strength))


def draw_ear(layer: Layer, head: Head, capture: Capture, side: int, skin: Rgb) -> None:
    """One ear: a shell that stands off the side of the head."""
    i, camera = head.identity, layer.camera
    height = i.ear_height_mm
    middle = (i.nose_base_mm - i.brow_rise_mm * 0.6) / 2
    out = np.radians(26 + 30 * i.ear_flare)
    root = head.surface(np.array([side * 1.45], np.float32), np.array([middle], np.float32))[0]
    shell = curve(
        [(-4, 0.36), (3, 0.50), (10, 0.46), (13, 0.24), (19, -0.06), (20, -0.34), (12, -0.51), (2, -0.44), (-5, -0.2)],
        5,
    )
    bowl = curve([(1, 0.20), (7, 0.16), (12, -0.06), (13, -0.28), (7, -0.36), (2, -0.1), (1, 0.20)], 5)
    helix = curve([(3, -0.40), (11, -0.42), (15, -0.27), (14, -0.05)], 6)
    rim = np.vstack([helix, (helix + np.array([1.8, 0.02]))[::-1]])
    brightness = (
        (0.80 + 0.14 * float(lamp_direction(capture)[0]) * side) * _exposure(capture) * (1 - 0.3 * capture.backlight)
    )
    colour = scaled((skin[0], skin[1] * 0.96, skin[2] * 0.95), brightness)
    for outline, shade, feather in ((shell, 1.0, 0.8), (bowl, 0.76, 2.4), (rim, 0.80, 1.0)):
        across, along = outline[:, 0], outline[:, 1] * height
        points = root + np.stack([side * across * np.sin(out), along, -across * np.cos(out)], axis=1)
        layer.fill(camera.turned(points)[:, :2].astype(np.float32), scaled(colour, shade), feather)
