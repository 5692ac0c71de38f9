"""Opens the keys of stored persons, and their templates, encounter details and photographs; it decides nothing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from idverify.embedding import Embedding
from idverify.ids import GalleryId, ModelDigest, PersonId
from idverify.protection.envelope import Envelope, PersonKey, SealContext
from idverify.protection.template import ProtectedTemplate, reveal
from idverify.storage import persons, templates
from idverify.storage.database import Connection
from idverify.storage.encounters import EncounterRow
from idverify.storage.images import ImageRow
from idverify.storage.persons import PersonRow


@dataclass(frozen=True, slots=True)
class OpenedPerson:
    """A stored person with their opened key; keep it no longer than the transaction."""

    row: PersonRow
    key: PersonKey


class StoredPersons:
    """Finds persons and opens their keys and what is sealed under them."""

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope

    def find(self, connection: Connection, person: PersonId) -> OpenedPerson | None:
        """None when nobody has this number. Raises SealBroken when the row was altered or moved, KeyUnavailable."""
        row = persons.find(connection, person)
        return None if row is None else self.open(row)

    def open(self, row: PersonRow) -> OpenedPerson:
        """Unwrap the person's data key. Raises SealBroken, KeyUnavailable."""
        return OpenedPerson(row, self._envelope.open_person_key(row.person, row.pseudonym, row.wrapped))

    def references(
        self, connection: Connection, opened_person: OpenedPerson, gallery: GalleryId, model: ModelDigest
    ) -> Iterator[Embedding]:
        """The embeddings by `model` of every encounter that the person has in that gallery. Raises SealBroken."""
        for template in templates.templates_of(connection, opened_person.row.person, gallery, model):
            yield self.reveal(opened_person, template)

    def detail(self, opened_person: OpenedPerson, encounter: EncounterRow) -> dict[str, Any]:
        """What is kept of one of the person's encounters under their key; empty where nothing is. Raises SealBroken."""
        if encounter.detail is None:
            return {}
        context = SealContext.of_encounter_detail(encounter.person, encounter.encounter)
        content: dict[str, Any] = json.loads(self._envelope.open(opened_person.key, encounter.detail, context))
        return content

    def photograph(self, opened_person: OpenedPerson, image: ImageRow) -> bytes:
        """The bytes of one of the person's kept photographs, as they were sent. Raises SealBroken."""
        context = SealContext.of_image(image.person, image.encounter, image.image, image.media_type, image.generation)
        return self._envelope.open(opened_person.key, image.sealed, context)

    def reveal(self, opened_person: OpenedPerson, template: ProtectedTemplate) -> Embedding:
        """One of the person's embeddings. Raises SealBroken."""
        return reveal(template, opened_person.key, self._envelope)
