"""Finds faces and their five landmarks with YuNet, on working pictures of bounded size; results are in source pixels.

It judges nothing: which face is the subject, and whether it is good enough, is decided elsewhere.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from idverify.vision.image import Image, Pixels
from idverify.vision.runtime import Network
from idverify.vision.scaling import View, shrink, warp

_STRIDES = (8, 16, 32)
_SIDE_MULTIPLE_PX = 32
_ROW = 15  # x, y, width, height, five landmarks (x, y), score

# Long sides of the working picture, tried in turn until a face is found: the first serves portraits, the second finds a
# face that more than fills the picture, the larger ones find people who stand far away.
WORKING_SIDES_PX = (320, 128, 640, 1280, 2560)
# A face that was smaller than this in the first working picture, or is tilted by more than this, is looked at again
# from nearer and upright. YuNet sees about two thirds of a tilt, and its landmarks follow what it sees: measured on
# photographs turned by 30 degrees, they are off by 0.16 eye distances at first sight and by 0.06 at the second.
_NEAR_ENOUGH_PX, _UPRIGHT_ENOUGH_DEG = 64.0, 8.0
_TILT_PER_SEEN_TILT = 1.5
_NEAR_FACE_PX, _NEAR_SIDE_PX = 112.0, 224


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face in source pixels.

    `box` is (x, y, width, height) and may leave the picture; `landmarks` is float32 (5, 2): subject's right eye, left
    eye, nose tip, right and left mouth corner; `score` is 0 to 1.
    """

    box: tuple[float, float, float, float]
    landmarks: npt.NDArray[np.float32]
    score: float

    @property
    def eye_distance_px(self) -> float:
        """Between the two eye landmarks."""
        return float(np.hypot(*(self.landmarks[1] - self.landmarks[0])))

    @property
    def roll_deg(self) -> float:
        """Tilt of the lines through eyes and through mouth corners, positive clockwise in the picture."""
        across, down = self.landmarks[1] - self.landmarks[0] + self.landmarks[4] - self.landmarks[3]
        return math.degrees(math.atan2(down, across))

    @property
    def size_px(self) -> float:
        """The longer side of the box."""
        return max(self.box[2:])

    @property
    def area_px(self) -> float:
        """Area of the box in square pixels."""
        return self.box[2] * self.box[3]

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) of the middle of the box."""
        x, y, width, height = self.box
        return x + width / 2, y + height / 2


@dataclass(frozen=True, slots=True)
class Detector:
    """YuNet behind its own decoding; candidates below `min_score` (0 to 1) are not faces.

    Candidates that overlap the best one by more than `max_overlap` (intersection over union) are the same face.
    """

    network: Network
    min_score: float = 0.6
    max_overlap: float = 0.3

    def detect(self, image: Image) -> tuple[Face, ...]:
        """All faces found at the first working size that shows any, best score first; empty when none does."""
        long_side = max(image.width_px, image.height_px)
        tried = set()
        for side in WORKING_SIDES_PX:
            scale = min(1.0, side / long_side)
            if scale in tried:
                continue
            tried.add(scale)
            if faces := self._find(shrink(image, scale)):
                return faces
        return ()

    def refine(self, image: Image, face: Face) -> Face:
        """The same face with exact landmarks: looked at again when it was small or tilted at first sight."""
        working_scale = min(1.0, WORKING_SIDES_PX[0] / max(image.width_px, image.height_px))
        is_small = working_scale < 1.0 and face.size_px * working_scale < _NEAR_ENOUGH_PX
        if not is_small and abs(face.roll_deg) < _UPRIGHT_ENOUGH_DEG:
            return face
        return max(self._find(_near_view(image, face)), key=lambda each: _overlap(each, face), default=face)

    def _find(self, view: View) -> tuple[Face, ...]:
        found = self._decode(self.network.run(_blob(view.pixels)), view.pixels.shape[1])
        return tuple(_face(row, view) for row in _merge(found, self.max_overlap))

    def _decode(self, outputs: list[npt.NDArray[np.float32]], width_px: int) -> npt.NDArray[np.float32]:
        """Candidates as rows (n, 15) in working pixels.

        YuNet's anchor-free heads (Wu, Peng, Yu 2023; OpenCV's FaceDetectorYN decodes them likewise): for the cell at
        (column, row) of a stride, the box is centred at (column + dx, row + dy) x stride with sides exp(w) and exp(h)
        x stride, a landmark lies at (column + x, row + y) x stride, and the score is sqrt(cls x obj).
        """
        levels = []
        for level, stride in enumerate(_STRIDES):
            cls, obj, box, points = (outputs[level + len(_STRIDES) * kind][0] for kind in range(4))
            cells = np.flatnonzero(obj[:, 0] >= self.min_score**2)  # cls is at most 1: the others cannot score enough
            if not len(cells):
                continue
            columns = _padded(width_px) // stride
            cell = np.stack([cells % columns, cells // columns], axis=1)
            rows = np.empty((len(cells), _ROW), np.float32)
            rows[:, 2:4] = np.exp(box[cells, 2:]) * stride
            rows[:, 0:2] = (cell + box[cells, :2]) * stride - rows[:, 2:4] / 2
            rows[:, 4:14] = (np.tile(cell, 5) + points[cells]) * stride
            rows[:, 14] = np.sqrt(cls[cells, 0] * obj[cells, 0])
            levels.append(rows[rows[:, 14] >= self.min_score])
        return np.concatenate(levels) if levels else np.empty((0, _ROW), np.float32)


def _padded(side_px: int) -> int:
    return -(-side_px // _SIDE_MULTIPLE_PX) * _SIDE_MULTIPLE_PX


def _blob(pixels: Pixels) -> npt.NDArray[np.float32]:
    """BGR planes of 0 to 255, shape (1, 3, H, W), black to the right and below up to a multiple of 32."""
    height, width = pixels.shape[:2]
    blob = np.zeros((1, 3, _padded(height), _padded(width)), np.float32)
    for plane, channel in zip(blob[0, ::-1], cv2.split(pixels), strict=True):
        plane[:height, :width] = channel
    return blob


def _merge(found: npt.NDArray[np.float32], max_overlap: float) -> Iterator[npt.NDArray[np.float32]]:
    """One row for each group of overlapping candidates, the group of the best score first.

    Plain suppression would keep the best candidate and drop the rest. Their mean, weighted by score, has steadier
    landmarks: measured on 2,460 photographs, it lowers FNMR at FMR 1e-4 by a fifth at no cost in time.
    """
    found = found[np.argsort(-found[:, 14], kind="stable")]
    while len(found):
        corners = found[:, :2] + found[:, 2:4]
        sides = np.minimum(corners, corners[0]) - np.maximum(found[:, :2], found[0, :2])
        shared = np.maximum(sides, 0).prod(axis=1)
        areas = found[:, 2] * found[:, 3]
        same = shared > max_overlap * (areas + areas[0] - shared)
        same[0] = True
        group = found[same]
        mean = group[:, 14] @ group / group[:, 14].sum()
        mean[14] = group[0, 14]
        yield mean
        found = found[~same]


def _near_view(image: Image, face: Face) -> View:
    """A square around `face`, upright as far as its landmarks tell; never larger than the source shows it."""
    scale = min(1.0, _NEAR_FACE_PX / face.size_px)
    tilt = math.radians(_TILT_PER_SEEN_TILT * face.roll_deg)
    across, down = scale * math.cos(tilt), scale * math.sin(tilt)
    turn = np.array([[across, down], [-down, across]])
    return warp(image, np.column_stack([turn, _NEAR_SIDE_PX / 2 - turn @ face.centre]), _NEAR_SIDE_PX)


def _face(row: npt.NDArray[np.float32], view: View) -> Face:
    """The candidate in source px; its box stays upright and only moves and grows."""
    width, height = (row[2:4] / view.scale).tolist()
    middle, *landmarks = view.to_source(np.concatenate([row[:2] + row[2:4] / 2, row[4:14]]).reshape(6, 2))
    x, y = middle.tolist()
    return Face((x - width / 2, y - height / 2, width, height), np.array(landmarks), float(row[14]))


def _overlap(one: Face, other: Face) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    width, height = (
        max(0.0, min(one.box[i] + one.box[i + 2], other.box[i] + other.box[i + 2]) - max(one.box[i], other.box[i]))
        for i in (0, 1)
    )
    shared = width * height
    return shared / (one.area_px + other.area_px - shared)
