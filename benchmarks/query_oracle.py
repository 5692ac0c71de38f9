"""`python -m benchmarks.query_oracle --photos DIR`: what answers give away of a template, and whom the bound locks.

It judges templates of real photographs by the rule of `idverify.clients.limits` alone, without a service, and prints
none of them.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.table import Table
from scipy.optimize import minimize
from scipy.stats import betabinom

from benchmarks.machine import provenance
from benchmarks.models import open_reader
from benchmarks.population import photographs_under
from benchmarks.templates import Templates, Treatment, read_all
from benchmarks.thief import Faces, Thief, Vector
from idverify.administration.deployment import utc_now
from idverify.matching.operating_point import Calibration, OperatingPoints, Population
from idverify.vision.manifest import load_manifest
from idverify.vision.runtime import Runtime

FMR = 1e-4
HEAD_START = 0.02
"""How far above the threshold somebody stands who just matches."""
CLOSE_CALLS = (0, 1, 3, 5, 10, 20)
ATTEMPTS_A_YEAR = (12, 60, 240)


@dataclass(frozen=True, slots=True)
class Bound:
    """What stops an attack: so many close calls, so many failures (None: any number), so many questions."""

    close_calls: int | None = None
    failures: int | None = None
    questions: int = 60

    def __str__(self) -> str:
        if self.close_calls is not None:
            return f"{self.close_calls} close calls"
        return f"{self.questions} questions" if self.failures is None else f"{self.failures} failures"


@dataclass(frozen=True, slots=True)
class Band:
    """Where an answer is a close call: within `margin` of the threshold."""

    threshold: float
    margin: float

    @classmethod
    def of(cls, calibration: Calibration) -> "Band":
        return cls(calibration.at_fmr(FMR).threshold, calibration.margin(FMR))

    def close(self, similarity: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether answers at these similarities are close calls."""
        return np.abs(np.asarray(similarity) - self.threshold) < self.margin


@dataclass(frozen=True, slots=True)
class Spoils:
    """What thieves who ask at this chance of a match gained in cosine to the template until the bound stopped them."""

    bound: Bound
    chance: float
    mean: float
    p95: float
    worst: float
    asked: float


def raid(template: Vector, start: Vector, thief: Thief, band: Band, bound: Bound) -> tuple[float, int]:
    """One attack from `start`, whose similarity the thief knows roughly: the gain in cosine, and how many questions."""
    thief.know(start, band.threshold + HEAD_START)
    asked, close_calls, failures = 0, 0, 0
    while asked < bound.questions and close_calls != bound.close_calls and failures != bound.failures:
        probe = thief.probe()
        similarity = float(probe @ template)
        matched = similarity >= band.threshold
        thief.learn(probe, matched=matched)
        asked, close_calls, failures = asked + 1, close_calls + int(band.close(similarity)), failures + (not matched)
    return float(thief.guess @ template - start @ template), asked


def spoils(templates: npt.NDArray[np.floating], band: Band, bound: Bound, *, thieves: int, chance: float) -> Spoils:
    """Thieves who know the faces of half of these people attack the other half."""
    random = np.random.default_rng(1)
    shuffled = templates[random.permutation(len(templates))].astype(np.float64)
    known, victims = shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]
    faces, gains = Faces.of(known), []
    for number in range(thieves):
        template = victims[number % len(victims)]
        start = somebody_alike(template, band.threshold + HEAD_START, random)
        thief = Thief(faces, band.threshold, random, chance=chance)
        gains.append(raid(template, start, thief, band, bound))
    gained, asked = np.array(gains).T
    return Spoils(bound, chance, gained.mean(), float(np.quantile(gained, 0.95)), gained.max(), asked.mean())


def somebody_alike(template: Vector, cosine: float, random: np.random.Generator) -> Vector:
    """A unit vector of this cosine to the template, otherwise in any direction."""
    other = random.standard_normal(len(template))
    across = other - (other @ template) * template
    return cosine * template + math.sqrt(1 - cosine**2) * across / np.linalg.norm(across)


