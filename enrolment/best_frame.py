"""Best of several frames: reads every photograph of one capture and keeps the one of highest quality."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from idverify.errors import InvalidInput
from idverify.vision.reader import PhotographReader, Reading, ReadingPolicy, Refusal

MOST_FRAMES = 10


@dataclass(frozen=True, slots=True)
class BestFrame:
    """The frame that was chosen: its bytes as they came, and what was read from them."""

    photograph: bytes = field(repr=False)
    reading: Reading
    frames: int


def best_of(reader: PhotographReader, photographs: Sequence[bytes], policy: ReadingPolicy) -> BestFrame | Refusal:
    """Read 1 to 10 photographs of one person; the acceptable one of highest quality wins.

    When none is acceptable, the refusal of the best of them says why. Raises InvalidInput for no or too many frames,
    ImageRejected for a broken one.
    """
    if not 1 <= len(photographs) <= MOST_FRAMES:
        raise InvalidInput(f"photographs of one capture: expected 1 to {MOST_FRAMES}, got {len(photographs)}")
    read = [(photograph, reader.read(photograph, policy)) for photograph in photographs]
    accepted = [
        BestFrame(photograph, reading, len(read)) for photograph, reading in read if isinstance(reading, Reading)
    ]
    if accepted:
        return max(accepted, key=lambda capture: capture.reading.verdict.score)
    refusals = [refusal for _, refusal in read if isinstance(refusal, Refusal)]
    return max(refusals, key=lambda refusal: -1 if refusal.verdict is None else refusal.verdict.score)
