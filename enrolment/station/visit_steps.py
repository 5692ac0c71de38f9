"""Carries a visit from step to step and saves each step with its audit leaf in one transaction, so that none is lost.

Each act names the step that it belongs to. One that comes late, or twice, must change nothing: StepPassed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from enrolment.enroller import Enroller, EnrolmentOutcome, EnrolmentRequest, EnrolmentResult
from enrolment.station.receipt_codes import ReceiptCodes
from enrolment.station.visit import CaptureSummary, Ending, Visit, VisitOutcome, VisitStep
from enrolment.station.visit_storage import VisitStorage
from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.errors import Conflict, InvalidInput, NotFound
from idverify.galleries.definitions import Galleries, GalleryDefinition
from idverify.ids import EncounterId, GalleryId, PersonId, RequestId, VisitId, person_id
from idverify.matching.decision import refuse
from idverify.storage import encounters
from idverify.storage.database import Connection
from idverify.storage.visits import VisitState
from idverify.stored.audit_journal import Journal
from idverify.stored.persons import StoredPersons
from idverify.stored.station_drafts import StationDraft
from idverify.vision.reader import Assessment, PhotographReader, ReadingPolicy, Refusal

PURPOSE = "registration"
"""The purpose of every act before a legal basis was chosen; from then on the basis is the purpose."""
Spend = Callable[[Connection], None]
"""Uses up the nonce of a capture in the transaction that takes it."""


class StepPassed(Conflict):
    """The visit has reached another step; the page of the visit shows which."""

    code = "step_passed"


class NumberMalformed(InvalidInput):
    """The number does not have the form that the register asks for."""

    code = "number_malformed"


@dataclass(frozen=True, slots=True)
class Workplace:
    """The clerk of a request, the station they work at, and the gallery that it enrols into."""

    clerk: str
    station: str
    gallery: GalleryId
    request: RequestId

    def access(self, purpose: str = "") -> Access:
        return Access(self.request, purpose or PURPOSE, clerk=self.clerk, station=self.station)


class Visits:
    """The visits of all stations, or those of practice, in which every step is done and nothing is written."""

    def __init__(
        self,
        storage: VisitStorage,
        galleries: Galleries,
        reader: PhotographReader,
        stored_persons: StoredPersons,
        journal: Journal,
        enroller: Enroller,
        receipt_codes: ReceiptCodes,
        *,
        practice: bool,
    ) -> None:
        """`storage` and `enroller` write in the same kind of transaction, and `practice` says of which kind it is."""
        self._database = storage.database
        self._transaction = storage.transaction
        self._drafts = storage.drafts
        self._galleries = galleries
        self._reader = reader
        self._stored_persons = stored_persons
        self._journal = journal
        self._enroller = enroller
        self._receipt_codes = receipt_codes
        self.practice = practice

    def gallery(self, workplace: Workplace) -> GalleryDefinition:
        """Raises GalleryNotFound, EmbedderMismatch."""
        with self._database.read() as connection:
            return self._galleries.find(connection, workplace.gallery)

    def unfinished(self, workplace: Workplace) -> list[StationDraft]:
        """The visits that this clerk has begun at this station and not ended, the newest first."""
        with self._database.read() as connection:
            begun = self._drafts.of_clerk(connection, workplace.station, workplace.clerk)
        return [draft for draft in begun if draft.state is not VisitState.DONE]

    def show(self, workplace: Workplace, visit: VisitId) -> tuple[StationDraft, Visit]:
        """A visit of this clerk at this station. Raises NotFound for any other one."""
        with self._database.read() as connection:
            draft = self._drafts.get(connection, visit)
        if (draft.clerk, draft.station, draft.gallery) != (workplace.clerk, workplace.station, workplace.gallery):
            raise NotFound("there is no such visit at this station")
        return draft, Visit.parse(draft.content)

    def photograph(self, draft: StationDraft, visit: Visit) -> bytes:
        """The kept photograph. Raises NotFound when there is none (any more)."""
        if visit.kept is None:
            raise NotFound("nothing was captured yet")
        with self._database.read() as connection:
            return self._drafts.capture(connection, draft, visit.kept.capture)

    def start(self, workplace: Workplace, number: str) -> StationDraft:
        """Begin a visit of the person with that number. Raises NumberMalformed."""
        person = self.number(workplace, number)
        with self._transaction() as connection:
            self._drafts.drop_expired(connection)
            known = self.known(connection, workplace, person)
            opened_person = self._stored_persons.find(connection, person) if known else None
            self._journal.record(
                connection, EventKind.VISIT_STARTED, workplace.access(), person=opened_person, gallery=workplace.gallery
            )
            content = Visit(person, known).as_json()
            return self._drafts.add(connection, person, workplace.gallery, workplace.station, workplace.clerk, content)

    def number(self, workplace: Workplace, text: str) -> PersonId:
        """The person's number, in the form that the gallery asks for. Raises NumberMalformed."""
        try:
            person = person_id(text.strip())
        except InvalidInput:
            raise NumberMalformed("the number is not one") from None
        if not self.gallery(workplace).policy.takes(person):
            raise NumberMalformed("the number does not have the form that this register asks for")
        return person

    def known(self, connection: Connection, workplace: Workplace, person: PersonId) -> bool:
        """Whether the person was enrolled in this gallery before; the clerk learns nothing of other galleries."""
        return any(workplace.gallery in row.galleries for row in encounters.encounters_of(connection, person))

    def choose_basis(self, workplace: Workplace, visit_id: VisitId, basis: str) -> StationDraft:
        """Raises InvalidInput for a code that is not on the gallery's list, StepPassed."""
        draft, visit = self.at(workplace, visit_id, VisitStep.BASIS)
        if basis not in self.gallery(workplace).policy.legal_bases:
            raise InvalidInput("legal basis: expected a code of the gallery's list")
        return self._save(draft, replace(visit, basis=basis, step=VisitStep.CAPTURE))

    def back(self, workplace: Workplace, visit_id: VisitId, step: VisitStep) -> StationDraft:
        """From `step` to the one before it. Raises StepPassed."""
        draft, visit = self.at(workplace, visit_id, step)
        before = {
            VisitStep.CAPTURE: VisitStep.BASIS,
            VisitStep.REVIEW: VisitStep.CAPTURE,
            VisitStep.EXCEPTION: VisitStep.CAPTURE,
        }.get(step)
        if before is None:
            raise StepPassed("there is no step to go back to")
        return self._save(draft, replace(visit, step=before))

    def cancel(self, workplace: Workplace, visit_id: VisitId) -> None:
        """End the visit; what was entered and captured is erased. Raises StepPassed once it was committed."""
        draft, visit = self.show(workplace, visit_id)
        if draft.state is VisitState.DONE:
            raise StepPassed("the visit is over")
        with self._transaction() as connection:
            access = workplace.access(visit.basis)
            self._journal.record(connection, EventKind.VISIT_CANCELLED, access, gallery=workplace.gallery)
            self._drafts.erase(connection, draft)

    def capture(
        self, workplace: Workplace, visit_id: VisitId, capture: str, frames: Sequence[bytes], source: str, spend: Spend
    ) -> StationDraft:
        """Keep the best of the frames, or record a failed try. A capture that was taken before is not taken again.

        The frames are assessed here, each once, and none is embedded: `commit` reads the kept one.

        Raises StepPassed, ImageRejected, and what `spend` raises.
        """
        draft, visit = self.show(workplace, visit_id)
        with self._database.read() as connection:
            if self._drafts.visit_of(connection, capture) == visit_id:
                return draft
        if visit.step is not VisitStep.CAPTURE:
            raise StepPassed("the visit is at another step")
        gallery = self.gallery(workplace)
        best, assessed = self.choose_frame(frames, gallery)
        summary = _summary(capture, source, len(frames), assessed)
        after = visit.captured(summary)
        with self._transaction() as connection:
            spend(connection)
            self._drafts.put_capture(connection, draft, capture, best if after.kept is summary else None)
            if isinstance(assessed, Refusal):
                self._record_refusal(connection, workplace, gallery, visit, assessed)
            return self._drafts.save(connection, draft, after.as_json(), VisitState.OPEN)

    def choose_frame(self, frames: Sequence[bytes], gallery: GalleryDefinition) -> tuple[bytes, Assessment | Refusal]:
        """The best frame and its assessment, or its refusal when no frame is acceptable. Raises ImageRejected."""
        policy = replace(ReadingPolicy.enrolment(), presentation_attack=gallery.policy.presentation_attack)
        index, assessed = self._reader.assess_best(frames, policy)
        return frames[index], assessed

    def commit(self, workplace: Workplace, visit_id: VisitId) -> StationDraft:
        """Enrol the reviewed photograph, once. Raises StepPassed, Conflict when another window did it first."""
        draft, visit = self.at(workplace, visit_id, VisitStep.REVIEW)
        assert visit.kept is not None  # noqa: S101  the review step has a capture
        notes = {"legal_basis": visit.basis, "frames_taken": str(visit.kept.frames)}
        request = EnrolmentRequest(
            visit.person,
            workplace.gallery,
            [self.photograph(draft, visit)],
            workplace.access(visit.basis),
            visit.kept.source,
            notes=notes,
        )

        def alongside(connection: Connection, answer: EnrolmentResult) -> None:
            self.finish(connection, draft, visit, answer)

        self._enroller.enrol(request, alongside)
        return self.show(workplace, visit_id)[0]

    def finish(
        self, connection: Connection, draft: StationDraft, visit: Visit, answer: EnrolmentResult
    ) -> StationDraft:
        """Save what became of the visit, in the transaction of the enrolment."""
        if answer.outcome is EnrolmentOutcome.REFUSED:  # the gallery's policy became stricter meanwhile
            again = replace(visit, step=VisitStep.CAPTURE, tries=visit.tries + 1)
            return self._drafts.save(connection, draft, again.as_json(), VisitState.OPEN)
        assert answer.encounter is not None  # noqa: S101  an enrolment that was not refused has one
        outcome = self.outcome(visit.person, Ending(answer.outcome), answer.encounter, answer.audit_position)
        return self.end(connection, draft, visit, outcome)

    def outcome(self, person: PersonId, ending: Ending, encounter: EncounterId, position: int) -> VisitOutcome:
        """The outcome that the receipt states, with the receipt's code."""
        at = utc_text(self._journal.now())
        return VisitOutcome(ending, at, position, encounter, self._receipt_codes.code(person, encounter))

    def end(self, connection: Connection, draft: StationDraft, visit: Visit, outcome: VisitOutcome) -> StationDraft:
        """End the visit; its captures are erased."""
        done = replace(visit, step=VisitStep.DONE, last=None, kept=None, outcome=outcome)
        return self._drafts.save(connection, draft, done.as_json(), VisitState.DONE)

    def at(self, workplace: Workplace, visit_id: VisitId, step: VisitStep) -> tuple[StationDraft, Visit]:
        """The visit, when it is at that step. Raises NotFound, StepPassed."""
        draft, visit = self.show(workplace, visit_id)
        if visit.step is not step:
            raise StepPassed("the visit is at another step")
        return draft, visit

    def _save(self, draft: StationDraft, visit: Visit) -> StationDraft:
        with self._transaction() as connection:
            return self._drafts.save(connection, draft, visit.as_json(), VisitState.OPEN)

    def _record_refusal(
        self, connection: Connection, workplace: Workplace, gallery: GalleryDefinition, visit: Visit, refusal: Refusal
    ) -> None:
        known = self._stored_persons.find(connection, visit.person) if visit.known else None
        self._journal.record(
            connection,
            EventKind.ENCOUNTER_REFUSED,
            workplace.access(visit.basis),
            person=known,
            decision=refuse(refusal.reason),
            gallery=gallery.gallery,
            policy=f"{gallery.gallery}/enrolment",
            model=gallery.model,
        )


def _summary(capture: str, source: str, frames: int, assessed: Assessment | Refusal) -> CaptureSummary:
    reason = assessed.reason if isinstance(assessed, Refusal) else None
    quality = None if assessed.verdict is None else assessed.verdict.score
    return CaptureSummary(capture, source, frames, reason, quality, assessed.advice)
