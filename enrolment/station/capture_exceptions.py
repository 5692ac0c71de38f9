"""Records that a face could not be captured, and carries out what a second person approves instead.

1. A failure is recorded after as many tries as the gallery's policy asks for, and with a reason.
2. Whoever approves is not the clerk whose visit it is; one who tries is refused, on record.
3. A poor capture is enrolled despite its quality only: never without a face, never with a suspected attack.
"""

from dataclasses import dataclass, replace

from enrolment.enroller import Enroller, EnrolmentOutcome, EnrolmentRequest, EnrolmentResult
from enrolment.station.visit import Ending, ExceptionWay, FailureReason, Visit, VisitStep
from enrolment.station.visit_steps import PURPOSE, StepPassed, Visits, Workplace
from enrolment.station.visit_storage import VisitStorage
from enrolment.without_face import RegistrationWithoutFace
from idverify.access import Access
from idverify.audit.events import EventKind
from idverify.errors import Conflict, NotFound, NotPermitted
from idverify.ids import GalleryId, RequestId, VisitId
from idverify.storage.database import Connection
from idverify.storage.visits import VisitState
from idverify.stored.audit_journal import Journal
from idverify.stored.persons import StoredPersons
from idverify.stored.station_drafts import StationDraft

SOURCE = "exception"


class OwnException(NotPermitted):
    """The clerk whose visit it is tried to approve it."""

    code = "own_exception"


class CaptureUnusable(Conflict):
    """The capture can not be enrolled, whoever approves it."""

    code = "capture_unusable"


@dataclass(frozen=True, slots=True)
class Approver:
    """The second person, at the clerk's station or elsewhere, with the galleries that they may work in."""

    clerk: str
    galleries: frozenset[GalleryId]
    request: RequestId
    station: str | None = None

    def access(self, purpose: str) -> Access:
        return Access(self.request, purpose or PURPOSE, clerk=self.clerk, station=self.station)


