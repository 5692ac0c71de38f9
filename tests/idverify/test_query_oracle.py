"""Rebuilding a template from match / no match is stopped at the caps; tests/soak measures it over many attackers."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.query_oracle import somebody_alike
from idverify.errors import ChannelLocked
from idverify.matching.decision import Outcome
from idverify.vision.reader import Reader
from tests.deployments import PEOPLE, Register, access
from tests.query_oracle import GALLERY, best_thief, gain, hill_climb, signs, template_of, victims


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory, register_files: Path, reader: Reader) -> Iterator[Register]:
    register = victims(register_files, tmp_path_factory.mktemp("victims"), reader)
    yield register
    register.close()


def test_only_answers_near_the_threshold_use_up_the_bound(besieged: Register) -> None:
    """Within a tenth of the false match rate on either side, whatever was answered."""
    person, engine = PEOPLE[5], besieged.engine
    template = template_of(engine, person)
    with engine.database.read() as connection:
        gallery = engine.galleries.find(connection, GALLERY)
    fmr = gallery.policy.verification_fmr
    threshold, margin = gallery.calibration.at_fmr(fmr).threshold, gallery.calibration.margin(fmr)
    random = np.random.default_rng(6)

    def ask(cosine: float) -> Outcome:
        probe = somebody_alike(template, cosine, random).astype("<f8").tobytes()
        return besieged.verify(person, probe, gallery=GALLERY).decision.outcome

    bound = engine.settings.close_calls_per_person_per_year
    far = (threshold + 1.01 * margin, threshold - 1.01 * margin)
    assert [ask(cosine) for cosine in far * 2] == [Outcome.MATCH, Outcome.NO_MATCH] * 2
    near = (threshold + 0.99 * margin, threshold - 0.99 * margin)
    assert [ask(cosine) for cosine in near * (bound // 2)] == [Outcome.MATCH, Outcome.NO_MATCH] * (bound // 2)
    with pytest.raises(ChannelLocked):
        ask(far[0])
    engine.persons.release(person, access("administration"))
    assert ask(far[0]) is Outcome.MATCH


def test_hill_climbing_gains_next_to_nothing_before_the_caps_stop_it(besieged: Register) -> None:
    """Three attackers vary by luck; the mean over many, under 0.02, is measured in tests/soak/test_query_oracle.py."""
    gains = [gain(besieged, person, hill_climb, seed) for seed, person in enumerate(PEOPLE[:3])]
    assert np.mean(gains) < 0.04


def test_sensing_the_boundary_is_locked_before_it_gains_much(besieged: Register) -> None:
    assert gain(besieged, PEOPLE[3], signs, seed=3) < 0.1


def test_the_best_thief_gains_more_and_the_bound_on_close_calls_stops_them(besieged: Register) -> None:
    """They are not held under 0.02 (docs/security.md says so), but to what some ten close calls tell."""
    gains = [gain(besieged, person, best_thief(besieged), seed) for seed, person in enumerate(PEOPLE[:4])]
    assert np.mean(gains) < 0.1
    # Rendered citizens, on whom the built-in set decides, are so unlike each other to it that not even this one gains.
    assert np.mean(gains) > 0.0 or besieged.engine.deployment.model_set.demonstration
