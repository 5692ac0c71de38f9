"""What is done for somebody whose face could not be captured: they stand in the register without one, openly."""

import json
from uuid import uuid4

from enrolment.enroller import EnrolmentRequest, new_person
from idverify.audit.events import EventKind, utc_text
from idverify.engine import Engine
from idverify.ids import EncounterId
from idverify.protection.envelope import SealContext
from idverify.storage import encounters
from idverify.storage.database import Connection
from idverify.storage.encounters import EncounterRow


def register_without_face(engine: Engine, connection: Connection, request: EnrolmentRequest) -> tuple[EncounterId, int]:
    """An encounter that holds no template: the person is in the register, and no search or verification finds them.

    Returns the encounter and the position of its leaf. The caller sees to it that a second person approved.
    """
    known = engine.subjects.find(connection, request.person)
    subject = new_person(engine, connection, request.person) if known is None else known
    encounter = EncounterId(str(uuid4()))
    context = SealContext.of_encounter_detail(request.person, encounter)
    row = EncounterRow(
        encounter=encounter,
        person=request.person,
        created_at=utc_text(engine.journal.now()),
        source=request.source,
        galleries=(request.gallery,),
        client=request.access.client,
        clerk=request.access.clerk,
        station=request.access.station,
        detail=engine.envelope.seal(subject.key, json.dumps(dict(request.notes)).encode(), context),
    )
    encounters.add(connection, row)
    records = {row.record: row.digest}
    if known is None:
        records[subject.row.record] = subject.row.digest
    position = engine.journal.record(
        connection,
        EventKind.ENCOUNTER_WITHOUT_FACE,
        request.access,
        subject=subject,
        gallery=request.gallery,
        records=records,
    )
    return encounter, position
