"""Five landmarks to the canonical 112 x 112 crop that the embedder was trained on; geometry only, no judgement."""

from dataclasses import dataclass

from idverify.vision.detector import Face
from idverify.vision.image import Image, Pixels
from idverify.vision.scaling import warp
from idverify.vision.similarity import Similarity

SIDE_PX = 112

CANONICAL = (
    38.2946 + 51.6963j,
    73.5318 + 51.5014j,
    56.0252 + 71.7366j,
    41.5493 + 92.3655j,
    70.7299 + 92.2041j,
)
"""ArcFace's points x + iy in px of the crop: subject's right eye, left eye, nose tip, right and left mouth corner."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AlignedFace:
    """`pixels` is uint8 RGB, shape (112, 112, 3), with the landmarks at `CANONICAL`."""

    pixels: Pixels

    def __repr__(self) -> str:
        return f"AlignedFace({SIDE_PX} x {SIDE_PX}, pixels withheld)"


def align(image: Image, face: Face) -> AlignedFace:
    """Warp the face to the canonical crop by the least-squares similarity; what lies outside the picture is black."""
    return AlignedFace(warp(image, Similarity.fit(face.points, CANONICAL), SIDE_PX).pixels)
