"""A decision is a value with a reason, never a truth value."""

import pytest

from idverify.ids import EncounterId, PersonId
from idverify.matching.decision import Candidate, Outcome, decide, refuse
from idverify.matching.operating_point import OperatingPoint, Population
from idverify.reasons import Reason

POINT = OperatingPoint(1e-4, 0.4, Population.PHOTOGRAPHS, extrapolated=False)


@pytest.mark.parametrize(
    ("similarity", "outcome"),
    [
        (0.4, Outcome.MATCH),
        (0.9, Outcome.MATCH),
        (0.3999, Outcome.NO_MATCH),
        (-1.0, Outcome.NO_MATCH),
        (None, Outcome.NO_MATCH),
    ],
)
def test_the_threshold_itself_matches_and_nobody_is_a_non_match(similarity: float | None, outcome: Outcome) -> None:
    assert decide(similarity, POINT).outcome is outcome


def test_an_unknown_person_and_a_non_match_are_the_same_decision() -> None:
    assert decide(None, POINT) == decide(0.1, POINT)


def test_a_decision_refuses_to_be_a_boolean() -> None:
    with pytest.raises(TypeError, match="not a boolean"):
        bool(decide(0.9, POINT))
    with pytest.raises(TypeError):
        assert not refuse(Reason.NO_FACE)


def test_a_candidate_prints_neither_person_nor_score() -> None:
    shown = repr(Candidate(PersonId("P-17"), EncounterId("E-4"), 0.8765))
    assert "P-17" not in shown
    assert "0.87" not in shown
