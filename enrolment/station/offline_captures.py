"""Enrols captures that a station made while it could not reach the service.

However often a capture is sent, it must be enrolled once and answered alike.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from enrolment.enroller import Enroller, EnrolmentOutcome, EnrolmentRequest, EnrolmentResult
from enrolment.station.visit import Ending, Visit, VisitOutcome, VisitStep
from enrolment.station.visit_steps import Spend, Visits, Workplace
from enrolment.station.visit_storage import VisitStorage
from idverify.audit.events import utc_text
from idverify.errors import Conflict, InvalidInput
from idverify.ids import PersonId
from idverify.storage.database import Connection
from idverify.storage.visits import VisitState
from idverify.stored.audit_journal import Journal
from idverify.stored.station_drafts import StationDraft


@dataclass(frozen=True, slots=True)
class OfflineCapture:
    """One opened capture, with the number and legal basis as entered. `clerk` made it; another clerk may send it."""

    capture: str
    clerk: str
    person: str
    basis: str
    frames: Sequence[bytes] = field(repr=False)

    @classmethod
    def of(cls, capture: str, about: Mapping[str, Any], frames: Sequence[bytes]) -> "OfflineCapture":
        """Raises InvalidInput when the station wrote something else."""
        said = [about.get(name) for name in ("clerk", "person", "basis")]
        if not all(isinstance(text, str) and len(text) <= 100 for text in said):
            raise InvalidInput("capture: expected clerk, person and basis beside the frames")
        clerk, person, basis = map(str, said)
        return cls(capture, clerk, person, basis, frames)


class OfflineCaptures:
    """The flow of offline captures. Of each, an ended visit is stored: the answer when the capture is sent again."""

    def __init__(self, visits: Visits, storage: VisitStorage, journal: Journal, enroller: Enroller) -> None:
        """`storage` and `enroller` are those of `visits`."""
        self._visits = visits
        self._database = storage.database
        self._drafts = storage.drafts
        self._journal = journal
        self._enroller = enroller

    def take(self, workplace: Workplace, sent: OfflineCapture, spend: Spend) -> VisitOutcome:
        """Enrol the person, or refuse the capture with its reason and advice, on record; once for each capture id.

        Raises NumberMalformed, InvalidInput for a legal basis that is not on the list, ImageRejected, and what `spend`
        raises.
        """
        visits = self._visits
        if (earlier := self._earlier_outcome(sent)) is not None:
            return earlier
        person = visits.number(workplace, sent.person)
        gallery = visits.gallery(workplace)
        if sent.basis not in gallery.policy.legal_bases:
            raise InvalidInput("legal basis: expected a code of the gallery's list")
        best, _ = visits.choose_frame(sent.frames, gallery)
        by_clerk = replace(workplace, clerk=sent.clerk)
        notes = {"legal_basis": sent.basis, "frames_taken": str(len(sent.frames)), "sent_by": workplace.clerk}
        access = by_clerk.access(sent.basis)
        request = EnrolmentRequest(person, workplace.gallery, [best], access, "station-offline", notes=notes)

        def alongside(connection: Connection, answer: EnrolmentResult) -> None:
            spend(connection)
            self._keep(connection, by_clerk, sent, person, answer)

        # The same capture may be sent twice at once: the outcome that was stored first is the answer.
        with suppress(Conflict):
            self._enroller.enrol(request, alongside)
        outcome = self._earlier_outcome(sent)
        if outcome is None:
            raise Conflict("the capture was not taken; send it again")
        return outcome

    def _keep(
        self,
        connection: Connection,
        workplace: Workplace,
        sent: OfflineCapture,
        person: PersonId,
        answer: EnrolmentResult,
    ) -> StationDraft:
        visit = Visit(person, known=False, step=VisitStep.DONE, basis=sent.basis)
        station, clerk = workplace.station, workplace.clerk
        draft = self._drafts.add(connection, person, workplace.gallery, station, clerk, visit.as_json())
        self._drafts.put_capture(connection, draft, sent.capture, None)
        if answer.outcome is EnrolmentOutcome.REFUSED or answer.encounter is None:
            at = utc_text(self._journal.now())
            outcome = VisitOutcome(Ending.REFUSED, at, answer.audit_position, None, "", answer.reason, answer.advice)
        else:
            ending = Ending(answer.outcome)
            outcome = self._visits.outcome(person, ending, answer.encounter, answer.audit_position)
        done = replace(visit, outcome=outcome)
        return self._drafts.save(connection, draft, done.as_json(), VisitState.DONE)

    def _earlier_outcome(self, sent: OfflineCapture) -> VisitOutcome | None:
        with self._database.read() as connection:
            visit = self._drafts.visit_of(connection, sent.capture)
            return None if visit is None else Visit.parse(self._drafts.get(connection, visit).content).outcome
