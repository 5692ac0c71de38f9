"""Hair that leaves the head: the mass behind it, the locks that hang beside the face, and a full beard's end.

It promises shapes that swing with the turn of the head; it must not paint on the head's own chart (hair).
"""

from __future__ import annotations

import numpy as np

from citizens.canvas import curve, ellipse
from citizens.capture import Capture
from citizens.hair import beard_colour, strands
from citizens.hairstyle import STYLES
from citizens.head import Grid, Head
from citizens.light import key_and_fill, lamp_colour, lamp_direction
from citizens.palette import Rgb
from citizens.scene import Layer, Shader


def draw_hair_behind(layer: Layer, head: Head, capture: Capture) -> None:
    """What stands or hangs behind the head; it swings against the turn of the face."""
    i, camera = head.identity, layer.camera
    behind = STYLES[i.hair_style].behind
    if behind == "none":
        return
    half, crown, volume = i.face_width_mm / 2, i.crown_rise_mm, i.hair_volume
    if behind == "afro":
        outline = _rough(head, ellipse(0, -crown * 0.42, half + 16 + 30 * volume, crown * 0.72 + 14 + 26 * volume, 72))
    elif behind == "bun":
        outline = ellipse(14 * i.hair_parting, -crown - 6 - 8 * volume, 22 + 12 * volume, 20 + 10 * volume)
    else:
        wide, drop = _fall(head)
        right = [
            (half * 0.9, -crown * 0.55),
            (wide, -10),
            (wide + 3, drop * 0.5),
            (wide - 2, drop - 12),
            (wide - 18, drop + 2),
            (0, drop - 4),
        ]
        line = curve(right, 6)
        outline = np.vstack([line, (line * (-1, 1))[::-1]])
    swing = -40 * np.sin(camera.yaw), -25 * np.sin(camera.pitch)
    dark = 0.9 if behind in ("afro", "bun") else 0.5
    layer.fill(outline + np.array(swing, np.float32), _strand_light(head, capture, i.hair_rgb, dark), 1.2)


def _fall(head: Head) -> tuple[float, float]:
    """How far long hair reaches sideways and down, in mm."""
    i = head.identity
    behind, volume = STYLES[i.hair_style].behind, i.hair_volume
    return i.face_width_mm / 2 + 9 + 13 * volume, i.chin_drop_mm + (4 if behind == "bob" else 80 + 40 * volume)


def _rough(head: Head, outline: Grid) -> Grid:
    """An outline from which curls stand out."""
    rng = np.random.default_rng([head.identity.seed, 16])
    middle = outline.mean(axis=0)
    spread = 1 + 0.018 * rng.standard_normal((len(outline), 1), dtype=np.float32)
    return curve(middle + (outline - middle) * spread, 4)


def draw_locks_beside(layer: Layer, head: Head, capture: Capture) -> None:
    """Long hair that hangs before the ears and along the cheeks."""
    i, camera = head.identity, layer.camera
    if STYLES[i.hair_style].behind not in ("bob", "long"):
        return
    half = i.face_width_mm / 2
    wide, drop = _fall(head)
    for side in (-1, 1):
        if side * capture.yaw_deg > 14:  # the face hides the lock of the far side
            continue
        top, cheek = -i.crown_rise_mm, i.chin_drop_mm * 0.9
        tip = half * (0.92 if drop < i.chin_drop_mm + 40 else 0.66)
        inner = [
            (half * 0.78, top * 0.55),
            (half * 0.91, -30),
            (half * 0.89, 5),
            (half * 0.88, 50),
            (half * 0.89, cheek),
            (tip, drop - 6),
        ]
        outer = [
            (wide - 14, drop + 4),
            (wide, drop - 12),
            (wide + 2, drop * 0.5),
            (wide, 0),
            (half + 5, top * 0.48),
            (half * 0.82, top * 0.72),
        ]
        line = np.vstack([curve(inner, 6), curve(outer, 6)])
        depth = np.repeat(np.array([22.0, -12.0]), len(line) // 2)
        points = np.stack([side * line[:, 0], line[:, 1], depth], axis=1)
        shader = _strand_light(head, capture, i.hair_rgb, 1.0)
        layer.fill(camera.turned(points)[:, :2].astype(np.float32), shader, 1.0)


def _strand_light(head: Head, capture: Capture, colour: Rgb, brightness: float) -> Shader:
    """Strands under the lamp; those near the neck lie in shade."""
    i = head.identity
    rng = np.random.default_rng([i.seed, 12])
    key, fill = key_and_fill(capture)
    tone = np.square(np.asarray(colour, np.float32) + 0.02) * lamp_colour(capture)
    lamp_x = float(lamp_direction(capture)[0])

    def shader(x: Grid, y: Grid) -> Grid:
        wisps = strands(rng, (y.shape[0], x.shape[1]), STYLES[i.hair_style].curl)
        across = np.clip(x / (i.face_width_mm * 0.7), -1.2, 1.2)
        light = brightness * (0.75 * key + fill) * (0.55 + 0.3 * np.abs(across) + 0.3 * across * lamp_x)
        return np.asarray((np.maximum(1 + 0.6 * wisps, 0.2) * light)[..., None] * tone, np.float32)

    return shader


def draw_beard_end(layer: Layer, head: Head, capture: Capture) -> None:
    """A full beard stands off the chin."""
    i, camera = head.identity, layer.camera
    if i.beard != "full":
        return
    chin = head.surface(np.zeros(1, np.float32), np.array([i.chin_drop_mm - 8], np.float32))
    u, v = camera.turned(chin)[0, :2].tolist()
    outline = _rough(head, ellipse(u, v + 3, i.chin_width_mm * 0.5 + 8, 15 + 6 * i.hair_volume, 60))
    layer.fill(outline, _strand_light(head, capture, beard_colour(i), 1.8), 3.0)
