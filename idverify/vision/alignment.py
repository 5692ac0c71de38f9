"""Five landmarks to the canonical 112 x 112 crop that the embedder was trained on; geometry only, no judgement."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from idverify.vision.detector import Face
from idverify.vision.image import Image, Pixels
from idverify.vision.scaling import warp

SIDE_PX = 112

CANONICAL = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float64
)
"""ArcFace's five points in px of the crop: subject's right eye, left eye, nose tip, right and left mouth corner."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AlignedFace:
    """`pixels` is uint8 RGB, shape (112, 112, 3), with the landmarks at `CANONICAL`."""

    pixels: Pixels

    def __repr__(self) -> str:
        return f"AlignedFace({SIDE_PX} x {SIDE_PX}, pixels withheld)"


def similarity(source: npt.NDArray[np.floating], target: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """The 2 x 3 matrix of the similarity that takes `source` (n, 2) to `target` (n, 2) with least squared error.

    Umeyama 1991 in the plane, in closed form: with centred points as complex numbers p and q, the best rotation and
    scale is the one complex factor sum(conj(p) q) / sum(|p|^2). No reflection is possible in this form.
    """
    p = source[:, 0] + 1j * source[:, 1]
    q = target[:, 0] + 1j * target[:, 1]
    p_mean, q_mean = p.mean(), q.mean()
    p = p - p_mean
    factor = np.vdot(p, q - q_mean) / np.vdot(p, p).real
    shift = q_mean - factor * p_mean
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])


def align(image: Image, face: Face) -> AlignedFace:
    """Warp the face to the canonical crop; what lies outside the picture is black."""
    return AlignedFace(warp(image, similarity(face.landmarks, CANONICAL), SIDE_PX).pixels)
