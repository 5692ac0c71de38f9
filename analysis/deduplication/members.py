"""Shows an enrolled person as a member of a cluster, by one of their encounters; it opens no template."""

import hashlib
from dataclasses import replace

from idverify.ids import EncounterId, PersonId
from idverify.storage import encounters, images
from idverify.storage.database import Connection
from idverify.stored.case_evidence import Member, member_of_encounter
from idverify.stored.persons import StoredPersons


def enrolled_member(
    connection: Connection, stored_persons: StoredPersons, person: PersonId, encounter: EncounterId
) -> Member | None:
    """The person by the encounter whose face was found; None when they were erased since. Raises SealBroken."""
    opened_person = stored_persons.find(connection, person)
    if opened_person is None:
        return None
    row = encounters.get(connection, encounter)
    kept = None
    for image in images.images_of(connection, person):
        if image.encounter == encounter:
            kept = hashlib.sha256(stored_persons.photograph(opened_person, image)).hexdigest()
    shown = member_of_encounter(row, stored_persons.detail(opened_person, row))
    return replace(shown, status=opened_person.row.status, image=kept)
