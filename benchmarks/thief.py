"""The strongest attack on templates that we know: it keeps a Gaussian belief about one and asks where it knows least.

It learns from match and no match alone and does not know the template: the caller answers.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

_SLACK = 0.015
"""How little the thief knows about how far above the threshold somebody who just matches lies, as a deviation."""
_ANGLES = np.linspace(0.02, 1.5, 75)
_DIRECTIONS = 8


@dataclass(frozen=True, slots=True)
class Faces:
    """What a thief knows about templates in general: mean (d) and covariance (d, d) of unit vectors."""

    mean: Vector
    covariance: Matrix

    @classmethod
    def of(cls, templates: npt.NDArray[np.floating]) -> Self:
        """From a collection of their own: templates (n, d)."""
        return cls(templates.mean(axis=0).astype(np.float64), np.cov(templates.T))

    @classmethod
    def any_direction(cls, dimension: int) -> Self:
        """Nothing but that they have length 1."""
        return cls(np.zeros(dimension), np.eye(dimension) / dimension)


class Thief:
    """One attack on one template. `chance`: the probability of a match at which it asks, in (0, 1)."""

    def __init__(self, faces: Faces, threshold: float, random: np.random.Generator, *, chance: float = 0.5) -> None:
        self._mean, self._covariance = faces.mean, faces.covariance
        self._threshold = threshold
        self._random = random
        self._chance = chance

    def know(self, start: Vector, similarity: float) -> None:
        """Start from somebody who is about so similar."""
        spread = self._covariance @ start
        gain = spread / (start @ spread + _SLACK**2)
        self._mean = self._mean + gain * (similarity - start @ self._mean)
        self._covariance = self._covariance - np.outer(gain, spread)

    def probe(self) -> Vector:
        """The guess, turned towards one of the directions that are known least, until it matches with `chance`."""
        _, directions = np.linalg.eigh(self._covariance)
        guess = self.guess
        across = directions[:, -int(self._random.integers(1, _DIRECTIONS + 1))] * self._random.choice([-1.0, 1.0])
        across = across - (across @ guess) * guess
        across /= np.linalg.norm(across)
        probes = np.outer(np.cos(_ANGLES), guess) + np.outer(np.sin(_ANGLES), across)
        deviations = np.sqrt(np.einsum("ij,jk,ik->i", probes, self._covariance, probes))
        chances = norm.cdf((probes @ self._mean - self._threshold) / deviations)
        chosen: Vector = probes[np.argmin(np.abs(chances - self._chance) - 1e-3 * deviations)]
        return chosen

    def learn(self, probe: Vector, *, matched: bool) -> None:
        """Condition the belief on one answer: the moments of a normal distribution that is cut at the threshold."""
        spread = self._covariance @ probe
        variance = float(probe @ spread)
        sign = 1.0 if matched else -1.0
        depth = sign * (float(probe @ self._mean) - self._threshold) / math.sqrt(variance)
        hazard = math.exp(float(norm.logpdf(depth) - norm.logcdf(depth)))
        self._mean = self._mean + sign * hazard / math.sqrt(variance) * spread
        self._covariance = self._covariance - hazard * (hazard + depth) / variance * np.outer(spread, spread)

    @property
    def guess(self) -> Vector:
        """What the template is most like, as a unit vector."""
        return self._mean / np.linalg.norm(self._mean)
