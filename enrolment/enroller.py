"""Enrols a person: reads the photographs, searches for duplicates, seals and stores the template, records the act.

It refuses nobody for a possible duplicate: the encounter is marked, and a person reviews it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from enum import StrEnum

from enrolment.best_frame import BestFrame, best_of
from idverify.access import Access
from idverify.audit.events import EventKind
from idverify.encounters.register import Encounters, ReviewReason
from idverify.galleries.definitions import Galleries, GalleryDefinition
from idverify.galleries.search import GallerySearch, ProvisionalSearch
from idverify.ids import EncounterId, GalleryId, PersonId, RequestId
from idverify.matching.comparison import best_similarity
from idverify.matching.decision import Candidate, refuse
from idverify.matching.operating_point import OperatingPoint
from idverify.reasons import Reason
from idverify.storage import audit_log, persons
from idverify.storage.database import Alongside, Connection, Database
from idverify.storage.encounters import Review
from idverify.stored.audit_journal import Journal
from idverify.stored.persons import OpenedPerson, StoredPersons
from idverify.vision.quality import Advice, QualityGate, QualityVerdict
from idverify.vision.reader import PhotographReader, ReadingPolicy, Refusal

CANDIDATES_KEPT = 10


class EnrolmentOutcome(StrEnum):
    ENROLLED = "enrolled"
    NEEDS_REVIEW = "needs_review"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class EnrolmentRequest:
    """1 to 10 photographs of one person, taken for one encounter. `source` says how they came: "api", "cli", "import",
    "station", "station-file", "station-offline" or "exception".

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
    """What became of the request. `duplicates` are other persons' numbers: only for those who may see them."""

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
"""Begins what an act is written in: `Database.write`, or `Database.rehearse` where nothing must remain."""


def nothing_else(_connection: Connection, _answer: EnrolmentResult) -> None:
    """Writes nothing: for an enrolment with nothing else in its transaction."""


class Enroller:
    """The enrolment flow: read and search first, then decide, store and record in one transaction."""

    def __init__(
        self,
        database: Database,
        galleries: Galleries,
        reader: PhotographReader,
        searches: GallerySearch,
        stored_persons: StoredPersons,
        encounters: Encounters,
        journal: Journal,
        transaction: Transaction,
    ) -> None:
        """`transaction`: what each enrolment is done in."""
        self._database = database
        self._galleries = galleries
        self._reader = reader
        self._searches = searches
        self._stored_persons = stored_persons
        self._encounters = encounters
        self._journal = journal
        self._transaction = transaction

    def enrol(self, request: EnrolmentRequest, alongside: Alongside[EnrolmentResult] = nothing_else) -> EnrolmentResult:
        """Enrol the person; the encounter, its audit leaf and `alongside` are one transaction.

        Raises ImageRejected, InvalidInput, GalleryNotFound, EmbedderMismatch, GalleryLoading.
        """
        with self._database.read() as connection:
            gallery = self._galleries.find(connection, request.gallery)
        policy = replace(ReadingPolicy.enrolment(), presentation_attack=gallery.policy.presentation_attack)
        if request.despite_quality:
            policy = replace(policy, quality=QualityGate.NONE)
        capture = best_of(self._reader, request.photographs, policy)
        probes = [] if isinstance(capture, Refusal) else [capture.reading.embedding]
        provisional = self._searches.provisional(gallery.gallery, probes, most=CANDIDATES_KEPT)
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
        # The search and the commit are one turn in the log: of two enrolments of one face at once, the second sees the
        # first.
        audit_log.take_turn(connection)
        self._galleries.find(connection, gallery.gallery)  # it may have moved to another embedder meanwhile
        search = self._searches.confirmed(connection, provisional)
        point = gallery.calibration.at_fpir(gallery.policy.duplicate_fpir, search.people)
        duplicates = tuple(
            one for one in search.found[0] if one.similarity >= point.threshold and one.person != request.person
        )
        known = self._stored_persons.find(connection, request.person)
        review_reasons = self._review_reasons(connection, gallery, capture, known, duplicates)
        opened_person = self._encounters.add_person(connection, request.person) if known is None else known
        encounter, written = self._store(
            connection, request, gallery, capture, opened_person, duplicates, review_reasons
        )
        if known is None:
            written[opened_person.row.log_name] = opened_person.row.digest
        position = self._journal.record(
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
        position = self._journal.record(
            connection,
            EventKind.ENCOUNTER_REFUSED,
            request.access,
            person=self._stored_persons.find(connection, request.person),
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
            earlier = self._stored_persons.references(connection, known, gallery.gallery, gallery.model)
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
        access = request.access
        detail = _detail(connection, request, capture, duplicates, review_reasons)
        review = Review.PENDING if review_reasons else Review.NONE
        row = self._encounters.add(connection, opened_person, gallery.gallery, access, request.source, detail, review)
        template = self._encounters.add_template(connection, opened_person, row.encounter, capture.reading.embedding)
        written = {row.log_name: row.digest, template.log_name: template.digest}
        if gallery.policy.keep_images:
            image = self._encounters.add_photograph(connection, opened_person, row.encounter, capture.photograph)
            written[image.log_name] = image.digest
        return row.encounter, written


def _detail(
    connection: Connection,
    request: EnrolmentRequest,
    capture: BestFrame,
    duplicates: tuple[Candidate, ...],
    review_reasons: tuple[ReviewReason, ...],
) -> dict[str, object]:
    """What the encounter keeps, sealed under the person's key. Other persons are named by pseudonym, so that their
    erasure unlinks them.
    """
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
