"""`python -m benchmarks.accuracy`: error rates of the shipped recipe on photographs or on rendered citizens.

It changes no threshold unless it is told to (--write-operating-points), and never writes pictures, names or embeddings.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import cv2
import typer
from rich.console import Console

from benchmarks.comparisons import Comparisons, PopulationInvalid, compare_all
from benchmarks.groups import GroupRates, rates_by_group
from benchmarks.identification import search_rates
from benchmarks.machine import provenance
from benchmarks.models import open_reader
from benchmarks.operating_points import write_operating_points
from benchmarks.pairs import (
    NEVER_MATCHES,
    FoldedAccuracy,
    Folds,
    PairsFileInvalid,
    Picture,
    folded_accuracy,
    pictures_of,
    read_pairs,
)
from benchmarks.population import (
    CALIBRATION_SEEDS_FROM,
    Population,
    Sample,
    find_pictures,
    photographs_under,
    rendered_citizens,
)
from benchmarks.report import Findings, as_json, print_report
from benchmarks.statistics import OperatingRate, curve_targets, operating_rates
from benchmarks.templates import Templates, Treatment, read_all
from idverify.errors import ConfigurationInvalid
from idverify.vision.manifest import manifest_path
from idverify.vision.reader import Reader
from idverify.vision.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: checked before any photograph is read, so that a mistake costs no time."""

    samples: tuple[Sample, ...]
    population: Population
    dataset: str
    probe: Treatment
    folds: Folds
    pictures: dict[Picture, int]


def measure(plan: Plan, reader: Reader, *, threads: int, replicates: int, console: Console) -> Findings:
    """Read the population, compare everybody with everybody, work out every rate. Raises PopulationInvalid."""
    started = time.perf_counter()
    templates = read_all(plan.samples, reader, probe=plan.probe, threads=threads, console=console)
    with console.status("Comparing every photograph with every other"):
        comparisons = compare_all(templates.references, templates.probes, templates.person)
        search = search_rates(templates.references, templates.probes, templates.person)
    with console.status("Working out intervals"):
        rates = operating_rates(comparisons, curve_targets(), replicates=replicates)
    return Findings(
        population=plan.population,
        dataset=plan.dataset,
        probe=plan.probe,
        model=reader.model,
        photographs=len(plan.samples),
        people=len({sample.person for sample in plan.samples}),
        failures=templates.failures,
        comparisons=comparisons,
        rates=rates,
        search=search,
        pairs=_pairs_accuracy(plan, templates) if plan.folds else None,
        skin_tones=_by_skin_tone(plan.samples, templates, comparisons, rates),
        provenance=provenance(datetime.now(UTC)),
        duration_s=time.perf_counter() - started,
    )


def _pairs_accuracy(plan: Plan, templates: Templates) -> FoldedAccuracy:
    row = {int(sample): row for row, sample in enumerate(templates.kept)}
    scores = {}
    for pair in (pair for fold in plan.folds for pair in fold):
        reference, probe = (row.get(plan.pictures[picture]) for picture in (pair.reference, pair.probe))
        processed = reference is not None and probe is not None
        scores[pair] = float(templates.references[reference] @ templates.probes[probe]) if processed else NEVER_MATCHES
    return folded_accuracy(scores, plan.folds)


def _by_skin_tone(
    samples: Sequence[Sample], templates: Templates, comparisons: Comparisons, rates: dict[float, OperatingRate]
) -> dict[int, GroupRates] | None:
    pictures = zip(templates.person, templates.kept, strict=True)
    tones = {int(person): samples[kept].skin_tone for person, kept in pictures}
    known = [tone for tone in tones.values() if tone is not None]
    return rates_by_group(comparisons, known, rates) if len(known) == len(tones) else None


def main(
    json_path: Annotated[Path, typer.Option("--json", help="Where to write the figures.")],
    photos: Annotated[Path | None, typer.Option(help="A folder-a-person tree of photographs.")] = None,
    pairs: Annotated[Path | None, typer.Option(help="LFW's pairs.txt, or a part of it.")] = None,
    sample: Annotated[
        Population, typer.Option(help="What to measure: --photos, or citizens rendered for it.")
    ] = Population.PHOTOGRAPHS,
    citizens: Annotated[int, typer.Option(min=2, help="Rendered citizens to measure.")] = 1000,
    portraits: Annotated[int, typer.Option(min=2, help="Portraits of each rendered citizen.")] = 4,
    first_seed: Annotated[
        int, typer.Option(min=0, help="Of the rendered citizens; the default is for calibration.")
    ] = CALIBRATION_SEEDS_FROM,
    det: Annotated[Path | None, typer.Option(help="Where to draw the DET curve (SVG).")] = None,
    population: Annotated[
        Population | None, typer.Option(help="What the thresholds hold for, when not the kind of --sample.")
    ] = None,
    probe: Annotated[Treatment, typer.Option(help="How probes are embedded.")] = Treatment.PLAIN,
    dataset: Annotated[str | None, typer.Option(help="What to call the data in results.")] = None,
    write_points: Annotated[
        bool, typer.Option("--write-operating-points", help="Put the thresholds into models/manifest.toml.")
    ] = False,
    threads: Annotated[int, typer.Option(min=1, help="Photographs read side by side.")] = 2,
    replicates: Annotated[int, typer.Option(min=100, help="Bootstrap replicates.")] = 1000,
) -> None:
    """Measure error rates (FMR, FNMR, FNIR, failure to enrol) of the recipe as it ships."""
    console = Console(stderr=True)
    cv2.setNumThreads(1)
    try:
        samples, name = _samples(sample, photos, (citizens, portraits, first_seed))
        folds = read_pairs(pairs) if pairs is not None else ()
        pictures = find_pictures(samples, pictures_of(folds))
        plan = Plan(samples, population or sample, dataset or name, probe, folds, pictures)
        reader = open_reader(Runtime(threads=1))
        found = measure(plan, reader, threads=threads, replicates=replicates, console=console)
    except (PopulationInvalid, PairsFileInvalid, ConfigurationInvalid, OSError) as error:
        console.print(f"[bold red]Not measured:[/] {error}", highlight=False)
        raise typer.Exit(2) from error
    json_path.parent.mkdir(parents=True, exist_ok=True)
    json_path.write_text(json.dumps(as_json(found), indent=2) + "\n", encoding="utf-8")
    print_report(found, Console())
    if det is not None and found.rates:
        _draw(det, found)
    if write_points:
        write_operating_points(manifest_path(), found)


def _samples(sample: Population, photos: Path | None, size: tuple[int, int, int]) -> tuple[tuple[Sample, ...], str]:
    """The pictures to measure and what to call them. Raises PopulationInvalid."""
    if (sample is Population.PHOTOGRAPHS) != (photos is not None):
        raise PopulationInvalid("expected either --photos DIR or --sample rendered")
    if photos is not None:
        return photographs_under(photos), photos.resolve().name
    return rendered_citizens(*size), f"{size[0]:,} rendered citizens, {size[1]} portraits each, seeds from {size[2]:,}"


def _draw(path: Path, found: Findings) -> None:
    from benchmarks.det import Caption, write_det  # drawing is the only part that needs matplotlib

    mated, non_mated = len(found.comparisons.mated), found.comparisons.non_mated_pairs
    pairs = f"{found.people:,} people, {mated:,} mated and {non_mated:,} non-mated pairs"
    write_det(path, found.rates, mated, Caption(f"Error trade-off on {found.dataset}", pairs))


if __name__ == "__main__":
    typer.run(main)
