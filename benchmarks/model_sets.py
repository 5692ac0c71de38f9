"""`python -m benchmarks.model_sets`: the time of detector and embedder of both model sets, interleaved in one run.

Each set reads rendered portraits; the tensors that its networks saw are then run again, one set after the other.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from benchmarks.detection import FIRST_SEED
from benchmarks.machine import provenance
from benchmarks.recording import Call, Recorder, RecordingRuntime
from benchmarks.timing import prepare
from benchmarks.tracing import clock_ns, ms_since
from citizens import portrait_jpeg
from idverify.settings import Settings
from idverify.vision.manifest import BUILTIN, REFERENCE, Manifest, ModelFiles, NetworkRole, load_manifest
from idverify.vision.reader import Reader


@dataclass(frozen=True, slots=True)
class SetTimes:
    """Milliseconds of processor time a portrait, one thread: the median over portraits of the shortest of all runs, as
    other work on the machine only ever adds to it.
    """

    detector: float
    embedder: float
    both: float


def main(
    json_path: Annotated[Path, typer.Option("--json", help="Where to write the figures.")],
    portraits: Annotated[int, typer.Option(min=1, help="Rendered portraits, each of another citizen.")] = 40,
    runs: Annotated[int, typer.Option(min=1, help="Times that each is looked at by each set.")] = 20,
) -> None:
    """Time what the two model sets take for the same portraits."""
    cv2.setNumThreads(1)
    manifest, settings = load_manifest(), Settings.read()
    files = settings.model_files
    pictures = [portrait_jpeg(FIRST_SEED + n, FIRST_SEED + n) for n in range(portraits)]
    calls = {name: _calls(manifest, files, name, pictures) for name in (REFERENCE, BUILTIN)}
    taken: dict[str, list[list[tuple[float, float]]]] = {name: [] for name in calls}
    for _ in track(range(runs), "Timing", console=Console(stderr=True)):
        for each in taken.values():
            each.append([])
        for portrait in zip(*calls.values(), strict=True):
            for name, (looks, crops) in zip(calls, portrait, strict=True):
                taken[name][-1].append((_replayed_ms(looks), _replayed_ms(crops)))
    times = {name: _times(each) for name, each in taken.items()}
    document = {
        "processor_ms": {name: asdict(each) for name, each in times.items()},
        "share_of_reference": times[BUILTIN].both / times[REFERENCE].both,
        "portraits": portraits,
        "runs": runs,
        "measured": provenance(datetime.now(UTC)),
    }
    json_path.parent.mkdir(parents=True, exist_ok=True)
    json_path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    Console().print({key: document[key] for key in ("processor_ms", "share_of_reference")})


def _calls(
    manifest: Manifest, files: ModelFiles, name: str, pictures: list[bytes]
) -> list[tuple[list[Call], list[Call]]]:
    """For each portrait, what the set's detector and embedder were asked."""
    recorder = Recorder()
    model_set = manifest.set(name)
    reader = Reader.open(model_set, files, RecordingRuntime(threads=1, recorder=recorder))
    of_detector = model_set.files[NetworkRole.DETECTOR].sha256
    recorded = []
    for picture in pictures:
        prepared = prepare(picture, reader, recorder)
        if prepared is None:
            raise typer.BadParameter(f"the {name} set refuses a rendered portrait; expected it to read them all")
        looks = [call for call in prepared.calls if call.sha256 == of_detector]
        recorded.append((looks, [call for call in prepared.calls if call.sha256 == model_set.embedder_digest]))
    return recorded


def _replayed_ms(calls: list[Call]) -> float:
    start = clock_ns()
    for call in calls:
        call.replay()
    return ms_since(start)


def _times(taken: list[list[tuple[float, float]]]) -> SetTimes:
    """Of (runs, portraits, 2) ms."""
    shortest = np.min(np.array(taken), axis=0)
    detector, embedder = np.median(shortest, axis=0).tolist()
    return SetTimes(detector, embedder, float(np.median(shortest.sum(axis=1))))


if __name__ == "__main__":
    typer.run(main)
