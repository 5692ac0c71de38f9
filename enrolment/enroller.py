"""The enroller's recipe: read, deduplicate, seal, store, record. A duplicate refuses nobody: a person reviews it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from enum import StrEnum

from enrolment.best_frame import BestFrame, best_of
from idverify.access import Access
from idverify.audit.events import EventKind
from idverify.encounters.register import ReviewReason
from idverify.engine import Engine
from idverify.galleries.definitions import GalleryDefinition
from idverify.galleries.search import ProvisionalSearch
from idverify.ids import EncounterId, GalleryId, PersonId, RequestId
from idverify.matching.comparison import best_similarity
from idverify.matching.decision import Candidate, refuse
from idverify.matching.operating_point import OperatingPoint
from idverify.reasons import Reason
from idverify.storage import audit_log, persons
from idverify.storage.database import Alongside, Connection
from idverify.storage.encounters import Review
from idverify.stored.persons import OpenedPerson
from idverify.vision.quality import Advice, QualityGate, QualityVerdict
from idverify.vision.reader import ReadingPolicy, Refusal

CANDIDATES_KEPT = 10


class EnrolmentOutcome(StrEnum):
    ENROLLED = "enrolled"
    NEEDS_REVIEW = "needs_review"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class EnrolmentRequest:
    """One visit: 1 to 10 photographs of the person. `source` is the door: "api", "cli", "import", "station",
    "station-file" or "exception".

    `despite_quality` takes the best photograph even when its quality is too low: an exception that a second person
    approved; no face and a suspected attack are refused all the same. `notes` are kept, sealed, with the encounter.
    """

    person: PersonId
    gallery: GalleryId
    photographs: Sequence[bytes] = field(repr=False)
    access: Access
    source: str
    despite_quality: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EnrolmentResult:
    """What became of the visit. `duplicates` are other persons' numbers: only for those who may see them."""

    outcome: EnrolmentOutcome
    person: PersonId
    gallery: GalleryId
    request: RequestId
    demonstration: bool
    policy: str
    audit_position: int
    reason: Reason | None = None
    encounter: EncounterId | None = None
    review_reasons: tuple[ReviewReason, ...] = ()
    duplicates: tuple[Candidate, ...] = ()
    verdict: QualityVerdict | None = None
    advice: tuple[Advice, ...] = ()


Transaction = Callable[[], AbstractContextManager[Connection]]


def nothing_else(_connection: Connection, _answer: EnrolmentResult) -> None:
    """Nothing goes alongside."""


