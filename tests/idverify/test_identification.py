"""1:N answers: who is found, how strict the search is, what is recorded, and who must not appear."""

import pytest

from idverify.administration.deployment import Deployment
from idverify.audit.events import EventKind
from idverify.engine import Engine
from idverify.errors import GalleryLoading, GalleryNotFound, InvalidInput
from idverify.identification import IdentificationRequest
from idverify.ids import GalleryId, PersonId
from idverify.matching.decision import Outcome
from idverify.reasons import Reason
from idverify.storage import audit_log
from tests.deployments import PAYROLL, PEOPLE, REGISTER, Register, access, photograph, wall


def test_everybody_is_found_by_a_photograph_of_another_day(register: Register) -> None:
    for seed, person in enumerate(PEOPLE, start=1):
        answer = register.identify(photograph(seed, 2))
        assert answer.candidates[0].person == person
        assert answer.decision.outcome is Outcome.MATCH
        assert answer.searched_people == len(PEOPLE)


def test_somebody_who_is_not_enrolled_is_not_found(register: Register) -> None:
    answer = register.identify(photograph(40, 1))
    assert answer.candidates == ()
    assert (answer.decision.outcome, answer.decision.reason) == (
        Outcome.NO_MATCH,
        Reason.SIMILARITY_BELOW_THRESHOLD,
    )


def test_a_photograph_without_a_face_is_not_searched_for(register: Register) -> None:
    answer = register.identify(wall())
    assert (answer.decision.outcome, answer.decision.reason) == (Outcome.NOT_PROCESSED, Reason.NO_FACE)
    assert answer.candidates == ()
    assert answer.advice


def test_an_empty_gallery_answers_that_nobody_is_found(register: Register) -> None:
    answer = register.identify(photograph(1, 2), gallery=PAYROLL)
    assert (answer.candidates, answer.searched_people) == ((), 0)
    assert answer.decision.outcome is Outcome.NO_MATCH


def test_the_threshold_follows_from_the_rate_and_the_number_of_people(register: Register) -> None:
    with register.engine.database.read() as connection:
        calibration = register.engine.galleries.find(connection, REGISTER).calibration
    small, large = calibration.at_fpir(1e-3, 10), calibration.at_fpir(1e-3, 10_000)
    assert large.threshold > small.threshold
    assert small == calibration.at_fmr(1e-4)
    assert calibration.at_fpir(1e-3, 0) == calibration.at_fpir(1e-3, 1)
    assert calibration.at_fpir(1e-1, 10).threshold < small.threshold
    strict, loose = register.identify(photograph(1, 2), fpir=1e-3), register.identify(photograph(1, 2), fpir=0.5)
    assert (strict.fpir, loose.fpir) == (1e-3, 0.5)
    assert strict.policy == f"civil-register/fpir-1e-03/{calibration.at_fpir(1e-3, len(PEOPLE)).name}"
    assert strict.policy != loose.policy
    assert len(loose.candidates) >= len(strict.candidates)


def test_a_strict_enough_search_names_nobody(register: Register) -> None:
    assert register.identify(photograph(1, 2), fpir=1e-12).candidates == ()


@pytest.mark.parametrize("most", [0, -1, 101])
def test_the_number_of_candidates_is_bounded(register: Register, most: int) -> None:
    with pytest.raises(InvalidInput, match="expected 1 to 100"):
        register.identify(photograph(1, 2), most=most)


@pytest.mark.parametrize("fpir", [0.0, -0.1, 0.51, float("nan")])
def test_a_rate_out_of_range_is_refused_and_not_recorded(register: Register, fpir: float) -> None:
    before = register.sql("SELECT size FROM audit_head")
    with pytest.raises(InvalidInput, match=r"at most 0\.5"):
        register.identify(photograph(1, 2), fpir=fpir)
    assert register.sql("SELECT size FROM audit_head") == before


def test_no_more_candidates_than_asked_for(own_register: Register) -> None:
    for number in range(3):
        own_register.enrol(f"GHOST-{number}", photograph(1, 3 + number))
    everybody = own_register.identify(photograph(1, 2)).candidates
    assert {one.person for one in everybody} == {"C-1", "GHOST-0", "GHOST-1", "GHOST-2"}
    assert [one.similarity for one in everybody] == sorted((one.similarity for one in everybody), reverse=True)
    assert own_register.identify(photograph(1, 2), most=2).candidates == everybody[:2]


def test_the_search_and_each_person_it_names_have_a_leaf(register: Register) -> None:
    answer = register.identify(photograph(3, 2))
    with register.engine.database.read() as connection:
        search, *named = audit_log.leaves_after(connection, answer.audit_position - 1)
        opened_person = register.engine.stored_persons.find(connection, PersonId("C-3"))
    assert opened_person is not None
    assert (search.event, search.person, search.decision) == (EventKind.GALLERY_SEARCHED, None, Outcome.MATCH)
    assert [(leaf.event, leaf.person, leaf.request) for leaf in named] == [
        (EventKind.PERSON_IDENTIFIED, opened_person.row.pseudonym, answer.request)
    ]
    detail = register.engine.journal.open_detail(opened_person, named[0])
    assert detail["encounter"] == answer.candidates[0].encounter


def test_the_score_is_not_in_what_is_printed(register: Register) -> None:
    answer = register.identify(photograph(3, 2))
    assert f"{answer.candidates[0].similarity:.4f}"[1:] not in repr(answer)
    assert "photograph" not in repr(answer)


def test_an_erased_person_is_not_found(own_register: Register) -> None:
    assert own_register.found(photograph(2, 2)) == ["C-2"]
    own_register.engine.persons.erase(PersonId("C-2"), access())
    assert own_register.found(photograph(2, 2)) == []
    assert own_register.identify(photograph(2, 2)).searched_people == len(PEOPLE) - 1


def test_a_gallery_that_is_not_there_is_named(register: Register) -> None:
    with pytest.raises(GalleryNotFound, match="atlantis"):
        register.identify(photograph(1, 2), gallery=GalleryId("atlantis"))


def test_before_the_galleries_are_loaded_a_search_says_so_and_records_nothing(own_register: Register) -> None:
    with Engine(Deployment.open(own_register.settings), own_register.reader) as starting:
        before = own_register.sql("SELECT size FROM audit_head")
        with pytest.raises(GalleryLoading, match="try again"):
            own_register.identify(photograph(1, 2), engine=starting)
        with pytest.raises(GalleryLoading):
            own_register.enrol("C-9", photograph(9, 1), engine=starting)
        assert (starting.ready, starting.check()["galleries"]) == (False, "loading")
    assert own_register.sql("SELECT size FROM audit_head") == before


def test_many_at_once_are_answered_as_one_by_one(own_register: Register) -> None:
    probes = [photograph(3, 2), wall(), photograph(1, 2), photograph(9, 2)]
    alone = [own_register.identify(probe, most=2) for probe in probes]
    requests = [IdentificationRequest(REGISTER, probe, access("fraud-inquiry"), most=2) for probe in probes]
    together = own_register.engine.identification.identify_many(requests)
    assert [answer.decision for answer in together] == [answer.decision for answer in alone]
    for one, other in zip(together, alone, strict=True):
        assert [each.person for each in one.candidates] == [each.person for each in other.candidates]
    assert len({answer.audit_position for answer in together}) == len(probes)
    assert own_register.engine.identification.identify_many([]) == []
    mixed = [requests[0], IdentificationRequest(PAYROLL, probes[0], access("fraud-inquiry"))]
    with pytest.raises(InvalidInput, match="one gallery"):
        own_register.engine.identification.identify_many(mixed)
