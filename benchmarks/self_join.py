"""`python -m benchmarks.self_join`: every pair above a threshold in a gallery, beside plain faiss and NumPy.

Large galleries are measured on a slice, said so and extrapolated by the number of pairs. Simulated people, some of them
enrolled twice; figures and plots only.
"""

import json
import os
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import faiss
import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console

from benchmarks.comparisons import Floats, PopulationInvalid
from benchmarks.machine import provenance
from benchmarks.simulated import Statistics, measured
from idverify.errors import ConfigurationInvalid
from idverify.matching.operating_point import OperatingPoint, OperatingPoints, Population
from idverify.matching.self_join import TILE_ROWS, Block, HeldVectors, block_count, pairs
from idverify.vision.manifest import load_manifest

TWICE = 0.05
"""The share of references that are of somebody who is there already."""
WHOLE_UP_TO = 100_000
FLAT_ROWS = 4_096
SLICE_COLUMN = 2

Pair = tuple[int, int]
Result = TypeVar("Result")


def main(
    photos: Annotated[Path, typer.Option(help="A folder-a-person tree of photographs, to learn statistics from.")],
    json_path: Annotated[Path, typer.Option("--json", help="Where to write the figures.")],
    plot: Annotated[Path | None, typer.Option(help="Where to draw the times (SVG).")] = None,
    people: Annotated[list[int] | None, typer.Option(help="Sizes; repeat it for several.")] = None,
    fmr: Annotated[float, typer.Option(help="The threshold's false match rate, on photographs.")] = 1e-6,
) -> None:
    """Measure the time and the recall of a self-join at each size."""
    console = Console(stderr=True)
    try:
        statistics = measured(photos, console)
        point = (
            OperatingPoints.parse(load_manifest().operating_points)
            .of(statistics.model, Population.PHOTOGRAPHS)
            .at_fmr(fmr)
        )
    except (PopulationInvalid, ConfigurationInvalid, OSError) as error:
        console.print(f"[bold red]Not measured:[/] {error}", highlight=False)
        raise typer.Exit(2) from error
    sizes = []
    for count in sorted(people or [10_000, 57_000, 1_000_000]):
        sizes.append(_measure(gallery_with_doubles(statistics, count), point))
        console.print(sizes[-1], highlight=False)
    document = {
        "sizes": sizes,
        "threshold": round(point.threshold, 6),
        "operating_point": point.name,
        "tile_rows": TILE_ROWS,
        "embedder": statistics.model,
        "faiss": faiss.__version__,
        "load_average": [round(value, 1) for value in os.getloadavg()],
        "measured": provenance(datetime.now(UTC)),
    }
    json_path.parent.mkdir(parents=True, exist_ok=True)
    json_path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if plot is not None:
        from benchmarks.self_join_plot import write_plot  # drawing is the only part that needs matplotlib

        write_plot(plot, document)


def gallery_with_doubles(statistics: Statistics, references: int) -> HeldVectors:
    """Simulated people of whom some come twice, far apart, at the cosines that mated pairs have."""
    vectors = statistics.people(references, seed=7)
    doubles = int(references * TWICE)
    last = slice(references - doubles, references)
    if references > WHOLE_UP_TO:  # so that the slice that is measured holds them
        last = slice((SLICE_COLUMN + 1) * TILE_ROWS - doubles, (SLICE_COLUMN + 1) * TILE_ROWS)
    vectors[last] = statistics.mates(vectors[:doubles], statistics.mated_cosines(doubles, seed=8), seed=9)
    vectors[last] /= np.linalg.norm(vectors[last], axis=1, keepdims=True)
    return HeldVectors(vectors, np.arange(references))


def _measure(gallery: HeldVectors, point: OperatingPoint) -> dict[str, Any]:
    """A whole gallery, or the pairs of three tiles with the third, which `pairs` numbers 3 to 5."""
    references, threshold = len(gallery.owners), point.threshold
    every = references * (references - 1) // 2
    whole = references <= WHOLE_UP_TO
    column = slice(0, references) if whole else slice(SLICE_COLUMN * TILE_ROWS, (SLICE_COLUMN + 1) * TILE_ROWS)
    wanted = set(range(1 if whole else 6)) - set(range(0 if whole else 3))
    done = set(range(block_count(references, None))) - wanted
    blocks, join_s = _timed(lambda: list(pairs(gallery, None, threshold, done=done)))
    compared = sum(block.compared for block in blocks)
    rows = references if whole else FLAT_ROWS
    flat = _index(gallery.vectors)
    faiss.omp_set_num_threads(os.cpu_count() or 1)
    _, flat_s = _timed(lambda: [flat.range_search(part, threshold) for part in _parts(gallery.vectors[:rows])])
    _, numpy_s = _timed(lambda: [_above(part, gallery.vectors, threshold) for part in _parts(gallery.vectors[:rows])])
    checked = gallery.vectors[: column.stop if whole else TILE_ROWS]
    exactly = _exact_pairs(checked, _index(gallery.vectors[column]), threshold, column.start)
    found = {pair for pair in _pairs_of(blocks) if pair[0] < len(checked)}
    return {
        "references": references,
        "measured_on": "all pairs" if whole else f"{compared:,} of {every:,} pairs, extrapolated",
        "join_s": round(join_s * every / compared, 2),
        "index_flat_ip_s": round(flat_s * references / rows, 2),
        "numpy_s": round(numpy_s * references / rows, 2),
        "plain_measured_rows": rows,
        "ratio": round(flat_s * references / rows / (join_s * every / compared), 2),
        "ratio_to_half_of_it": round(flat_s * references / rows / (join_s * every / compared) / 2, 2),
        "pairs_at_or_above_threshold": len(exactly),
        "missed": len(exactly - found),
        "recall": round(1 - len(exactly - found) / max(len(exactly), 1), 6),
        "only_here": len(found - exactly),
    }


def _above(rows: Floats, vectors: Floats, threshold: float) -> list[npt.NDArray[np.intp]]:
    """The pairs by a product of matrices, in pieces that fit into memory."""
    return [np.argwhere(rows @ part.T >= threshold) for part in _parts(vectors)]


def _exact_pairs(rows: Floats, index: faiss.IndexFlatIP, threshold: float, first_column: int) -> set[Pair]:
    exactly: set[Pair] = set()
    for start, part in enumerate(_parts(rows)):
        limits, _, columns = index.range_search(part, threshold)
        row = np.repeat(np.arange(len(part)) + start * FLAT_ROWS, np.diff(limits).astype(int))
        exactly.update(zip(row.tolist(), (columns + first_column).tolist(), strict=True))
    return {(one, other) for one, other in exactly if one < other}


def _pairs_of(blocks: Iterable[Block]) -> set[Pair]:
    return {pair for block in blocks for pair in zip(block.left.tolist(), block.right.tolist(), strict=True)}


def _parts(vectors: Floats) -> list[Floats]:
    return [vectors[start : start + FLAT_ROWS] for start in range(0, len(vectors), FLAT_ROWS)]


def _index(vectors: Floats) -> faiss.IndexFlatIP:
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    began_s = time.perf_counter()
    return work(), time.perf_counter() - began_s


if __name__ == "__main__":
    typer.run(main)
