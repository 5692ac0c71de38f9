"""Reads the photographs of one capture and chooses the best one. It stores nothing and compares no faces."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from idverify.errors import InvalidInput
from idverify.vision.reader import PhotographReader, Reading, ReadingPolicy, Refusal

MOST_FRAMES = 10


@dataclass(frozen=True, slots=True)
class BestFrame:
    """The chosen photograph: its bytes as they came, what was read from them, and of how many it is the best."""

    photograph: bytes = field(repr=False)
    reading: Reading
    frames: int


def best_of(reader: PhotographReader, photographs: Sequence[bytes], policy: ReadingPolicy) -> BestFrame | Refusal:
    """Assess 1 to 10 photographs of one person, each once, and embed the best: the acceptable one of highest quality.

    When none is acceptable, the refusal of the one of highest quality says why. Raises InvalidInput for no or too many
    photographs, ImageRejected for a broken one.
    """
    if not 1 <= len(photographs) <= MOST_FRAMES:
        raise InvalidInput(f"photographs of one capture: expected 1 to {MOST_FRAMES}, got {len(photographs)}")
    index, best = reader.read_best(photographs, policy)
    return best if isinstance(best, Refusal) else BestFrame(photographs[index], best, len(photographs))
