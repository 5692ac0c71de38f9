"""Marked encounters become cases: each once, whoever asks first, and none that has nothing left to compare with."""

from idverify.audit.events import EventKind
from idverify.encounters.case_opening import NOTHING_LEFT, CaseOpening
from idverify.engine import Engine
from idverify.ids import CaseId, PersonId
from idverify.storage import audit_log, cases
from idverify.storage.encounters import Review
from idverify.stored.case_evidence import CaseOrigin, Evidence
from idverify.stored.cases import StoredCases
from tests.deployments import REGISTER, Register, access, photograph


def stored_cases(engine: Engine) -> StoredCases:
    deployment = engine.deployment
    return StoredCases(deployment.stored_persons, deployment.joint_sealing, deployment.journal)


def opening(engine: Engine) -> CaseOpening:
    return CaseOpening(
        engine.database, engine.galleries, engine.stored_persons, engine.encounters, stored_cases(engine)
    )


def open_marked(register: Register, engine: Engine | None = None) -> int:
    return opening(engine or register.engine).open_marked(access("duplicate-review", client=None, clerk="amara"))


def only_case(register: Register) -> tuple[cases.CaseRow, Evidence]:
    with register.engine.database.read() as connection:
        (row,) = cases.all_cases(connection)
        members = cases.members_of(connection, CaseId(row.case))
        stored = stored_cases(register.engine)
        evidence = stored.evidence(connection, row, stored.persons(connection, members))
    assert evidence is not None
    return row, evidence


def review(register: Register, person: str) -> str:
    ((mark,),) = register.sql("SELECT review FROM encounters WHERE person = ?", person)
    return str(mark)


def test_a_face_that_came_back_under_another_number_is_a_case_of_both(own_register: Register) -> None:
    own_register.enrol("GHOST", photograph(1, 9))
    assert review(own_register, "GHOST") == Review.PENDING
    assert open_marked(own_register) == 1
    row, evidence = only_case(own_register)
    assert (row.origin, row.galleries, row.strength) == (CaseOrigin.ENROLMENT, (REGISTER,), evidence.strength)
    assert [member.person for member in evidence.members] == ["GHOST", "C-1"]
    assert [(link.left, link.right, link.found) for link in evidence.links] == [(0, 1, True)]
    assert evidence.reasons == ("possible_duplicate",)
    assert review(own_register, "GHOST") == Review.PENDING  # until it is decided


def test_of_two_services_the_one_that_comes_first_opens_the_case(own_register: Register) -> None:
    own_register.enrol("GHOST", photograph(1, 9))
    engines = (own_register.engine, own_register.another())
    assert [open_marked(own_register, engine) for engine in engines] == [1, 0]
    only_case(own_register)


def test_somebody_who_looks_otherwise_than_before_is_a_case_of_two_encounters(own_register: Register) -> None:
    own_register.clock.advance(days=1)
    own_register.enrol("C-2", photograph(40, 1))
    assert open_marked(own_register) == 1
    _, evidence = only_case(own_register)
    assert [member.person for member in evidence.members] == ["C-2", "C-2"]
    assert evidence.members[0].encounter != evidence.members[1].encounter
    assert evidence.reasons == ("differs_from_earlier_encounter",)


def test_a_mark_with_nothing_left_to_compare_is_taken_off_and_recorded(own_register: Register) -> None:
    own_register.enrol("GHOST", photograph(1, 9))
    own_register.engine.persons.erase(PersonId("C-1"), access("erasure"))
    assert open_marked(own_register) == 1
    with own_register.engine.database.read() as connection:
        assert list(cases.all_cases(connection)) == []
        last = list(audit_log.leaves_after(connection, -1))[-1]
    assert (last.event, last.reason, last.clerk) == (EventKind.ENCOUNTER_REVIEWED, NOTHING_LEFT, "amara")
    assert review(own_register, "GHOST") == Review.CLEARED


def test_a_case_that_an_erasure_ended_takes_the_mark_along(own_register: Register) -> None:
    own_register.enrol("GHOST", photograph(1, 9))
    open_marked(own_register)
    own_register.engine.persons.erase(PersonId("C-1"), access("erasure"))
    assert open_marked(own_register) == 0
    assert review(own_register, "GHOST") == Review.CLEARED


def test_nothing_marked_writes_nothing(register: Register) -> None:
    with register.engine.database.read() as connection:
        before = audit_log.size(connection)
    assert open_marked(register) == 0
    with register.engine.database.read() as connection:
        assert audit_log.size(connection) == before
