"""The enroller's recipe: duplicates are seen and refuse nobody, what is kept is sealed, half an enrolment is none."""

import json
import logging
import threading
from typing import Any

import pytest

from citizens import Identity, render, twin
from citizens.capture import Capture
from enrolment import composition
from enrolment.enroller import EnrolmentOutcome, EnrolmentRequest, EnrolmentResult
from idverify.audit.events import EventKind
from idverify.encounters.register import ReviewReason
from idverify.errors import GalleryNotFound, ImageCorrupt, InvalidInput, SealBroken
from idverify.ids import EncounterId, GalleryId, PersonId
from idverify.protection.envelope import SealContext
from idverify.reasons import Reason
from idverify.storage import audit_log, images
from idverify.storage.database import Connection
from tests.deployments import PAYROLL, PEOPLE, REGISTER, Register, access, couple, photograph, wall

TABLES = ("persons", "encounters", "encounter_galleries", "templates", "images", "audit_leaves")


def test_somebody_new_is_enrolled_and_found(own_register: Register) -> None:
    answer = own_register.enrol("C-7", photograph(7, 1))
    assert answer.outcome is EnrolmentOutcome.ENROLLED
    assert (answer.reason, answer.review_reasons, answer.duplicates) == (None, (), ())
    assert answer.verdict is not None
    assert answer.demonstration
    assert answer.policy == "civil-register/duplicates/" + answer.policy.rpartition("/")[2]
    assert own_register.found(photograph(7, 2)) == ["C-7"]
    assert own_register.engine.persons.show(PersonId("C-7"), access()).encounters[0].quality == answer.verdict.score


def test_one_face_behind_two_numbers_is_enrolled_and_marked_for_review(own_register: Register) -> None:
    answer = own_register.enrol("GHOST-1", photograph(3, 2))
    assert answer.outcome is EnrolmentOutcome.NEEDS_REVIEW
    assert answer.review_reasons == (ReviewReason.POSSIBLE_DUPLICATE,)
    assert [one.person for one in answer.duplicates] == ["C-3"]
    assert own_register.sql("SELECT review FROM encounters WHERE person = 'GHOST-1'") == [("pending",)]
    assert set(own_register.found(photograph(3, 3))) == {"C-3", "GHOST-1"}


def test_the_candidates_are_sealed_in_the_encounter_by_pseudonym(own_register: Register) -> None:
    answer = own_register.enrol("GHOST-1", photograph(3, 2))
    detail = _detail(own_register, "GHOST-1", answer)
    ((pseudonym, encounter),) = own_register.sql(
        "SELECT pseudonym, encounter FROM persons JOIN encounters USING (person) WHERE person = 'C-3'"
    )
    (candidate,) = detail["candidates"]
    assert (candidate["person"], candidate["encounter"]) == (pseudonym, encounter)
    assert candidate["similarity"] == answer.duplicates[0].similarity
    assert detail["review_reasons"] == ["possible_duplicate"]
    assert "C-3" not in json.dumps(detail)
    assert f"{answer.duplicates[0].similarity:.4f}"[1:] not in repr(answer)


def test_a_further_visit_of_the_same_person_is_no_duplicate_and_keeps_their_key(own_register: Register) -> None:
    before = own_register.wrapped_key("C-2")
    answer = own_register.enrol("C-2", photograph(2, 2))
    assert (answer.outcome, answer.duplicates) == (EnrolmentOutcome.ENROLLED, ())
    assert own_register.wrapped_key("C-2") == before
    assert len(own_register.engine.persons.show(PersonId("C-2"), access()).encounters) == 2
    assert own_register.identify(photograph(2, 3)).searched_people == len(PEOPLE)
    assert own_register.another().ready


def test_a_visit_that_differs_from_earlier_ones_is_marked_for_review(own_register: Register) -> None:
    answer = own_register.enrol("C-2", photograph(9, 1))
    assert answer.outcome is EnrolmentOutcome.NEEDS_REVIEW
    assert answer.review_reasons == (ReviewReason.DIFFERS_FROM_EARLIER_ENCOUNTER,)
    both = own_register.enrol("C-2", photograph(1, 2))
    assert both.review_reasons == (ReviewReason.POSSIBLE_DUPLICATE, ReviewReason.DIFFERS_FROM_EARLIER_ENCOUNTER)
    assert [one.person for one in both.duplicates] == ["C-1"]


