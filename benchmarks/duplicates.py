"""`python -m benchmarks.duplicates`: does the duplicate search find what was planted, and no more than it announced?

On a payroll of rendered citizens with planted ghosts, or (`--photos DIR`) on real photographs, each under a number of
its own. It runs the search as it ships, on a deployment of its own, and writes no picture, name or embedding.
"""

import json
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from rich.console import Console

from analysis.deduplication import references
from analysis.deduplication.clusters import Cluster, Group, Tie
from analysis.deduplication.composition import DeduplicationParts
from analysis.deduplication.search_plan import SearchPlan
from benchmarks import like_conditions, planted
from benchmarks.intervals import clopper_pearson
from benchmarks.machine import provenance
from benchmarks.models import open_reader
from benchmarks.planted import ACCESS, PAYROLL, REGISTER, Conditions, Truth
from idverify.access import no_progress
from idverify.administration.deployment import Deployment
from idverify.ids import PersonId
from idverify.stored.case_evidence import Link
from idverify.vision.reader import AttackCheck, Reader, ReadingPolicy
from idverify.vision.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one search announced and what it came to, counted in pairs of numbers.

    `mated`: planted pairs of one face; `found` of them at or above the threshold, with the 95 % Clopper-Pearson
    interval of the share; `together`: in one cluster of the report, some of them below the threshold.
    `false_pairs`: of different people, twins apart. `weakest_cut`: the lowest mean similarity across any link whose
    removal parts a cluster of three or more, less the threshold; None without such a cluster.
    """

    search: str
    fmr: float
    pairs: int
    expected_false_pairs: float
    low: int
    high: int
    false_pairs: int
    twin_pairs: int
    mated: int
    found: int
    share_found: float
    share_low: float
    share_high: float
    together: int
    clusters: int
    largest: int
    weakest_cut: float | None
    duration_s: float

    @property
    def as_announced(self) -> bool:
        """Whether the false pairs lie within the announced interval."""
        return self.low <= self.false_pairs <= self.high


def measure(deployment: Deployment, plan: SearchPlan, truth: Truth, name: str) -> Outcome:
    """Run one search and hold its report against the truth."""
    started = time.perf_counter()
    parts = DeduplicationParts.of(deployment)
    made = parts.searches.run(parts.searches.start(plan, ACCESS), ACCESS, no_progress)
    duration_s = time.perf_counter() - started
    clusters = parts.reports.read(made, ACCESS).clusters
    found = {pair for cluster in clusters for pair, link in _pairs(cluster).items() if link.found}
    mated = _mated_pairs(deployment, plan, truth)
    false_pairs = [pair for pair in found if not truth.mated(*pair) and not truth.alike(*pair)]
    hits = len(mated & found)
    share = clopper_pearson(len(mated) - hits, len(mated))
    cuts = [cut for cluster in clusters if len(cluster.members) > 2 for cut in _cuts(cluster)]
    return Outcome(
        search=name,
        fmr=plan.expectation.point.fmr,
        pairs=plan.expectation.pairs,
        expected_false_pairs=plan.expectation.expected,
        low=plan.expectation.low,
        high=plan.expectation.high,
        false_pairs=len(false_pairs),
        twin_pairs=sum(truth.alike(*pair) for pair in found),
        mated=len(mated),
        found=hits,
        share_found=hits / len(mated),
        share_low=1 - share.high,
        share_high=1 - share.low,
        together=len(mated & {pair for one in clusters for pair in _pairs(one)}),
        clusters=len(clusters),
        largest=max((len(cluster.members) for cluster in clusters), default=0),
        weakest_cut=min(cuts) - plan.expectation.point.threshold if cuts else None,
        duration_s=round(duration_s, 1),
    )


def _pairs(cluster: Cluster) -> dict[tuple[PersonId, PersonId], Link]:
    pairs = {}
    for link in cluster.links:
        one, other = cluster.members[link.left].person, cluster.members[link.right].person
        if one is not None and other is not None:
            pairs[(one, other) if one < other else (other, one)] = link
    return pairs


def _mated_pairs(deployment: Deployment, plan: SearchPlan, truth: Truth) -> set[tuple[PersonId, PersonId]]:
    """The planted pairs that this search compares."""
    with deployment.database.read() as connection:
        left = set(references.counts(connection, plan.gallery))
        right = left if plan.against is None else set(references.counts(connection, plan.against))
    of_face: dict[int, list[PersonId]] = {}
    for person in sorted(left | right):
        of_face.setdefault(truth.face[person], []).append(person)
    pairs = {pair for people in of_face.values() for pair in combinations(people, 2)}
    return {(a, b) for a, b in pairs if (a in left and b in right) or (a in right and b in left)}


def _cuts(cluster: Cluster) -> Iterable[float]:
    """Take out each link that holds the cluster together: how alike, on average, are the two parts that remain?"""
    names = [f"{at:04d}" for at in range(len(cluster.members))]
    ties = tuple(Tie(names[one.left], names[one.right], one.similarity, one.found) for one in cluster.links)
    spanning = Group(tuple(names), ties).spanning()
    for cut in spanning:
        part, grown = {cut.left}, True
        while grown:
            beside = {
                name
                for tie in spanning
                if tie is not cut and part & {tie.left, tie.right}
                for name in (tie.left, tie.right)
            }
            grown, part = not beside <= part, part | beside
        yield float(np.mean([tie.similarity for tie in ties if (tie.left in part) != (tie.right in part)]))


def rendered(
    folder: Path,
    reader: Reader,
    *,
    entries: int,
    ghosts: int,
    budget: float,
    conditions: Conditions,
    frames: int,
    threads: int,
    cache: Path | None,
    calibrate_on: int = 0,
) -> list[Outcome]:
    """The payroll against itself at a budget of false pairs, then against the register at the same rate.

    `calibrate_on`: so many other citizens, captured alike, give the operating points; 0: the manifest's hold.
    """
    people, truth = planted.payroll(entries, ghosts, conditions)
    policy = ReadingPolicy(
        ReadingPolicy.enrolment().face_choice, ReadingPolicy.enrolment().quality, AttackCheck.OFF, mirrored=True
    )
    enrolled = planted.vectors(
        people, reader, policy, conditions=conditions, frames=frames, threads=threads, cache=cache
    )
    points = None
    if calibrate_on:
        points = like_conditions.calibrate(
            reader, policy, conditions, people=calibrate_on, frames=frames, threads=threads, cache=cache
        )
    with planted.deployment(folder, people, enrolled, reader, real=False, points=points) as deployment:
        searches = DeduplicationParts.of(deployment).searches
        itself = searches.plan(PAYROLL, budget=budget)
        other = searches.plan(PAYROLL, against=REGISTER, fmr=itself.expectation.point.fmr)
        return [
            measure(deployment, itself, truth, "payroll against itself"),
            measure(deployment, other, truth, "payroll against the register"),
        ]


def photographs(folder: Path, reader: Reader, photos: Path, *, fmrs: Iterable[float], threads: int) -> list[Outcome]:
    """Every photograph under a number of its own, at stated rates."""
    people, truth = planted.real_people(photos)
    enrolled = planted.vectors(people, reader, ReadingPolicy.in_the_wild(), threads=threads)
    with planted.deployment(folder, people, enrolled, reader, real=True) as deployment:
        searches = DeduplicationParts.of(deployment).searches
        return [
            measure(deployment, searches.plan(PAYROLL, fmr=fmr), truth, f"photographs at FMR {fmr:g}") for fmr in fmrs
        ]


def main(
    photos: Annotated[Path | None, typer.Option(help="A folder a person; without it, rendered citizens.")] = None,
    entries: Annotated[int, typer.Option(help="Payroll numbers.")] = 3_000,
    ghosts: Annotated[int, typer.Option(help="Planted ghosts.")] = 60,
    budget: Annotated[float, typer.Option(help="False pairs to expect.")] = 10,
    conditions: Annotated[Conditions, typer.Option(help="How rendered citizens are captured.")] = Conditions.STATION,
    frames: Annotated[int, typer.Option(min=1, max=10, help="Frames of each visit, of which the best is taken.")] = 1,
    calibrate_on: Annotated[
        int, typer.Option(min=0, help="Other citizens, captured alike, for the operating points; 0: the manifest's.")
    ] = 0,
    json_path: Annotated[Path | None, typer.Option("--json", help="File to write.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps references of rendered citizens.")] = None,
    threads: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Measure the duplicate search as it ships."""
    cv2.setNumThreads(1)
    console = Console()
    reader = open_reader(Runtime(threads=1))
    with tempfile.TemporaryDirectory() as folder:
        if photos is None:
            found = rendered(
                Path(folder),
                reader,
                entries=entries,
                ghosts=ghosts,
                budget=budget,
                conditions=conditions,
                frames=frames,
                threads=threads,
                cache=cache,
                calibrate_on=calibrate_on,
            )
        else:
            found = photographs(Path(folder), reader, photos, fmrs=(1e-3, 1e-4, 1e-5), threads=threads)
    measured: dict[str, Any] = {
        "population": "rendered" if photos is None else "photographs",
        "model": reader.model,
        "captured": None if photos is not None else f"{conditions}, best of {frames}",
        "calibrated_on": "the manifest" if not calibrate_on else f"{calibrate_on} others, captured alike",
        "searches": [asdict(one) for one in found],
        "measured": provenance(datetime.now(UTC)),
    }
    for one in found:
        console.print(
            f"{one.search}: {one.pairs:,} pairs at FMR {one.fmr:.1e}; found {one.found} of {one.mated} mated pairs "
            f"({one.share_found:.1%}, {one.share_low:.1%} to {one.share_high:.1%}); false pairs {one.false_pairs}, "
            f"announced {one.expected_false_pairs:.1f} ({one.low} to {one.high}); twins {one.twin_pairs}; "
            f"{one.together} mated pairs together in {one.clusters} clusters, the largest of {one.largest}; "
            f"weakest cut {'none' if one.weakest_cut is None else f'{one.weakest_cut:+.3f}'}; {one.duration_s} s",
            highlight=False,
        )
    if json_path is not None:
        json_path.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
