"""A face embedding in the clear, to be held no longer than needed; it must never print, log or pickle its numbers."""

from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from idverify.errors import InvalidInput
from idverify.ids import ModelDigest

UNIT_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Embedding:
    """A unit vector, float32, shape (dimension,), and the digest of the embedder that made it.

    Raises InvalidInput when the vector is not one-dimensional, not finite or not of length 1.
    """

    vector: npt.NDArray[np.float32]
    model: ModelDigest

    def __post_init__(self) -> None:
        if self.vector.ndim != 1 or self.vector.dtype != np.float32:
            raise InvalidInput(
                f"embedding: expected a float32 vector, got {self.vector.dtype} of {self.vector.ndim} dimensions"
            )
        norm = float(np.linalg.norm(self.vector))
        if not abs(norm - 1.0) <= UNIT_TOLERANCE:  # also catches NaN
            raise InvalidInput("embedding: expected a unit vector")
        self.vector.setflags(write=False)

    @property
    def dimension(self) -> int:
        return int(self.vector.shape[0])

    def __repr__(self) -> str:
        return f"Embedding({self.dimension} numbers withheld, model={self.model[:12]})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an embedding in the clear is never pickled; seal it")


def unit(vector: npt.NDArray[np.floating], model: ModelDigest) -> Embedding:
    """Scale `vector` to length 1. Raises InvalidInput for a zero or non-finite vector."""
    norm = float(np.linalg.norm(vector))
    if not np.isfinite(norm) or norm == 0.0:
        raise InvalidInput("embedding: the vector has no direction (zero or not finite)")
    return Embedding((vector / norm).astype(np.float32), model)