def test_twins_are_marked_for_review_and_both_enrolled(own_register: Register) -> None:
    sibling = render(twin(Identity.from_seed(4), 1), Capture.frontal()).jpeg()
    answer = own_register.enrol("TWIN", sibling)
    assert answer.outcome is EnrolmentOutcome.NEEDS_REVIEW
    assert [one.person for one in answer.duplicates] == ["C-4"]


def test_galleries_are_searched_apart(own_register: Register) -> None:
    assert own_register.enrol("W-3", photograph(3, 2), gallery=PAYROLL).outcome is EnrolmentOutcome.ENROLLED
    assert own_register.found(photograph(3, 3)) == ["C-3"]
    assert own_register.found(photograph(3, 3), gallery=PAYROLL) == ["W-3"]


def test_of_several_frames_the_best_is_taken(own_register: Register) -> None:
    dark = render(Identity.from_seed(7), Capture(light_strength=0.1)).jpeg()
    answer = own_register.enrol("C-7", wall(), dark, photograph(7, 1), couple(), gallery=PAYROLL)
    alone = own_register.enrol("C-8", photograph(7, 1), gallery=PAYROLL)
    assert answer.outcome is EnrolmentOutcome.ENROLLED
    assert answer.verdict is not None
    assert alone.verdict is not None
    assert answer.verdict.score == alone.verdict.score
    assert _detail(own_register, "C-7", answer)["frames"] == 4
    assert _image(own_register, "C-7") == photograph(7, 1)


@pytest.mark.parametrize("frames", [0, 11])
def test_one_to_ten_frames_are_taken(register: Register, frames: int) -> None:
    with pytest.raises(InvalidInput, match=f"expected 1 to 10, got {frames}"):
        register.enrol("C-7", *[wall()] * frames)


@pytest.mark.parametrize(("photo", "reason"), [(wall, Reason.NO_FACE), (couple, Reason.SEVERAL_FACES)])
def test_a_refusal_stores_nothing_but_its_leaf(own_register: Register, photo: Any, reason: Reason) -> None:
    before = _counts(own_register)
    answer = own_register.enrol("C-7", photo())
    assert (answer.outcome, answer.reason, answer.encounter) == (EnrolmentOutcome.REFUSED, reason, None)
    assert answer.advice
    assert _counts(own_register) == before | {"audit_leaves": before["audit_leaves"] + 1}
    with own_register.engine.database.read() as connection:
        (leaf,) = audit_log.leaves_after(connection, answer.audit_position - 1)
    assert (leaf.event, leaf.decision, leaf.reason, leaf.person) == (
        EventKind.ENCOUNTER_REFUSED,
        "not_processed",
        reason,
        None,
    )


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"gallery": GalleryId("atlantis")}, GalleryNotFound),
        ({"photographs": [photograph]}, ImageCorrupt),
    ],
)
def test_what_cannot_be_processed_is_an_error_without_a_leaf(
    own_register: Register, request_: dict[str, Any], error: type[Exception]
) -> None:
    before = _counts(own_register)
    frames = [b"\xff\xd8\xff" + bytes(200)] if "photographs" in request_ else [photograph(7, 1)]
    request = EnrolmentRequest(PersonId("C-7"), request_.get("gallery", REGISTER), frames, access(), source="api")
    with pytest.raises(error):
        composition.enroller(own_register.engine).enrol(request)
    assert _counts(own_register) == before


def test_a_kept_image_opens_in_its_place_and_nowhere_else(own_register: Register) -> None:
    own_register.enrol("C-7", photograph(7, 1), gallery=PAYROLL)
    own_register.enrol("C-8", photograph(8, 1), gallery=PAYROLL)
    assert _image(own_register, "C-7") == photograph(7, 1)
    ((seven,), (eight,)) = own_register.sql("SELECT sealed FROM images ORDER BY person")
    own_register.sql("UPDATE images SET sealed = ? WHERE person = 'C-8'", seven)
    with pytest.raises(SealBroken):
        _image(own_register, "C-8")
    own_register.sql("UPDATE images SET sealed = ?, media_type = 'image/png' WHERE person = 'C-8'", eight)
    with pytest.raises(SealBroken):
        _image(own_register, "C-8")


