"""MiniFASNet's judgement whether a living face stood before the camera, or "not evaluated" where it could not run.

It sees one picture: it looks for prints and screens, and does not replace an attended capture.
"""

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from idverify.vision.detector import Face
from idverify.vision.image import Image
from idverify.vision.runtime import Network
from idverify.vision.scaling import warp
from idverify.vision.similarity import Similarity

SIDE_PX = 128
_EXTENT = 1.5  # side of the square crop, as a multiple of the longer side of the face box
LIVE_FROM = 0.5
_LIVE = 0  # the network's classes: live, attack


class AttackFinding(StrEnum):
    """What was found; NOT_EVALUATED is never taken for LIVE."""

    LIVE = "live"
    SUSPECTED = "suspected"
    NOT_EVALUATED = "not_evaluated"


@dataclass(frozen=True, slots=True)
class PresentationAttack:
    """`live_score` is 0 (attack) to 1 (live), None when not evaluated."""

    live_score: float | None = None

    @property
    def evaluated(self) -> bool:
        return self.live_score is not None

    @property
    def finding(self) -> AttackFinding:
        """The more likely of the two classes, or that there was no evaluation."""
        if self.live_score is None:
            return AttackFinding.NOT_EVALUATED
        return AttackFinding.LIVE if self.live_score >= LIVE_FROM else AttackFinding.SUSPECTED


NOT_EVALUATED = PresentationAttack()


@dataclass(frozen=True, slots=True)
class Liveness:
    """Scores with `network`; without one every answer is "not evaluated"."""

    network: Network | None

    def score(self, image: Image, face: Face) -> PresentationAttack:
        """Not evaluated without a model, or when less than half of the crop lies in the picture."""
        side = face.size_px * _EXTENT
        corner = face.centre - complex(side, side) / 2
        left, top = corner.real, corner.imag
        inside = max(0.0, min(left + side, image.width_px) - max(left, 0.0)) * max(
            0.0, min(top + side, image.height_px) - max(top, 0.0)
        )
        if self.network is None or inside < side * side / 2:
            return NOT_EVALUATED
        scale = SIDE_PX / side
        crop = warp(image, Similarity(scale, -scale * corner), SIDE_PX, cv2.BORDER_REFLECT_101).pixels
        (logits,) = self.network.run(np.ascontiguousarray(crop.transpose(2, 0, 1), np.float32)[None] / np.float32(255))
        weights = np.exp(logits[0] - logits[0].max())
        return PresentationAttack(float(weights[_LIVE] / weights.sum()))
