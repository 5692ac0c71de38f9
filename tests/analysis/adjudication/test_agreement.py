"""Kappa and its interval against a published table, closed forms and simulation."""

import numpy as np
import pytest

from analysis.adjudication.agreement import MIN_PAIRS, agreement


def test_two_readers_of_fifty_grants() -> None:
    """A textbook table: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no has agreement 0.7, by chance 0.5: kappa 0.4."""
    reviews = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    found = agreement(reviews)
    assert found is not None
    assert found.pairs == 50
    assert found.share == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)
    # Wilson's interval of 35 of 50.
    assert [found.share_low, found.share_high] == pytest.approx([0.5625, 0.8090], abs=1e-4)


def test_complete_agreement_is_one_and_independence_is_nought() -> None:
    same = agreement([("a", "a")] * 30 + [("b", "b")] * 20)
    assert same is not None
    assert (same.share, same.kappa, same.kappa_low, same.kappa_high) == (1, 1, 1, 1)
    by_chance = agreement([(one, other) for one in "aab" for other in "aab"] * 4)
    assert by_chance is not None
    assert by_chance.kappa == pytest.approx(0)


def test_one_finding_only_says_nothing_about_skill() -> None:
    found = agreement([("same_person", "same_person")] * 40)
    assert found is not None
    assert (found.share, found.kappa) == (1, None)


def test_a_handful_of_reviews_gives_no_number() -> None:
    assert agreement([("a", "a")] * (MIN_PAIRS - 1)) is None


def test_the_interval_covers_the_true_kappa_in_about_95_of_100_samples() -> None:
    joint_sealing = np.array([[0.45, 0.05, 0.02], [0.06, 0.22, 0.03], [0.02, 0.03, 0.12]])
    by_chance = float(joint_sealing.sum(0) @ joint_sealing.sum(1))
    kappa = (np.trace(joint_sealing) - by_chance) / (1 - by_chance)
    cells = [(first, second) for first in "abc" for second in "abc"]
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(600):
        drawn = rng.multinomial(200, joint_sealing.ravel())
        found = agreement([cell for cell, number in zip(cells, drawn, strict=True) for _ in range(number)])
        assert found is not None
        assert found.kappa_low is not None
        assert found.kappa_high is not None
        covered += found.kappa_low <= kappa <= found.kappa_high
    assert 0.925 <= covered / 600 <= 0.975
