"""`python -m benchmarks.capture`: the time from five frames at a station to an enrolled person, by both model sets.

Each visit runs the station's own steps on a deployment of its own, with decoding in this process; it keeps no picture.
"""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.machine import provenance
from benchmarks.register import ACCESS, found
from citizens import portrait_jpeg
from enrolment.station import composition
from enrolment.station.visit import Visit, VisitStep
from enrolment.station.visit_steps import Visits, Workplace
from idverify.access import no_progress
from idverify.administration.deployment import Deployment
from idverify.engine import Engine
from idverify.errors import ConfigurationInvalid
from idverify.galleries.definitions import GalleryPolicy
from idverify.ids import GalleryId, RequestId
from idverify.settings import Settings
from idverify.storage.database import Connection
from idverify.vision.manifest import BUILTIN, REFERENCE
from idverify.vision.reader import Reader
from idverify.vision.runtime import Runtime
from idverify.vision.stages import Stage

FRAMES = 5
GALLERY = GalleryId("benchmark-station")
"""With the policy that a new gallery gets, so that the attack check is run and is no condition."""
FIRST_SEED = 6_000_000
_WORKPLACE = Workplace("clerk", "station", GALLERY, RequestId("benchmark"))
_STEPS = ("capture", "commit")


@dataclass(frozen=True, slots=True)
class VisitTimes:
    """Milliseconds of each step: of the processor (all threads of this process), and elapsed; and the stages run."""

    processor_ms: Mapping[str, float]
    wall_ms: Mapping[str, float]
    stages: Mapping[Stage, int]


@contextmanager
def station(folder: Path, model_set: str) -> Iterator[Engine]:
    """An engine on a new deployment in `folder`, with one empty gallery. Raises ConfigurationInvalid."""
    settings = Settings.read().model_copy(update={"data_dir": folder, "model_set": model_set})
    found(settings, demonstration=True)
    with Deployment.open(settings) as deployment:
        deployment.galleries.add(GALLERY, demonstration=True, policy=GalleryPolicy(), access=ACCESS)
    deployment = Deployment.open(settings)
    reader = Reader.open(deployment.model_set, settings.model_files, Runtime(threads=1))
    with Engine(deployment, reader) as engine:
        engine.galleries_in_memory.load(no_progress)
        yield engine


def visit_times(visits: Visits, stages: Counter[Stage], seed: int) -> VisitTimes | None:
    """One visit of the rendered citizen of that seed; None when no frame was good enough. The reader fills `stages`."""
    frames = [portrait_jpeg(seed, day) for day in range(FRAMES)]
    visit = visits.start(_WORKPLACE, f"C-{seed}").visit
    visits.choose_basis(_WORKPLACE, visit, "consent")
    stages.clear()
    before = _clocks_ms()
    visits.capture(_WORKPLACE, visit, f"capture-{seed}", frames, "station", _no_nonce)
    captured = _clocks_ms() - before
    if visits.show(_WORKPLACE, visit)[1].step is not VisitStep.REVIEW:
        return None
    before = _clocks_ms()
    draft = visits.commit(_WORKPLACE, visit)
    committed = _clocks_ms() - before
    if Visit.parse(draft.content).step is not VisitStep.DONE:
        return None
    processor_ms, wall_ms = (dict(zip(_STEPS, each, strict=True)) for each in zip(captured, committed, strict=True))
    return VisitTimes(processor_ms, wall_ms, Counter(stages))


def measure(model_set: str, number: int, console: Console) -> list[VisitTimes]:
    """The times of `number` visits that ended enrolled, after one that is not counted. Raises ConfigurationInvalid."""
    with tempfile.TemporaryDirectory() as folder, station(Path(folder), model_set) as engine:
        visits = composition.station_parts(engine).work.visits
        stages: Counter[Stage] = Counter()
        engine.reader.stages.listen(lambda stage, _duration_s: stages.update([stage]))
        enrolled = (times for seed in count(FIRST_SEED) if (times := visit_times(visits, stages, seed)) is not None)
        next(enrolled)
        return [next(enrolled) for _ in track(range(number), f"Enrolling by {model_set}", console=console)]


def main(
    json_path: Annotated[Path, typer.Option("--json", help="Where to write the figures.")],
    visits: Annotated[int, typer.Option(min=1, help="Visits that are timed, each of another citizen.")] = 20,
    model_sets: Annotated[list[str], typer.Option("--set", help="A model set; give it again for more.")] = [  # noqa: B006
        REFERENCE,
        BUILTIN,
    ],
) -> None:
    """Time a station's capture of five frames and the commit of its visit."""
    console = Console(stderr=True)
    cv2.setNumThreads(1)
    try:
        found_times = {name: measure(name, visits, console) for name in model_sets}
    except ConfigurationInvalid as error:
        console.print(f"[bold red]Not measured:[/] {error}", highlight=False)
        raise typer.Exit(2) from error
    figures = {name: _figures(times) for name, times in found_times.items()}
    document = {
        "frames": FRAMES,
        "visits": visits,
        "threads": 1,
        "model_sets": figures,
        "measured": provenance(datetime.now(UTC)),
    }
    json_path.parent.mkdir(parents=True, exist_ok=True)
    json_path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    table = Table("model set", "ms (p50)", *_STEPS, "whole", title=f"{FRAMES} frames to an enrolled person")
    for name, each in figures.items():
        for clock in ("processor_ms", "wall_ms"):
            table.add_row(name, clock, *(f"{each[clock][step]:.1f}" for step in (*_STEPS, "whole")))
    Console().print(table)


def _figures(times: Sequence[VisitTimes]) -> dict[str, Any]:
    """Medians in ms, and how often each stage ran in one visit (the most of all visits)."""
    clocks = {"processor_ms": [each.processor_ms for each in times], "wall_ms": [each.wall_ms for each in times]}
    stages = {stage: max(each.stages[stage] for each in times) for stage in Stage}
    return {
        name: {step: round(float(np.median([each[step] for each in clock])), 2) for step in _STEPS}
        | {"whole": round(float(np.median([sum(each.values()) for each in clock])), 2)}
        for name, clock in clocks.items()
    } | {"stages": stages}


def _clocks_ms() -> npt.NDArray[np.float64]:
    """Processor time of this process, and elapsed time."""
    return np.array([time.process_time_ns(), time.perf_counter_ns()]) / 1e6


def _no_nonce(_connection: Connection) -> None:
    """No nonce is issued for these captures, so none is spent."""


if __name__ == "__main__":
    typer.run(main)
