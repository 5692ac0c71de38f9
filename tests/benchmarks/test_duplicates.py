"""The duplicate search on a small payroll with planted ghosts; the whole one is `python -m benchmarks.duplicates`."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import like_conditions, planted
from benchmarks.duplicates import rendered
from benchmarks.planted import Conditions
from idverify.errors import OperatingPointMissing
from idverify.vision.reader import Reader


def test_planted_ghosts_are_found_and_no_more_false_pairs_than_announced(tmp_path: Path, reader: Reader) -> None:
    itself, register = rendered(
        tmp_path,
        reader,
        entries=60,
        ghosts=12,
        budget=0.1,
        conditions=Conditions.STATION,
        frames=1,
        threads=2,
        cache=tmp_path,
    )
    assert (itself.mated, register.mated) == (27, 4)
    assert itself.share_found >= 0.98
    assert register.found == 4
    assert itself.as_announced
    assert register.as_announced
    assert itself.weakest_cut is not None
    assert itself.weakest_cut > 0
    assert itself.largest <= max(planted.SIZES)


def test_too_few_others_give_no_threshold(tmp_path: Path, reader: Reader) -> None:
    with pytest.raises(OperatingPointMissing):
        rendered(
            tmp_path,
            reader,
            entries=10,
            ghosts=1,
            budget=0.1,
            conditions=Conditions.STATION,
            frames=1,
            threads=2,
            cache=tmp_path,
            calibrate_on=20,
        )


def test_a_payroll_holds_what_it_says_and_nobody_of_the_calibration() -> None:
    people, truth = planted.payroll(3_000, 60, Conditions.STATION)
    assert sum(one.gallery == planted.PAYROLL for one in people) == 3_000
    sizes = np.bincount([one.face - planted.FIRST_SEED for one in people if one.gallery == planted.PAYROLL])
    assert {int(size) for size in sizes} == {0, 1, 2, 3, 4, 5}
    assert len(truth.twins) == 10
    assert min(truth.face.values()) >= planted.FIRST_SEED
    assert len(truth.face) == len(people)
    assert max(truth.face.values()) < like_conditions.FIRST_SEED
