"""Stores persons, encounters, templates and photographs, sealed under the person's key, in the caller's transaction.

It decides nothing: the caller says what is kept and writes the digests of the new rows into the encounter's audit leaf.
"""

import json
import secrets
from collections.abc import Mapping
from enum import StrEnum
from uuid import uuid4

from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.embedding import Embedding
from idverify.ids import EncounterId, GalleryId, PersonId, Pseudonym, TemplateId
from idverify.protection.envelope import Envelope, SealContext
from idverify.protection.template import ProtectedTemplate, protect
from idverify.storage import encounters as table
from idverify.storage import images, persons, service_keys, templates
from idverify.storage.database import Connection
from idverify.storage.encounters import EncounterRow, Review
from idverify.storage.images import ImageRow
from idverify.storage.persons import PersonRow
from idverify.stored.audit_journal import Journal
from idverify.stored.persons import OpenedPerson, StoredPersons


class ReviewReason(StrEnum):
    """Why an analyst should look at an encounter."""

    POSSIBLE_DUPLICATE = "possible_duplicate"
    """Somebody with another number looks like this."""
    DIFFERS_FROM_EARLIER_ENCOUNTER = "differs_from_earlier_encounter"
    """The face is unlike that of earlier encounters of the person with this number."""


class Encounters:
    """Adds persons and their encounters, and marks encounters for review."""

    def __init__(self, envelope: Envelope, stored_persons: StoredPersons, journal: Journal) -> None:
        self._envelope = envelope
        self._stored_persons = stored_persons
        self._journal = journal

    def add_person(self, connection: Connection, person: PersonId) -> OpenedPerson:
        """A new person with a key of their own. Raises Conflict (at the end of the transaction) when they exist."""
        pseudonym = Pseudonym(secrets.token_hex(16))
        # The stored version, not the one in memory: keys may have been rotated and the old ones dropped since.
        version = service_keys.current_wrapping_version(connection)
        key, wrapped = self._envelope.new_person_key(person, pseudonym, version)
        row = PersonRow(person, pseudonym, wrapped, utc_text(self._journal.now()))
        persons.add(connection, row)
        return OpenedPerson(row, key)

    def add(
        self,
        connection: Connection,
        opened_person: OpenedPerson,
        gallery: GalleryId,
        access: Access,
        source: str,
        detail: Mapping[str, object],
        review: Review = Review.NONE,
    ) -> EncounterRow:
        """A new encounter in `gallery`. `detail` is kept as JSON under the person's key."""
        person, encounter = opened_person.row.person, EncounterId(str(uuid4()))
        context = SealContext.of_encounter_detail(person, encounter)
        row = EncounterRow(
            encounter=encounter,
            person=person,
            created_at=utc_text(self._journal.now()),
            source=source,
            galleries=(gallery,),
            client=access.client,
            clerk=access.clerk,
            station=access.station,
            review=review,
            detail=self._envelope.seal(opened_person.key, json.dumps(detail).encode(), context),
        )
        table.add(connection, row)
        return row

    def add_template(
        self, connection: Connection, opened_person: OpenedPerson, encounter: EncounterId, embedding: Embedding
    ) -> ProtectedTemplate:
        """A new template of the encounter: `embedding`, sealed."""
        name = TemplateId(str(uuid4()))
        template = protect(
            embedding, template=name, encounter=encounter, key=opened_person.key, envelope=self._envelope
        )
        templates.add(connection, template)
        return template

    def add_photograph(
        self, connection: Connection, opened_person: OpenedPerson, encounter: EncounterId, photograph: bytes
    ) -> ImageRow:
        """A new row with the bytes of the photograph as they were sent; for galleries whose policy keeps them."""
        name, kind = str(uuid4()), media_type(photograph)
        context = SealContext.of_image(opened_person.row.person, encounter, name, kind)
        sealed = self._envelope.seal(opened_person.key, photograph, context)
        row = ImageRow(name, encounter, opened_person.row.person, 1, kind, sealed)
        images.add(connection, row)
        return row

    def mark(
        self,
        connection: Connection,
        encounter: EncounterId,
        review: Review,
        access: Access,
        reason: str | None = None,
    ) -> None:
        """Give an encounter another review mark, and write that into the audit log under its person."""
        row = table.set_review(connection, table.get(connection, encounter), review)
        self._journal.record(
            connection,
            EventKind.ENCOUNTER_REVIEWED,
            access,
            person=self._stored_persons.find(connection, row.person),
            reason=reason or review,
            records={row.log_name: row.digest},
        )


def media_type(photograph: bytes) -> str:
    """The media type of a photograph that passed its checks: JPEG or PNG, by its first bytes."""
    return "image/png" if photograph.startswith(b"\x89PNG") else "image/jpeg"
