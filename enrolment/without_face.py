"""What is done for somebody whose face could not be captured: they stand in the register without one, openly."""

from enrolment.enroller import EnrolmentRequest
from idverify.audit.events import EventKind
from idverify.engine import Engine
from idverify.ids import EncounterId
from idverify.storage.database import Connection


def register_without_face(engine: Engine, connection: Connection, request: EnrolmentRequest) -> tuple[EncounterId, int]:
    """An encounter that holds no template: the person is in the register, and no search or verification finds them.

    Returns the encounter and the position of its leaf. The caller sees to it that a second person approved.
    """
    known = engine.stored_persons.find(connection, request.person)
    opened_person = engine.encounters.add_person(connection, request.person) if known is None else known
    row = engine.encounters.add(
        connection, opened_person, request.gallery, request.access, request.source, dict(request.notes)
    )
    written = {row.log_name: row.digest}
    if known is None:
        written[opened_person.row.log_name] = opened_person.row.digest
    position = engine.journal.record(
        connection,
        EventKind.ENCOUNTER_WITHOUT_FACE,
        request.access,
        person=opened_person,
        gallery=request.gallery,
        records=written,
    )
    return row.encounter, position
