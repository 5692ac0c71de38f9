"""Similarities of the plane (turn, scale, shift), written as one complex factor and one complex shift."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Similarity:
    """Takes the point z = x + iy to `factor` z + `shift`; it cannot mirror."""

    factor: complex
    shift: complex

    @classmethod
    def fit(cls, source: Sequence[complex], target: Sequence[complex]) -> Self:
        """The similarity that takes `source` to `target` with least squared error (Umeyama 1991, in the plane).

        With p and q the points less their means, the factor is sum(conj(p) q) / sum(|p|^2).
        """
        source_mean, target_mean = sum(source) / len(source), sum(target) / len(target)
        p = [each - source_mean for each in source]
        q = [each - target_mean for each in target]
        moment = sum(abs(each) ** 2 for each in p)
        factor = sum((a.conjugate() * b for a, b in zip(p, q, strict=True)), 0j) / moment
        return cls(factor, target_mean - factor * source_mean)

    @property
    def scale(self) -> float:
        """Length in the target of a length of 1 in the source."""
        return abs(self.factor)

    def apply(self, point: complex) -> complex:
        """Where a point of the source goes."""
        return self.factor * point + self.shift

    def source_of(self, point: complex) -> complex:
        """Where a point of the target comes from."""
        return (point - self.shift) / self.factor

    def from_halved(self, halvings: int) -> Self:
        """The same target, from the source halved so often: its pixel i is centred on 2^n i + (2^n - 1) / 2."""
        times = 1 << halvings
        return type(self)(self.factor * times, self.shift + self.factor * (1 + 1j) * (times - 1) / 2)

    def matrix(self) -> npt.NDArray[np.float64]:
        """The 2 x 3 matrix that OpenCV's warps take."""
        a, b = self.factor, self.shift
        return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])
