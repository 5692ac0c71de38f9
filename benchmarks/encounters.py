"""Several encounters of one person: is the best one's score the better judge, or that of a fused template?

`python -m benchmarks.encounters` takes people with at least three photographs. Each photograph is once the probe, and
the others of that person are the references; strangers' references are held against it likewise. Each rule gets the
threshold that it needs for a false match rate, and is judged by its false non-match rate there.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from benchmarks.comparisons import Floats, Ints, PopulationInvalid
from benchmarks.intervals import Interval, percentiles, widened
from benchmarks.machine import provenance
from benchmarks.models import open_reader
from benchmarks.population import photographs_under, rendered_citizens
from benchmarks.statistics import attainable, threshold_at
from benchmarks.templates import Templates, Treatment, read_all
from idverify.vision.runtime import Runtime

TARGETS = (1e-3, 1e-4)
LEAST, MOST_REFERENCES = 3, 4
_REPLICATES = 1_000

Rule = Callable[[Floats, Floats], Floats]
"""Scores of probes (p, d) against one person's references (k, d): (p,)."""


def _first(probes: Floats, references: Floats) -> Floats:
    scores: Floats = probes @ references[0]
    return scores


def _best(probes: Floats, references: Floats) -> Floats:
    scores: Floats = (probes @ references.T).max(axis=1)
    return scores


def _fused(probes: Floats, references: Floats) -> Floats:
    total = references.sum(axis=0)
    scores: Floats = probes @ (total / np.linalg.norm(total))
    return scores


RULES: Mapping[str, Rule] = {"one encounter": _first, "best of all": _best, "fused template": _fused}


@dataclass(frozen=True, slots=True)
class Rate:
    """What a rule costs at a false match rate."""

    rule: str
    fmr: float
    threshold: float
    fnmr: float
    fnmr_interval: Interval


def judge(templates: Templates, rule: str) -> tuple[list[Rate], int, int]:
    """The rates of a rule, and how many mated and non-mated comparisons they stand on.

    Raises PopulationInvalid when nobody has LEAST photographs.
    """
    of_person = [np.flatnonzero(templates.person == one) for one in np.unique(templates.person)]
    of_person = [rows for rows in of_person if len(rows) >= LEAST]
    if len(of_person) < 2:
        raise PopulationInvalid(f"nobody to compare: expected people with at least {LEAST} photographs")
    everybody = np.concatenate(of_person)
    person = np.repeat(np.arange(len(of_person)), [len(rows) for rows in of_person])
    probes = templates.probes[everybody]
    mated, strangers = np.empty(len(everybody), np.float32), []
    for number, rows in enumerate(of_person):
        own = np.flatnonzero(person == number)
        for place, probe in enumerate(own):
            others = np.delete(rows, place)[:MOST_REFERENCES]
            mated[probe] = RULES[rule](probes[probe : probe + 1], templates.references[others])[0]
        # As many references as stand against a mated probe.
        held = rows[: min(len(rows) - 1, MOST_REFERENCES)]
        strangers.append(RULES[rule](probes[person != number], templates.references[held]))
    non_mated = np.sort(np.concatenate(strangers))[::-1]
    rates = [
        _rate(rule, fmr, mated, non_mated, person.astype(np.int32))
        for fmr in TARGETS
        if attainable(fmr, len(non_mated))
    ]
    return rates, len(mated), len(non_mated)


def _rate(rule: str, fmr: float, mated: Floats, non_mated: Floats, person: Ints) -> Rate:
    """With an interval from a bootstrap over people at the threshold as it is."""
    threshold = threshold_at(fmr, non_mated, len(non_mated))
    missed = mated < threshold
    people = int(person[-1]) + 1
    misses, photographs = np.bincount(person, missed, people), np.bincount(person, minlength=people)
    drawn = np.random.default_rng(19795).multinomial(people, np.full(people, 1 / people), _REPLICATES)
    replicates = drawn @ misses / (drawn @ photographs)
    interval = widened(percentiles(replicates), int(np.count_nonzero(misses)), people)
    return Rate(rule, fmr, threshold, float(missed.mean()), interval)


def main(
    photos: Annotated[Path, typer.Option(help="Folder of photographs, a folder a person.")],
    json_path: Annotated[Path, typer.Option("--json", help="Where the figures go.")],
    citizens: Annotated[int, typer.Option(help="Rendered citizens, with four portraits each.")] = 500,
) -> None:
    """Judge the rules on real photographs and on rendered citizens."""
    console = Console(stderr=True)
    reader = open_reader(Runtime(threads=1))
    document: dict[str, Any] = {}
    populations = {"photographs": photographs_under(photos), "rendered": rendered_citizens(citizens, 4)}
    for name, samples in populations.items():
        counted: dict[str, int] = {}
        for sample in samples:
            counted[sample.person] = counted.get(sample.person, 0) + 1
        several = [sample for sample in samples if counted[sample.person] >= LEAST]
        templates = read_all(several, reader, probe=Treatment.PLAIN, threads=2, console=console)
        judged = {rule: judge(templates, rule) for rule in RULES}
        _, mated, non_mated = judged["best of all"]
        document[name] = {
            "people": len({sample.person for sample in several}),
            "mated": mated,
            "non_mated": non_mated,
            "rates": [asdict(rate) for rates, _, _ in judged.values() for rate in rates],
        }
        for rates, _, _ in judged.values():
            for rate in rates:
                console.print(
                    f"{name}: {rate.rule}, FMR {rate.fmr:g}: FNMR {100 * rate.fnmr:.2f} %", rate.fnmr_interval
                )
    document |= {"model": reader.model, "measured": provenance(datetime.now(UTC))}
    json_path.parent.mkdir(parents=True, exist_ok=True)
    json_path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
