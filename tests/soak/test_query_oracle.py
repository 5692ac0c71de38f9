"""What answers give away of one person's template, over many attackers; the figures of docs/security.md."""

from pathlib import Path

import numpy as np
import pytest

from idverify.vision.reader import Reader
from tests.deployments import PEOPLE, empty_register_files, register_files
from tests.query_oracle import best_thief, gain, hill_climb, signs, victims

__all__ = ["empty_register_files", "register_files"]

ATTACKERS = 200


@pytest.mark.soak
def test_hill_climbing_gains_less_than_two_hundredths_and_no_attack_gains_much(
    tmp_path: Path, register_files: Path, reader: Reader
) -> None:
    register = victims(register_files, tmp_path, reader)
    gains = {
        attack: np.array([gain(register, PEOPLE[seed % len(PEOPLE)], attack, seed) for seed in range(ATTACKERS)])
        for attack in (hill_climb, signs, best_thief(register))
    }
    register.close()
    for attack, found in gains.items():
        told = f"mean {found.mean():.4f}, 95 % {np.quantile(found, 0.95):.4f}, worst {found.max():.4f}"
        print(f"\n{attack.__name__}: {ATTACKERS} attackers, {told}")
    climbed, sensed, inferred = gains.values()
    assert climbed.mean() < 0.02
    assert sensed.mean() < 0.05
    assert inferred.mean() < 0.1
