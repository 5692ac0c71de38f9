"""What a month of answers gives away of one person's template, over many attackers; the figures of docs/security.md."""

from pathlib import Path

import numpy as np
import pytest

from idverify.vision.reader import Reader
from tests.deployments import PEOPLE, empty_town_files, town_files
from tests.query_oracle import gain, hill_climb, signs, victims

__all__ = ["empty_town_files", "town_files"]

ATTACKERS = 48


@pytest.mark.soak
def test_a_month_of_hill_climbing_gains_less_than_two_hundredths(
    tmp_path: Path, town_files: Path, reader: Reader
) -> None:
    town = victims(town_files, tmp_path, reader)
    gains = {
        attack: np.array([gain(town, PEOPLE[seed % len(PEOPLE)], attack, seed) for seed in range(ATTACKERS)])
        for attack in (hill_climb, signs)
    }
    town.close()
    for attack, found in gains.items():
        print(f"\n{attack.__name__}: {ATTACKERS} attackers, mean {found.mean():.4f}, worst {found.max():.4f}")
    assert gains[hill_climb].mean() < 0.02
    assert gains[signs].mean() < 0.2
