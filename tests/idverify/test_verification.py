"""1:1 answers: who matches, who does not, what is refused, and what an answer gives away."""

import logging
import threading
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest

from idverify.audit.events import EventKind
from idverify.errors import EmbedderMismatch, GalleryNotFound, ImageCorrupt, ImageFormatUnsupported, QuotaExceeded
from idverify.ids import GalleryId, ModelDigest, PersonId
from idverify.matching.decision import Outcome
from idverify.reasons import Reason
from idverify.storage import audit_log, galleries
from idverify.verification import VerificationRequest, VerificationResult
from idverify.vision.reader import Reader
from tests.deployments import PAYROLL, PEOPLE, REGISTER, Register, access, copied, couple, photograph, wall

VARYING = {"request", "decided_at", "expires_at", "audit_position", "similarity"}


def test_people_match_their_own_photograph_of_another_day(register: Register) -> None:
    for seed, person in enumerate(PEOPLE, start=1):
        answer = register.verify(person, photograph(seed, 2))
        assert answer.decision.outcome is Outcome.MATCH
        assert answer.decision.reason is Reason.SIMILARITY_AT_OR_ABOVE_THRESHOLD


def test_people_do_not_match_the_photographs_of_others(register: Register) -> None:
    for seed, person in enumerate(PEOPLE, start=1):
        answer = register.verify(person, photograph(seed % len(PEOPLE) + 1, 2))
        assert answer.decision.outcome is Outcome.NO_MATCH
        assert answer.decision.reason is Reason.SIMILARITY_BELOW_THRESHOLD


def test_an_unknown_number_answers_like_a_non_match(register: Register) -> None:
    known = register.verify("C-1", photograph(2, 2))
    unknown = register.verify("C-404", photograph(2, 2))
    elsewhere = register.verify("C-1", photograph(2, 2), gallery=PAYROLL)
    assert _constant(unknown) == _constant(known)
    assert _constant(elsewhere) == _constant(known) | {
        "gallery": PAYROLL,
        "policy": known.policy.replace(REGISTER, PAYROLL),
    }
    assert unknown.similarity is None
    assert str(unknown) == str(replace(known, **{name: getattr(unknown, name) for name in VARYING}))


def test_an_unknown_number_and_a_known_one_refuse_alike(register: Register) -> None:
    assert _constant(register.verify("C-404", wall())) == _constant(register.verify("C-1", wall()))


@pytest.mark.parametrize(("photo", "reason"), [(wall, Reason.NO_FACE), (couple, Reason.SEVERAL_FACES)])
def test_what_is_not_one_face_is_not_processed(register: Register, photo: Callable[[], bytes], reason: Reason) -> None:
    answer = register.verify("C-1", photo())
    assert (answer.decision.outcome, answer.decision.reason) == (Outcome.NOT_PROCESSED, reason)
    assert answer.advice
    assert answer.similarity is None


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (lambda: b"", ImageFormatUnsupported),
        (lambda: b"GIF89a" + bytes(99), ImageFormatUnsupported),
        (lambda: photograph(1, 1)[:-999], ImageCorrupt),
    ],
)
def test_bytes_that_are_no_photograph_are_an_error_and_count_nothing(
    register: Register, data: Callable[[], bytes], error: type[Exception]
) -> None:
    before = register.sql("SELECT (SELECT size FROM audit_head), (SELECT sum(attempts) FROM verification_counts)")
    with pytest.raises(error):
        register.verify("C-1", data())
    assert (
        register.sql("SELECT (SELECT size FROM audit_head), (SELECT sum(attempts) FROM verification_counts)") == before
    )


def test_the_policy_says_rate_and_population_and_never_the_threshold(register: Register) -> None:
    answer = register.verify("C-1", photograph(1, 2))
    assert answer.policy == "civil-register/fmr-1e-04-rendered"
    assert answer.demonstration


def test_an_answer_expires(own_register: Register) -> None:
    answer = own_register.verify("C-1", photograph(1, 2))
    assert answer.decided_at == own_register.clock.now
    assert answer.expires_at - answer.decided_at == timedelta(seconds=own_register.settings.answer_lifetime_s)


def test_no_score_and_no_picture_in_what_is_printed_or_logged(
    register: Register, caplog: pytest.LogCaptureFixture
) -> None:
    request = VerificationRequest(PersonId("C-1"), REGISTER, photograph(1, 2), access())
    with caplog.at_level(logging.DEBUG):
        answer = register.engine.verification.verify(request)
        logging.getLogger("tests").info("%s %r %r", answer, answer, answer.decision)
    assert answer.similarity is not None
    for shown in (repr(answer), str(answer), caplog.text):
        assert "similarity=" not in shown
        assert f"{answer.similarity:.4f}"[1:] not in shown
    assert "photograph" not in repr(request)


