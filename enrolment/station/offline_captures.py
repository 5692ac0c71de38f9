"""Captures that were made while the service was out of reach: each is taken once, when it comes, and answered alike."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from enrolment.enroller import Enroller, EnrolmentAnswer, EnrolmentOutcome, EnrolmentRequest
from enrolment.station.visit import Ending, Outcome, Step, Visit
from enrolment.station.visit_steps import Sitting, Spend, Visits
from idverify.audit.events import utc_text
from idverify.errors import Conflict, InvalidInput
from idverify.ids import PersonId
from idverify.storage.database import Connection
from idverify.storage.visits import VisitState
from idverify.stored.station_drafts import Draft


@dataclass(frozen=True, slots=True)
class Sent:
    """One opened capture: the clerk wrote number and legal basis, `clerk` made it, whoever sends it now."""

    capture: str
    clerk: str
    person: str
    basis: str
    frames: Sequence[bytes] = field(repr=False)

    @classmethod
    def of(cls, capture: str, about: Mapping[str, Any], frames: Sequence[bytes]) -> "Sent":
        """Raises InvalidInput when the station wrote something else."""
        said = [about.get(name) for name in ("clerk", "person", "basis")]
        if not all(isinstance(text, str) and len(text) <= 100 for text in said):
            raise InvalidInput("capture: expected clerk, person and basis beside the frames")
        clerk, person, basis = map(str, said)
        return cls(capture, clerk, person, basis, frames)


class Away:
    """Takes captures that waited at a station."""

    def __init__(self, visits: Visits) -> None:
        self._visits = visits

    def take(self, sitting: Sitting, sent: Sent, spend: Spend) -> Outcome:
        """Enrol what was captured, or refuse it with its reason and advice, on record; once for each capture id.

        Raises NumberMalformed, InvalidInput for a legal basis that is not on the list, ImageRejected, and what `spend`
        raises.
        """
        visits = self._visits
        if (before := self._before(sent)) is not None:
            return before
        person = visits.number(sitting, sent.person)
        gallery = visits.gallery(sitting)
        if sent.basis not in gallery.policy.legal_bases:
            raise InvalidInput("legal basis: expected a code of the gallery's list")
        best, _ = visits.best(sent.frames, gallery)
        by_clerk = replace(sitting, clerk=sent.clerk)
        notes = {"legal_basis": sent.basis, "frames_taken": str(len(sent.frames)), "sent_by": sitting.clerk}
        access = by_clerk.access(sent.basis)
        request = EnrolmentRequest(person, sitting.gallery, [best], access, "station-offline", notes=notes)

        def alongside(connection: Connection, answer: EnrolmentAnswer) -> None:
            spend(connection)
            self._keep(connection, by_clerk, sent, person, answer)

        with suppress(Conflict):  # the same capture came twice at once: what the faster one left is the answer
            Enroller(visits.engine, visits.transaction).enrol(request, alongside)
        outcome = self._before(sent)
        if outcome is None:
            raise Conflict("the capture was not taken; send it again")
        return outcome

    def _keep(
        self, connection: Connection, sitting: Sitting, sent: Sent, person: PersonId, answer: EnrolmentAnswer
    ) -> Draft:
        drafts = self._visits.drafts
        visit = Visit(person, known=False, step=Step.DONE, basis=sent.basis)
        draft = drafts.add(connection, person, sitting.gallery, sitting.station, sitting.clerk, visit.as_json())
        drafts.put_capture(connection, draft, sent.capture, None)
        if answer.outcome is EnrolmentOutcome.REFUSED or answer.encounter is None:
            at = utc_text(self._visits.engine.journal.now())
            outcome = Outcome(Ending.REFUSED, at, answer.audit_position, None, "", answer.reason, answer.advice)
        else:
            ending = Ending(answer.outcome)
            outcome = self._visits.outcome(person, ending, answer.encounter, answer.audit_position)
        done = replace(visit, outcome=outcome)
        return drafts.save(connection, draft, done.as_json(), VisitState.DONE)

    def _before(self, sent: Sent) -> Outcome | None:
        visits = self._visits
        with visits.engine.database.read() as connection:
            visit = visits.drafts.visit_of(connection, sent.capture)
            return None if visit is None else Visit.parse(visits.drafts.get(connection, visit).content).outcome
