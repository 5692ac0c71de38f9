"""`python -m benchmarks.detection`: how often the detector finds a rendered face, how exactly, and where none is.

The truth comes from the renderer. It changes no threshold and writes no picture.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.progress import track

from benchmarks.faceless import faceless
from benchmarks.models import open_reader
from citizens import Capture, Identity, render
from idverify.vision.chosen_face import FaceChoice, choose
from idverify.vision.detector import Face
from idverify.vision.image import Image
from idverify.vision.reader import Reader
from idverify.vision.runtime import Runtime

FIRST_SEED = 9_000_000
"""Neither training nor calibration uses seeds from here to 10,000,000."""
EXACT_EYE_DISTANCES = 0.04


@dataclass(frozen=True, slots=True)
class DetectionRates:
    """Shares of portraits: whose one face was `found`; found with a mean landmark error of at most 0.04 eye distances
    (`exact`). Errors, in eye distances, are means over five landmarks. `false_alarms`: pictures of nobody with a face.
    """

    portraits: int
    found: float
    exact: float
    median_error: float
    error_of_99_in_100: float
    found_by_skin_tone: dict[int, float]
    faceless_pictures: int
    false_alarms: float


def main(
    json_path: Annotated[Path, typer.Option("--json", help="Where to write the figures.")],
    citizens: Annotated[int, typer.Option(min=1, help="Rendered citizens.")] = 2000,
    portraits: Annotated[int, typer.Option(min=1, help="Portraits of each.")] = 5,
    pictures: Annotated[int, typer.Option(min=1, help="Pictures of nobody.")] = 1000,
    threads: Annotated[int, typer.Option(min=1, help="Pictures looked at side by side.")] = 2,
) -> None:
    """Measure the detector of the model set in use on freshly rendered citizens at a clerk's camera."""
    cv2.setNumThreads(1)
    console = Console(stderr=True)
    reader = open_reader(Runtime(threads=1))
    with ThreadPoolExecutor(threads) as pool:
        total = citizens * portraits
        looks = pool.map(lambda n: look(reader, FIRST_SEED + n // portraits, FIRST_SEED + n), range(total))
        seen = list(track(looks, description="Portraits", total=total, console=console))
        alarms = pool.map(lambda n: alarmed(reader, FIRST_SEED + n), range(pictures))
        false = list(track(alarms, description="Nobody", total=pictures, console=console))
    found = rates(seen, false)
    json_path.parent.mkdir(parents=True, exist_ok=True)
    json_path.write_text(json.dumps({"model": reader.model, **asdict(found)}, indent=2) + "\n", encoding="utf-8")
    Console().print(asdict(found))


def look(reader: Reader, identity_seed: int, capture_seed: int) -> tuple[int, float | None]:
    """The citizen's skin tone (1 to 6), and the landmark error in eye distances; None unless one face is seen."""
    identity = Identity.from_seed(identity_seed)
    portrait = render(identity, Capture.from_seed(capture_seed))
    image = Image(portrait.pixels, "PNG", None)
    face = choose(reader.detector.detect(image), image, FaceChoice.SINGLE)
    if not isinstance(face, Face):
        return identity.skin_tone, None
    seen = reader.detector.refine(image, face).landmarks
    eyes = float(np.hypot(*(portrait.landmarks[1] - portrait.landmarks[0])))
    return identity.skin_tone, float(np.linalg.norm(seen - portrait.landmarks, axis=1).mean() / eyes)


def alarmed(reader: Reader, seed: int) -> bool:
    """Whether a face is seen in a picture of nobody."""
    return bool(reader.detector.detect(Image(faceless(seed), "PNG", None)))


def rates(seen: list[tuple[int, float | None]], false: list[bool]) -> DetectionRates:
    """What the looks come to."""
    errors: npt.NDArray[np.float64] = np.array([error for _, error in seen if error is not None])
    tones = sorted({tone for tone, _ in seen})
    of_tone = {tone: [error is not None for other, error in seen if other == tone] for tone in tones}
    return DetectionRates(
        portraits=len(seen),
        found=len(errors) / len(seen),
        exact=float((errors <= EXACT_EYE_DISTANCES).sum()) / len(seen),
        median_error=float(np.median(errors)),
        error_of_99_in_100=float(np.quantile(errors, 0.99)),
        found_by_skin_tone={tone: float(np.mean(found)) for tone, found in of_tone.items()},
        faceless_pictures=len(false),
        false_alarms=float(np.mean(false)),
    )


if __name__ == "__main__":
    typer.run(main)
