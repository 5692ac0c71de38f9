"""Rules for several encounters are judged each at its own threshold, on the same photographs."""

from collections import Counter

import numpy as np
import pytest

from benchmarks.comparisons import PopulationInvalid
from benchmarks.encounters import RULES, judge
from benchmarks.templates import Templates


def templates(people: int, photographs: int, noise: float) -> Templates:
    draws = np.random.default_rng(0)
    faces = draws.standard_normal((people, 32))
    rows = np.repeat(faces, photographs, axis=0) + noise * draws.standard_normal((people * photographs, 32))
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    person = np.repeat(np.arange(people, dtype=np.int32), photographs)
    return Templates(vectors, vectors, person, np.arange(len(vectors)), Counter())


def test_more_encounters_lose_fewer_mates_than_one() -> None:
    noisy = templates(80, 5, noise=0.9)
    fnmr = {rule: judge(noisy, rule)[0][0].fnmr for rule in RULES}
    assert fnmr["best of all"] < fnmr["one encounter"]
    assert fnmr["fused template"] < fnmr["one encounter"]
    for rule in RULES:
        rates, mated, non_mated = judge(noisy, rule)
        assert (mated, non_mated) == (400, 80 * 395)
        assert [rate.fmr for rate in rates] == [1e-3, 1e-4]
        assert all(rate.fnmr_interval.low <= rate.fnmr <= rate.fnmr_interval.high for rate in rates)


def test_the_probe_is_never_its_own_reference() -> None:
    # Photographs without anything in common: were a probe among its references, it would match.
    rates, _, _ = judge(templates(40, 3, noise=50.0), "best of all")
    assert rates[0].fnmr > 0.9


def test_people_with_fewer_than_three_photographs_are_not_judged() -> None:
    with pytest.raises(PopulationInvalid, match="at least 3"):
        judge(templates(10, 2, noise=0.1), "best of all")
