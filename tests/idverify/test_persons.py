"""What is shown of a person, who may see it, who looked, and what an erasure leaves: nothing."""

import functools
from dataclasses import fields
from pathlib import Path

import pytest

from enrolment.enroller import EnrolmentOutcome
from idverify.audit.events import EventKind
from idverify.errors import NotPermitted, PersonNotFound, QuotaExceeded, StorageUnavailable
from idverify.ids import PersonId
from idverify.persons import AccessView
from idverify.storage import audit_verification, record_check
from idverify.storage.database import Database
from idverify.vision.reader import Reader
from tests.deployments import PAYROLL, REGISTER, Register, access, copied, photograph, wall

ANNA = PersonId("C-1")
HERE, THERE = frozenset({REGISTER}), frozenset({PAYROLL})


def test_a_person_is_shown_with_their_visits_and_no_biometric_data(own_register: Register) -> None:
    own_register.clock.advance(days=1)
    own_register.enrol(ANNA, photograph(1, 2), gallery=PAYROLL)
    view = own_register.engine.persons.show(ANNA, access())
    assert (view.person, view.status) == (ANNA, "active")
    assert [visit.galleries for visit in view.encounters] == [(REGISTER,), (PAYROLL,)]
    assert all(visit.quality is not None and 0 <= visit.quality <= 100 for visit in view.encounters)
    shown = {item.name for visit in view.encounters for item in fields(visit)}
    assert shown == {"encounter", "created_at", "source", "galleries", "review", "quality"}


def test_a_restricted_caller_sees_only_the_visits_of_its_galleries(own_register: Register) -> None:
    persons = own_register.engine.persons
    own_register.enrol(ANNA, photograph(1, 2), gallery=PAYROLL)
    assert [visit.galleries for visit in persons.show(ANNA, access(), within=HERE).encounters] == [(REGISTER,)]
    assert [visit.galleries for visit in persons.show(ANNA, access(), within=THERE).encounters] == [(PAYROLL,)]
    assert len(persons.show(ANNA, access(), within=HERE | THERE).encounters) == 2


def test_a_person_of_other_galleries_is_as_unknown_as_nobody(register: Register) -> None:
    persons = register.engine.persons
    before = register.sql("SELECT size FROM audit_head")
    nobody = PersonId("C-404")
    for act in (persons.show, persons.accesses, persons.erase):
        told = set()
        for person, within in ((ANNA, THERE), (nobody, HERE), (ANNA, frozenset()), (nobody, None)):
            with pytest.raises(PersonNotFound) as refused:
                act(person, access(), within=within)
            told.add(str(refused.value))
        assert len(told) == 1
    assert register.sql("SELECT size FROM audit_head") == before


def test_a_person_who_stands_in_galleries_of_others_too_is_not_erased_by_one_of_them(own_register: Register) -> None:
    persons = own_register.engine.persons
    own_register.enrol(ANNA, photograph(1, 2), gallery=PAYROLL)
    with pytest.raises(NotPermitted, match="ask the administrator"):
        persons.erase(ANNA, access(), within=HERE)
    assert own_register.found(photograph(1, 3)) == [ANNA]
    assert persons.erase(ANNA, access(), within=HERE | THERE).encounters == 2


def test_the_access_log_tells_what_happened_and_no_score(tmp_path: Path, register_files: Path, reader: Reader) -> None:
    register = copied(register_files, tmp_path, reader, verifications_per_person_per_day=2)
    persons = register.engine.persons
    register.verify(ANNA, photograph(1, 2), by=access("tax-filing", "revenue-authority"))
    register.verify(ANNA, photograph(2, 2), by=access("pension", "pension-fund", station="station-4"))
    with pytest.raises(QuotaExceeded):
        register.verify(ANNA, photograph(1, 2), by=access("pension", "pension-fund"))
    register.identify(photograph(1, 2))
    register.enrol(ANNA, wall())
    persons.show(ANNA, access("inspection", "ombudsman"))
    views = persons.accesses(ANNA, access("inspection", "ombudsman", clerk="K-7"))
    assert [(view.event, view.client, view.purpose, view.outcome) for view in views] == [
        (EventKind.ENCOUNTER_ENROLLED, "revenue-authority", "enrolment", None),
        (EventKind.PERSON_VERIFIED, "revenue-authority", "tax-filing", "match"),
        (EventKind.PERSON_VERIFIED, "pension-fund", "pension", "no_match"),
        (EventKind.PERSON_VERIFIED, "pension-fund", "pension", None),
        (EventKind.PERSON_IDENTIFIED, "revenue-authority", "fraud-inquiry", "match"),
        (EventKind.ENCOUNTER_REFUSED, "revenue-authority", "enrolment", "not_processed"),
        (EventKind.PERSON_READ, "ombudsman", "inspection", None),
        (EventKind.ACCESSES_READ, "ombudsman", "inspection", None),
    ]
    assert views[2].station == "station-4"
    assert views[-1].clerk == "K-7"
    assert [view.sequence for view in views] == sorted(view.sequence for view in views)
    assert {item.name for item in fields(AccessView)}.isdisjoint({"similarity", "score", "detail"})
    register.close()


