"""Registers a person whose face could not be captured: an encounter without a template, and on record as such.

It must not be called before a second person approved: that is for the caller to see to.
"""

from enrolment.enroller import EnrolmentRequest
from idverify.audit.events import EventKind
from idverify.encounters.register import Encounters
from idverify.ids import EncounterId
from idverify.storage.database import Connection
from idverify.stored.audit_journal import Journal
from idverify.stored.persons import StoredPersons


class RegistrationWithoutFace:
    """The person is in the register; no search or verification finds them."""

    def __init__(self, stored_persons: StoredPersons, encounters: Encounters, journal: Journal) -> None:
        self._stored_persons = stored_persons
        self._encounters = encounters
        self._journal = journal

    def register(self, connection: Connection, request: EnrolmentRequest) -> tuple[EncounterId, int]:
        """Store and record the encounter; returns it and the position of its leaf in the audit log."""
        known = self._stored_persons.find(connection, request.person)
        opened_person = self._encounters.add_person(connection, request.person) if known is None else known
        row = self._encounters.add(
            connection, opened_person, request.gallery, request.access, request.source, dict(request.notes)
        )
        written = {row.log_name: row.digest}
        if known is None:
            written[opened_person.row.log_name] = opened_person.row.digest
        position = self._journal.record(
            connection,
            EventKind.ENCOUNTER_WITHOUT_FACE,
            request.access,
            person=opened_person,
            gallery=request.gallery,
            records=written,
        )
        return row.encounter, position
