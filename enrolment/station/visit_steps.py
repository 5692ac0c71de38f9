"""The steps of a visit, each saved in one transaction with its audit leaf: whatever dies between two loses nothing.

Each act names the step that it belongs to. One that comes late, or twice, changes nothing: StepPassed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from enrolment.best_frame import BestFrame, best_of
from enrolment.enroller import Enroller, EnrolmentOutcome, EnrolmentRequest, EnrolmentResult
from enrolment.station.practice import DraftStore, PracticeDrafts
from enrolment.station.receipt_codes import ReceiptCodes
from enrolment.station.visit import CaptureSummary, Ending, Visit, VisitOutcome, VisitStep
from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.engine import Engine
from idverify.errors import Conflict, InvalidInput, NotFound
from idverify.galleries.definitions import GalleryDefinition
from idverify.ids import EncounterId, GalleryId, PersonId, RequestId, VisitId, person_id
from idverify.matching.decision import refuse
from idverify.storage import encounters
from idverify.storage.database import Connection
from idverify.storage.visits import VisitState
from idverify.stored.station_drafts import StationDraft
from idverify.vision.reader import ReadingPolicy, Refusal

PURPOSE = "registration"
"""Of every act before a legal basis was chosen; from then on that is the purpose."""
Spend = Callable[[Connection], None]
"""Uses up the nonce of a capture in the transaction that takes it."""


class StepPassed(Conflict):
    """The visit is at another step by now; showing it says which."""

    code = "step_passed"


class NumberMalformed(InvalidInput):
    """The number does not have the form that the register asks for."""

    code = "number_malformed"


@dataclass(frozen=True, slots=True)
class Workplace:
    """Who works where in this request."""

    clerk: str
    station: str
    gallery: GalleryId
    request: RequestId

    def access(self, purpose: str = "") -> Access:
        return Access(self.request, purpose or PURPOSE, clerk=self.clerk, station=self.station)


class Visits:
    """Carries visits from the number to the receipt. In practice everything happens and nothing is written."""

    def __init__(self, engine: Engine, *, practice: bool) -> None:
        self.engine = engine
        self.practice = practice
        self.drafts: DraftStore = PracticeDrafts(engine.journal.now) if practice else engine.drafts
        self.transaction = engine.database.rehearse if practice else engine.database.write
        self.receipts = ReceiptCodes(engine.deployment.keys.keyring)

    def gallery(self, workplace: Workplace) -> GalleryDefinition:
        """Raises GalleryNotFound, EmbedderMismatch."""
        with self.engine.database.read() as connection:
            return self.engine.galleries.find(connection, workplace.gallery)

    def unfinished(self, workplace: Workplace) -> list[StationDraft]:
        """What this clerk has begun at this station and not ended, the newest first."""
        with self.engine.database.read() as connection:
            begun = self.drafts.of_clerk(connection, workplace.station, workplace.clerk)
        return [draft for draft in begun if draft.state is not VisitState.DONE]

    def show(self, workplace: Workplace, visit: VisitId) -> tuple[StationDraft, Visit]:
        """A visit of this clerk at this station. Raises NotFound for any other one."""
        with self.engine.database.read() as connection:
            draft = self.drafts.get(connection, visit)
        if (draft.clerk, draft.station, draft.gallery) != (workplace.clerk, workplace.station, workplace.gallery):
            raise NotFound("there is no such visit at this station")
        return draft, Visit.parse(draft.content)

    def photograph(self, draft: StationDraft, visit: Visit) -> bytes:
        """The kept photograph. Raises NotFound when there is none (any more)."""
        if visit.kept is None:
            raise NotFound("nothing was captured yet")
        with self.engine.database.read() as connection:
            return self.drafts.capture(connection, draft, visit.kept.capture)

    def start(self, workplace: Workplace, number: str) -> StationDraft:
        """Begin a visit of the person with that number. Raises NumberMalformed."""
        person = self.number(workplace, number)
        with self.transaction() as connection:
            self.drafts.drop_expired(connection)
            known = self.known(connection, workplace, person)
            opened_person = self.engine.stored_persons.find(connection, person) if known else None
            self.engine.journal.record(
                connection, EventKind.VISIT_STARTED, workplace.access(), person=opened_person, gallery=workplace.gallery
            )
            content = Visit(person, known).as_json()
            return self.drafts.add(connection, person, workplace.gallery, workplace.station, workplace.clerk, content)

    def number(self, workplace: Workplace, text: str) -> PersonId:
        """The number in the form that the gallery asks for. Raises NumberMalformed."""
        try:
            person = person_id(text.strip())
        except InvalidInput:
            raise NumberMalformed("the number is not one") from None
        if not self.gallery(workplace).policy.takes(person):
            raise NumberMalformed("the number does not have the form that this register asks for")
        return person

    def known(self, connection: Connection, workplace: Workplace, person: PersonId) -> bool:
        """Whether the person was in this gallery before; of others the clerk is told nothing."""
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
        with self.transaction() as connection:
            access = workplace.access(visit.basis)
            self.engine.journal.record(connection, EventKind.VISIT_CANCELLED, access, gallery=workplace.gallery)
            self.drafts.erase(connection, draft)

    def capture(
        self, workplace: Workplace, visit_id: VisitId, capture: str, frames: Sequence[bytes], source: str, spend: Spend
    ) -> StationDraft:
        """Take the best of the frames, or count a failed try, on record. One that was taken before is not taken again.

        Raises StepPassed, ImageRejected, and what `spend` raises.
        """
        draft, visit = self.show(workplace, visit_id)
        with self.engine.database.read() as connection:
            if self.drafts.visit_of(connection, capture) == visit_id:
                return draft
        if visit.step is not VisitStep.CAPTURE:
            raise StepPassed("the visit is at another step")
        gallery = self.gallery(workplace)
        best, read = self.best(frames, gallery)
        shot = _shot(capture, source, len(frames), read)
        after = visit.captured(shot)
        with self.transaction() as connection:
            spend(connection)
            self.drafts.put_capture(connection, draft, capture, best if after.kept is shot else None)
            if isinstance(read, Refusal):
                self._refused(connection, workplace, gallery, visit, read)
            return self.drafts.save(connection, draft, after.as_json(), VisitState.OPEN)

    def best(self, frames: Sequence[bytes], gallery: GalleryDefinition) -> tuple[bytes, BestFrame | Refusal]:
        """The frame to propose and what was read from it. Raises ImageRejected."""
        policy = replace(ReadingPolicy.enrolment(), presentation_attack=gallery.policy.presentation_attack)
        read = [(frame, best_of(self.engine.reader, [frame], policy)) for frame in frames]
        return max(read, key=lambda each: (isinstance(each[1], BestFrame), _score(each[1])))

    def commit(self, workplace: Workplace, visit_id: VisitId) -> StationDraft:
        """Enrol what was reviewed, once. Raises StepPassed, Conflict when another window was faster."""
        draft, visit = self.at(workplace, visit_id, VisitStep.REVIEW)
        assert visit.kept is not None  # noqa: S101  a step of review has a capture
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

        Enroller(self.engine, self.transaction).enrol(request, alongside)
        return self.show(workplace, visit_id)[0]

    def finish(
        self, connection: Connection, draft: StationDraft, visit: Visit, answer: EnrolmentResult
    ) -> StationDraft:
        """Save what became of the visit, beside the enrolment itself."""
        if answer.outcome is EnrolmentOutcome.REFUSED:  # the gallery's policy became stricter meanwhile
            again = replace(visit, step=VisitStep.CAPTURE, tries=visit.tries + 1)
            return self.drafts.save(connection, draft, again.as_json(), VisitState.OPEN)
        assert answer.encounter is not None  # noqa: S101  whoever was not refused has one
        outcome = self.outcome(visit.person, Ending(answer.outcome), answer.encounter, answer.audit_position)
        return self.end(connection, draft, visit, outcome)

    def outcome(self, person: PersonId, ending: Ending, encounter: EncounterId, position: int) -> VisitOutcome:
        """What the receipt says, with its code."""
        at = utc_text(self.engine.journal.now())
        return VisitOutcome(ending, at, position, encounter, self.receipts.code(person, encounter))

    def end(self, connection: Connection, draft: StationDraft, visit: Visit, outcome: VisitOutcome) -> StationDraft:
        """The visit is over; of what was captured nothing is kept in it."""
        done = replace(visit, step=VisitStep.DONE, last=None, kept=None, outcome=outcome)
        return self.drafts.save(connection, draft, done.as_json(), VisitState.DONE)

    def at(self, workplace: Workplace, visit_id: VisitId, step: VisitStep) -> tuple[StationDraft, Visit]:
        """The visit, when it is at that step. Raises NotFound, StepPassed."""
        draft, visit = self.show(workplace, visit_id)
        if visit.step is not step:
            raise StepPassed("the visit is at another step")
        return draft, visit

    def _save(self, draft: StationDraft, visit: Visit) -> StationDraft:
        with self.transaction() as connection:
            return self.drafts.save(connection, draft, visit.as_json(), VisitState.OPEN)

    def _refused(
        self, connection: Connection, workplace: Workplace, gallery: GalleryDefinition, visit: Visit, refusal: Refusal
    ) -> None:
        known = self.engine.stored_persons.find(connection, visit.person) if visit.known else None
        self.engine.journal.record(
            connection,
            EventKind.ENCOUNTER_REFUSED,
            workplace.access(visit.basis),
            person=known,
            decision=refuse(refusal.reason),
            gallery=gallery.gallery,
            policy=f"{gallery.gallery}/enrolment",
            model=gallery.model,
        )


def _shot(capture: str, source: str, frames: int, read: BestFrame | Refusal) -> CaptureSummary:
    if isinstance(read, BestFrame):
        return CaptureSummary(capture, source, frames, None, read.reading.verdict.score, read.reading.advice)
    quality = None if read.verdict is None else read.verdict.score
    return CaptureSummary(capture, source, frames, read.reason, quality, read.advice)


def _score(read: BestFrame | Refusal) -> int:
    if isinstance(read, BestFrame):
        return read.reading.verdict.score
    return -1 if read.verdict is None else read.verdict.score
