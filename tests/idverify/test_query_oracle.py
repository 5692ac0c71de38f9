"""Rebuilding a template from match / no match is stopped at the caps; tests/soak measures it over many attackers."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from idverify.vision.reader import Reader
from tests.deployments import PEOPLE, Town
from tests.query_oracle import best_thief, gain, hill_climb, signs, victims


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory, town_files: Path, reader: Reader) -> Iterator[Town]:
    town = victims(town_files, tmp_path_factory.mktemp("victims"), reader)
    yield town
    town.close()


def test_hill_climbing_gains_next_to_nothing_before_the_caps_stop_it(besieged: Town) -> None:
    """Many attackers are measured in tests/soak/test_query_oracle.py."""
    gains = [gain(besieged, person, hill_climb, seed) for seed, person in enumerate(PEOPLE[:3])]
    assert np.mean(gains) < 0.02


def test_sensing_the_boundary_is_locked_before_it_gains_much(besieged: Town) -> None:
    assert gain(besieged, PEOPLE[3], signs, seed=3) < 0.1


def test_the_best_thief_gains_more_and_the_bound_on_close_calls_stops_them(besieged: Town) -> None:
    """They are not held under 0.02 (docs/security.md says so), but to what some ten close calls tell."""
    gains = [gain(besieged, person, best_thief(besieged), seed) for seed, person in enumerate(PEOPLE[:4])]
    assert 0.0 < np.mean(gains) < 0.1
