"""What the service and its reader processes tell each other: plain values, for an embedding refuses to be pickled.

They must be sent only between processes of one service, over a socket that nobody else has.
"""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from idverify.embedding import Embedding
from idverify.errors import IdverifyError
from idverify.ids import ModelDigest
from idverify.vision.manifest import ModelFiles, ModelSet
from idverify.vision.reader import Assessment, Look, Reading, Refusal
from idverify.vision.stages import Stage


@dataclass(frozen=True, slots=True)
class Order:
    """Which networks a reader process opens, where their files are, and the threads of one network."""

    model_set: ModelSet
    model_files: ModelFiles
    threads: int


@dataclass(frozen=True, slots=True)
class Networks:
    """What a reader process says when it is ready."""

    model: ModelDigest
    dimension: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Parts:
    """A `Reading` on its way between two processes of the service; an `Embedding` itself refuses to be pickled.

    `rest`: every field of the reading but its embedding, by name.
    """

    vector: npt.NDArray[np.float32]
    model: ModelDigest
    rest: dict[str, Any]

    @classmethod
    def of(cls, reading: Reading) -> Self:
        rest = {each.name: getattr(reading, each.name) for each in fields(reading) if each.name != "embedding"}
        return cls(reading.embedding.vector, reading.embedding.model, rest)

    def joined(self) -> Reading:
        return Reading(Embedding(self.vector, self.model), **self.rest)


@dataclass(frozen=True, slots=True, repr=False)
class Told:
    """What became of one request, and how long each stage of it took, in seconds."""

    result: Networks | Parts | Refusal | Look | tuple[int, Parts | Assessment | Refusal] | IdverifyError
    stages: tuple[tuple[Stage, float], ...] = ()


def portable(best: tuple[int, Reading | Assessment | Refusal]) -> tuple[int, Parts | Assessment | Refusal]:
    """The best of several photographs, as it travels."""
    index, found = best
    return index, Parts.of(found) if isinstance(found, Reading) else found
