"""Canonical crop to embedding with MobileFaceNet; it names the embedder in every embedding and keeps none."""

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from idverify.embedding import Embedding, unit
from idverify.ids import ModelDigest
from idverify.vision.alignment import AlignedFace
from idverify.vision.image import Pixels
from idverify.vision.runtime import Network

Vector: TypeAlias = npt.NDArray[np.float32]

# ImageNet's channel means and deviations (RGB, of values 0 to 1), with which the network was trained.
_MEAN, _DEVIATION = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
_SCALE, _OFFSET = 1 / (255 * _DEVIATION), _MEAN / _DEVIATION


@dataclass(frozen=True, slots=True)
class Embedder:
    """Runs `network`, whose file has the digest `model`."""

    network: Network
    model: ModelDigest

    @property
    def dimension(self) -> int:
        """Numbers in an embedding, as the model states it."""
        return self.network.output_sizes[0] or 0

    def embed(self, face: AlignedFace, *, mirrored: bool = False) -> Embedding:
        """The unit embedding of a crop; `mirrored`: of the mean of the crop's and its mirror's, in twice the time."""
        vector = self._raw(face.pixels)
        if mirrored:
            mirror = self._raw(cv2.flip(face.pixels, 1))  # type: ignore[arg-type]
            vector = vector / np.linalg.norm(vector) + mirror / np.linalg.norm(mirror)
        return unit(vector, self.model)

    def _raw(self, pixels: Pixels) -> Vector:
        planes = np.empty((1, 3, *pixels.shape[:2]), np.float32)
        for index, channel in enumerate(cv2.split(pixels)):
            np.multiply(channel, _SCALE[index], out=planes[0, index])
            planes[0, index] -= _OFFSET[index]
        vector: Vector = self.network.run(planes)[0][0]
        return vector
