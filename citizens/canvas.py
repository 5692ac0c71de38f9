"""Soft shapes on the chart of a head: filled outlines and tapering strokes, given in millimetres of the frontal face.

It promises anti-aliased blending that touches only the pixels of the shape; it must not know what the shapes mean.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from citizens.head import CHART_HEIGHT, CHART_WIDTH, V_BOTTOM, V_TOP, Grid, Head
from citizens.palette import Rgb

PX_PER_MM = CHART_HEIGHT / (V_BOTTOM - V_TOP)
Window = tuple[slice, slice]
_SHIFT = 4  # sub-pixel bits of OpenCV's polygon filler


class Canvas:
    """The chart's colours: `rgb` is (CHART_HEIGHT, CHART_WIDTH, 3), sRGB from 0 to 1."""

    def __init__(self, head: Head, ground: Rgb) -> None:
        self.head = head
        self.rgb: Grid = np.empty((CHART_HEIGHT, CHART_WIDTH, 3), np.float32)
        self.rgb[:] = ground

    def mask(self, outline_mm: ArrayLike, feather_mm: float) -> tuple[Window, Grid]:
        """The window that the outline (N, 2) touches and its coverage there, 0 to 1, with an edge that soft."""
        points = self.head.chart(np.asarray(outline_mm, np.float32))
        sigma = feather_mm * PX_PER_MM
        margin = 2 + 2.5 * sigma
        (left, top), (right, bottom) = points.min(axis=0) - margin, points.max(axis=0) + margin
        x0, x1 = int(np.clip(left, 0, CHART_WIDTH - 1)), int(np.clip(right + 1, 1, CHART_WIDTH))
        y0, y1 = int(np.clip(top, 0, CHART_HEIGHT - 1)), int(np.clip(bottom + 1, 1, CHART_HEIGHT))
        return (slice(y0, y1), slice(x0, x1)), coverage(points - (x0, y0), (y1 - y0, x1 - x0), sigma)

    def blend(self, window: Window, mask: Any, colour: Rgb | Grid) -> None:
        """Moves the window's colours towards `colour` by `mask` (0 to 1)."""
        area = self.rgb[window]
        step = np.asarray(colour, np.float32) - area
        step *= np.asarray(mask, np.float32)[..., None]
        area += step

    def fill(self, outline_mm: ArrayLike, colour: Rgb, opacity: float = 1.0, feather_mm: float = 0.5) -> None:
        """A filled outline."""
        window, mask = self.mask(outline_mm, feather_mm)
        self.blend(window, mask * opacity, colour)

    def tint(self, outline_mm: ArrayLike, factor: Rgb, opacity: float = 1.0, feather_mm: float = 4.0) -> None:
        """Multiplies what lies inside the outline by a colour."""
        window, mask = self.mask(outline_mm, feather_mm)
        self.rgb[window] *= 1 + (np.asarray(factor, np.float32) - 1) * (mask * opacity)[..., None]

    def stroke(self, line_mm: ArrayLike, width_mm: float, factor: Rgb, opacity: float, feather_mm: float = 0.4) -> None:
        """A line that tapers to both ends and multiplies what it crosses by a colour."""
        self.tint(tapered(np.asarray(line_mm, np.float32), width_mm), factor, opacity, feather_mm)


def coverage(points_px: NDArray[Any], shape: tuple[int, int], sigma_px: float) -> Grid:
    """(rows, columns) share of each pixel inside the polygon (N, 2), blurred by `sigma_px`."""
    mask = np.zeros(shape, np.uint8)
    fixed = np.round(points_px * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, _SHIFT)
    soft = mask.astype(np.float32) / 255  # OpenCV blurs floats several times faster than bytes
    return cv2.GaussianBlur(soft, (0, 0), sigma_px) if sigma_px > 0.3 else soft


def curve(keys: ArrayLike, steps: int = 6) -> Grid:
    """A smooth line through the key points (N, 2): Catmull-Rom, `steps` points a span."""
    points = np.asarray(keys, np.float32)
    before = np.vstack([2 * points[:1] - points[1:2], points[:-1]])[:, None]
    after = np.vstack([points[1:], 2 * points[-1:] - points[-2:-1]])[:, None]
    first, last = points[:-1, None], points[1:, None]
    t = (np.arange(steps, dtype=np.float32) / steps)[None, :, None]
    leave, arrive = (last - before[:-1]) / 2, (after[1:] - first) / 2
    span = 3 * (last - first) - 2 * leave - arrive
    turn = 2 * (first - last) + leave + arrive
    line = first + t * (leave + t * (span + t * turn))
    return np.vstack([line.reshape(-1, 2), points[-1:]]).astype(np.float32)


def ellipse(u_mm: float, v_mm: float, half_width_mm: float, half_height_mm: float, points: int = 24) -> Grid:
    """An ellipse's outline (points, 2)."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.stack([u_mm + half_width_mm * np.cos(angle), v_mm + half_height_mm * np.sin(angle)], axis=1).astype(
        np.float32
    )


def tapered(line: Grid, width: float) -> Grid:
    """The outline of a line (N, 2) that is `width` wide in its middle and pointed at its ends."""
    along = np.gradient(line, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.maximum(np.hypot(along[:, :1], along[:, 1:]), 1e-6)
    half = (0.5 * width * np.sin(np.linspace(0.08, np.pi - 0.08, len(line))) ** 0.7)[:, None]
    return np.vstack([line + across * half, (line - across * half)[::-1]]).astype(np.float32)