class Enroller:
    """Puts people into galleries."""

    def __init__(self, engine: Engine, transaction: Transaction | None = None) -> None:
        """`transaction`: what each enrolment is done in (none: `Database.write`)."""
        self._engine = engine
        self._transaction = transaction or engine.database.write

    def enrol(self, request: EnrolmentRequest, alongside: Alongside[EnrolmentResult] = nothing_else) -> EnrolmentResult:
        """Enrol one visit; the encounter, its audit leaf and `alongside` are one transaction.

        Raises ImageRejected, InvalidInput, GalleryNotFound, EmbedderMismatch, GalleryLoading.
        """
        engine = self._engine
        with engine.database.read() as connection:
            gallery = engine.galleries.find(connection, request.gallery)
        policy = replace(ReadingPolicy.enrolment(), presentation_attack=gallery.policy.presentation_attack)
        if request.despite_quality:
            policy = replace(policy, quality=QualityGate.NONE)
        capture = best_of(engine.reader, request.photographs, policy)
        probes = [] if isinstance(capture, Refusal) else [capture.reading.embedding]
        provisional = engine.searches.provisional(gallery.gallery, probes, most=CANDIDATES_KEPT)
        with self._transaction() as connection:
            if isinstance(capture, Refusal):
                answer = self._refuse(connection, request, gallery, capture)
            else:
                answer = self._enrol(connection, request, gallery, capture, provisional)
            alongside(connection, answer)
        return answer

    def _enrol(
        self,
        connection: Connection,
        request: EnrolmentRequest,
        gallery: GalleryDefinition,
        capture: BestFrame,
        provisional: ProvisionalSearch,
    ) -> EnrolmentResult:
        # Finding and commit are one turn in the log: of two visits with one face at once, the second sees the first.
        audit_log.take_turn(connection)
        self._engine.galleries.find(connection, gallery.gallery)  # it may have moved to another embedder meanwhile
        search = self._engine.searches.confirmed(connection, provisional)
        point = gallery.calibration.at_fpir(gallery.policy.duplicate_fpir, search.people)
        duplicates = tuple(
            one for one in search.found[0] if one.similarity >= point.threshold and one.person != request.person
        )
        known = self._engine.stored_persons.find(connection, request.person)
        review_reasons = self._review_reasons(connection, gallery, capture, known, duplicates)
        opened_person = self._engine.encounters.add_person(connection, request.person) if known is None else known
        encounter, written = self._store(
            connection, request, gallery, capture, opened_person, duplicates, review_reasons
        )
        if known is None:
            written[opened_person.row.log_name] = opened_person.row.digest
        position = self._engine.journal.record(
            connection,
            EventKind.ENCOUNTER_ENROLLED,
            request.access,
            person=opened_person,
            gallery=gallery.gallery,
            policy=_policy(gallery, point),
            model=gallery.model,
            records=written,
        )
        return EnrolmentResult(
            outcome=EnrolmentOutcome.NEEDS_REVIEW if review_reasons else EnrolmentOutcome.ENROLLED,
            person=request.person,
            gallery=gallery.gallery,
            request=request.access.request,
            demonstration=gallery.demonstration,
            policy=_policy(gallery, point),
            audit_position=position,
            encounter=encounter,
            review_reasons=review_reasons,
            duplicates=duplicates,
            verdict=capture.reading.verdict,
            advice=capture.reading.advice,
        )

    def _refuse(
        self, connection: Connection, request: EnrolmentRequest, gallery: GalleryDefinition, refusal: Refusal
    ) -> EnrolmentResult:
        policy = f"{gallery.gallery}/enrolment"
        position = self._engine.journal.record(
            connection,
            EventKind.ENCOUNTER_REFUSED,
            request.access,
            person=self._engine.stored_persons.find(connection, request.person),
            decision=refuse(refusal.reason),
            gallery=gallery.gallery,
            policy=policy,
            model=gallery.model,
        )
        return EnrolmentResult(
            outcome=EnrolmentOutcome.REFUSED,
            person=request.person,
            gallery=gallery.gallery,
            request=request.access.request,
            demonstration=gallery.demonstration,
            policy=policy,
            audit_position=position,
            reason=refusal.reason,
            verdict=refusal.verdict,
            advice=refusal.advice,
        )

    def _review_reasons(
        self,
        connection: Connection,
        gallery: GalleryDefinition,
        capture: BestFrame,
        known: OpenedPerson | None,
        duplicates: tuple[Candidate, ...],
    ) -> tuple[ReviewReason, ...]:
        reasons = [ReviewReason.POSSIBLE_DUPLICATE] if duplicates else []
        if known is not None:
            earlier = self._engine.stored_persons.references(connection, known, gallery.gallery, gallery.model)
            own = best_similarity(capture.reading.embedding, earlier)
            threshold = gallery.calibration.at_fmr(gallery.policy.verification_fmr).threshold
            if own is not None and own < threshold:
                reasons.append(ReviewReason.DIFFERS_FROM_EARLIER_ENCOUNTER)
        return tuple(reasons)

    def _store(
        self,
        connection: Connection,
        request: EnrolmentRequest,
        gallery: GalleryDefinition,
        capture: BestFrame,
        opened_person: OpenedPerson,
        duplicates: tuple[Candidate, ...],
        review_reasons: tuple[ReviewReason, ...],
    ) -> tuple[EncounterId, dict[str, str]]:
        """Seal and store encounter, template and (if the policy says so) image; returns what to log of them."""
        engine, access = self._engine, request.access
        detail = _detail(connection, request, capture, duplicates, review_reasons)
        review = Review.PENDING if review_reasons else Review.NONE
        row = engine.encounters.add(connection, opened_person, gallery.gallery, access, request.source, detail, review)
        template = engine.encounters.add_template(connection, opened_person, row.encounter, capture.reading.embedding)
        written = {row.log_name: row.digest, template.log_name: template.digest}
        if gallery.policy.keep_images:
            image = engine.encounters.add_photograph(connection, opened_person, row.encounter, capture.photograph)
            written[image.log_name] = image.digest
        return row.encounter, written


def _detail(
    connection: Connection,
    request: EnrolmentRequest,
    capture: BestFrame,
    duplicates: tuple[Candidate, ...],
    review_reasons: tuple[ReviewReason, ...],
) -> dict[str, object]:
    """What is kept of the visit under the person's key; other persons stand in it by pseudonym, so that they can go."""
    found = [
        {"person": row.pseudonym, "encounter": one.encounter, "similarity": one.similarity}
        for one in duplicates
        if (row := persons.find(connection, one.person)) is not None
    ]
    return {
        **request.notes,
        "quality": capture.reading.verdict.score,
        "measures": {measure.name: measure.quality for measure in capture.reading.verdict.measures},
        "presentation_attack": capture.reading.presentation_attack.finding,
        "frames": capture.frames,
        "review_reasons": review_reasons,
        "candidates": found,
    }


def _policy(gallery: GalleryDefinition, point: OperatingPoint) -> str:
    return f"{gallery.gallery}/duplicates/{point.name}"
