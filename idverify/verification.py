"""Verifies one person (1:1): is the person in this photograph the one with this number?

The time and the form of an answer must not tell whether the number is enrolled.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from idverify.access import Access
from idverify.audit.events import EventKind
from idverify.clients.limits import AttemptLimits
from idverify.errors import ChannelLocked, QuotaExceeded
from idverify.galleries.definitions import Galleries, GalleryDefinition
from idverify.ids import GalleryId, PersonId, RequestId
from idverify.matching.comparison import best_similarity
from idverify.matching.decision import Decision, decide, refuse
from idverify.storage import templates
from idverify.storage.database import Alongside, Connection, Database
from idverify.stored.audit_journal import Journal
from idverify.stored.decoy import Decoy
from idverify.stored.persons import OpenedPerson, StoredPersons
from idverify.vision.liveness import AttackFinding
from idverify.vision.quality import Advice
from idverify.vision.reader import PhotographReader, Reading, ReadingPolicy, Refusal


@dataclass(frozen=True, slots=True)
class VerificationRequest:
    """A claimed identity and a photograph (JPEG or PNG bytes) to hold against it."""

    person: PersonId
    gallery: GalleryId
    photograph: bytes = field(repr=False)
    access: Access


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """The decision and everything that a signed answer says; `similarity` is for callers whose policy shows scores."""

    decision: Decision
    gallery: GalleryId
    policy: str
    demonstration: bool
    presentation_attack: AttackFinding
    advice: tuple[Advice, ...]
    request: RequestId
    decided_at: datetime
    expires_at: datetime
    audit_position: int
    similarity: float | None = field(repr=False)


class Verification:
    """The 1:1 flow: read the probe, then compare, decide and record in one transaction."""

    def __init__(
        self,
        database: Database,
        galleries: Galleries,
        reader: PhotographReader,
        stored_persons: StoredPersons,
        journal: Journal,
        attempt_limits: AttemptLimits,
        decoy: Decoy,
        answer_lifetime: timedelta,
    ) -> None:
        self._database = database
        self._galleries = galleries
        self._reader = reader
        self._stored_persons = stored_persons
        self._journal = journal
        self._attempt_limits = attempt_limits
        self._decoy = decoy
        self._answer_lifetime = answer_lifetime

    def verify(
        self, request: VerificationRequest, alongside: Alongside[VerificationResult] | None = None
    ) -> VerificationResult:
        """Answer one claim; its audit leaf, its counts and `alongside` are one transaction.

        A person who is not enrolled answers like a non-match, for the same work. Raises ImageRejected for bytes that
        are no photograph, GalleryNotFound, EmbedderMismatch, QuotaExceeded, ChannelLocked.
        """
        with self._database.read() as connection:
            gallery = self._galleries.find(connection, request.gallery)
        reading = self._reader.read(
            request.photograph,
            replace(ReadingPolicy.verification(), presentation_attack=gallery.policy.presentation_attack),
        )
        with self._database.write() as connection:
            outcome = self._judge(connection, request, gallery, reading)
            if isinstance(outcome, VerificationResult) and alongside is not None:
                alongside(connection, outcome)
        if isinstance(outcome, VerificationResult):
            return outcome
        # Raised after the commit: the attempt is on record although it gets no decision.
        raise outcome

    def _judge(
        self,
        connection: Connection,
        request: VerificationRequest,
        gallery: GalleryDefinition,
        reading: Reading | Refusal,
    ) -> VerificationResult | QuotaExceeded | ChannelLocked:
        """Count, compare, decide and record; the caller answers once the transaction is committed."""
        fmr, now = gallery.policy.verification_fmr, self._journal.now()
        point, margin = gallery.calibration.at_fmr(fmr), gallery.calibration.margin(fmr)
        policy = f"{gallery.gallery}/{point.name}"
        refused = self._attempt_limits.count(connection, request.person, now)
        opened_person = self._stored_persons.find(connection, request.person)
        # Of somebody who is not here, the decoy's key is unwrapped in place of theirs, and seals what no one will open.
        sealed_for_one = opened_person or self._decoy.opened_person()
        if isinstance(reading, Reading):
            similarity = None if refused else self._compare(connection, request.person, opened_person, gallery, reading)
            decision = decide(similarity, point)
        else:
            similarity, decision = None, refuse(reading.reason)
        if refused is None:
            close = similarity is not None and abs(similarity - point.threshold) < margin
            self._attempt_limits.note(connection, request.person, decision.outcome, now, close=close)
        position = self._journal.record(
            connection,
            EventKind.PERSON_VERIFIED,
            request.access,
            person=opened_person,
            decision=None if refused else decision,
            gallery=gallery.gallery,
            policy=policy,
            model=gallery.model,
            detail={"similarity": similarity, "capped": refused is not None},
            sealed_for=sealed_for_one,
        )
        if refused is not None:
            return refused
        now = self._journal.now()
        return VerificationResult(
            decision=decision,
            gallery=gallery.gallery,
            policy=policy,
            demonstration=gallery.demonstration,
            presentation_attack=reading.presentation_attack.finding,
            advice=reading.advice,
            request=request.access.request,
            decided_at=now,
            expires_at=now + self._answer_lifetime,
            audit_position=position,
            similarity=similarity,
        )

    def _compare(
        self,
        connection: Connection,
        person: PersonId,
        opened_person: OpenedPerson | None,
        gallery: GalleryDefinition,
        reading: Reading,
    ) -> float | None:
        """The best similarity to the person's references; None, after the same work, when there is none to compare."""
        stored = templates.templates_of(connection, person, gallery.gallery, gallery.model)
        if opened_person is None or not stored:
            best_similarity(reading.embedding, [self._decoy.reference()])
            return None
        return best_similarity(reading.embedding, [self._stored_persons.reveal(opened_person, one) for one in stored])
