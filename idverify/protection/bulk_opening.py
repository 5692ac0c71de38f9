"""Opens the sealed templates of many persons for a gallery in memory, each with the checks that `reveal` makes.

It uses the public parts of `envelope` and `template` and has no cryptography and no encoding of its own.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from idverify.embedding import UNIT_TOLERANCE
from idverify.errors import EmbedderMismatch
from idverify.ids import EncounterId, GalleryId, ModelDigest, PersonId, Pseudonym, TemplateId
from idverify.protection.envelope import Envelope, WrappedKey
from idverify.protection.template import DTYPE, ProtectedTemplate, reveal, template_opener

SealedRow = tuple[
    PersonId, Pseudonym, int, bytes, TemplateId, EncounterId, int, ModelDigest, int, str, bytes, GalleryId
]
"""A stored template and its person's key, as plain values in this order: person, pseudonym, wrapping version, wrapped
key; template, encounter, generation, model, dimension, dtype, sealed; and the gallery, which no seal authenticates."""

Vectors = npt.NDArray[np.float32]


class TemplateOpener:
    """Opens templates of one embedder whose vectors have `dimension` numbers, under the keys of one deployment."""

    def __init__(self, envelope: Envelope, model: ModelDigest, dimension: int) -> None:
        self._envelope = envelope
        self._model = model
        self._dimension = dimension
        self._templates = template_opener(envelope, model, dimension)

    def open(self, rows: Sequence[SealedRow]) -> Vectors:
        """The unit vectors of `rows` in their order, float32 (len(rows), dimension).

        Raises what `reveal` raises for a row that it refuses (SealBroken, KeyUnavailable, InvalidInput), and
        EmbedderMismatch for a genuine template of another embedder.
        """
        vectors = np.empty((len(rows), self._dimension), DTYPE)
        octets = memoryview(vectors.reshape(-1).view(np.uint8))  # type: ignore[arg-type]
        size = vectors.itemsize * self._dimension
        expected_model, expected_dimension, open_template = self._model, self._dimension, self._templates.open
        for place, row in enumerate(rows):
            person, pseudonym, version, wrapped, template, encounter, generation, model, dimension, dtype, sealed, _ = (
                row
            )
            vector = None
            if model == expected_model and dimension == expected_dimension and dtype == DTYPE:
                vector = open_template(person, pseudonym, version, wrapped, sealed, template, generation, encounter)
            if vector is None or len(vector) != size:
                vector = self._revealed(row)
            octets[place * size : (place + 1) * size] = vector
        norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        for place in np.flatnonzero(~(np.abs(norms - 1) <= UNIT_TOLERANCE)).tolist():
            octets[place * size : (place + 1) * size] = self._revealed(rows[place])
        return vectors.astype(np.float32, copy=False)

    def _revealed(self, row: SealedRow) -> bytes:
        """The bytes of a vector of `dimension` numbers, by `reveal`, which names what is wrong with the row."""
        person, pseudonym, version, wrapped, template, encounter, generation, model, dimension, dtype, sealed, _ = row
        key = self._envelope.open_person_key(person, pseudonym, WrappedKey(version, wrapped))
        protected = ProtectedTemplate(template, encounter, person, generation, model, dimension, dtype, sealed)
        embedding = reveal(protected, key, self._envelope)
        if (embedding.model, embedding.dimension) != (self._model, self._dimension):
            raise EmbedderMismatch(
                f"template {template}: expected {self._dimension} numbers of embedder {self._model[:12]}, "
                f"got {embedding.dimension} of {embedding.model[:12]}"
            )
        return embedding.vector.astype(DTYPE).tobytes()
