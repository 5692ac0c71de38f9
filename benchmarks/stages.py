"""`python -m benchmarks.stages`: where the time of one photograph goes, beside the work that cannot be avoided.

It times the shipped reader on one thread; it writes figures and bars, never pictures or names.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from benchmarks.comparisons import PopulationInvalid
from benchmarks.machine import provenance
from benchmarks.models import open_reader
from benchmarks.population import Sample, photographs_under
from benchmarks.recording import Recorder, RecordingRuntime
from benchmarks.stage_report import SMALL_LONG_SIDE_PX, SizeClass, print_times
from benchmarks.timing import Prepared, measure, policy, prepare
from benchmarks.tracing import REST, STAGES
from idverify.errors import ConfigurationInvalid
from idverify.vision.manifest import load_manifest
from idverify.vision.reader import Reader

CLASSES = ((SMALL_LONG_SIDE_PX, "up to 400 px"), (1000, "401 to 1,000 px"), (2500, "1,001 to 2,500 px"))
LARGEST_CLASS = "over 2,500 px"
ENLARGED_QUALITY = 90


def main(
    photos: Annotated[Path, typer.Option(help="A folder-a-person tree of JPEG photographs.")],
    json_path: Annotated[Path, typer.Option("--json", help="Where to write the figures.")],
    enlarge: Annotated[
        int | None, typer.Option(min=400, max=6000, help="Also time them enlarged to this long side, in px.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many photographs, spread over the tree.")] = 100,
    runs: Annotated[int, typer.Option(min=1, help="How often each is timed.")] = 5,
    bars: Annotated[Path | None, typer.Option(help="Where to draw the bars (SVG).")] = None,
) -> None:
    """Time every stage of the recipe and compare the whole with its bare networks and a bare decode."""
    console = Console(stderr=True)
    cv2.setNumThreads(1)
    recorder = Recorder()
    try:
        samples = photographs_under(photos)
        reader = open_reader(RecordingRuntime(threads=1, recorder=recorder))
    except (PopulationInvalid, ConfigurationInvalid, OSError) as error:
        console.print(f"[bold red]Not measured:[/] {error}", highlight=False)
        raise typer.Exit(2) from error
    pictures = _pictures(samples, limit, enlarge)
    prepared = [ready for data in pictures if (ready := prepare(data, reader, recorder)) is not None]
    if not prepared:
        console.print("[bold red]Not measured:[/] none of the photographs could be processed")
        raise typer.Exit(2)
    classes = [_time(name, group, reader, runs, console) for name, group in _by_size(prepared).items()]
    document = _document(classes, left_out=len(pictures) - len(prepared), runs=runs)
    json_path.parent.mkdir(parents=True, exist_ok=True)
    json_path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    for size in classes:
        print_times(size, Console())
    if bars is not None:
        _draw(bars, classes)


def _pictures(samples: Sequence[Sample], limit: int, enlarge: int | None) -> list[bytes]:
    chosen = [samples[round(at)].read() for at in np.linspace(0, len(samples) - 1, min(limit, len(samples)))]
    return chosen + ([_enlarged(data, enlarge) for data in chosen] if enlarge else [])


def _enlarged(data: bytes, long_side_px: int) -> bytes:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        return data
    scale = long_side_px / max(pixels.shape[:2])
    larger = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", larger, [cv2.IMWRITE_JPEG_QUALITY, ENLARGED_QUALITY])[1].tobytes()


def _by_size(prepared: Sequence[Prepared]) -> dict[str, list[Prepared]]:
    groups: dict[str, list[Prepared]] = {}
    for photograph in sorted(prepared, key=lambda each: each.long_side_px):
        name = next((name for limit, name in CLASSES if photograph.long_side_px <= limit), LARGEST_CLASS)
        groups.setdefault(name, []).append(photograph)
    return groups


def _time(name: str, photographs: Sequence[Prepared], reader: Reader, runs: int, console: Console) -> SizeClass:
    roles = {file.sha256: str(role) for models in load_manifest().sets.values() for role, file in models.files.items()}
    rounds = measure(photographs, reader, roles, runs)
    taken = list(track(rounds, f"Timing {name}", total=len(photographs) * runs, console=console))
    times = {key: np.array([each[key] for each in taken]) for key in taken[0]}
    return SizeClass(name, len(photographs), photographs[0].long_side_px <= SMALL_LONG_SIDE_PX, times)


def _document(classes: Sequence[SizeClass], left_out: int, runs: int) -> dict[str, object]:
    """The class with most photographs (the smaller of equals) stands at the top level, all under "classes"."""
    main_class = max(classes, key=lambda size: size.photographs)
    return main_class.as_json() | {
        "classes": [size.as_json() for size in classes],
        "runs": runs,
        "left_out": left_out,
        "policy": f"verification, but face {policy().face_choice} and quality gate {policy().quality}: refuses nothing",
        "threads": 1,
        "clock": "processor time of the one thread that does all the work; wall_ figures are elapsed time",
        "measured": provenance(datetime.now(UTC)),
    }


def _draw(path: Path, classes: Sequence[SizeClass]) -> None:
    from benchmarks.stage_bars import Bar, Panel, write_stage_bars  # drawing is the only part that needs matplotlib

    panels = []
    for size in classes:
        label, bare = "its networks, bare", {"detect": size.p50("detector"), "embed": size.p50("embedder")}
        if not size.small:
            label, bare = "bare decode\nand networks", {"decode": size.p50("decode_bare")} | bare
        recipe = {name: size.p50(name) for name in (*STAGES, REST)}
        panels.append(Panel(f"photographs {size.name}", [Bar("the recipe", recipe), Bar(label, bare)]))
    write_stage_bars(path, panels, "Where the time of one photograph goes", "the recipe, and what it cannot do without")


if __name__ == "__main__":
    typer.run(main)
