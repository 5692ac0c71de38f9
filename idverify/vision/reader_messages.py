"""What the service and its reader processes tell each other: plain values, for an embedding refuses to be pickled.

They are sent between processes of one service over a socket that nobody else has.
"""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from idverify.embedding import Embedding
from idverify.errors import IdverifyError
from idverify.ids import ModelDigest
from idverify.vision.liveness import PresentationAttack
from idverify.vision.manifest import ModelFiles, ModelSet
from idverify.vision.quality import QualityVerdict
from idverify.vision.reader import Look, Reading, ReadingPolicy, Refusal
from idverify.vision.stages import Stage

Asked = tuple[str, bytes, ReadingPolicy]
"""A method of `Reader`, and what it is called with."""


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
    """A `Reading` on its way between two processes of the service; an `Embedding` itself refuses to be pickled."""

    vector: npt.NDArray[np.float32] = field(repr=False)
    model: ModelDigest
    verdict: QualityVerdict
    presentation_attack: PresentationAttack
    face_box: tuple[float, float, float, float]
    width_px: int
    height_px: int

    @classmethod
    def of(cls, reading: Reading) -> Self:
        return cls(
            reading.embedding.vector,
            reading.embedding.model,
            reading.verdict,
            reading.presentation_attack,
            reading.face_box,
            reading.width_px,
            reading.height_px,
        )

    def joined(self) -> Reading:
        return Reading(
            Embedding(self.vector, self.model),
            self.verdict,
            self.presentation_attack,
            self.face_box,
            self.width_px,
            self.height_px,
        )


@dataclass(frozen=True, slots=True, repr=False)
class Told:
    """What became of one request, and how long each stage of it took, in seconds."""

    result: Networks | Parts | Refusal | Look | IdverifyError
    stages: tuple[tuple[Stage, float], ...] = ()
