"""Skin and what lies in it: base colour, unevenness, freckles, moles, scars.

It promises marks that stay with the identity; it must not paint features or hair.
"""

from __future__ import annotations

import cv2
import numpy as np

from citizens.canvas import Canvas, curve, ellipse
from citizens.head import CHART_HEIGHT, CHART_WIDTH
from citizens.identity import Identity
from citizens.palette import Rgb, skin_colour


def base_colour(identity: Identity) -> Rgb:
    """The skin of that person, before any unevenness."""
    return skin_colour(identity.skin_tone, identity.skin_shade, identity.skin_warmth)


def paint_skin(canvas: Canvas) -> None:
    """Unevenness, flushed cheeks, pores and marks over the ground that the canvas already has."""
    i = canvas.head.identity
    rng = np.random.default_rng([i.seed, 7])
    light, flush = rng.standard_normal((2, 14, 13), dtype=np.float32) * np.float32(0.5)
    shade, red = 1 + 0.058 * i.asymmetry * light, 0.042 * flush
    patches = cv2.merge([shade + 0.4 * red, shade - red, shade - 0.8 * red])
    canvas.rgb *= cv2.resize(patches, (CHART_WIDTH, CHART_HEIGHT), interpolation=cv2.INTER_CUBIC)
    pores = 1 + 0.015 * rng.standard_normal((90, 84), dtype=np.float32)
    canvas.rgb *= cv2.resize(pores, (CHART_WIDTH, CHART_HEIGHT), interpolation=cv2.INTER_CUBIC)[..., None]
    cheek_u, cheek_v = i.face_width_mm * 0.30, i.nose_length_mm * 0.8
    strength = 0.25 + 0.6 * float(rng.random())
    flushed = (1.02, 0.89 + 0.015 * i.skin_tone, 0.90 + 0.012 * i.skin_tone)
    for side in (-1, 1):
        canvas.tint(ellipse(side * cheek_u, cheek_v, 15, 12), flushed, strength, 6)
    _shadows(canvas, rng)
    _marks(canvas, rng)


def _shadows(canvas: Canvas, rng: np.random.Generator) -> None:
    """Skin is darker round the eyes and the mouth of some, more so where it has more pigment."""
    i = canvas.head.identity
    depth = 0.3 + 0.12 * i.skin_tone
    eyes, mouth, brow, nose = (depth * rng.uniform(0, 1, 4)).tolist()
    for side in (-1, 1):
        canvas.tint(ellipse(side * i.eye_distance_mm / 2, 2, 20, 14), (0.82, 0.80, 0.81), eyes, 4)
    canvas.tint(ellipse(0, i.mouth_drop_mm, i.mouth_width_mm * 0.62, 16), (0.82, 0.79, 0.79), mouth, 5)
    canvas.tint(ellipse(0, -i.hairline_mm * 0.75, 40, 15), (0.87, 0.85, 0.84), brow, 7)
    canvas.tint(ellipse(0, i.nose_length_mm * 0.6, 8, 13), (1.07, 1.05, 1.04), nose, 4)


def _marks(canvas: Canvas, rng: np.random.Generator) -> None:
    i = canvas.head.identity
    if i.freckles > 0 and i.skin_tone <= 5:
        for _ in range(int(30 + 90 * i.freckles)):
            u, v = rng.normal(0, 34), rng.normal(i.nose_length_mm * 0.55, 17)
            canvas.tint(
                ellipse(float(np.clip(u, -58, 58)), v, *rng.uniform(0.5, 1.0, 2)), (0.82, 0.71, 0.63), 0.75, 0.5
            )
    for _ in range(int(rng.integers(0, 4))):
        u, v, size = rng.uniform(-52, 52), rng.uniform(-50, i.chin_drop_mm - 14), rng.uniform(0.8, 1.7)
        canvas.tint(ellipse(u, v, size, size), (0.50, 0.40, 0.36), 0.85, 0.45)
    if rng.random() < 0.15:
        u, v = rng.uniform(-45, 45), rng.uniform(-45, 60)
        du, dv = rng.uniform(-12, 12), rng.uniform(6, 15)
        canvas.stroke(
            curve([(u, v), (u + du / 2 + 1.5, v + dv / 2), (u + du, v + dv)]), 1.8, (1.12, 1.02, 1.02), 0.9, 0.5
        )
