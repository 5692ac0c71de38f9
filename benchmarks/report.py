"""An accuracy run's figures as JSON and as a report that somebody who is no statistician can read."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.comparisons import Comparisons
from benchmarks.groups import GroupRates
from benchmarks.identification import SearchRates
from benchmarks.intervals import Interval
from benchmarks.machine import Provenance
from benchmarks.pairs import FoldedAccuracy
from benchmarks.statistics import RULE_OF_30, TARGETS, OperatingRate

RECIPE = (
    "References are made with the mirrored mean, as enrolment does; probes {probe}. Each pair of photographs i < j "
    "counts once, as reference i against probe j. Policy in_the_wild: the prominent face, no quality gate; failure to "
    "enrol is 'no face found' or 'undecodable'. Error rates are of the photographs that could be processed (ISO/IEC "
    "19795-1 FMR and FNMR); in pairs.accuracy a pair with an unprocessed photograph is a non-match."
)


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that one accuracy run found; the rates hold TARGETS and may hold more."""

    population: str
    dataset: str
    probe: str
    model: str
    photographs: int
    people: int
    failures: Counter[str]
    comparisons: Comparisons
    rates: dict[float, OperatingRate]
    search: SearchRates
    pairs: FoldedAccuracy | None
    skin_tones: dict[int, GroupRates] | None
    provenance: Provenance
    duration_s: float


def rate_key(rate: float) -> str:
    """ "1e-04" for 0.0001: how rates are written as JSON keys."""
    return f"{rate:.0e}"


def as_json(found: Findings) -> dict[str, object]:
    """The JSON document; a rate that takes more pairs than there are is null."""
    failed = found.failures.total()
    document: dict[str, object] = {
        "population": found.population,
        "dataset": found.dataset,
        "recipe": RECIPE.format(probe=found.probe),
        "model": found.model,
        "photographs": found.photographs,
        "people": found.people,
        "failure_to_enrol": failed / found.photographs,
        "failure_to_enrol_count": failed,
        "failure_to_enrol_reasons": dict(found.failures),
        "mated_pairs": len(found.comparisons.mated),
        "non_mated_pairs": found.comparisons.non_mated_pairs,
        "fnmr_at_fmr": _at_targets(found, lambda rate: rate.fnmr),
        "fnmr_at_fmr_interval": _at_targets(found, lambda rate: asdict(rate.fnmr_interval)),
        "thresholds": _at_targets(found, lambda rate: rate.threshold),
        "threshold_interval": _at_targets(found, lambda rate: asdict(rate.threshold_interval)),
        "exceedances": _at_targets(found, lambda rate: rate.exceedances),
        "fnir_at_fpir": {f"{target:g}": fnir for target, fnir in found.search.fnir.items()},
        "fnir_at_fpir_range": {f"{target:g}": asdict(spread) for target, spread in found.search.range.items()},
        "open_set": {
            key: getattr(found.search, key)
            for key in ("splits", "gallery_people", "mated_searches", "non_mated_searches")
        },
    }
    if found.pairs is not None:
        document["pairs"] = asdict(found.pairs)
    if found.skin_tones is not None:
        document["by_skin_tone"] = {str(tone): _group(rates) for tone, rates in found.skin_tones.items()}
    return document | {"measured": found.provenance, "duration_s": round(found.duration_s, 1)}


def _at_targets(found: Findings, value: Callable[[OperatingRate], object]) -> dict[str, object]:
    return {rate_key(target): value(found.rates[target]) if target in found.rates else None for target in TARGETS}


def _group(rates: GroupRates) -> dict[str, object]:
    return {
        "people": rates.people,
        "mated_pairs": rates.mated_pairs,
        "non_mated_pairs": rates.non_mated_pairs,
        "fnmr_at_threshold": {rate_key(target): rates.fnmr[target] for target in TARGETS if target in rates.fnmr},
        "fmr_at_threshold": {rate_key(target): rates.fmr[target] for target in TARGETS if target in rates.fmr},
    }


def print_report(found: Findings, console: Console) -> None:
    """The same figures for a reader."""
    pairs, failed = found.comparisons, found.failures.total()
    console.rule(f"Accuracy on {found.dataset}")
    console.print(
        f"{found.photographs:,} photographs of {found.people:,} people: {len(pairs.mated):,} mated and "
        f"{pairs.non_mated_pairs:,} non-mated pairs. "
        f"Failure to enrol: {failed:,} ({failed / found.photographs:.2%}){_reasons(found.failures)}."
    )
    console.print(_operating_table(found))
    for target in TARGETS:
        if target not in found.rates:
            console.print(f"No figure for FMR {rate_key(target)}: it would take more non-mated pairs than there are.")
        elif found.rates[target].exceedances < RULE_OF_30:
            console.print(f"FMR {rate_key(target)} rests on too few pairs to be relied on (fewer than {RULE_OF_30}).")
    if found.pairs is not None:
        console.print(
            f"LFW protocol: {found.pairs.accuracy:.2%} right of {found.pairs.count:,} pairs in "
            f"{len(found.pairs.folds)} folds (standard error {found.pairs.standard_error:.2%})."
        )
    for target, fnir in found.search.fnir.items():
        spread = found.search.range[target]
        console.print(
            f"Search, {found.search.gallery_people:,} people enrolled: with a candidate for {target:.0%} of strangers "
            f"(FPIR), {fnir:.2%} of enrolled people are missed (FNIR; {spread.low:.2%} to {spread.high:.2%} over "
            f"{found.search.splits} splits)."
        )
    if found.skin_tones:
        console.print(_skin_tone_table(found, found.skin_tones))
    console.print(
        f"Embedder {found.model[:12]}, {found.provenance['cpu']}, {found.provenance['cores']} cores, "
        f"{found.duration_s:.0f} s.", style="dim",
    )  # fmt: skip


def _reasons(failures: Counter[str]) -> str:
    return f": {', '.join(f'{count:,} {reason}' for reason, count in failures.most_common())}" if failures else ""


def _operating_table(found: Findings) -> Table:
    title = "How many strangers match (FMR), and how many true attempts then fail (FNMR)"
    table = Table(title=title, title_justify="left")
    for heading in ("FMR", "threshold", "FNMR", "95 % interval", "pairs above it"):
        table.add_column(heading, justify="right", no_wrap=True)
    for target in TARGETS:
        if rate := found.rates.get(target):
            table.add_row(
                f"1 in {1 / target:,.0f}",
                f"{rate.threshold:.4f}",
                f"{rate.fnmr:.2%}",
                _percent(rate.fnmr_interval),
                f"{rate.exceedances:,}",
            )
    return table


def _skin_tone_table(found: Findings, groups: Mapping[int, GroupRates]) -> Table:
    shown = [target for target in (1e-3, 1e-4) if target in found.rates]
    table = Table(title="The same thresholds for every skin tone", title_justify="left")
    table.add_column("skin tone")
    for target in shown:
        for rate in ("FNMR", "FMR in the group"):
            table.add_column(f"{rate} at {rate_key(target)}", justify="right")
    for tone, group in groups.items():
        cells = [cell for target in shown for cell in (f"{group.fnmr[target]:.2%}", f"{group.fmr[target]:.3%}")]
        table.add_row(str(tone), *cells)
    return table


def _percent(interval: Interval) -> str:
    return f"{interval.low:.2%} to {interval.high:.2%}"
