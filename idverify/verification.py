"""1:1: is the person in this photograph the one with this number? Reads as the list of its stages."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from idverify.access import Access
from idverify.audit.events import EventKind
from idverify.caps import Caps
from idverify.errors import QuotaExceeded
from idverify.galleries import Galleries, GalleryDefinition
from idverify.ids import GalleryId, PersonId, RequestId
from idverify.journal import Journal
from idverify.matching.comparison import best_similarity
from idverify.matching.decision import Decision, decide, refuse
from idverify.storage.database import Connection, Database
from idverify.subjects import Subject, Subjects
from idverify.vision.liveness import AttackFinding
from idverify.vision.quality import Advice
from idverify.vision.reader import Reader, Reading, ReadingPolicy


@dataclass(frozen=True, slots=True)
class VerificationRequest:
    """A claimed identity and a photograph (JPEG or PNG bytes) to hold against it."""

    person: PersonId
    gallery: GalleryId
    photograph: bytes = field(repr=False)
    access: Access


@dataclass(frozen=True, slots=True)
class VerificationAnswer:
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
        reader: Reader,
        subjects: Subjects,
        journal: Journal,
        caps: Caps,
        answer_lifetime: timedelta,
    ) -> None:
        self._database = database
        self._galleries = galleries
        self._reader = reader
        self._subjects = subjects
        self._journal = journal
        self._caps = caps
        self._answer_lifetime = answer_lifetime

    def verify(self, request: VerificationRequest) -> VerificationAnswer:
        """Answer one claim. A person who is not enrolled answers like a non-match.

        Raises ImageRejected for bytes that are no photograph, GalleryNotFound, EmbedderMismatch, QuotaExceeded.
        """
        with self._database.read() as connection:
            gallery = self._galleries.find(connection, request.gallery)
        reading = self._reader.read(
            request.photograph,
            replace(ReadingPolicy.verification(), presentation_attack=gallery.policy.presentation_attack),
        )
        point = gallery.calibration.at_fmr(gallery.policy.verification_fmr)
        policy = f"{gallery.gallery}/{point.name}"
        with self._database.write() as connection:
            exceeded = self._caps.count(connection, request.person, self._journal.now())
            subject = self._subjects.find(connection, request.person)
            if isinstance(reading, Reading):
                similarity = None if exceeded else self._compare(connection, subject, gallery, reading)
                decision = decide(similarity, point)
            else:
                similarity, decision = None, refuse(reading.reason)
            position = self._journal.record(
                connection,
                EventKind.PERSON_VERIFIED,
                request.access,
                subject=subject,
                decision=None if exceeded else decision,
                gallery=gallery.gallery,
                policy=policy,
                model=gallery.model,
                detail={"similarity": similarity, "capped": exceeded is not None},
            )
        if exceeded is not None:
            # Raised after the commit: the attempt is on record although it gets no decision.
            raise QuotaExceeded(exceeded.message, retry_after_s=exceeded.retry_after_s)
        now = self._journal.now()
        return VerificationAnswer(
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
        self, connection: Connection, subject: Subject | None, gallery: GalleryDefinition, reading: Reading
    ) -> float | None:
        if subject is None:
            return None
        return best_similarity(reading.embedding, self._subjects.references(connection, subject, gallery.gallery))
