"""The shape of a head: a height field over angle and height, its normals, and where a point of the face lies on it.

It promises millimetres that depend on the identity and the expression alone; it must not know colours or cameras.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from citizens.capture import Capture
from citizens.hairstyle import STYLES, between
from citizens.identity import Identity

Grid = NDArray[Any]  # float32; the stubs of OpenCV cannot say so

# The chart: columns are the angle round the head, rows the height (mm, downwards, the eye line is 0).
THETA_MAX = 1.9
V_TOP, V_BOTTOM = -165.0, 145.0
CHART_HEIGHT, CHART_WIDTH = 448, 416
RELIEF_STEP = 2  # chart pixels to a relief pixel


@dataclass(frozen=True, slots=True)
class Head:
    """A head in its own frame: x to the image's right, y (= v) down, z towards the camera; all in mm.

    half_width, half_depth  (CHART_HEIGHT / RELIEF_STEP,): the ellipse of each row; negative beyond crown and chin
    relief                  (rows, columns) of the half-size chart: height above that ellipse
    normals                 (3, rows, columns): unit normals
    occlusion               (rows, columns): 1 in the open, below 1 in hollows
    """

    identity: Identity
    half_width: Grid
    half_depth: Grid
    relief: Grid
    normals: Grid
    occlusion: Grid

    def theta(self, u_mm: Grid, v_mm: Grid) -> Grid:
        """The angle at which the front of the head has that x at that height."""
        half_width = np.interp(v_mm, row_heights(), self.half_width)
        return np.arcsin(np.clip(u_mm / np.maximum(half_width, 1.0), -1, 1)).astype(np.float32)

    def chart(self, points_mm: Grid) -> Grid:
        """(N, 2) of frontal (u, v) in mm to (N, 2) of chart pixels (column, row)."""
        points = np.asarray(points_mm, np.float32)
        column = (self.theta(points[:, 0], points[:, 1]) + THETA_MAX) * (CHART_WIDTH / (2 * THETA_MAX))
        row = (points[:, 1] - V_TOP) * (CHART_HEIGHT / (V_BOTTOM - V_TOP))
        return np.stack([column, row], axis=1).astype(np.float32)

    def surface(self, theta: Grid, v_mm: Grid) -> Grid:
        """(N,) angles and heights to (N, 3) points on the skin."""
        rows = row_heights()
        half_width = np.interp(v_mm, rows, self.half_width)
        half_depth = np.interp(v_mm, rows, self.half_depth)
        column = (theta + THETA_MAX) * (self.relief.shape[1] / (2 * THETA_MAX)) - 0.5
        row = (v_mm - V_TOP) * (self.relief.shape[0] / (V_BOTTOM - V_TOP)) - 0.5
        place = column.astype(np.float32)[None, :], row.astype(np.float32)[None, :]
        rise = cv2.remap(self.relief, *place, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
        return np.stack([(half_width + rise) * np.sin(theta), v_mm, (half_depth + rise) * np.cos(theta)], axis=1)


def row_heights() -> Grid:
    """The height in mm of each row of the half-size chart."""
    rows = CHART_HEIGHT // RELIEF_STEP
    return (V_TOP + (np.arange(rows, dtype=np.float32) + 0.5) * ((V_BOTTOM - V_TOP) / rows)).astype(np.float32)


def column_angles() -> Grid:
    """The angle of each column of the half-size chart."""
    columns = CHART_WIDTH // RELIEF_STEP
    return ((np.arange(columns, dtype=np.float32) + 0.5) * (2 * THETA_MAX / columns) - THETA_MAX).astype(np.float32)


def build_head(identity: Identity, capture: Capture) -> Head:
    """The head of that person with the expression of that capture."""
    half_width, half_depth = _profiles(identity)
    v = row_heights()[:, None]
    theta = column_angles()[None, :]
    u = np.clip(half_width, 1, None)[:, None] * np.sin(theta)
    u = np.where(np.cos(theta) > 0, u, np.sign(theta) * 300).astype(np.float32)  # features lie on the front only
    relief = _face_relief(identity, capture, u) + _hair_relief(identity, theta, v)
    relief = cv2.GaussianBlur(relief, (0, 0), 1.1)
    occlusion = np.clip(1 - 0.055 * (cv2.GaussianBlur(relief, (0, 0), 6) - relief), 0.55, 1.08)
    return Head(identity, half_width, half_depth, relief, _normals(half_width, half_depth, relief), occlusion)


def _profiles(identity: Identity) -> tuple[Grid, Grid]:
    """Half width and half depth of every row."""
    v = row_heights()
    style = STYLES[identity.hair_style]
    crown = -(identity.crown_rise_mm + between(style.top_mm, identity.hair_volume))
    chin, mouth = identity.chin_drop_mm, identity.mouth_drop_mm
    face = identity.face_width_mm / 2
    jaw = face * identity.jaw_width
    heights = [-48.0, -8.0, 34.0, mouth, chin]
    widths = [
        face * identity.forehead_width,
        face,
        face * (0.955 + 0.02 * identity.cheek_fullness),
        jaw,
        identity.chin_width_mm / 2,
    ]
    depths = [face * 0.30 + 66.0, face * 0.30 + 63.0, 86.0, 87.0, 80.0 + 5 * identity.chin_relief]
    cap = _cap(v - crown, 88.0) * _cap(chin - v, 21.0)
    outside = np.minimum(np.minimum(v - crown, chin - v), 0)
    smooth = (0, 0)
    half_width = cv2.GaussianBlur(np.interp(v, heights, widths).astype(np.float32)[:, None], smooth, 7)[:, 0]
    half_depth = cv2.GaussianBlur(np.interp(v, heights, depths).astype(np.float32)[:, None], smooth, 7)[:, 0]
    return (half_width * cap + outside).astype(np.float32), (half_depth * cap + outside).astype(np.float32)


def _cap(distance_mm: Grid, length_mm: float) -> Grid:
    """A rounded end: 0 at the end, 1 from `length_mm` on."""
    t = np.clip(1 - distance_mm / length_mm, 0, 1)
    return np.power(1 - t**2.3, 1 / 2.1).astype(np.float32)


class _Relief:
    """Adds bumps and hollows to a height field, each touching only the rows that it reaches."""

    def __init__(self, u: Grid) -> None:
        self.u = u
        self.v = row_heights()[:, None]
        self.height = np.zeros_like(u)

    def bump(self, u_mm: float, v_mm: float, width_mm: float, length_mm: float, height_mm: float) -> None:
        """A Gaussian hill of those standard deviations; hollow where height is negative."""
        first, last = np.searchsorted(self.v[:, 0], [v_mm - 2.8 * length_mm, v_mm + 2.8 * length_mm])
        rows = slice(int(first), int(last))
        across = ((self.u[rows] - u_mm) / width_mm) ** 2
        along = ((self.v[rows] - v_mm) / length_mm) ** 2
        self.height[rows] += height_mm * np.exp(-0.5 * (across + along))

    def pair(self, u_mm: float, v_mm: float, width_mm: float, length_mm: float, height_mm: float) -> None:
        """The same hill on both halves of the face."""
        self.bump(-u_mm, v_mm, width_mm, length_mm, height_mm)
        self.bump(u_mm, v_mm, width_mm, length_mm, height_mm)


def _face_relief(identity: Identity, capture: Capture, u: Grid) -> Grid:
    i, field = identity, _Relief(u)
    eye_u, mouth, smile = i.eye_distance_mm / 2, i.mouth_drop_mm, capture.smile
    field.pair(eye_u * 0.95, -1, 16, 12, -(4.5 + 5.5 * i.eye_depth))
    field.pair(eye_u, 1, 10.5, 7.5, 4.5)
    field.pair(eye_u, -i.brow_rise_mm + 2, 19, 6.5, 1.5 + 4.5 * i.brow_ridge)
    field.pair(26, -54, 18, 17, 2)
    field.pair(i.face_width_mm * 0.31, 27 - 3 * smile, 15, 13, 1.5 + 5 * i.cheekbones + 3.5 * smile)
    field.pair(i.face_width_mm * 0.31, mouth - 10, 14, 17, 6 * i.cheek_fullness - 1.5)
    _nose_relief(field, i)
    field.bump(0, mouth, 27, 16, 4)
    field.bump(0, mouth - i.upper_lip_mm * 0.5, i.mouth_width_mm / 3.4, i.upper_lip_mm * 0.5, 3)
    field.bump(0, mouth + i.lower_lip_mm * 0.55, i.mouth_width_mm / 3.8, i.lower_lip_mm * 0.5, 3.6)
    field.bump(0, mouth, i.mouth_width_mm / 3, 1.9, -2.4)
    field.bump(0, mouth + i.lower_lip_mm + 5, 17, 4.5, -3)
    field.bump(0, (i.nose_base_mm + mouth - i.upper_lip_mm) / 2, 2.4, 6, -1.3)
    field.bump(0, i.chin_drop_mm - 15, 15, 11, 2.5 + 4.5 * i.chin_relief)
    unevenness = np.random.default_rng([i.seed, 4]).standard_normal((14, 13)).astype(np.float32)
    rows, columns = u.shape
    field.height += cv2.resize(unevenness, (columns, rows), interpolation=cv2.INTER_CUBIC) * (1.15 * i.asymmetry)
    return field.height


def _nose_relief(field: _Relief, i: Identity) -> None:
    rows = slice(int(np.searchsorted(field.v[:, 0], -22)), int(np.searchsorted(field.v[:, 0], i.nose_base_mm + 7)))
    v, u = field.v[rows], field.u[rows]
    tip, base = i.nose_length_mm, i.nose_base_mm
    keys = [-22, -8, tip * 0.45, tip - 3, tip + 3, base - 1, base + 6]
    rise = np.interp(
        v,
        keys,
        [1.0, 4.0, i.nose_relief_mm * 0.6, i.nose_relief_mm, i.nose_relief_mm * 0.93, i.nose_relief_mm * 0.42, 0],
    )
    bridge = i.nose_bridge_mm * 0.5
    width = np.interp(
        v, keys, [11, bridge, bridge, i.nose_width_mm * 0.21, i.nose_width_mm * 0.24, i.nose_width_mm * 0.28, 9]
    )
    field.height[rows] += (rise * np.exp(-0.5 * (u / width) ** 2)).astype(np.float32)
    field.bump(0, tip, 6 + 4 * i.nose_bulb, 6, 0.5 + 3 * i.nose_bulb)
    field.pair(i.nose_width_mm * 0.37, base - 6, 4.8, 5, 5.5)


def _hair_relief(identity: Identity, theta: Grid, v: Grid) -> Grid:
    """Thickness of the hair at the sides; that of the crown is in the profile."""
    style = STYLES[identity.hair_style]
    thickness = between(style.side_mm, identity.hair_volume)
    if thickness == 0:
        return np.zeros((v.shape[0], theta.shape[1]), np.float32)
    edge = hair_edge_mm(identity, theta[0])[None, :]
    rng = np.random.default_rng([identity.seed, 14])
    size = (theta.shape[1], v.shape[0])
    locks = cv2.resize(rng.standard_normal((30, 28), dtype=np.float32), size, interpolation=cv2.INTER_CUBIC)
    return (thickness * (1 + 0.12 * style.curl * locks) * np.clip((edge - v) / 14, 0, 1)).astype(np.float32)


def hair_edge_mm(identity: Identity, theta: Grid) -> Grid:
    """(N,) angles to the height below which (larger v) the skin is free of hair."""
    style = STYLES[identity.hair_style]
    line = -identity.hairline_mm
    angles = [0.0, 0.35, 0.62, 0.85, 1.02, 1.2, 1.32, 1.9]
    temple = line * 0.86 - style.recession_mm
    middle = line - 0.45 * style.recession_mm + style.fringe_mm
    reach = style.side_reach_mm
    side = -20 if reach > 0 else reach
    nape = max(reach, 45.0) if reach > 0 else reach
    keys = [
        middle,
        middle + 1,
        temple + style.fringe_mm * 0.9,
        line * 0.66 - style.recession_mm * 0.6,
        side,
        reach * 0.9,
        reach,
        nape,
    ]
    if reach < -150:
        keys = [reach] * len(angles)
    slant = (5.0 if style.recession_mm == 0 else 0.0) * identity.hair_parting * np.sin(theta)
    return np.asarray(np.interp(np.abs(theta), angles, keys) + slant, np.float32)


def _normals(half_width: Grid, half_depth: Grid, relief: Grid) -> Grid:
    """Unit normals (3, rows, columns) of the surface, by differences."""
    theta = column_angles()[None, :]
    sine, cosine = np.sin(theta), np.cos(theta)
    x = (half_width[:, None] + relief) * sine
    z = (half_depth[:, None] + relief) * cosine
    kernel = np.array([[-0.5, 0, 0.5]], np.float32)
    ax, az = cv2.filter2D(x, -1, kernel), cv2.filter2D(z, -1, kernel)
    bx, bz = cv2.filter2D(x, -1, kernel.T), cv2.filter2D(z, -1, kernel.T)
    by = (V_BOTTOM - V_TOP) / relief.shape[0]
    normal = np.stack([-az * by, az * bx - ax * bz, ax * by])
    return np.asarray(normal / np.maximum(np.sqrt((normal**2).sum(axis=0)), 1e-6), np.float32)
