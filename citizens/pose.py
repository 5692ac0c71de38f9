"""The camera: from millimetres on the head to pixels, and back from every pixel to the place on the head that it sees.

It promises orthographic projection after yaw, pitch and roll (in that order); it must not know what is painted there.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from citizens.capture import Capture
from citizens.hairstyle import STYLES
from citizens.head import CHART_HEIGHT, CHART_WIDTH, THETA_MAX, V_BOTTOM, V_TOP, Grid, Head, row_heights

MAP_STEP = 4  # image pixels to a pixel of the inverse map, which is smooth
ITERATIONS = 9
PIVOT_MM = (10.0, 55.0)  # how far before the head's axis it turns and nods: the neck carries it


@dataclass(frozen=True, slots=True)
class Camera:
    """Angles in radians; `centre_px` is where the head's origin would fall if it did not turn."""

    yaw: float
    pitch: float
    roll: float
    px_per_mm: float
    centre_px: tuple[float, float]
    size_px: tuple[int, int]  # width, height

    @classmethod
    def of(cls, head: Head, capture: Capture, size_px: tuple[int, int]) -> Camera:
        """The camera of that capture: it holds the middle of crown and chin in the image's middle, a little high."""
        width, height = size_px
        crown, chin = head.identity.crown_rise_mm, head.identity.chin_drop_mm
        scale = capture.head_height * height / (crown + chin)
        yaw, pitch, roll = np.radians([capture.yaw_deg, capture.pitch_deg, capture.roll_deg]).tolist()
        middle_mm = (chin - crown) / 2
        centre = (width * (0.5 + capture.offset_x), height * (0.48 + capture.offset_y) - middle_mm * scale)
        return cls(yaw, pitch, roll, scale, centre, size_px)

    def turned(self, points: Grid) -> Grid:
        """(N, 3) points of the head's frame to the camera's frame (x right, y down, z to the camera), without roll."""
        x, y, z = points.T
        x, z = x * np.cos(self.yaw) + z * np.sin(self.yaw), z * np.cos(self.yaw) - x * np.sin(self.yaw)
        y, z = y * np.cos(self.pitch) + z * np.sin(self.pitch), z * np.cos(self.pitch) - y * np.sin(self.pitch)
        return np.stack([x - PIVOT_MM[0] * np.sin(self.yaw), y - PIVOT_MM[1] * np.sin(self.pitch), z], axis=1)

    def pixels(self, points: Grid) -> Grid:
        """(N, 3) points of the head's frame to (N, 2) pixels."""
        return self.plane(self.turned(points)[:, :2])

    def plane(self, points: Grid) -> Grid:
        """(N, 2) millimetres of the camera's frame to (N, 2) pixels, with roll."""
        cosine, sine = np.cos(self.roll), np.sin(self.roll)
        x, y = np.asarray(points, np.float32).T * self.px_per_mm
        turned = np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=1)
        return np.asarray(turned + np.array(self.centre_px))

    def light_in_head(self, direction: Grid) -> Grid:
        """(3,) direction of the camera's frame to the head's frame."""
        x, y, z = direction.tolist()
        cosine, sine = np.cos(self.roll), np.sin(self.roll)
        x, y = x * cosine + y * sine, y * cosine - x * sine
        cosine, sine = np.cos(self.pitch), np.sin(self.pitch)
        y, z = y * cosine - z * sine, z * cosine + y * sine
        cosine, sine = np.cos(self.yaw), np.sin(self.yaw)
        x, z = x * cosine - z * sine, z * cosine + x * sine
        return np.array([x, y, z], np.float32)


@dataclass(frozen=True, slots=True)
class View:
    """What the camera sees of the head inside the window (rows, columns) of the image.

    columns, rows   chart pixels seen by each image pixel, for cv2.remap
    alpha           the head's share of each pixel, 0 to 1
    """

    window: tuple[slice, slice]
    columns: Grid
    rows: Grid
    alpha: Grid


