"""Paints eyes, brows, nose, lips and folds on the chart of a head.

It promises features where the head's shape expects them, landmarks included; it must not light them or turn them.
"""

from __future__ import annotations

import cv2
import numpy as np

from citizens.canvas import Canvas, curve, ellipse
from citizens.capture import Capture
from citizens.head import Grid
from citizens.identity import Identity
from citizens.palette import Rgb, mix, scaled

_SCLERA: Rgb = (0.87, 0.85, 0.84)
_PUPIL: Rgb = (0.03, 0.03, 0.03)
_MOUTH_INSIDE: Rgb = (0.22, 0.08, 0.08)
_TEETH: Rgb = (0.90, 0.88, 0.83)


def landmarks_mm(identity: Identity, capture: Capture) -> Grid:
    """(5, 2) frontal (u, v): eyes (image-left first), nose tip, mouth corners (image-left first)."""
    half, corner = identity.eye_distance_mm / 2, mouth_corner_mm(identity, capture)
    return np.array(
        [(-half, 0), (half, 0), (0, identity.nose_length_mm), (-corner[0], corner[1]), corner], dtype=np.float32
    )


def mouth_corner_mm(identity: Identity, capture: Capture) -> tuple[float, float]:
    """The corner of the mouth on the image's right, as (u, v)."""
    half = identity.mouth_width_mm / 2 * (1 + 0.13 * capture.smile - 0.06 * capture.mouth_open)
    return half, identity.mouth_drop_mm - identity.mouth_curve_mm - 4.0 * capture.smile + 1.5 * capture.mouth_open


def paint_features(canvas: Canvas, capture: Capture, skin: Rgb) -> None:
    """Everything but hair, beard and skin."""
    for side in (-1, 1):
        _eye(canvas, capture, side, skin)
    _nose(canvas)
    _mouth(canvas, capture, skin)
    _folds(canvas, capture)


def _lids(identity: Identity, capture: Capture, side: int) -> tuple[Grid, Grid]:
    """Upper and lower edge of an open eye, each from the inner to the outer corner (outwards is away from the nose)."""
    half, width = identity.eye_distance_mm / 2, identity.eye_width_mm
    gap = identity.eye_opening_mm * capture.eyes_open * (1 - 0.16 * capture.smile)
    t = np.linspace(0, 1, 17)
    lift = -np.tan(np.radians(identity.eye_tilt_deg)) * width * (t - 0.5)
    upper = lift - gap * 0.58 * np.sin(np.pi * t**0.9) ** 0.72
    lower = lift + gap * 0.42 * np.sin(np.pi * t**1.15) ** 0.9 + (1 - capture.eyes_open) * 1.5
    u = side * (half + width * (t - 0.5))
    return np.stack([u, upper], axis=1).astype(np.float32), np.stack([u, lower], axis=1).astype(np.float32)


def _eye(canvas: Canvas, capture: Capture, side: int, skin: Rgb) -> None:
    i = canvas.head.identity
    upper, lower = _lids(i, capture, side)
    centre = side * i.eye_distance_mm / 2
    age = (i.age_years - 19) / 55
    canvas.tint(ellipse(centre, 0, i.eye_width_mm * 0.62, 9.5), (0.84, 0.80, 0.81), 0.5, 4.0)
    canvas.tint(ellipse(centre - side * 3, 12, 12, 3.4), (0.82, 0.77, 0.80), 0.2 + 0.4 * age, 2.5)
    window, open_eye = canvas.mask(np.vstack([upper, lower[::-1]]), 0.35)
    canvas.blend(window, open_eye, mix(_SCLERA, skin, 0.30))
    gaze, level = centre + 2.2 * capture.gaze_x, -0.5
    for radius, colour, feather in ((6.2, scaled(i.iris_rgb, 0.45), 0.35), (5.3, i.iris_rgb, 0.6), (2.4, _PUPIL, 0.35)):
        _within(canvas, window, open_eye, ellipse(gaze, level, radius, radius), colour, feather)
    shade = upper + np.array([0, 1.5], np.float32)
    canvas.stroke(shade, 3.6, (0.50, 0.47, 0.47), 0.7, 0.9)
    _within(canvas, window, open_eye, ellipse(gaze - 1.8, level - 1.8, 1.0, 1.0), (1.0, 1.0, 1.0), 0.3)
    canvas.stroke(upper, 1.9, (0.18, 0.14, 0.14), 0.92, 0.35)
    canvas.stroke(lower, 0.9, (0.55, 0.45, 0.45), 0.65, 0.4)
    tear = ellipse(float(upper[0, 0]) + side * 1.3, float(upper[0, 1]) + 0.6, 1.5, 1.1)
    canvas.fill(tear, mix(skin, (0.72, 0.42, 0.40), 0.45), 0.7, 0.4)
    if i.lid_crease_mm > 0.7:
        crease = upper[1:] - np.array([0, 2.0 + i.lid_crease_mm], np.float32)
        canvas.stroke(crease, 1.3, (0.55, 0.45, 0.45), 0.7, 0.5)
    _brow(canvas, side)


