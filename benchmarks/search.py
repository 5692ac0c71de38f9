"""`python -m benchmarks.search`: what one search costs, by how many are enrolled, and whether it finds whom it must.

The gallery that ships, against faiss' IndexFlatIP and NumPy in the same run, on simulated people: see
`benchmarks.simulated`. It writes figures and plots, never an embedding.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import faiss
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.comparisons import PopulationInvalid
from benchmarks.enrolled import enrol
from benchmarks.machine import provenance
from benchmarks.search_measures import latency, pauses, recall
from benchmarks.simulated import WEAK, Statistics, measured
from idverify.errors import ConfigurationInvalid
from idverify.matching.gallery import LEAST_OF_A_SHARD, SHORTLIST
from idverify.matching.shard import EXACT_ROWS, SHARD_ROWS

HELD_AT_MOST = 1_000_000
"""Up to here IndexFlatIP and NumPy are measured too: beyond, each would need the vectors once more."""


def main(
    photos: Annotated[Path, typer.Option(help="A folder-a-person tree of photographs, to learn statistics from.")],
    json_path: Annotated[Path, typer.Option("--json", help="Where to write the figures.")],
    plots: Annotated[Path | None, typer.Option(help="A folder to draw the plots into (SVG).")] = None,
    people: Annotated[list[int] | None, typer.Option(help="Sizes; repeat it for several.")] = None,
    probes: Annotated[int, typer.Option(min=10, help="Searches for mates, half of them weak.")] = 10_000,
    searches: Annotated[int, typer.Option(min=10, help="Single searches that are timed.")] = 800,
    undisturbed: Annotated[
        bool, typer.Option("--undisturbed", help="Time single searches at real-time priority (root, a shared machine).")
    ] = False,
) -> None:
    """Measure latency, recall, pauses and memory at each size."""
    console = Console(stderr=True)
    try:
        statistics = measured(photos, console)
    except (PopulationInvalid, ConfigurationInvalid, OSError) as error:
        console.print(f"[bold red]Not measured:[/] {error}", highlight=False)
        raise typer.Exit(2) from error
    sizes = []
    for count in sorted(people or [10_000, 100_000, 1_000_000]):
        console.print(f"{count:,} people …", highlight=False)
        # From a million on there are fewer probes, so that comparing them exactly ends some day.
        sizes.append(
            _measure(statistics, count, probes if count <= HELD_AT_MOST else probes // 5, searches, undisturbed)
        )
        _print(sizes[-1], console)
    document = {
        "sizes": sizes,
        "shortlist": SHORTLIST,
        "shortlist_of_a_shard_at_least": LEAST_OF_A_SHARD,
        "shard_rows": SHARD_ROWS,
        "exact_rows": EXACT_ROWS,
        "weak_cosines": list(WEAK),
        "embedder": statistics.model,
        "likeness": statistics.likeness(),
        "faiss": faiss.__version__,
        "undisturbed": undisturbed,
        "load_average": [round(value, 1) for value in os.getloadavg()],
        "measured": provenance(datetime.now(UTC)),
    }
    json_path.parent.mkdir(parents=True, exist_ok=True)
    json_path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if plots is not None:
        from benchmarks.search_plots import write_plots  # drawing is the only part that needs matplotlib

        write_plots(plots, document)


def _measure(statistics: Statistics, people: int, probes: int, searches: int, undisturbed: bool) -> dict[str, Any]:
    enrolled = enrol(statistics, people, probes, keep=people <= HELD_AT_MOST)
    size: dict[str, Any] = {
        "people": people,
        "build_s": round(enrolled.build_s, 2),
        "memory_bytes": enrolled.gallery.memory_bytes,
        "bytes_per_person": round(enrolled.gallery.memory_bytes / people, 1),
        "resident_bytes": enrolled.resident_bytes,
        "latency": latency(enrolled, searches, undisturbed=undisturbed),
        "recall": recall(enrolled),
    }
    if people == HELD_AT_MOST:
        size["pauses"] = pauses(enrolled, statistics)
    return size


def _print(size: dict[str, Any], console: Console) -> None:
    table = Table("", "p50 ms", "p99 ms", "a probe in batches, ms", title=f"{size['people']:,} people")
    for name, times in size["latency"].items():
        table.add_row(name, *(str(times[key]) for key in ("p50_ms", "p99_ms", "batch_ms")))
    console.print(table)
    recall = {key: value for key, value in size["recall"].items() if key != "by_shortlist"}
    console.print(recall, size.get("pauses", ""), f"{size['bytes_per_person']} bytes a person", highlight=False)


if __name__ == "__main__":
    typer.run(main)