class CaptureExceptions:
    """Failures to enrol, and the decisions of second persons about them."""

    def __init__(
        self,
        visits: Visits,
        storage: VisitStorage,
        stored_persons: StoredPersons,
        journal: Journal,
        enroller: Enroller,
        without_face: RegistrationWithoutFace,
    ) -> None:
        """`storage` and `enroller` are those of `visits`."""
        self._visits = visits
        self._database = storage.database
        self._transaction = storage.transaction
        self._drafts = storage.drafts
        self._stored_persons = stored_persons
        self._journal = journal
        self._enroller = enroller
        self._without_face = without_face

    def may_record_failure(self, workplace: Workplace, visit: Visit) -> bool:
        """Whether enough tries have failed for a failure to enrol to be recorded."""
        return visit.step is VisitStep.CAPTURE and visit.tries >= self._visits.gallery(workplace).policy.capture_tries

    def record_failure(self, workplace: Workplace, visit_id: VisitId, reason: FailureReason) -> StationDraft:
        """Record that the face could not be captured, and ask for a second person. Raises StepPassed."""
        draft, visit = self._visits.at(workplace, visit_id, VisitStep.CAPTURE)
        if not self.may_record_failure(workplace, visit):  # 1
            raise StepPassed("there are tries left")
        with self._transaction() as connection:
            known = self._stored_persons.find(connection, visit.person) if visit.known else None
            self._journal.record(
                connection,
                EventKind.ENROLMENT_FAILED,
                workplace.access(visit.basis),
                person=known,
                reason=reason,
                gallery=workplace.gallery,
            )
            failed = replace(visit, step=VisitStep.EXCEPTION, failure=reason)
            return self._drafts.save(connection, draft, failed.as_json(), VisitState.EXCEPTION)

    def awaiting_approval(self, galleries: frozenset[GalleryId]) -> list[tuple[StationDraft, Visit]]:
        """The visits that await approval in these galleries, the oldest first in each."""
        with self._database.read() as connection:
            found = [draft for gallery in sorted(galleries) for draft in self._drafts.awaiting(connection, gallery)]
        return [(draft, Visit.parse(draft.content)) for draft in found]

    def show(self, galleries: frozenset[GalleryId], visit_id: VisitId) -> tuple[StationDraft, Visit]:
        """A visit of any clerk that awaits approval in these galleries. Raises NotFound."""
        with self._database.read() as connection:
            draft = self._drafts.get(connection, visit_id)
        if draft.gallery not in galleries or draft.state is not VisitState.EXCEPTION:
            raise NotFound("no such visit waits for approval in your galleries")
        return draft, Visit.parse(draft.content)

    def approve(self, approver: Approver, visit_id: VisitId, way: ExceptionWay) -> StationDraft:
        """End the visit in that way.

        Raises NotFound, OwnException, CaptureUnusable, and Conflict when somebody else decided first.
        """
        draft, visit = self.show(approver.galleries, visit_id)
        if approver.clerk == draft.clerk:  # 2
            self._refuse_own(approver, draft, visit)
        if way is ExceptionWay.WITHOUT_FACE:
            return self._register_without_face(approver, draft, visit)
        if not visit.may_enrol_despite_quality:  # 3
            raise CaptureUnusable("the capture shows no single face, or an attack was suspected")
        return self._enrol_despite_quality(approver, draft, visit)

    def _refuse_own(self, approver: Approver, draft: StationDraft, visit: Visit) -> None:
        with self._transaction() as connection:
            self._journal.record(
                connection,
                EventKind.EXCEPTION_REFUSED,
                approver.access(visit.basis),
                reason=OwnException.code,
                gallery=draft.gallery,
            )
        raise OwnException("a second person must approve an exception; nobody approves their own")

    def _register_without_face(self, approver: Approver, draft: StationDraft, visit: Visit) -> StationDraft:
        request = self._request(approver, draft, visit, ())
        with self._transaction() as connection:
            self._record_approval(connection, approver, draft, visit, ExceptionWay.WITHOUT_FACE)
            encounter, position = self._without_face.register(connection, request)
            outcome = self._visits.outcome(visit.person, Ending.WITHOUT_FACE, encounter, position)
            return self._visits.end(connection, draft, visit, outcome)

    def _enrol_despite_quality(self, approver: Approver, draft: StationDraft, visit: Visit) -> StationDraft:
        request = self._request(approver, draft, visit, (self._visits.photograph(draft, visit),))

        def alongside(connection: Connection, answer: EnrolmentResult) -> None:
            if answer.outcome is EnrolmentOutcome.REFUSED:  # 3, by every check of the enrolment but its quality gate
                raise CaptureUnusable("the capture shows no single face, or an attack was suspected")
            self._record_approval(connection, approver, draft, visit, ExceptionWay.DESPITE_QUALITY)
            self._visits.finish(connection, draft, visit, answer)

        despite = replace(request, despite_quality=True)
        self._enroller.enrol(despite, alongside)
        with self._database.read() as connection:
            return self._drafts.get(connection, draft.visit)

    def _request(
        self, approver: Approver, draft: StationDraft, visit: Visit, frames: tuple[bytes, ...]
    ) -> EnrolmentRequest:
        """The encounter names the clerk and station of the visit; its sealed detail names the approver."""
        clerk = Workplace(draft.clerk, draft.station, draft.gallery, approver.request)
        notes = {"legal_basis": visit.basis, "failure": visit.failure or "", "approved_by": approver.clerk}
        return EnrolmentRequest(visit.person, draft.gallery, frames, clerk.access(visit.basis), SOURCE, notes=notes)

    def _record_approval(
        self, connection: Connection, approver: Approver, draft: StationDraft, visit: Visit, way: ExceptionWay
    ) -> None:
        access = approver.access(visit.basis)
        self._journal.record(connection, EventKind.EXCEPTION_APPROVED, access, reason=way, gallery=draft.gallery)
