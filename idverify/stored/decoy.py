"""Makes a decoy: a person who does not exist, opened, compared and sealed for when a number is not enrolled.

An unknown number then costs the same work as a known one, so that the time of an answer does not tell who is enrolled.
The decoy is in memory only, new at each start. No decision may use its similarity.
"""

import secrets
from dataclasses import astuple

import numpy as np

from idverify.embedding import Embedding, unit
from idverify.errors import KeyUnavailable
from idverify.ids import EncounterId, ModelDigest, PersonId, Pseudonym, TemplateId
from idverify.protection.envelope import Envelope
from idverify.protection.template import protect, reveal
from idverify.storage.persons import PersonRow
from idverify.storage.templates import TEMPLATES
from idverify.stored.persons import OpenedPerson, StoredPersons

_NUMBER = PersonId("(nobody)")
"""No register can write this number: see `idverify.ids.person_id`."""


class Decoy:
    """A deployment-wide decoy person with one template, sealed like everybody's."""

    def __init__(self, envelope: Envelope, stored_persons: StoredPersons, model: ModelDigest, dimension: int) -> None:
        self._envelope = envelope
        self._stored_persons = stored_persons
        self._row = self._new_row()
        vector = np.frombuffer(secrets.token_bytes(2 * dimension), np.int16).astype(np.float32)
        self._key = stored_persons.open(self._row).key
        self._template = astuple(
            protect(
                unit(vector, model),
                template=TemplateId(secrets.token_hex(16)),
                encounter=EncounterId(secrets.token_hex(16)),
                key=self._key,
                envelope=envelope,
            )
        )

    def opened_person(self) -> OpenedPerson:
        """The decoy with its key unwrapped just now, as `StoredPersons.find` does with a person's."""
        try:
            return self._stored_persons.open(self._row)
        except KeyUnavailable:  # keys were rotated, everybody rewrapped, and the wrapping key of the start is gone
            self._row = self._new_row()
            return self._stored_persons.open(self._row)

    def reference(self) -> Embedding:
        """The decoy's template, from its columns and opened just now. Its direction is random: no face is like it."""
        return reveal(TEMPLATES.row(self._template), self._key, self._envelope)

    def _new_row(self) -> PersonRow:
        pseudonym = Pseudonym(secrets.token_hex(16))
        _, wrapped = self._envelope.new_person_key(_NUMBER, pseudonym)
        return PersonRow(_NUMBER, pseudonym, wrapped, "")
