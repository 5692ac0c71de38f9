"""Gets the face of each roster entry: read from its photograph, or that of the enrolled person it refers to.

It compares nothing and keeps no photograph.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from analysis.deduplication.references import Floats, References
from analysis.deduplication.roster import RosterEntry
from idverify.access import Progress
from idverify.errors import ImageRejected
from idverify.ids import EncounterId, PersonId
from idverify.reasons import Reason
from idverify.vision.image import ImageLimits
from idverify.vision.reader import AttackCheck, PhotographReader, Reading, ReadingPolicy

WORKERS = 2
_UNREADABLE = {
    Reason.NO_FACE: "no face was found in the photograph",
    Reason.SEVERAL_FACES: "several faces are in the photograph",
    Reason.FACE_AT_EDGE: "the face is cut by the photograph's border",
    Reason.FACE_TOO_SMALL: "the face is too small in the photograph",
    Reason.QUALITY_TOO_LOW: "the photograph is not good enough to compare",
}


@dataclass(frozen=True, slots=True, eq=False)
class EntryFace:
    """The face of one entry: unit vectors (k, d). `encounters`: theirs, if it is an enrolled person's face.

    `missing` says why there is none.
    """

    entry: RosterEntry
    vectors: Floats = field(repr=False)
    encounters: tuple[EncounterId, ...] = ()
    missing: str | None = None

    @property
    def photographed(self) -> bool:
        """Whether it comes from the roster's own photograph."""
        return self.missing is None and not self.encounters


def faces(
    entries: Sequence[RosterEntry], reader: PhotographReader, enrolled: References, progress: Progress
) -> list[EntryFace]:
    """The face of each entry, in their order. Raises DecoderUnavailable."""
    wanted = {entry.person for entry in entries if entry.photograph is None and entry.person is not None}
    rows: dict[PersonId, list[int]] = {}
    for row, owner in enumerate(enrolled.owners.tolist()):
        if owner >= 0 and enrolled.people[owner] in wanted:
            rows.setdefault(enrolled.people[owner], []).append(row)
    found = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for done, face in enumerate(pool.map(lambda entry: _face(entry, reader, enrolled, rows), entries), start=1):
            found.append(face)
            progress("Reading the roster's faces", done, len(entries))
    return found


def _face(
    entry: RosterEntry, reader: PhotographReader, enrolled: References, rows: dict[PersonId, list[int]]
) -> EntryFace:
    nothing = np.empty((0, reader.dimension), np.float32)
    if entry.photograph is not None:
        read = _read(entry, reader)
        return EntryFace(entry, nothing, missing=read) if isinstance(read, str) else EntryFace(entry, read)
    if entry.person is None:
        return EntryFace(entry, nothing, missing="neither a photograph nor a person number")
    own = rows.get(entry.person)
    if own is None:
        return EntryFace(entry, nothing, missing="no photograph, and the person has no face in the register")
    return EntryFace(entry, enrolled.vectors[own], tuple(enrolled.encounters[row] for row in own))


def _read(entry: RosterEntry, reader: PhotographReader) -> Floats | str:
    """The photograph's vector as a reference is made, or why there is none."""
    assert entry.photograph is not None  # noqa: S101  the caller looked
    try:
        if entry.photograph.stat().st_size > ImageLimits().max_bytes:
            return "the photograph's file is too large"
        policy = replace(ReadingPolicy.verification(), mirrored=True, presentation_attack=AttackCheck.OFF)
        reading = reader.read(entry.photograph.read_bytes(), policy)
    except OSError as error:
        return f"the photograph cannot be opened ({error.strerror})"
    except ImageRejected as rejected:
        return f"the photograph is no usable picture ({rejected.code})"
    if not isinstance(reading, Reading):
        return _UNREADABLE[reading.reason]
    return reading.embedding.vector[np.newaxis]
