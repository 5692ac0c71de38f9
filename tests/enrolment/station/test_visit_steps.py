"""A visit from the number to the receipt: each step is saved, each act counts once, and practice leaves nothing."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import cv2
import numpy as np
import pytest

from enrolment.station import composition
from enrolment.station.capture_exceptions import Approver, CaptureUnusable, OwnException
from enrolment.station.parts import VisitFlows
from enrolment.station.visit import Ending, ExceptionWay, FailureReason, Visit, VisitStep
from enrolment.station.visit_steps import NumberMalformed, StepPassed, Visits, Workplace
from idverify.audit.events import EventKind, parse
from idverify.engine import Engine
from idverify.errors import Conflict, InvalidInput, NotFound
from idverify.ids import PersonId, RequestId
from idverify.protection.envelope import SealContext
from idverify.reasons import Reason
from idverify.storage import encounters
from idverify.stored.station_drafts import StationDraft
from tests.deployments import REGISTER, Register, access, photograph, wall

CLERK = Workplace("clerk-1", "maseru-1", REGISTER, RequestId("request-clerk-1"))
OTHER = Workplace("clerk-2", "maseru-1", REGISTER, RequestId("request-clerk-2"))
SECOND = Approver("clerk-2", frozenset({REGISTER}), RequestId("request-clerk-2"))
HERSELF = Approver("clerk-1", frozenset({REGISTER}), RequestId("request-clerk-1"))


def spent(_connection: object) -> None:
    """The nonce was good."""


def visits_of(engine: Engine) -> Visits:
    return composition.station_parts(engine).work.visits


def test_a_visit_is_resumed_at_its_step_by_a_restarted_service(own_register: Register) -> None:
    visit = visits_of(own_register.engine).start(CLERK, " P-77 ").visit
    acts: list[tuple[Callable[[Visits], object], VisitStep]] = [
        (lambda visits: visits.choose_basis(CLERK, visit, "consent"), VisitStep.CAPTURE),
        (lambda visits: visits.capture(CLERK, visit, "capture-1", _frames(77), "station", spent), VisitStep.REVIEW),
        (lambda visits: visits.commit(CLERK, visit), VisitStep.DONE),
    ]
    for act, step in acts:
        act(visits_of(own_register.another()))
        assert visits_of(own_register.another()).show(CLERK, visit)[1].step is step
    seen = visits_of(own_register.another()).show(CLERK, visit)[1]
    assert seen.outcome is not None
    assert seen.outcome.ending is Ending.ENROLLED
    assert own_register.found(photograph(77, 3)) == ["P-77"]
    ((leaf,),) = own_register.sql("SELECT leaf FROM audit_leaves WHERE sequence = ?", seen.outcome.audit_position)
    event = parse(leaf)
    assert (event.event, event.clerk, event.station) == (EventKind.ENCOUNTER_ENROLLED, "clerk-1", "maseru-1")
    assert (event.purpose, event.request) == ("consent", "request-clerk-1")


def test_the_legal_basis_is_kept_with_the_encounter(own_register: Register) -> None:
    _enrolled(own_register, "P-77", 77, basis="legal-obligation")
    assert _detail(own_register, "P-77")["legal_basis"] == "legal-obligation"
    assert _detail(own_register, "P-77")["frames_taken"] == "2"


def test_a_visit_is_committed_once_whoever_asks_how_often(own_register: Register) -> None:
    visits = visits_of(own_register.engine)
    visit = _reviewed(visits, "P-77", 77)
    stale = visits.at(CLERK, visit, VisitStep.REVIEW)
    visits.commit(CLERK, visit)
    with pytest.raises(StepPassed):
        visits.commit(CLERK, visit)
    # A second window that was faster to read than the first to write:
    with pytest.raises(Conflict), own_register.engine.database.write() as connection:
        own_register.engine.drafts.save(connection, stale[0], stale[1].as_json(), stale[0].state)
    assert own_register.sql("SELECT count(*) FROM encounters WHERE person = 'P-77'") == [(1,)]


def test_every_step_can_be_undone_until_it_is_committed(own_register: Register) -> None:
    visits = visits_of(own_register.engine)
    visit = _reviewed(visits, "P-77", 77)
    visits.back(CLERK, visit, VisitStep.REVIEW)
    visits.back(CLERK, visit, VisitStep.CAPTURE)
    assert visits.show(CLERK, visit)[1].step is VisitStep.BASIS
    with pytest.raises(StepPassed):
        visits.back(CLERK, visit, VisitStep.CAPTURE)  # the same button again
    visits.choose_basis(CLERK, visit, "public-task")
    visits.cancel(CLERK, visit)
    with pytest.raises(NotFound):
        visits.show(CLERK, visit)
    assert own_register.sql("SELECT count(*) FROM encounters WHERE person = 'P-77'") == [(0,)]
    assert _events(own_register)[-1] == EventKind.VISIT_CANCELLED


def test_a_visit_is_shown_to_its_clerk_at_its_station_only(own_register: Register) -> None:
    visits = visits_of(own_register.engine)
    visit = visits.start(CLERK, "P-77").visit
    elsewhere = Workplace("clerk-1", "maseru-2", REGISTER, RequestId("request-3"))
    for workplace in (OTHER, elsewhere):
        with pytest.raises(NotFound):
            visits.show(workplace, visit)
        assert visits.unfinished(workplace) == []
    assert [draft.visit for draft in visits.unfinished(CLERK)] == [visit]


def test_numbers_and_bases_that_do_not_fit_are_refused(own_register: Register) -> None:
    visits = visits_of(own_register.engine)
    for number in ("", "-1", "a b", "x" * 65):
        with pytest.raises(NumberMalformed):
            visits.start(CLERK, number)
    visit = visits.start(CLERK, "P-77").visit
    with pytest.raises(InvalidInput, match="legal basis"):
        visits.choose_basis(CLERK, visit, "because")


def test_somebody_who_is_in_the_register_is_known_and_gets_a_further_encounter(own_register: Register) -> None:
    visits = visits_of(own_register.engine)
    visit = _reviewed(visits, "C-1", 1, day=3)
    assert visits.show(CLERK, visit)[1].known
    outcome = Visit.parse(visits.commit(CLERK, visit).content).outcome
    assert outcome is not None
    assert outcome.ending is Ending.ENROLLED
    assert own_register.sql("SELECT count(*) FROM encounters WHERE person = 'C-1'") == [(2,)]


def test_a_face_under_another_number_goes_to_review_and_the_clerk_learns_nothing_else(own_register: Register) -> None:
    visits = visits_of(own_register.engine)
    draft = visits.commit(CLERK, _reviewed(visits, "P-77", 2, day=3))
    outcome = Visit.parse(draft.content).outcome
    assert outcome is not None
    assert outcome.ending is Ending.NEEDS_REVIEW
    assert "C-2" not in json.dumps(draft.content)


def test_a_poor_capture_is_a_try_on_record_with_its_advice_and_is_taken_once(own_register: Register) -> None:
    visits = visits_of(own_register.engine)
    visit = visits.start(CLERK, "P-77").visit
    visits.choose_basis(CLERK, visit, "consent")
    for _ in range(2):
        visits.capture(CLERK, visit, "capture-1", [_dark(77)], "station", spent)
    seen = visits.show(CLERK, visit)[1]
    assert (seen.step, seen.tries) == (VisitStep.CAPTURE, 1)
    assert seen.last is not None
    assert seen.last.reason is Reason.QUALITY_TOO_LOW
    assert seen.last.advice
    assert _events(own_register).count(EventKind.ENCOUNTER_REFUSED) == 1
    # Worse than that: the better one is kept for an exception.
    visits.capture(CLERK, visit, "capture-2", [wall()], "station", spent)
    seen = visits.show(CLERK, visit)[1]
    assert (seen.tries, seen.kept.capture if seen.kept else None) == (2, "capture-1")


def test_a_capture_whose_nonce_is_refused_leaves_nothing(own_register: Register) -> None:
    visits = visits_of(own_register.engine)
    visit = visits.start(CLERK, "P-77").visit
    visits.choose_basis(CLERK, visit, "consent")

    class Replayed(Exception):
        pass

    def replayed(_connection: object) -> None:
        raise Replayed

    with pytest.raises(Replayed):
        visits.capture(CLERK, visit, "capture-1", _frames(77), "station", replayed)
    assert visits.show(CLERK, visit)[1].step is VisitStep.CAPTURE
    assert own_register.sql("SELECT count(*) FROM visit_captures") == [(0,)]


def test_after_the_tries_a_failure_is_recorded_and_a_second_person_approves_the_best_frame(
    own_register: Register,
) -> None:
    flows = composition.station_parts(own_register.engine).work
    visit = _failed(flows, "P-77", [_dark(77)])
    assert [draft.visit for draft, _ in flows.exceptions.awaiting_approval(SECOND.galleries)] == [visit]
    with pytest.raises(OwnException):
        flows.exceptions.approve(HERSELF, visit, ExceptionWay.DESPITE_QUALITY)
    assert _last(own_register).event == EventKind.EXCEPTION_REFUSED
    draft = flows.exceptions.approve(SECOND, visit, ExceptionWay.DESPITE_QUALITY)
    outcome = Visit.parse(draft.content).outcome
    assert outcome is not None
    assert outcome.ending is Ending.ENROLLED
    assert own_register.sql("SELECT source, clerk FROM encounters WHERE person = 'P-77'") == [("exception", "clerk-1")]
    detail = _detail(own_register, "P-77")
    assert (detail["approved_by"], detail["failure"]) == ("clerk-2", "equipment")
    assert {EventKind.ENROLMENT_FAILED, EventKind.EXCEPTION_APPROVED} <= set(_events(own_register))
    with pytest.raises(NotFound):
        flows.exceptions.approve(SECOND, visit, ExceptionWay.WITHOUT_FACE)


def test_no_face_is_never_enrolled_despite_quality_but_may_be_registered_without_one(own_register: Register) -> None:
    flows = composition.station_parts(own_register.engine).work
    visit = _failed(flows, "P-77", [wall()])
    with pytest.raises(CaptureUnusable):
        flows.exceptions.approve(SECOND, visit, ExceptionWay.DESPITE_QUALITY)
    outcome = Visit.parse(flows.exceptions.approve(SECOND, visit, ExceptionWay.WITHOUT_FACE).content).outcome
    assert outcome is not None
    assert outcome.ending is Ending.WITHOUT_FACE
    assert own_register.sql("SELECT count(*) FROM templates WHERE person = 'P-77'") == [(0,)]
    assert own_register.engine.persons.show(PersonId("P-77"), access()).encounters[0].source == "exception"
    assert own_register.another().ready  # the log knows every record of it


def test_no_failure_is_recorded_while_there_are_tries_left(own_register: Register) -> None:
    flows = composition.station_parts(own_register.engine).work
    visits = flows.visits
    visit = visits.start(CLERK, "P-77").visit
    visits.choose_basis(CLERK, visit, "consent")
    visits.capture(CLERK, visit, "capture-1", [wall()], "station", spent)
    with pytest.raises(StepPassed):
        flows.exceptions.record_failure(CLERK, visit, FailureReason.INJURY)


def test_practice_goes_all_the_way_and_writes_nothing(own_register: Register) -> None:
    own_register.engine.database.scrub()
    before = own_register.path.read_bytes()
    flows = composition.station_parts(own_register.engine).practice
    visits = flows.visits
    enrolled = _reviewed(visits, "P-77", 77)
    outcome = Visit.parse(visits.commit(CLERK, enrolled).content).outcome
    assert outcome is not None
    assert outcome.ending is Ending.ENROLLED
    twin = Visit.parse(visits.commit(CLERK, _reviewed(visits, "P-78", 2, day=3)).content).outcome
    assert twin is not None
    assert twin.ending is Ending.NEEDS_REVIEW
    failed = _failed(flows, "P-79", [_dark(79)])
    with pytest.raises(OwnException):
        flows.exceptions.approve(HERSELF, failed, ExceptionWay.WITHOUT_FACE)
    flows.exceptions.approve(SECOND, failed, ExceptionWay.WITHOUT_FACE)
    own_register.engine.database.scrub()
    assert own_register.path.read_bytes() == before
    assert own_register.found(photograph(77, 3)) == []


def test_an_erasure_takes_the_visits_of_the_person_along(own_register: Register) -> None:
    visits = visits_of(own_register.engine)
    _enrolled(own_register, "P-77", 77)
    visit = visits.start(CLERK, "P-77").visit
    own_register.engine.persons.erase(PersonId("P-77"), access())
    with pytest.raises(NotFound):
        visits.show(CLERK, visit)
    assert own_register.sql("SELECT count(*) FROM visits") == [(0,)]


def _frames(seed: int, day: int = 1) -> list[bytes]:
    return [photograph(seed, day), photograph(seed, day + 1)]


def _dark(seed: int) -> bytes:
    """A photograph whose only fault is that next to no light fell on it."""
    pixels = cv2.imdecode(np.frombuffer(photograph(seed, 1), np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return cv2.imencode(".jpg", (pixels * 0.1).astype(np.uint8))[1].tobytes()


def _reviewed(visits: Visits, number: str, seed: int, *, basis: str = "consent", day: int = 1) -> Any:
    visit = visits.start(CLERK, number).visit
    visits.choose_basis(CLERK, visit, basis)
    visits.capture(CLERK, visit, str(uuid4()), _frames(seed, day), "station", spent)
    return visit


def _enrolled(register: Register, number: str, seed: int, *, basis: str = "consent") -> StationDraft:
    visits = visits_of(register.engine)
    return visits.commit(CLERK, _reviewed(visits, number, seed, basis=basis))


def _failed(flows: VisitFlows, number: str, frames: list[bytes]) -> Any:
    visits = flows.visits
    visit = visits.start(CLERK, number).visit
    visits.choose_basis(CLERK, visit, "consent")
    for _ in range(3):
        visits.capture(CLERK, visit, str(uuid4()), frames, "station", spent)
    flows.exceptions.record_failure(CLERK, visit, FailureReason.EQUIPMENT)
    return visit


def _detail(register: Register, person: str) -> dict[str, Any]:
    engine = register.engine
    with engine.database.read() as connection:
        opened_person = engine.stored_persons.find(connection, PersonId(person))
        (row,) = encounters.encounters_of(connection, PersonId(person))
    assert opened_person is not None
    assert row.detail is not None
    context = SealContext.of_encounter_detail(row.person, row.encounter)
    detail: dict[str, Any] = json.loads(engine.envelope.open(opened_person.key, row.detail, context))
    return detail


def _events(register: Register) -> list[str]:
    return [event for (event,) in register.sql("SELECT event FROM audit_leaves ORDER BY sequence")]


def _last(register: Register) -> Any:
    return parse(register.sql("SELECT leaf FROM audit_leaves ORDER BY sequence DESC LIMIT 1")[0][0])
