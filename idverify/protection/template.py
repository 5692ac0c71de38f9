"""Seals an embedding as a template and opens it again.

Reading a stored template does no cryptography: only `reveal` and what `template_opener` gives open one.
"""

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from idverify.embedding import Embedding
from idverify.errors import SealBroken
from idverify.ids import EncounterId, ModelDigest, PersonId, TemplateId
from idverify.protection.envelope import Envelope, PersonKey, RecordOpener, SealContext, SealKind
from idverify.protection.logged_row import LoggedRow, logged

DTYPE = "<f4"
"""float32, little-endian, whatever machine sealed it."""
_KIND, _TABLE = SealKind.TEMPLATE, "templates"


@logged("templates", "template")
@dataclass(frozen=True, slots=True)
class ProtectedTemplate(LoggedRow):
    """A template as it is stored: everything but the vector in the clear, the vector sealed under the person's key.

    `generation` counts from 1 how often this template was sealed anew; `dimension` is the length of the vector.
    """

    template: TemplateId
    encounter: EncounterId
    person: PersonId
    generation: int
    model: ModelDigest
    dimension: int
    dtype: str
    sealed: bytes = field(repr=False)

    @classmethod
    def stored(
        cls,
        template: str,
        encounter: str,
        person: str,
        generation: int,
        model: str,
        dimension: int,
        dtype: str,
        sealed: bytes,
    ) -> Self:
        """The template of plain values, as a database gives its columns."""
        return cls(
            TemplateId(template),
            EncounterId(encounter),
            PersonId(person),
            generation,
            ModelDigest(model),
            dimension,
            dtype,
            sealed,
        )


def protect(
    embedding: Embedding,
    *,
    template: TemplateId,
    encounter: EncounterId,
    key: PersonKey,
    envelope: Envelope,
    generation: int = 1,
) -> ProtectedTemplate:
    """Seal `embedding` as template `template` of the person whose key this is."""
    context = _context(template, encounter, key.person, generation, embedding.model, embedding.dimension, DTYPE)
    return ProtectedTemplate(
        template=template,
        encounter=encounter,
        person=key.person,
        generation=generation,
        model=embedding.model,
        dimension=embedding.dimension,
        dtype=DTYPE,
        sealed=envelope.seal(key, embedding.vector.astype(DTYPE).tobytes(), context),
    )


def reveal(protected: ProtectedTemplate, key: PersonKey, envelope: Envelope) -> Embedding:
    """The embedding in the clear. Raises SealBroken when any field is not what it was sealed with."""
    context = _context(
        protected.template,
        protected.encounter,
        protected.person,
        protected.generation,
        protected.model,
        protected.dimension,
        protected.dtype,
    )
    plaintext = envelope.open(key, protected.sealed, context)
    if protected.dtype != DTYPE:
        raise SealBroken(f"template {protected.template}: expected numbers of type {DTYPE}, got {protected.dtype!r}")
    return Embedding(np.frombuffer(plaintext, DTYPE).astype(np.float32), protected.model)


def template_opener(envelope: Envelope, model: ModelDigest, dimension: int) -> RecordOpener:
    """Opens the sealed values of many templates of one embedder, whose vectors have `dimension` numbers of `DTYPE`."""
    return envelope.record_opener(_KIND, _TABLE, model=model, dimension=dimension, dtype=DTYPE)


def _context(
    template: TemplateId,
    encounter: EncounterId,
    person: PersonId,
    generation: int,
    model: ModelDigest,
    dimension: int,
    dtype: str,
) -> SealContext:
    return SealContext(
        kind=_KIND,
        table=_TABLE,
        person=person,
        record=template,
        generation=generation,
        encounter=encounter,
        model=model,
        dimension=dimension,
        dtype=dtype,
    )
