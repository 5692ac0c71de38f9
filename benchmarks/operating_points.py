"""Writes calibrated thresholds into models/manifest.toml, and touches nothing else that stands there."""

from datetime import datetime
from pathlib import Path

import tomlkit

from benchmarks.report import Findings
from benchmarks.statistics import TARGETS, OperatingRate

KEY = "operating_point"
DECIMALS = 6


def write_operating_points(manifest: Path, found: Findings) -> None:
    """Replace the tables of this embedder and population by one for each of TARGETS that could be measured.

    The file changes in one step (a temporary file beside it takes its name) or not at all.
    """
    document = tomlkit.parse(manifest.read_text(encoding="utf-8"))
    tables = document.setdefault(KEY, tomlkit.aot())
    for position in reversed(range(len(tables))):
        if (tables[position]["embedder"], tables[position]["population"]) == (found.model, found.population):
            del tables[position]
    for target in (target for target in TARGETS if target in found.rates):
        table = tomlkit.table()
        table.update({"embedder": str(found.model), "population": str(found.population)})
        table.update(_figures(found.rates[target]))
        table.update(
            {
                "mated_pairs": len(found.comparisons.mated),
                "non_mated_pairs": found.comparisons.non_mated_pairs,
                "people": found.comparisons.people,
                "dataset": found.dataset,
                "date": datetime.fromisoformat(found.provenance["date"]).date(),
            }
        )
        tables.append(table)
    temporary = manifest.with_suffix(".toml.new")
    temporary.write_text(tomlkit.dumps(document), encoding="utf-8")
    temporary.replace(manifest)


def _figures(rate: OperatingRate) -> dict[str, float]:
    return {
        "fmr": rate.target_fmr,
        "threshold": rate.threshold,
        "threshold_low": round(rate.threshold_interval.low, DECIMALS),
        "threshold_high": round(rate.threshold_interval.high, DECIMALS),
        "fnmr": round(rate.fnmr, DECIMALS),
        "fnmr_low": round(rate.fnmr_interval.low, DECIMALS),
        "fnmr_high": round(rate.fnmr_interval.high, DECIMALS),
    }
