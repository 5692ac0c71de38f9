"""Light on a surface: a lamp with Lambert's law, light from everywhere, and a soft gloss.

It promises linear light (1 is white paper facing the lamp); it must not know what the surface is.
"""

from __future__ import annotations

import cv2
import numpy as np

from citizens.capture import Capture
from citizens.head import Grid

# Light wraps round skin further in red than in blue: it travels in the skin before it leaves.
_WRAP = (0.34, 0.22, 0.18)


def lamp_direction(capture: Capture) -> Grid:
    """(3,) unit vector towards the lamp: x right, y down, z to the camera."""
    azimuth, elevation = np.radians([capture.light_azimuth_deg, capture.light_elevation_deg])
    across = np.cos(elevation)
    return np.array([np.sin(azimuth) * across, -np.sin(elevation), np.cos(azimuth) * across], np.float32)


def lamp_colour(capture: Capture) -> Grid:
    """(3,) colour and strength of the lamp, linear."""
    warmth = 0.14 * capture.light_warmth
    return np.array([1 + warmth, 1.0, 1 - warmth], np.float32) * capture.light_strength


def key_and_fill(capture: Capture) -> tuple[float, float]:
    """The shares of the lamp and of the light from everywhere."""
    key = (0.35 + 0.75 * capture.light_contrast) * (1 - 0.75 * capture.backlight)
    return key, 0.78 * (1 - 0.78 * capture.light_contrast)


def backdrop_light(capture: Capture) -> float:
    """The light on the wall behind the person."""
    return min(capture.light_strength, 1.25) * (1 + 2.5 * capture.backlight)


def diffuse(normals: Grid, lamp: Grid, up: Grid, capture: Capture) -> Grid:
    """(rows, columns, 3) of diffuse light; `normals` (3, rows, columns), `lamp` and `up` in their frame."""
    facing = np.tensordot(lamp, normals, axes=1)
    sky = 0.82 + 0.18 * np.tensordot(up, normals, axes=1)
    key, fill = key_and_fill(capture)
    wrapped = [np.maximum((facing + wrap) / (1 + wrap), 0) for wrap in _WRAP]
    colour = lamp_colour(capture).tolist()
    channels = [((key * w + fill * sky) * c).astype(np.float32) for w, c in zip(wrapped, colour, strict=True)]
    return np.asarray(cv2.merge(channels))


def gloss(normals: Grid, lamp: Grid, eye: Grid, capture: Capture, strength: float) -> Grid:
    """(rows, columns) of Blinn's highlight, to be added; broad, as on skin."""
    half = (lamp + eye) / np.linalg.norm(lamp + eye)
    facing = np.maximum(np.tensordot(half.astype(np.float32), normals, axes=1), 0)
    return np.asarray(
        facing**22 * (0.05 * strength * capture.light_strength * (1 - 0.6 * capture.backlight)), np.float32
    )
