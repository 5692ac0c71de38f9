"""Chooses whose photograph this is among the faces that were found; it gives one face or the reason why none."""

from enum import StrEnum

from idverify.reasons import Reason
from idverify.vision.detector import Face
from idverify.vision.image import Image

# A second face at least 0.6 times as wide as the subject's may be whom the photograph is of.
COMPARABLE_AREA = 0.36


class FaceChoice(StrEnum):
    """How to choose: SINGLE for a photograph taken for the purpose, PROMINENT for one found in the wild."""

    SINGLE = "single"
    PROMINENT = "prominent"


def choose(faces: tuple[Face, ...], image: Image, policy: FaceChoice) -> Face | Reason:
    """The subject's face, or NO_FACE, or under SINGLE also SEVERAL_FACES when another is of comparable size.

    PROMINENT takes the largest face after charging it twice the squared distance of its centre from the picture's.
    """
    if not faces:
        return Reason.NO_FACE
    if policy is FaceChoice.PROMINENT:
        return max(faces, key=lambda face: face.area_px - 2 * _distance_squared(face, image))
    largest, *others = sorted(faces, key=lambda face: face.area_px, reverse=True)
    if others and others[0].area_px >= COMPARABLE_AREA * largest.area_px:
        return Reason.SEVERAL_FACES
    return largest


def _distance_squared(face: Face, image: Image) -> float:
    return abs(face.centre - complex(image.width_px, image.height_px) / 2) ** 2
