"""Embeddings of people who do not exist, with the statistics of real ones: as many as a nation has, from a seed.

People are drawn with the mean and covariance of real references, further photographs of them at the cosines and in the
directions that real ones have. It keeps those statistics in memory only: a mean of faces is still made of faces.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.comparisons import Floats
from benchmarks.models import open_reader
from benchmarks.population import photographs_under
from benchmarks.templates import Templates, Treatment, read_all
from idverify.ids import ModelDigest
from idverify.vision.runtime import Runtime

WEAK = (0.40, 0.50)
"""Cosines of weak mates: real ones there are found by a search with luck only."""
STRANGER_QUANTILES = (0.5, 0.99, 0.999, 0.9999)
_ROWS = 65_536
_COMPARED_PEOPLE = 1_413


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Statistics:
    """What was learnt from real embeddings of dimension d. Each root times its transpose is a covariance (d, d).

    `mated`: the cosines of every mated pair, ascending. `turn_root` is of the directions, at right angles to the
    reference, in which probes lie. `strangers`: quantiles of the cosines of different people, at STRANGER_QUANTILES.
    """

    model: ModelDigest
    mean: Floats
    root: Floats
    turn_root: Floats
    mated: Floats
    strangers: tuple[float, ...]

    @property
    def dimension(self) -> int:
        return len(self.mean)

    def people(self, count: int, seed: int) -> Floats:
        """One reference each of `count` people: unit vectors, float32 (count, d)."""
        generator = np.random.default_rng(seed)
        vectors = np.empty((count, self.dimension), np.float32)
        for start in range(0, count, _ROWS):
            piece = vectors[start : start + _ROWS]
            drawn = generator.standard_normal(piece.shape, np.float32)
            np.matmul(drawn, self.root.T, out=piece)
            piece += self.mean
            piece /= np.linalg.norm(piece, axis=1, keepdims=True)
        return vectors

    def mates(self, references: Floats, cosines: Floats, seed: int) -> Floats:
        """One probe for each of `references` (n, d), at cosine `cosines` (n,) from it."""
        drawn = np.random.default_rng(seed).standard_normal(references.shape, np.float32) @ self.turn_root.T
        drawn -= np.einsum("ij,ij->i", drawn, references)[:, None] * references
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        mates: Floats = cosines[:, None] * references + np.sqrt(1 - cosines[:, None] ** 2) * drawn
        return mates.astype(np.float32, copy=False)

    def mated_cosines(self, count: int, seed: int) -> Floats:
        """Cosines as measured."""
        return np.random.default_rng(seed).choice(self.mated, count)

    def likeness(self) -> dict[str, Any]:
        """How alike strangers are, real and simulated; and the mated cosines."""
        people = self.people(_COMPARED_PEOPLE, seed=0)
        scores = (people @ people.T)[np.triu_indices(len(people), 1)]
        return {
            "strangers_quantiles": list(STRANGER_QUANTILES),
            "strangers_real": [round(value, 4) for value in self.strangers],
            "strangers_simulated": [round(float(value), 4) for value in np.quantile(scores, STRANGER_QUANTILES)],
            "mated_pairs": len(self.mated),
            "mated_below_0.5": round(float((self.mated < 0.5).mean()), 4),
            "mated_median": round(float(np.median(self.mated)), 4),
        }


def measured(photos: Path, console: Console) -> Statistics:
    """Read photographs by the shipped recipe and learn from them. Raises PopulationInvalid, ConfigurationInvalid."""
    reader = open_reader(Runtime(threads=1))
    samples = photographs_under(photos)
    return learnt(read_all(samples, reader, probe=Treatment.PLAIN, threads=2, console=console), reader.model)


def learnt(templates: Templates, model: ModelDigest) -> Statistics:
    """The statistics of one reference a person, and of every mated pair."""
    references, probes, person = templates.references, templates.probes, templates.person
    people = references[np.unique(person, return_index=True)[1]]
    one, other = np.nonzero((person[:, None] == person[None, :]) & ~np.eye(len(person), dtype=bool))
    cosines = np.einsum("ij,ij->i", references[one], probes[other])
    turned = probes[other] - cosines[:, None] * references[one]
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)
    scores = (people @ people.T)[np.triu_indices(len(people), 1)]
    return Statistics(
        model=model,
        mean=people.mean(axis=0),
        root=_root(np.cov(people.T)),
        turn_root=_root(turned.T @ turned / len(turned)),
        mated=np.sort(cosines),
        strangers=tuple(float(value) for value in np.quantile(scores, STRANGER_QUANTILES)),
    )


def _root(covariance: Any) -> Floats:
    values, vectors = np.linalg.eigh(np.asarray(covariance, np.float64))
    root: Floats = (vectors * np.sqrt(np.maximum(values, 0))).astype(np.float32)
    return root
