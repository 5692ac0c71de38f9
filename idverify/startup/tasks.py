"""The pieces of work of a start that can be done side by side, on one unchanging state of the database.

`GalleriesInMemory.load` says what is done with the outcomes; `idverify.startup.workers` where the work is done.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from idverify.audit.checkpoint import LeafKey
from idverify.audit.log import Frontier
from idverify.ids import EncounterId, GalleryId, ModelDigest, PersonId, Pseudonym
from idverify.protection.bulk_opening import TemplateOpener
from idverify.protection.envelope import Envelope
from idverify.storage import galleries, quick_log_check, quick_record_check, templates
from idverify.storage.database import Connection, Database
from idverify.storage.quick_log_check import CheckedStretch

PEOPLE = 4_096
"""Key slots in one piece of work: a few megabytes of vectors."""


@dataclass(frozen=True, slots=True, repr=False)
class OpenedReferences:
    """References of one gallery in the clear: row k of `vectors`, float32 (n, dimension), is of `persons[k]`."""

    gallery: GalleryId
    persons: list[PersonId]
    pseudonyms: list[Pseudonym]
    encounters: list[EncounterId]
    vectors: npt.NDArray[np.float32]


def pieces(connection: Connection) -> list[tuple[int, int, GalleryId | None]]:
    """What `StartupTasks.opened` is to be asked for, so that everybody is opened."""
    only = galleries.holding_everybody(connection)
    return [(first, last, only) for first, last in quick_record_check.ranges(connection, PEOPLE)]


class StartupTasks:
    """Does pieces of work on the state that the database had at `begin`; use it from one thread."""

    def __init__(
        self, database: Database, envelope: Envelope, leaf_key: LeafKey, model: ModelDigest, dimension: int
    ) -> None:
        self._database = database
        self._leaf_key = leaf_key
        self._model = model
        self._opener = TemplateOpener(envelope, model, dimension)
        self._open = ExitStack()
        self.connection: Connection

    def begin(self) -> None:
        """See the database as it is now from here on."""
        self.connection = self._open.enter_context(self._database.read())
        quick_log_check.size_said(self.connection)

    def end(self) -> None:
        self._open.close()

    def subtree(self, first: int, leaves: int) -> bytes:
        """See `quick_log_check.subtree`."""
        return quick_log_check.subtree(self.connection, first, leaves)

    def check_stretch(
        self,
        first: int,
        leaves: int,
        before: Frontier,
        signed: Mapping[int, bytes],
        erased: frozenset[Pseudonym],
        secret: bytes,
        authenticated_from: int | None,
    ) -> CheckedStretch | None:
        """See `quick_log_check.check_stretch`."""
        return quick_log_check.check_stretch(
            self.connection,
            first,
            leaves,
            before,
            signed,
            erased,
            secret,
            leaf_key=self._leaf_key,
            authenticated_from=authenticated_from,
        )

    def entries(self, first: int, last: int, secret: bytes) -> bytes | None:
        """See `quick_record_check.entries_of_people`."""
        return quick_record_check.entries_of_people(self.connection, first, last, secret)

    def opened(self, first: int, last: int, only: GalleryId | None) -> list[OpenedReferences]:
        """The templates of whoever has a key slot from `first` to `last`; `only` as in `templates.sealed_between`.

        Raises SealBroken, KeyUnavailable.
        """
        found: list[OpenedReferences] = []
        for part in templates.sealed_between(self.connection, first, last, self._model, only=only, batch=PEOPLE):
            held = sorted({row[-1] for row in part})
            for gallery in held:
                rows = [row for row in part if row[-1] == gallery] if len(held) > 1 else part
                found.append(
                    OpenedReferences(
                        gallery,
                        [row[0] for row in rows],
                        [row[1] for row in rows],
                        [row[5] for row in rows],
                        self._opener.open(rows),
                    )
                )
        return found