def see(head: Head, camera: Camera) -> View:
    """Solves, for every pixel, which point of the head lies there.

    A row of the head is an ellipse, so that yaw alone has a closed form; relief and pitch are put right by iteration.
    """
    columns, rows = (np.arange(MAP_STEP / 2, n, MAP_STEP, dtype=np.float32) for n in camera.size_px)
    dx, dy = columns[None, :] - camera.centre_px[0] - 0.5, rows[:, None] - camera.centre_px[1] - 0.5
    cosine, sine = np.float32(np.cos(camera.roll)), np.float32(np.sin(camera.roll))
    x = (dx * cosine + dy * sine) / camera.px_per_mm + PIVOT_MM[0] * np.float32(np.sin(camera.yaw))
    y = (dy * cosine - dx * sine) / camera.px_per_mm + PIVOT_MM[1] * np.float32(np.sin(camera.pitch))
    theta, v, inside_mm = _solve(head, camera, x, y)
    inside_mm += _fuzz(head, inside_mm.shape) * np.clip((-30 - v) / 20, 0, 1)
    slope = np.hypot(cv2.Sobel(inside_mm, -1, 1, 0, scale=1 / 8), cv2.Sobel(inside_mm, -1, 0, 1, scale=1 / 8))
    inside_px: Grid = np.clip(inside_mm / np.maximum(slope, 0.2) * MAP_STEP, -9, 9)
    inside_px = cv2.GaussianBlur(inside_px, (0, 0), 0.8)
    window = _window(inside_px > -6)
    size = ((window[1].stop - window[1].start) * MAP_STEP, (window[0].stop - window[0].start) * MAP_STEP)
    chart_columns = (theta[window] + THETA_MAX) * (CHART_WIDTH / (2 * THETA_MAX)) - 0.5
    chart_rows = (v[window] - V_TOP) * (CHART_HEIGHT / (V_BOTTOM - V_TOP)) - 0.5
    alpha = np.clip(cv2.resize(inside_px[window], size, interpolation=cv2.INTER_CUBIC) * 0.7 + 0.5, 0, 1)
    # The last step of the map may stand out of an image whose sides are no multiple of it.
    top, left = window[0].start * MAP_STEP, window[1].start * MAP_STEP
    width, height = min(size[0], camera.size_px[0] - left), min(size[1], camera.size_px[1] - top)
    whole = [cv2.resize(m, size, interpolation=cv2.INTER_LINEAR)[:height, :width] for m in (chart_columns, chart_rows)]
    return View((slice(top, top + height), slice(left, left + width)), whole[0], whole[1], alpha[:height, :width])


def _fuzz(head: Head, shape: tuple[int, ...]) -> Grid:
    """How far single locks stand out of the hair's outline, in mm."""
    rng = np.random.default_rng([head.identity.seed, 15])
    style = STYLES[head.identity.hair_style]
    locks = rng.standard_normal((shape[0] // 2 + 1, shape[1] // 2 + 1), dtype=np.float32)
    reach = (0.4 + 1.3 * style.curl) * style.cover if style.top_mm[1] > 2 else 0.0
    return cv2.resize(locks, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR) * np.float32(reach)


def _window(seen: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The rows and columns of the map in which the head is seen; one of each where it is out of the image."""
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if len(rows) == 0:
        return slice(0, 1), slice(0, 1)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _solve(head: Head, camera: Camera, x: Grid, y: Grid) -> tuple[Grid, Grid, Grid]:
    """Angle, height and depth inside the silhouette (mm) for camera-frame positions (mm)."""
    sy, cy = np.float32(np.sin(camera.yaw)), np.float32(np.cos(camera.yaw))
    sp, cp = np.float32(np.sin(camera.pitch)), np.float32(np.cos(camera.pitch))
    # x of an ellipse after yaw is reach * sin(theta + lag).
    reach = np.hypot(head.half_width * cy, head.half_depth * sy) * np.sign(head.half_width)
    lag = np.arctan2(head.half_depth * sy, np.maximum(head.half_width, 0.5) * cy)
    table = np.stack([reach, lag, head.half_width, head.half_depth], axis=1).astype(np.float32)[:, None, :]
    first, per_mm = float(row_heights()[0]), head.relief.shape[0] / (V_BOTTOM - V_TOP)
    per_radian, columns = head.relief.shape[1] / (2 * THETA_MAX), head.relief.shape[1]
    z = np.full_like(x, 0) + np.float32(80.0) * np.clip(1 - (x / 90) ** 2, 0, 1)
    zero = np.zeros_like(x)
    rise = zero
    theta = zero
    for _ in range(ITERATIONS):
        v = (y - z * sp) / cp
        row = (v - first) * per_mm
        r, d, a, b = cv2.split(cv2.remap(table, zero, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
        shifted = x - rise * np.sin(theta + camera.yaw)
        theta = np.arcsin(np.clip(shifted / np.maximum(r, 0.5), -1, 1)) - d
        column = np.clip((theta + THETA_MAX) * per_radian - 0.5, 0, columns - 1)
        rise = 0.4 * rise + 0.6 * cv2.remap(head.relief, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        z = 0.45 * z + 0.55 * ((b + rise) * np.cos(theta) * cy - (a + rise) * np.sin(theta) * sy)
    return theta, v, np.minimum(r - np.abs(shifted), _jaw_end(head, theta, v))


def _jaw_end(head: Head, theta: Grid, v: Grid) -> Grid:
    """How far before the end of the jaw (mm): below the ears there is no head behind it, only the neck."""
    low = head.identity.nose_base_mm * 0.6
    last = np.interp(v, [low, low + 25, low + 60], [3.0, 1.75, 1.3]).astype(np.float32)
    return (last - np.abs(theta)) * 60