def test_the_leaf_names_agency_purpose_and_outcome_and_seals_the_score(register: Register) -> None:
    by = access("licence-renewal", "transport-authority", station="window-3")
    answer = register.verify("C-1", photograph(1, 2), by=by)
    with register.engine.database.read() as connection:
        (event,) = audit_log.leaves_after(connection, answer.audit_position - 1)
        opened_person = register.engine.stored_persons.find(connection, PersonId("C-1"))
    assert event.event is EventKind.PERSON_VERIFIED
    assert (event.client, event.purpose, event.station) == ("transport-authority", "licence-renewal", "window-3")
    assert (event.decision, event.reason, event.policy) == (*_texts(answer), answer.policy)
    assert opened_person is not None
    assert event.person == opened_person.row.pseudonym
    assert "C-1" not in event.leaf().decode()
    assert register.engine.journal.open_detail(opened_person, event) == {
        "similarity": answer.similarity,
        "capped": False,
    }


def test_a_gallery_that_is_not_there_is_named(register: Register) -> None:
    with pytest.raises(GalleryNotFound, match="atlantis"):
        register.verify("C-1", photograph(1, 2), gallery=GalleryId("atlantis"))


def test_a_gallery_of_another_embedder_is_refused(own_register: Register) -> None:
    foreign = galleries.GalleryRow(GalleryId("foreign"), True, ModelDigest("cd" * 32), "2026-11-21T09:30:00.000Z")
    with own_register.engine.database.write() as connection:
        galleries.add(connection, foreign)
        own_register.engine.journal.record(
            connection, EventKind.GALLERY_CREATED, access(), records={foreign.log_name: foreign.digest}
        )
    with pytest.raises(EmbedderMismatch, match="belongs to embedder cdcdcdcdcdcd"):
        own_register.verify("C-1", photograph(1, 2), gallery=foreign.gallery)
    with pytest.raises(EmbedderMismatch):
        own_register.identify(photograph(1, 2), gallery=foreign.gallery)
    with pytest.raises(EmbedderMismatch):
        own_register.enrol("C-9", photograph(9, 1), gallery=foreign.gallery)
    assert own_register.another().ready  # and it does not keep the others from loading


def test_a_success_does_not_reset_the_cap_and_the_attempt_beyond_it_is_on_record(
    tmp_path: Path, register_files: Path, reader: Reader
) -> None:
    register = copied(register_files, tmp_path, reader, verifications_per_person_per_day=3)
    for capture in (2, 3):
        assert register.verify("C-1", photograph(1, capture)).decision.outcome is Outcome.MATCH
    assert register.verify("C-1", photograph(2, 2)).decision.outcome is Outcome.NO_MATCH
    with pytest.raises(QuotaExceeded, match="at most 3 a day") as refused:
        register.verify("C-1", photograph(1, 2))
    assert refused.value.retry_after_s == (14 * 60 + 30) * 60  # midnight UTC
    last = register.engine.persons.accesses(PersonId("C-1"), access())[-2]
    assert (last.event, last.outcome, last.reason) == (EventKind.PERSON_VERIFIED, None, None)
    assert register.verify("C-2", photograph(2, 2)).decision.outcome is Outcome.MATCH
    register.clock.advance(seconds=refused.value.retry_after_s)
    assert register.verify("C-1", photograph(1, 2)).decision.outcome is Outcome.MATCH
    register.close()


def test_attempts_at_once_do_not_slip_past_the_cap(tmp_path: Path, register_files: Path, reader: Reader) -> None:
    register = copied(register_files, tmp_path, reader, verifications_per_person_per_day=3)
    assert register.engine.ready
    start = threading.Barrier(8)
    told: list[str] = []

    def attempt() -> None:
        start.wait()
        try:
            told.append(register.verify("C-1", photograph(1, 2)).decision.outcome)
        except QuotaExceeded as refused:
            told.append(refused.code)

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [Outcome.MATCH] * 3 + [QuotaExceeded.code] * 5
    register.close()


def test_unknown_numbers_and_refused_photographs_are_counted_alike(
    tmp_path: Path, register_files: Path, reader: Reader
) -> None:
    register = copied(register_files, tmp_path, reader, verifications_per_person_per_day=1)
    messages = set()
    for person, first in (
        ("C-1", photograph(1, 2)),
        ("nobody-1", photograph(1, 2)),
        ("C-2", wall()),
        ("nobody-2", wall()),
    ):
        register.verify(person, first)
        with pytest.raises(QuotaExceeded) as refused:
            register.verify(person, first)
        messages.add((str(refused.value), refused.value.retry_after_s))
    assert len(messages) == 1
    # Not numbers like "C-404": in a row of SQLite, "C-4" may well stand before a pseudonym that begins with "04".
    assert all(person.encode() not in register.path.read_bytes() for person in ("nobody-1", "nobody-2"))
    register.close()


def _texts(answer: VerificationResult) -> tuple[str, str]:
    return answer.decision.outcome, answer.decision.reason


def _constant(answer: VerificationResult) -> dict[str, object]:
    """Everything but what differs between any two answers."""
    return {item.name: getattr(answer, item.name) for item in fields(answer) if item.name not in VARYING}
