"""Opens the references of a gallery as of one position of the audit log, in the order in which they were enrolled.

That order is the log's own, so it is the same whenever it is read: a search that was cut off finds its blocks again,
whoever was enrolled or erased meanwhile. Embeddings in the clear are here, in memory only.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from idverify.access import Progress
from idverify.audit.events import EventKind
from idverify.galleries.definitions import GalleryDefinition
from idverify.ids import EncounterId, GalleryId, PersonId
from idverify.storage import audit_log, duplicates, templates
from idverify.storage.database import Connection
from idverify.stored.persons import OpenedPerson, StoredPersons

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """One row an encounter. `vectors`: unit, float32 (n, d); zeros, and owner -1, where somebody was erased since.

    `owners` (n,) are positions in `people`.
    """

    gallery: GalleryId
    encounters: Sequence[EncounterId]
    people: Sequence[PersonId]
    owners: Rows
    vectors: Floats = field(repr=False)

    def tile(self, start: int, stop: int) -> Floats:
        """The vectors of these rows."""
        return self.vectors[start:stop]

    def of_people(self, wanted: set[PersonId]) -> dict[PersonId, Floats]:
        """Every vector of each of these people, (k, d), if they have any here."""
        rows: dict[PersonId, list[int]] = {}
        numbers = {at for at, person in enumerate(self.people) if person in wanted}
        for row in np.flatnonzero(np.isin(self.owners, list(numbers))).tolist():
            rows.setdefault(self.people[self.owners[row]], []).append(row)
        return {person: self.vectors[found] for person, found in rows.items()}


def counts(connection: Connection, gallery: GalleryId) -> Counter[PersonId]:
    """How many references each person of the gallery has; opens none."""
    return Counter(row.person for row in duplicates.encounters_in(connection, gallery))


def load(
    connection: Connection,
    stored_persons: StoredPersons,
    gallery: GalleryDefinition,
    position: int,
    progress: Progress,
) -> References:
    """The gallery as of the first `position` leaves of the log, less who was erased since. Raises SealBroken."""
    encounters = [
        EncounterId(log_name.removeprefix("encounters/"))
        for event in audit_log.leaves_after(connection, -1, [EventKind.ENCOUNTER_ENROLLED])
        if event.sequence < position and event.gallery == gallery.gallery
        for log_name in event.records
        if log_name.startswith("encounters/")
    ]
    row_of = {encounter: row for row, encounter in enumerate(encounters)}
    vectors: Floats | None = None
    owners = np.full(len(encounters), NOBODY, np.int64)
    people: dict[PersonId, int] = {}
    opened_person: OpenedPerson | None = None
    for done, (person, template) in enumerate(templates.templates_in_gallery(connection, gallery.gallery), start=1):
        row = row_of.get(template.encounter)
        if row is None or template.model != gallery.model:
            continue  # enrolled since
        if opened_person is None or opened_person.row != person:
            opened_person = stored_persons.open(person)
        if vectors is None:
            vectors = np.zeros((len(encounters), template.dimension), np.float32)
        vectors[row] = stored_persons.reveal(opened_person, template).vector
        owners[row] = people.setdefault(person.person, len(people))
        progress(f"Opening {gallery.gallery}", done, len(encounters))
    if vectors is None:
        vectors = np.zeros((len(encounters), 1), np.float32)
    return References(gallery.gallery, encounters, list(people), owners, vectors)
