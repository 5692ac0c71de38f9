"""Calibrated thresholds in the manifest: what was measured replaces what it supersedes, and nothing else moves."""

import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.comparisons import Comparisons
from benchmarks.identification import SearchRates
from benchmarks.intervals import Interval
from benchmarks.machine import Provenance
from benchmarks.operating_points import write_operating_points
from benchmarks.report import Findings, as_json
from benchmarks.statistics import OperatingRate

MANIFEST = """\
# pinned by hand
[[set]]
name = "reference"  # the only one

[[operating_point]]
embedder = "aa"
population = "photographs"
fmr = 1e-4
threshold = 0.1

[[operating_point]]
# of another population
embedder = "aa"
population = "rendered"
fmr = 1e-4
threshold = 0.2
"""


def findings(threshold: float) -> Findings:
    rate = OperatingRate(1e-4, threshold, Interval(threshold - 0.01, threshold + 0.01), 0.015, Interval(0.01, 0.02), 7)
    return Findings(
        population="photographs",
        dataset="a made-up set",
        probe="plain",
        model="aa",
        photographs=4,
        people=2,
        failures=Counter({"no_face": 1}),
        comparisons=Comparisons(
            np.zeros(2, np.float32),
            np.zeros(2, np.int32),
            np.zeros(4, np.float32),
            np.zeros((4, 2), np.int32),
            np.array([2, 2], np.int32),
        ),
        rates={1e-4: rate, 2e-4: rate},
        search=SearchRates({0.1: 0.25}, {0.1: Interval(0.2, 0.3)}, 10, 1, 1, 2),
        pairs=None,
        skin_tones=None,
        provenance=Provenance(
            date="2026-11-21T10:00:00+00:00",
            commit=None,
            cpu="a",
            cores=2,
            python="3",
            numpy="2",
            opencv="5",
            system="L",
        ),
        duration_s=1.0,
    )


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "manifest.toml"
    path.write_text(MANIFEST)
    return path


def test_points_of_the_same_embedder_and_population_are_replaced(manifest: Path) -> None:
    for threshold in (0.36, 0.37):
        write_operating_points(manifest, findings(threshold))
    points = tomllib.loads(manifest.read_text())["operating_point"]
    assert [(point["population"], point["threshold"]) for point in points] == [("rendered", 0.2), ("photographs", 0.37)]
    assert points[1] == {
        "embedder": "aa", "population": "photographs", "fmr": 1e-4, "threshold": 0.37, "threshold_low": 0.36,
        "threshold_high": 0.38, "fnmr": 0.015, "fnmr_low": 0.01, "fnmr_high": 0.02, "mated_pairs": 2,
        "non_mated_pairs": 4, "people": 2, "dataset": "a made-up set", "date": points[1]["date"],
    }  # fmt: skip
    assert points[1]["date"].isoformat() == "2026-11-21"


def test_everything_else_in_the_manifest_stays_as_it_was(manifest: Path) -> None:
    write_operating_points(manifest, findings(0.36))
    text = manifest.read_text()
    assert text.startswith('# pinned by hand\n[[set]]\nname = "reference"  # the only one\n')
    assert "# of another population" in text
    assert list(manifest.parent.iterdir()) == [manifest]


def test_a_manifest_without_points_gets_its_first(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text('[[set]]\nname = "reference"\n')
    write_operating_points(tmp_path / "manifest.toml", findings(0.36))
    document = tomllib.loads((tmp_path / "manifest.toml").read_text())
    assert document["set"] == [{"name": "reference"}]
    assert len(document["operating_point"]) == 1


def test_the_json_says_null_where_there_were_too_few_pairs() -> None:
    document = as_json(findings(0.36))
    assert document["fnmr_at_fmr"] == {"1e-03": None, "1e-04": 0.015, "1e-05": None, "1e-06": None}
    assert document["fnir_at_fpir"] == {"0.1": 0.25}
    assert document["failure_to_enrol"] == 0.25
    assert document["non_mated_pairs"] == 4