def test_no_image_is_kept_where_the_policy_does_not_say_so(own_register: Register) -> None:
    own_register.enrol("C-7", photograph(7, 1))
    assert own_register.sql("SELECT count(*) FROM images") == [(0,)]


def test_what_goes_alongside_stands_or_falls_with_the_enrolment(own_register: Register) -> None:
    before = _counts(own_register)
    answers: list[EnrolmentResult] = []

    class PowerCut(Exception):
        pass

    def fail(_connection: Connection, answer: EnrolmentResult) -> None:
        answers.append(answer)
        raise PowerCut

    request = EnrolmentRequest(PersonId("C-7"), REGISTER, [photograph(7, 1)], access(), source="api")
    with pytest.raises(PowerCut):
        composition.enroller(own_register.engine).enrol(request, alongside=fail)
    assert answers[0].outcome is EnrolmentOutcome.ENROLLED
    assert _counts(own_register) == before
    assert own_register.found(photograph(7, 2)) == []
    assert composition.enroller(own_register.engine).enrol(request).outcome is EnrolmentOutcome.ENROLLED
    assert own_register.found(photograph(7, 2)) == ["C-7"]
    assert own_register.another().ready


def test_of_two_visits_with_one_face_at_once_the_second_sees_the_first(own_register: Register) -> None:
    engines = (own_register.engine, own_register.another())
    start = threading.Barrier(4)
    answers: list[EnrolmentResult] = []

    def visit(number: int) -> None:
        start.wait()
        answers.append(own_register.enrol(f"GHOST-{number}", photograph(9, number + 1), engine=engines[number % 2]))

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.sort(key=lambda answer: answer.audit_position)
    assert [len(answer.duplicates) for answer in answers] == [0, 1, 2, 3]
    assert [answer.outcome for answer in answers] == [EnrolmentOutcome.ENROLLED, *[EnrolmentOutcome.NEEDS_REVIEW] * 3]


def test_one_person_enrolled_twice_at_once_is_one_person(own_register: Register) -> None:
    start = threading.Barrier(3)
    answers: list[EnrolmentResult] = []

    def visit(number: int) -> None:
        start.wait()
        answers.append(own_register.enrol("C-9", photograph(9, number + 1)))

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.outcome for answer in answers} == {EnrolmentOutcome.ENROLLED}
    assert own_register.sql("SELECT count(*) FROM encounters WHERE person = 'C-9'") == [(3,)]
    assert own_register.found(photograph(9, 5)) == ["C-9"]


def test_a_request_prints_no_picture(register: Register, caplog: pytest.LogCaptureFixture) -> None:
    request = EnrolmentRequest(PersonId("C-7"), REGISTER, [photograph(7, 1)], access(), source="api")
    with caplog.at_level(logging.DEBUG):
        answer = register.enrol("C-7", photograph(7, 1))
    assert "photographs" not in repr(request)
    assert "C-7" not in caplog.text
    assert answer.encounter is not None


def _counts(register: Register) -> dict[str, int]:
    return {table: register.sql(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


def _detail(register: Register, person: str, answer: EnrolmentResult) -> dict[str, Any]:
    assert answer.encounter is not None
    ((sealed,),) = register.sql("SELECT detail FROM encounters WHERE encounter = ?", answer.encounter)
    with register.engine.database.read() as connection:
        opened_person = register.engine.stored_persons.find(connection, PersonId(person))
    assert opened_person is not None
    context = SealContext.of_encounter_detail(PersonId(person), EncounterId(answer.encounter))
    detail: dict[str, Any] = json.loads(register.engine.envelope.open(opened_person.key, sealed, context))
    return detail


def _image(register: Register, person: str) -> bytes:
    with register.engine.database.read() as connection:
        (row,) = images.images_of(connection, PersonId(person))
        opened_person = register.engine.stored_persons.find(connection, PersonId(person))
    assert opened_person is not None
    context = SealContext.of_image(row.person, row.encounter, row.image, row.media_type, row.generation)
    return register.engine.envelope.open(opened_person.key, row.sealed, context)
