"""Turns a face crop into an embedding with MobileFaceNet; each embedding names its embedder. It keeps none."""

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
_MEAN, _DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
_NORMALISED = ((np.arange(256)[:, None] / 255 - _MEAN) / _DEVIATION).astype(np.float32)[None]  # (1, 256, 3)


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
        planes = np.array(cv2.split(cv2.LUT(pixels, _NORMALISED)), np.float32)
        vector: Vector = self.network.run(planes[None])[0][0]
        return vector