def _within(
    canvas: Canvas, window: tuple[slice, slice], limit: Grid, outline: Grid, colour: Rgb, feather_mm: float
) -> None:
    """Fills an outline where `limit`, the coverage of that window, lets it show."""
    inner, mask = canvas.mask(outline, feather_mm)
    top, left = window[0].start, window[1].start
    whole = np.zeros_like(limit)
    rows = slice(max(inner[0].start, top), min(inner[0].stop, window[0].stop))
    columns = slice(max(inner[1].start, left), min(inner[1].stop, window[1].stop))
    part = mask[rows.start - inner[0].start : rows.stop - inner[0].start]
    part = part[:, columns.start - inner[1].start : columns.stop - inner[1].start]
    whole[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = part
    canvas.blend(window, whole * limit, colour)


def _brow(canvas: Canvas, side: int) -> None:
    i = canvas.head.identity
    rng = np.random.default_rng([i.seed, 5, side + 1])
    inner, outer = i.eye_distance_mm / 2 - i.brow_length_mm * 0.42, i.eye_distance_mm / 2 + i.brow_length_mm * 0.58
    tilt = np.tan(np.radians(i.brow_tilt_deg)) * i.brow_length_mm
    rise = -i.brow_rise_mm + rng.uniform(-1.2, 1.2) * i.asymmetry
    keys = [
        (inner, rise + tilt * 0.4),
        (inner + i.brow_length_mm * 0.33, rise - i.brow_arch_mm * 0.7 + tilt * 0.1),
        (inner + i.brow_length_mm * 0.66, rise - i.brow_arch_mm - tilt * 0.2),
        (outer, rise + 2.5 - tilt * 0.5),
    ]
    line = curve(keys, 7)
    thickness = i.brow_thickness_mm * np.interp(np.linspace(0, 1, len(line)), [0, 0.12, 0.6, 1], [0.7, 1, 0.85, 0.12])
    outline = np.vstack([line, line[::-1]])
    outline[:, 1] += np.concatenate([-thickness / 2, thickness[::-1] / 2]).astype(np.float32)
    outline[:, 0] *= side
    window, mask = canvas.mask(outline, 0.9)
    coarse = rng.standard_normal((mask.shape[0], mask.shape[1] // 3 + 1), dtype=np.float32)
    hairs = 0.86 + 0.16 * cv2.resize(coarse, mask.shape[::-1], interpolation=cv2.INTER_CUBIC)
    canvas.blend(window, np.clip(mask * hairs * i.brow_density, 0, 0.95), brow_colour(i))


def brow_colour(identity: Identity) -> Rgb:
    """Brows are darker than grey or fair hair."""
    return scaled(mix(identity.hair_rgb, (0.12, 0.09, 0.08), 0.4), 0.85)


def _nose(canvas: Canvas) -> None:
    i = canvas.head.identity
    half, base = i.nose_width_mm / 2, i.nose_base_mm
    under = curve([(-half * 0.72, base - 1.5), (0, base + 1.6), (half * 0.72, base - 1.5)], 8)
    canvas.stroke(under, 3.4, (0.70, 0.62, 0.61), 0.7, 1.6)
    for side in (-1, 1):
        nostril = ellipse(side * half * 0.44, base - 1.8, half * 0.22, 1.5)
        canvas.tint(nostril, (0.25, 0.17, 0.17), 0.85, 0.8)
        wing = curve(
            [(side * half * 0.80, base - 12), (side * half * 1.03, base - 6), (side * half * 0.74, base - 0.5)]
        )
        canvas.stroke(wing, 1.9, (0.60, 0.50, 0.50), 0.7, 0.9)
    canvas.tint(ellipse(0, i.nose_length_mm, half * 0.7, 7), (1.05, 0.99, 0.98), 0.8, 4)


def lip_colour(identity: Identity, skin: Rgb) -> Rgb:
    """Redder and a little darker than the skin; on dark skin brown to mauve."""
    quiet = (skin[0] * 0.88, skin[1] * 0.76, skin[2] * 0.80)
    red = (0.20 + 0.55 * skin[0], 0.10 + 0.42 * skin[1], 0.12 + 0.42 * skin[2])
    return mix(quiet, red, 0.15 + 0.7 * identity.lip_redness)


def lip_outlines(identity: Identity, capture: Capture) -> tuple[Grid, Grid, Grid]:
    """The upper lip, the lower lip, and the gap between them, each a closed outline."""
    i, (corner_u, corner_v) = identity, mouth_corner_mm(identity, capture)
    middle, gap = i.mouth_drop_mm, 11.0 * capture.mouth_open + 2.0 * capture.smile**2
    thin = 1 - 0.22 * capture.smile
    top, bottom = middle - i.upper_lip_mm * thin - gap * 0.25, middle + i.lower_lip_mm * thin + gap * 0.75
    peak = corner_u * 0.26
    bow = [(-corner_u, corner_v), (-corner_u * 0.6, top + 2.4), (-peak, top), (0, top + 1.4), (peak, top)]
    crest = curve([*bow, (corner_u * 0.6, top + 2.4), (corner_u, corner_v)])
    above = curve(
        [
            (-corner_u, corner_v),
            (-peak, middle - gap * 0.22),
            (0, middle + 0.7 - gap * 0.25),
            (peak, middle - gap * 0.22),
            (corner_u, corner_v),
        ]
    )
    below = curve([(-corner_u, corner_v), (0, middle + 0.7 + gap * 0.75), (corner_u, corner_v)], 12)
    base = curve([(-corner_u, corner_v), (-peak * 1.3, bottom), (peak * 1.3, bottom), (corner_u, corner_v)], 8)
    return np.vstack([crest, above[::-1]]), np.vstack([below, base[::-1]]), np.vstack([above, below[::-1]])


def _mouth(canvas: Canvas, capture: Capture, skin: Rgb) -> None:
    i = canvas.head.identity
    colour = lip_colour(i, skin)
    upper, lower, gap = lip_outlines(i, capture)
    canvas.fill(upper, scaled(colour, 0.90), 0.9, 0.6)
    canvas.fill(lower, scaled(colour, 1.04), 0.9, 0.7)
    opening = 11.0 * capture.mouth_open + 2.0 * capture.smile**2
    if opening > 0.8:
        canvas.fill(gap, _MOUTH_INSIDE, 1.0, 0.35)
        window, hole = canvas.mask(gap, 0.35)
        teeth = ellipse(0, i.mouth_drop_mm - opening * 0.25 + 0.8, i.mouth_width_mm * 0.30, min(opening * 0.42, 4.2))
        _within(canvas, window, hole, teeth, _TEETH, 0.5)
    corner_u, corner_v = mouth_corner_mm(i, capture)
    line = gap[: len(gap) // 2 + 1]
    canvas.stroke(line, 1.5, (0.40, 0.27, 0.27), 0.85, 0.5)
    for side in (-1, 1):
        canvas.tint(ellipse(side * (corner_u + 0.6), corner_v + 0.4, 2.2, 1.8), (0.62, 0.52, 0.52), 0.8, 1.2)
    base = i.mouth_drop_mm + i.lower_lip_mm + 4.5
    canvas.tint(ellipse(0, base, i.mouth_width_mm * 0.26, 2.0), (0.80, 0.74, 0.74), 0.6, 2.4)


def _folds(canvas: Canvas, capture: Capture) -> None:
    """Nasolabial folds, bags, crow's feet and lines of the forehead: they come with age, and with a smile."""
    i = canvas.head.identity
    age = float(np.clip((i.age_years - 33) / 44, 0, 1))
    rng = np.random.default_rng([i.seed, 6])
    corner_u, corner_v = mouth_corner_mm(i, capture)
    for side in (-1, 1):
        keys = [
            (i.nose_width_mm * 0.58, i.nose_base_mm - 6),
            (corner_u + 4, corner_v - 12),
            (corner_u + 6.5, corner_v + 2),
        ]
        fold = curve([(side * u, v) for u, v in keys], 8)
        canvas.stroke(fold, 2.6, (0.66, 0.56, 0.56), min(0.12 + 0.55 * age + 0.35 * capture.smile, 0.85), 1.2)
        half = i.eye_distance_mm / 2
        bag = curve([(side * (half - 10), 9), (side * half, 13), (side * (half + 11), 9)], 6)
        canvas.stroke(bag, 1.6, (0.66, 0.58, 0.60), 0.65 * age * rng.uniform(0.3, 1), 0.9)
        for n in range(3):
            foot = half + i.eye_width_mm * 0.62
            line = curve([(side * foot, -2 + 3.4 * n), (side * (foot + 8), -5 + 5.5 * n)], 5)
            canvas.stroke(line, 1.0, (0.70, 0.62, 0.62), (0.6 * age + 0.2 * capture.smile) * rng.uniform(0.4, 1), 0.5)
    for n in range(4):
        height = -i.brow_rise_mm - 12 - 7.5 * n + rng.uniform(-1.5, 1.5)
        bend = rng.uniform(-2.5, 2.5)
        line = curve([(-32, height + 2 + bend), (-14, height), (14, height - bend), (32, height + 2)], 6)
        canvas.stroke(line, 1.6, (0.76, 0.68, 0.66), 0.62 * max(age - 0.12, 0) * rng.uniform(0.3, 1), 1.0)
