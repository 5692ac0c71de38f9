"""Searches one gallery (1:N) for the person in a photograph; it decides about nobody, its candidates go to a human."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from idverify.access import Access
from idverify.audit.events import EventKind
from idverify.clients.limits import AttemptLimits
from idverify.errors import InvalidInput
from idverify.galleries.definitions import Galleries, GalleryDefinition
from idverify.galleries.search import GallerySearch
from idverify.ids import GalleryId, RequestId
from idverify.matching.decision import Candidate, Decision, decide, refuse
from idverify.storage import audit_log
from idverify.storage.database import Alongside, Connection, Database
from idverify.stored.audit_journal import Journal
from idverify.stored.persons import StoredPersons
from idverify.vision.liveness import AttackFinding
from idverify.vision.quality import Advice
from idverify.vision.reader import PhotographReader, Reading, ReadingPolicy, Refusal

MOST_CANDIDATES = 100


@dataclass(frozen=True, slots=True)
class IdentificationRequest:
    """A photograph to search for. `fpir` in (0, 0.5]; None: the gallery's own. `most`: 1 to 100 candidates."""

    gallery: GalleryId
    photograph: bytes = field(repr=False)
    access: Access
    fpir: float | None = None
    most: int = 10


@dataclass(frozen=True, slots=True)
class IdentificationResult:
    """Candidates at or above the threshold that follows from `fpir` and the number of people searched, best first."""

    decision: Decision
    candidates: tuple[Candidate, ...]
    gallery: GalleryId
    searched_people: int
    fpir: float
    policy: str
    demonstration: bool
    presentation_attack: AttackFinding
    advice: tuple[Advice, ...]
    request: RequestId
    decided_at: datetime
    expires_at: datetime
    audit_position: int


class Identification:
    """The 1:N flow: read the probe, search the caught-up gallery, record the search and every person it names."""

    def __init__(
        self,
        database: Database,
        galleries: Galleries,
        reader: PhotographReader,
        searches: GallerySearch,
        stored_persons: StoredPersons,
        journal: Journal,
        attempt_limits: AttemptLimits,
        answer_lifetime: timedelta,
    ) -> None:
        self._database = database
        self._galleries = galleries
        self._reader = reader
        self._searches = searches
        self._stored_persons = stored_persons
        self._journal = journal
        self._attempt_limits = attempt_limits
        self._answer_lifetime = answer_lifetime

    def identify(
        self, request: IdentificationRequest, alongside: Alongside[IdentificationResult] | None = None
    ) -> IdentificationResult:
        """Search one gallery; the audit leaves, the client's count and `alongside` are one transaction.

        Raises InvalidInput, ImageRejected, GalleryNotFound, EmbedderMismatch, GalleryLoading, QuotaExceeded.
        """
        (answer,) = self._identified([request], alongside)
        return answer

    def identify_many(self, requests: Sequence[IdentificationRequest]) -> list[IdentificationResult]:
        """Search one gallery for many at once, in less time than one after the other; all is one transaction.

        The requests name one gallery. Raises as `identify` does, and then nobody was searched for.
        """
        return self._identified(requests, None) if requests else []

    def _identified(
        self, requests: Sequence[IdentificationRequest], alongside: Alongside[IdentificationResult] | None
    ) -> list[IdentificationResult]:
        for request in requests:
            if not 1 <= request.most <= MOST_CANDIDATES:
                raise InvalidInput(f"number of candidates: expected 1 to {MOST_CANDIDATES}, got {request.most}")
        if len({request.gallery for request in requests}) > 1:
            raise InvalidInput("searches at once: expected one gallery for all of them")
        with self._database.read() as connection:
            gallery = self._galleries.find(connection, requests[0].gallery, to_search=True)
        policy = replace(ReadingPolicy.verification(), presentation_attack=gallery.policy.presentation_attack)
        readings = [self._reader.read(request.photograph, policy) for request in requests]
        probes = [reading.embedding for reading in readings if isinstance(reading, Reading)]
        provisional = self._searches.provisional(
            gallery.gallery, probes, most=max(request.most for request in requests)
        )
        with self._database.write() as connection:
            for request in requests:
                client = request.access.client
                exceeded = (
                    None
                    if client is None
                    else self._attempt_limits.count_search(connection, client, self._journal.now())
                )
                if exceeded is not None:
                    raise exceeded
            # From here no other transaction writes to the log: nobody who is erased before this record can be in it.
            audit_log.take_turn(connection)
            search = self._searches.confirmed(connection, provisional)
            found = iter(search.found)
            answers = []
            for request, reading in zip(requests, readings, strict=True):
                candidates = next(found)[: request.most] if isinstance(reading, Reading) else ()
                answers.append(self._record(connection, request, gallery, reading, candidates, search.people))
                if alongside is not None:
                    alongside(connection, answers[-1])
        return answers

    def _record(
        self,
        connection: Connection,
        request: IdentificationRequest,
        gallery: GalleryDefinition,
        reading: Reading | Refusal,
        found: Sequence[Candidate],
        people: int,
    ) -> IdentificationResult:
        """Decide and record what was found; the caller answers once the transaction is committed."""
        fpir = gallery.policy.identification_fpir if request.fpir is None else request.fpir
        point = gallery.calibration.at_fpir(fpir, people)
        policy = f"{gallery.gallery}/fpir-{fpir:.0e}/{point.name}"
        if isinstance(reading, Reading):
            candidates = tuple(one for one in found if one.similarity >= point.threshold)
            decision = decide(candidates[0].similarity if candidates else None, point)
        else:
            candidates, decision = (), refuse(reading.reason)
        position = self._journal.record(
            connection,
            EventKind.GALLERY_SEARCHED,
            request.access,
            decision=decision,
            gallery=gallery.gallery,
            policy=policy,
            model=gallery.model,
        )
        self._record_candidates(connection, request.access, candidates, decision, gallery.gallery, policy)
        now = self._journal.now()
        return IdentificationResult(
            decision=decision,
            candidates=candidates,
            gallery=gallery.gallery,
            searched_people=people,
            fpir=fpir,
            policy=policy,
            demonstration=gallery.demonstration,
            presentation_attack=reading.presentation_attack.finding,
            advice=reading.advice,
            request=request.access.request,
            decided_at=now,
            expires_at=now + self._answer_lifetime,
            audit_position=position,
        )

    def _record_candidates(
        self,
        connection: Connection,
        access: Access,
        candidates: tuple[Candidate, ...],
        decision: Decision,
        gallery: GalleryId,
        policy: str,
    ) -> None:
        """Each person that an answer names gets a leaf of their own: they may ask who saw them."""
        for candidate in candidates:
            self._journal.record(
                connection,
                EventKind.PERSON_IDENTIFIED,
                access,
                person=self._stored_persons.find(connection, candidate.person),
                decision=decision,
                gallery=gallery,
                policy=policy,
                detail={"encounter": candidate.encounter, "similarity": candidate.similarity},
            )
