"""Captures that were made while the service was out of reach: each is taken once, when it comes, and answered alike."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from enrolment.enroller import Enroller, EnrolmentOutcome, EnrolmentRequest, EnrolmentResult
from enrolment.station.visit import Ending, Visit, VisitOutcome, VisitStep
from enrolment.station.visit_steps import Spend, Visits, Workplace
from idverify.audit.events import utc_text
from idverify.errors import Conflict, InvalidInput
from idverify.ids import PersonId
from idverify.storage.database import Connection
from idverify.storage.visits import VisitState
from idverify.stored.station_drafts import StationDraft


@dataclass(frozen=True, slots=True)
class OfflineCapture:
    """One opened capture: the clerk wrote number and legal basis, `clerk` made it, whoever sends it now."""

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
    """Takes captures that waited at a station."""

    def __init__(self, visits: Visits) -> None:
        self._visits = visits

    def take(self, workplace: Workplace, sent: OfflineCapture, spend: Spend) -> VisitOutcome:
        """Enrol what was captured, or refuse it with its reason and advice, on record; once for each capture id.

        Raises NumberMalformed, InvalidInput for a legal basis that is not on the list, ImageRejected, and what `spend`
        raises.
        """
        visits = self._visits
        if (before := self._before(sent)) is not None:
            return before
        person = visits.number(workplace, sent.person)
        gallery = visits.gallery(workplace)
        if sent.basis not in gallery.policy.legal_bases:
            raise InvalidInput("legal basis: expected a code of the gallery's list")
        best, _ = visits.best(sent.frames, gallery)
        by_clerk = replace(workplace, clerk=sent.clerk)
        notes = {"legal_basis": sent.basis, "frames_taken": str(len(sent.frames)), "sent_by": workplace.clerk}
        access = by_clerk.access(sent.basis)
        request = EnrolmentRequest(person, workplace.gallery, [best], access, "station-offline", notes=notes)

        def alongside(connection: Connection, answer: EnrolmentResult) -> None:
            spend(connection)
            self._keep(connection, by_clerk, sent, person, answer)

        with suppress(Conflict):  # the same capture came twice at once: what the faster one left is the answer
            Enroller(visits.engine, visits.transaction).enrol(request, alongside)
        outcome = self._before(sent)
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
        drafts = self._visits.drafts
        visit = Visit(person, known=False, step=VisitStep.DONE, basis=sent.basis)
        draft = drafts.add(connection, person, workplace.gallery, workplace.station, workplace.clerk, visit.as_json())
        drafts.put_capture(connection, draft, sent.capture, None)
        if answer.outcome is EnrolmentOutcome.REFUSED or answer.encounter is None:
            at = utc_text(self._visits.engine.journal.now())
            outcome = VisitOutcome(Ending.REFUSED, at, answer.audit_position, None, "", answer.reason, answer.advice)
        else:
            ending = Ending(answer.outcome)
            outcome = self._visits.outcome(person, ending, answer.encounter, answer.audit_position)
        done = replace(visit, outcome=outcome)
        return drafts.save(connection, draft, done.as_json(), VisitState.DONE)

    def _before(self, sent: OfflineCapture) -> VisitOutcome | None:
        visits = self._visits
        with visits.engine.database.read() as connection:
            visit = visits.drafts.visit_of(connection, sent.capture)
            return None if visit is None else Visit.parse(visits.drafts.get(connection, visit).content).outcome
