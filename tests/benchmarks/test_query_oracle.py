"""The thief learns from answers alone, the bound on close calls holds them, and the count of honest people is a fit."""

from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom

from benchmarks.query_oracle import Band, Bound, Honest, somebody_alike, spoils
from benchmarks.templates import Templates
from benchmarks.thief import Faces, Thief

BAND = Band(0.4, 0.07)


def faces(people: int, dimension: int = 24) -> npt.NDArray[np.float64]:
    drawn = np.random.default_rng(5).standard_normal((people, dimension))
    lengths: npt.NDArray[np.float64] = np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn / lengths


def test_each_close_call_that_is_allowed_gains_more() -> None:
    bounds = (Bound(0), Bound(3), Bound(10), Bound())
    rows = [spoils(faces(60), BAND, bound, thieves=20, chance=0.5) for bound in bounds]
    gains = [row.mean for row in rows]
    assert gains == sorted(gains)
    assert gains[0] < 0.1 < gains[-1] - gains[0]
    assert [row.asked for row in rows][::3] == [0, 60]
    assert all(row.mean <= row.p95 <= row.worst for row in rows)


def test_a_bound_on_failures_alone_is_got_round_by_failing_seldom() -> None:
    often, seldom = (spoils(faces(60), BAND, Bound(failures=5), thieves=20, chance=chance) for chance in (0.5, 0.9))
    assert seldom.asked > 2 * often.asked
    assert seldom.mean > often.mean


def test_without_knowledge_of_faces_the_thief_starts_from_whom_it_knows() -> None:
    (template,) = faces(1)
    random = np.random.default_rng(2)
    start = somebody_alike(template, 0.42, random)
    assert start @ template == pytest.approx(0.42)
    thief = Thief(Faces.any_direction(24), 0.4, random)
    thief.know(start, 0.42)
    assert thief.guess @ start == pytest.approx(1)
    for _ in range(200):
        probe = thief.probe()
        thief.learn(probe, matched=bool(probe @ template >= 0.4))
    assert thief.guess @ template > 0.9


def test_who_would_be_locked_follows_the_binomial_where_all_are_alike() -> None:
    """Ten photographs each of 60 people; one genuine attempt in ten is a close call, whoever makes it."""
    random = np.random.default_rng(3)
    rows = np.repeat(np.eye(60, dtype=np.float32), 10, axis=0)
    close = random.random(600) < 0.1
    probes = rows * np.where(close, 0.4, 0.9)[:, None].astype(np.float32)
    person = np.repeat(np.arange(60, dtype=np.int32), 10)
    honest = Honest.of(Templates(rows, probes, person, np.arange(600), Counter()), BAND)
    assert honest.share == pytest.approx(close.mean(), abs=1e-6)
    assert honest.locked(3, 12) == pytest.approx(binom.sf(2, 12, close.mean()), abs=0.1)
    assert honest.locked(3, 60) > honest.locked(5, 60) > honest.locked(5, 12)


def test_a_close_call_is_within_the_margin_of_the_threshold() -> None:
    assert list(BAND.close([0.2, 0.34, 0.4, 0.46, 0.6])) == [False, True, True, True, False]