def test_what_happened_to_others_is_not_in_it(own_register: Register) -> None:
    own_register.verify("C-2", photograph(2, 2))
    own_register.identify(photograph(2, 2))
    assert {view.event for view in own_register.engine.persons.accesses(ANNA, access())} == {
        EventKind.ENCOUNTER_ENROLLED,
        EventKind.ACCESSES_READ,
    }


def test_an_erasure_leaves_no_byte_of_the_key_in_the_live_files(own_register: Register) -> None:
    number = PersonId("XYZ-1234567")
    own_register.enrol(number, photograph(7, 1), gallery=PAYROLL)  # keeps images
    _, wrapped = own_register.wrapped_key(number)
    pieces = [wrapped[at : at + 16] for at in range(2, len(wrapped) - 16, 16)]
    assert all(any(piece in content for content in _files(own_register)) for piece in pieces)
    own_register.verify(number, photograph(7, 2), gallery=PAYROLL)
    receipt = own_register.engine.persons.erase(number, access())
    assert (receipt.encounters, receipt.templates, receipt.images) == (1, 1, 1)
    for content in _files(own_register):
        assert [piece for piece in pieces if piece in content] == []
    for table in ("persons", "encounters", "templates", "images"):
        assert own_register.sql(f"SELECT count(*) FROM {table} WHERE person = ?", number) == [(0,)]


def test_an_erased_person_is_gone_from_every_answer_and_the_log_still_verifies(own_register: Register) -> None:
    engine = own_register.engine
    receipt = engine.persons.erase(ANNA, access("erasure", "ombudsman"))
    assert own_register.found(photograph(1, 2)) == []
    assert (
        own_register.verify(ANNA, photograph(1, 2)).decision == own_register.verify("C-404", photograph(1, 2)).decision
    )
    for act in (engine.persons.show, engine.persons.accesses, engine.persons.erase):
        with pytest.raises(PersonNotFound):
            act(ANNA, access())
    with engine.database.read() as connection:
        log = audit_verification.verify(connection, engine.deployment.keys.checkpoint_signer)
        assert list(record_check.discrepancies(connection)) == []
    assert log.size > receipt.audit_position
    ((event,),) = own_register.sql("SELECT event FROM audit_leaves WHERE sequence = ?", receipt.audit_position)
    assert event == EventKind.PERSON_ERASED
    assert own_register.another().ready


def test_who_is_enrolled_again_is_somebody_new_to_the_log(own_register: Register) -> None:
    engine = own_register.engine
    ((before,),) = own_register.sql("SELECT pseudonym FROM persons WHERE person = ?", ANNA)
    engine.persons.erase(ANNA, access())
    assert own_register.enrol(ANNA, photograph(1, 2)).outcome is EnrolmentOutcome.ENROLLED
    ((after,),) = own_register.sql("SELECT pseudonym FROM persons WHERE person = ?", ANNA)
    assert after != before
    assert [view.event for view in engine.persons.accesses(ANNA, access())] == [
        EventKind.ENCOUNTER_ENROLLED,
        EventKind.ACCESSES_READ,
    ]
    assert own_register.found(photograph(1, 3)) == [ANNA]
    assert own_register.another().ready


def test_an_erasure_whose_bytes_could_not_be_scrubbed_says_so_and_stands(
    own_register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = functools.partial(Database.open, busy_timeout_s=0.1)
    monkeypatch.setattr("idverify.administration.deployment.Database.open", impatient)
    with own_register.another().database.read() as reader:
        own_register.engine.galleries.find(reader, REGISTER)  # a long reader of the old state
        with pytest.raises(StorageUnavailable, match="idverify database scrub"):
            own_register.engine.persons.erase(ANNA, access())
    assert own_register.found(photograph(1, 2)) == []
    assert own_register.engine.database.scrub()


def _files(register: Register) -> list[bytes]:
    files = sorted(register.path.parent.glob(f"{register.path.name}*"))
    assert len(files) == 3  # the database, its write-ahead log and the log's index
    return [file.read_bytes() for file in files]
