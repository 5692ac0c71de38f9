"""Five frames at a station: each is assessed once when it is captured, and one is embedded, once, at the commit."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from enrolment.station import composition
from enrolment.station.offline_captures import OfflineCapture
from enrolment.station.visit import Ending, Visit, VisitStep
from enrolment.station.visit_steps import Visits, Workplace
from idverify.ids import RequestId, VisitId
from idverify.reasons import Reason
from idverify.vision.liveness import Liveness
from idverify.vision.reader import AttackCheck, ReadingPolicy
from idverify.vision.runtime import Network
from idverify.vision.stages import Stage, Stages
from tests.deployments import POLICY, REGISTER, Register, access, photograph, wall

CLERK = Workplace("clerk-1", "maseru-1", REGISTER, RequestId("request-clerk-1"))
FRAMES = [photograph(77, 1), wall(), photograph(77, 2), photograph(77, 3), photograph(77, 4)]
ASSESSING = replace(ReadingPolicy.enrolment(), presentation_attack=AttackCheck.OFF)


class Suspicious(Network):
    """A liveness network that always sees an attack."""

    def run(self, *_: object) -> list[np.ndarray]:
        return [np.array([[-3.0, 3.0]], np.float32)]


@pytest.fixture
def stages(own_register: Register) -> Counter[Stage]:
    """The stages that the register's reader has run since the test last cleared them."""
    counted: Counter[Stage] = Counter()
    own_register.reader = replace(own_register.reader, stages=Stages())
    own_register.reader.stages.listen(lambda stage, _duration_s: counted.update([stage]))
    return counted


def spent(_connection: object) -> None:
    """The nonce was good."""


def captured(visits: Visits, frames: list[bytes]) -> VisitId:
    visit = visits.start(CLERK, "P-77").visit
    visits.choose_basis(CLERK, visit, "consent")
    visits.capture(CLERK, visit, "capture-1", frames, "station", spent)
    return visit


def test_a_capture_assesses_each_frame_once_and_the_commit_embeds_one(
    own_register: Register, stages: Counter[Stage]
) -> None:
    visits = composition.station_parts(own_register.engine).work.visits
    visit = captured(visits, FRAMES)
    assert stages == {Stage.DECODE: 5, Stage.DETECT: 5, Stage.REFINE: 4, Stage.QUALITY: 4}
    stages.clear()
    outcome = Visit.parse(visits.commit(CLERK, visit).content).outcome
    assert outcome is not None
    assert outcome.ending is Ending.ENROLLED
    assert stages == dict.fromkeys((Stage.DECODE, Stage.DETECT, Stage.REFINE, Stage.QUALITY, Stage.EMBED), 1)


def test_the_frame_of_highest_quality_is_the_one_that_is_kept(own_register: Register) -> None:
    visits = composition.station_parts(own_register.engine).work.visits
    draft, seen = visits.show(CLERK, captured(visits, FRAMES))
    scores = {}
    for frame in FRAMES:
        _, assessed = own_register.reader.assess_best([frame], ASSESSING)
        scores[frame] = -1 if assessed.verdict is None else assessed.verdict.score
    assert visits.photograph(draft, seen) == max(FRAMES, key=scores.__getitem__)
    assert seen.kept is not None
    assert (seen.kept.quality, seen.kept.frames) == (max(scores.values()), 5)


def test_a_capture_that_is_refused_embeds_nothing(own_register: Register, stages: Counter[Stage]) -> None:
    visits = composition.station_parts(own_register.engine).work.visits
    seen = visits.show(CLERK, captured(visits, [wall()] * 5))[1]
    assert (seen.step, seen.tries) == (VisitStep.CAPTURE, 1)
    assert stages == {Stage.DECODE: 5, Stage.DETECT: 5}


def test_an_offline_capture_embeds_one_frame_once(own_register: Register, stages: Counter[Stage]) -> None:
    sent = OfflineCapture.of("capture-1", {"clerk": "clerk-1", "person": "P-77", "basis": "consent"}, FRAMES)
    outcome = composition.station_parts(own_register.engine).offline_captures.take(CLERK, sent, spent)
    assert outcome.ending is Ending.ENROLLED
    assert (stages[Stage.DECODE], stages[Stage.EMBED]) == (6, 1)


def test_the_commit_refuses_by_a_policy_that_became_stricter_after_the_capture(
    own_register: Register, stages: Counter[Stage]
) -> None:
    session = own_register.reader.detector.network.session  # of any kind: it does not run
    own_register.reader = replace(own_register.reader, liveness=Liveness(Suspicious(session, ("input",), ("output",))))
    visits = composition.station_parts(own_register.engine).work.visits
    visit = captured(visits, FRAMES)
    assert visits.show(CLERK, visit)[1].step is VisitStep.REVIEW
    strict = replace(POLICY, presentation_attack=AttackCheck.REQUIRE)
    with own_register.engine.database.write() as connection:
        own_register.engine.galleries.change(connection, REGISTER, POLICY, strict, access(), {})
    seen = Visit.parse(visits.commit(CLERK, visit).content)
    assert (seen.step, seen.tries, seen.outcome) == (VisitStep.CAPTURE, 1, None)
    assert stages[Stage.EMBED] == 0
    visits.capture(CLERK, visit, "capture-2", FRAMES, "station", spent)
    seen = visits.show(CLERK, visit)[1]
    assert seen.last is not None
    assert (seen.step, seen.last.reason) == (VisitStep.CAPTURE, Reason.PRESENTATION_ATTACK_SUSPECTED)
    assert own_register.sql("SELECT count(*) FROM encounters WHERE person = 'P-77'") == [(0,)]