@dataclass(frozen=True, slots=True)
class Honest:
    """Close calls of genuine attempts, which fall on some people more than on others: a beta distribution's a, b."""

    share: float
    a: float
    b: float

    @classmethod
    def of(cls, templates: Templates, band: Band) -> "Honest":
        """From references that have at least two other photographs of their person."""
        scores = templates.references @ templates.probes.T
        same = templates.person[:, None] == templates.person[None, :]
        np.fill_diagonal(same, val=False)
        attempts = same.sum(axis=1)
        calls = (same & band.close(scores)).sum(axis=1)
        calls, attempts, pairs, total = calls[attempts > 1], attempts[attempts > 1], same.sum(), calls.sum()
        fitted = minimize(
            lambda log: -betabinom.logpmf(calls, attempts, *np.exp(log)).sum(), [-1.0, 1.0], method="Nelder-Mead"
        )
        return cls(float(total / pairs), *map(float, np.exp(fitted.x)))

    def locked(self, close_calls: int, attempts: int) -> float:
        """The share of people whom so many attempts lock."""
        return float(betabinom.sf(close_calls - 1, attempts, self.a, self.b))


def main(
    photos: Annotated[Path, typer.Option(help="A folder-a-person tree of photographs.")],
    json_path: Annotated[Path, typer.Option("--json", help="Where to write the figures.")],
    thieves: Annotated[int, typer.Option(min=1, help="Attacks for each row.")] = 200,
) -> None:
    """Measure the bound on close calls: what the best thief we know gains, and how many honest people it would lock."""
    reader = open_reader(Runtime(1))
    points = OperatingPoints.parse(load_manifest().operating_points)
    band = Band.of(points.of(reader.model, Population.PHOTOGRAPHS))
    templates = read_all(
        photographs_under(photos), reader, probe=Treatment.PLAIN, threads=2, console=Console(stderr=True)
    )
    _, firsts = np.unique(templates.person, return_index=True)
    rows = [
        spoils(templates.references[firsts], band, bound, thieves=thieves, chance=chance)
        for bound in (*map(Bound, CLOSE_CALLS), Bound(failures=10), Bound())
        for chance in ((0.5,) if bound in (Bound(0), Bound()) else (0.2, 0.5, 0.9))
    ]
    honest = Honest.of(templates, band)
    _print(rows, honest)
    shares = {
        str(bound): {str(attempts): honest.locked(bound, attempts) for attempts in ATTEMPTS_A_YEAR}
        for bound in CLOSE_CALLS[1:]
    }
    found = {
        "margin": band.margin,
        "thieves": thieves,
        "spoils": list(map(asdict, rows)),
        "honest_close_call_share": honest.share,
        "locked_in_a_year_by_bound_and_attempts": shares,
        "provenance": provenance(utc_now()),
    }
    json_path.write_text(json.dumps(found, indent=2, default=str) + "\n", encoding="utf-8")


def _print(rows: Sequence[Spoils], honest: Honest) -> None:
    heads = [f"locked, {attempts}/year" for attempts in ATTEMPTS_A_YEAR]
    told = Table("bound", "P(match)", "mean gain", "95 %", "worst", "asked", *heads)
    for row in rows:
        calls = row.bound.close_calls
        locked = [f"{honest.locked(calls, attempts):.2%}" if calls else "" for attempts in ATTEMPTS_A_YEAR]
        figures = (f"{row.mean:.3f}", f"{row.p95:.3f}", f"{row.worst:.3f}", f"{row.asked:.0f}")
        told.add_row(str(row.bound), f"{row.chance:.1f}", *figures, *locked)
    Console().print(told)
    Console().print(f"Close calls are {honest.share:.2%} of genuine attempts.")


if __name__ == "__main__":
    typer.run(main)
