"""What a visit writes in the caller's transaction, sealed under its person's key; it decides nothing and logs nothing.

Whoever calls puts the digests of what was written into the visit's audit leaf.
"""

import json
import secrets
from collections.abc import Mapping
from uuid import uuid4

from idverify.access import Access
from idverify.audit.events import utc_text
from idverify.embedding import Embedding
from idverify.engine import Engine
from idverify.ids import EncounterId, GalleryId, PersonId, Pseudonym, TemplateId
from idverify.protection.envelope import SealContext
from idverify.protection.template import ProtectedTemplate, protect
from idverify.storage import encounters, images, persons, service_keys, templates
from idverify.storage.database import Connection
from idverify.storage.encounters import EncounterRow, Review
from idverify.storage.images import ImageRow
from idverify.storage.persons import PersonRow
from idverify.stored.persons import Subject


def add_person(engine: Engine, connection: Connection, person: PersonId) -> Subject:
    """Somebody new, with a key of their own."""
    pseudonym = Pseudonym(secrets.token_hex(16))
    # The stored version, not the one in memory: keys may have been rotated and the old ones dropped since.
    version = service_keys.current_wrapping_version(connection)
    key, wrapped = engine.envelope.new_person_key(person, pseudonym, version)
    row = PersonRow(person, pseudonym, wrapped, utc_text(engine.journal.now()))
    persons.add(connection, row)
    return Subject(row, key)


def add_encounter(
    engine: Engine,
    connection: Connection,
    subject: Subject,
    gallery: GalleryId,
    access: Access,
    source: str,
    detail: Mapping[str, object],
    review: Review = Review.NONE,
) -> EncounterRow:
    """The visit itself. `detail` is kept as JSON under the person's key."""
    person, encounter = subject.row.person, EncounterId(str(uuid4()))
    context = SealContext.of_encounter_detail(person, encounter)
    row = EncounterRow(
        encounter=encounter,
        person=person,
        created_at=utc_text(engine.journal.now()),
        source=source,
        galleries=(gallery,),
        client=access.client,
        clerk=access.clerk,
        station=access.station,
        review=review,
        detail=engine.envelope.seal(subject.key, json.dumps(detail).encode(), context),
    )
    encounters.add(connection, row)
    return row


def add_template(
    engine: Engine, connection: Connection, subject: Subject, encounter: EncounterId, embedding: Embedding
) -> ProtectedTemplate:
    """The face's template."""
    name = TemplateId(str(uuid4()))
    template = protect(embedding, template=name, encounter=encounter, key=subject.key, envelope=engine.envelope)
    templates.add(connection, template)
    return template


def add_photograph(
    engine: Engine, connection: Connection, subject: Subject, encounter: EncounterId, photograph: bytes
) -> ImageRow:
    """The photograph as it came, where the gallery's policy says to keep it."""
    name, kind = str(uuid4()), media_type(photograph)
    context = SealContext.of_image(subject.row.person, encounter, name, kind)
    sealed = engine.envelope.seal(subject.key, photograph, context)
    row = ImageRow(name, encounter, subject.row.person, 1, kind, sealed)
    images.add(connection, row)
    return row


def media_type(photograph: bytes) -> str:
    """Of a photograph that was taken in: JPEG or PNG, by its first bytes."""
    return "image/png" if photograph.startswith(b"\x89PNG") else "image/jpeg"
