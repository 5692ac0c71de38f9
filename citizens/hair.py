"""Hair on the head and in the face, painted on the chart.

It promises strands that follow the style's curl and parting; it must not draw what
hangs beside or behind the head (locks).
"""

from __future__ import annotations

import cv2
import numpy as np

from citizens.canvas import Canvas, curve, ellipse
from citizens.capture import Capture
from citizens.features import brow_colour, lip_outlines
from citizens.hairstyle import STYLES
from citizens.head import CHART_HEIGHT, CHART_WIDTH, RELIEF_STEP, Grid, column_angles, hair_edge_mm, row_heights
from citizens.identity import Identity
from citizens.palette import Rgb, mix, scaled

_BEARD_OPACITY = {"none": 0.0, "stubble": 0.36, "moustache": 0.92, "goatee": 0.92, "short": 0.82, "full": 0.95}


def strands(rng: np.random.Generator, shape: tuple[int, int], curl: float) -> Grid:
    """(rows, columns) of light and dark hairs, about -1 to 1: long streaks down the rows, or tight curls."""
    rows, columns = shape
    length = 1 + (1 - curl) ** 2 * 26
    grain = 1.5 + 2.0 * curl
    coarse = rng.standard_normal((max(int(rows / (length * grain)), 2), max(int(columns / grain), 2)), dtype=np.float32)
    streaks = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    if curl > 0.5:
        return 0.6 * streaks
    locks = rng.standard_normal((2 + int(6 * curl), max(columns // 16, 2)), dtype=np.float32)
    return 0.34 * streaks + 0.36 * cv2.resize(locks, (columns, rows), interpolation=cv2.INTER_CUBIC)


def paint_hair(canvas: Canvas) -> None:
    """The hair of the scalp, down to its edge on forehead and temples."""
    i = canvas.head.identity
    style = STYLES[i.hair_style]
    if style.cover == 0:
        return
    rng = np.random.default_rng([i.seed, 8])
    theta = np.repeat(column_angles(), RELIEF_STEP)
    rows = min(int(np.searchsorted(row_heights(), max(style.side_reach_mm, 45) + 8)) * RELIEF_STEP, CHART_HEIGHT)
    v = np.repeat(row_heights(), RELIEF_STEP)[:rows, None]
    wisps = _combed(i, strands(rng, (rows, CHART_WIDTH + 240), style.curl), theta, v)
    ragged = 2.0 + 2.2 * (style.fringe_mm > 0)
    inside = hair_edge_mm(i, theta)[None, :] - v
    softness = 9.0 if style.cover < 0.9 else 4.5
    mask = np.clip((inside + ragged * 2 * wisps) / softness + 0.5, 0, 1) * style.cover
    # Roots lie in the shade of the hair above them, and a band of light runs round the head.
    shade = (
        0.78 + 0.22 * np.clip(inside / 16, 0, 1) + 0.25 * np.exp(-0.5 * ((inside - 26) / 13) ** 2) * (1 - style.curl)
    )
    shade = (shade * _parting(i, theta, v) + (0.40 - 0.08 * style.curl) * wisps).astype(np.float32)
    colour = (np.asarray(i.hair_rgb, np.float32) + np.float32(0.02)) * np.maximum(shade, 0.25)[..., None]
    canvas.blend((slice(0, rows), slice(0, CHART_WIDTH)), mask, colour)


def _combed(identity: Identity, hairs: Grid, theta: Grid, v: Grid) -> Grid:
    """Bends straight strands away from the parting, and in waves; `hairs` is wider than the chart."""
    style = STYLES[identity.hair_style]
    if style.curl > 0.5:
        return hairs[:, : len(theta)]
    away = np.tanh((theta - 0.75 * identity.hair_parting) / 0.45) * style.sweep
    depth = np.clip(v + identity.hairline_mm + 45, 0, 75) * 1.1
    waves = 14 * style.curl * np.sin(v / 7.5 + identity.seed % 7)
    columns = np.arange(len(theta), dtype=np.float32)[None, :] + 120 - away[None, :] * depth + waves
    rows = np.broadcast_to(np.arange(len(v), dtype=np.float32)[:, None], columns.shape)
    return cv2.remap(hairs, columns.astype(np.float32), rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def _parting(identity: Identity, theta: Grid, v: Grid) -> Grid | float:
    """A darker line from the forehead to the crown where swept hair parts."""
    style = STYLES[identity.hair_style]
    if style.sweep < 0.5:
        return 1.0
    place = 0.75 * identity.hair_parting
    distance = (theta[None, :] - place) / 0.04
    return np.asarray(1 - 0.4 * np.exp(-0.5 * distance**2) * np.clip(1 - (v + 60) / 40, 0, 1), np.float32)


def paint_beard(canvas: Canvas, capture: Capture) -> None:
    """Beard and moustache; the lips stay free."""
    i = canvas.head.identity
    if i.beard == "none":
        return
    rng = np.random.default_rng([i.seed, 9])
    cover = np.zeros((CHART_HEIGHT, CHART_WIDTH), np.float32)
    for outline in _beard_outlines(i, capture):
        window, mask = canvas.mask(outline, 2.2)
        cover[window] = np.maximum(cover[window], mask)
    first = int(np.argmax(cover.max(axis=1) > 0.01))
    window = (slice(first, CHART_HEIGHT), slice(0, CHART_WIDTH))
    hairs = strands(rng, cover[window].shape, 0.45)
    mask = np.clip(cover[window] * (1 + 0.6 * hairs), 0, 1) * _BEARD_OPACITY[i.beard]
    for lip in lip_outlines(i, capture)[:2]:
        (rows, columns), lips = canvas.mask(lip, 0.8)
        above = min(max(first - rows.start, 0), len(lips))  # rows of the lip that lie above the topmost hair
        mask[rows.start + above - first : max(rows.stop - first, 0), columns] *= 1 - lips[above:]
    colour = (np.asarray(beard_colour(i), np.float32) + 0.015) * np.maximum(1 + 0.5 * hairs, 0.2)[..., None]
    canvas.blend(window, mask, colour)


def beard_colour(identity: Identity) -> Rgb:
    """A little darker than the hair."""
    return mix(scaled(identity.hair_rgb, 0.9), brow_colour(identity), 0.4)


def _beard_outlines(identity: Identity, capture: Capture) -> list[Grid]:
    """The moustache, and the goatee or the beard along the jaw."""
    i = identity
    half, middle = i.mouth_width_mm / 2 * (1 + 0.1 * capture.smile), i.mouth_drop_mm
    nose, chin, face = i.nose_base_mm, i.chin_drop_mm, i.face_width_mm / 2
    under_lip = middle + i.lower_lip_mm
    wing, drop = max(half, 23) + 4, 9 if i.beard == "moustache" else 5
    left = [(-wing, middle + drop), (-half * 0.92, nose + 7.5), (-half * 0.42, nose + 3.8), (-1, nose + 5)]
    right = [(-u, v) for u, v in reversed(left)]
    below = [
        (half + 0.5, middle + drop * 0.6),
        (half * 0.7, middle),
        (-half * 0.7, middle),
        (-half - 0.5, middle + drop * 0.6),
    ]
    moustache = np.vstack([curve(left + right, 4), np.array(below, np.float32)])
    goatee = ellipse(0, (under_lip + chin) / 2 + 5, half * 0.85, (chin - under_lip) / 2 + 4)
    jaw = [
        (-face * 0.96, 14),
        (-face * 0.8, nose),
        (-half - 7, middle - 4),
        (-half - 2, middle + 5),
        (-half * 0.5, under_lip + 5),
    ]
    mirrored = [(-u, v) for u, v in reversed(jaw)]
    full = np.array([*jaw, (0, under_lip + 3.5), *mirrored, (face, chin + 25), (-face, chin + 25)], np.float32)
    return {"moustache": [moustache], "goatee": [moustache, goatee]}.get(i.beard, [moustache, full])
