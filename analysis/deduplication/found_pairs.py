"""Keeps the pairs that a search found until its report is made of them, sealed under both persons' keys."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from analysis.deduplication.pairs import Pair, decided_pairs
from analysis.deduplication.references import References
from idverify.ids import EncounterId, PersonId
from idverify.matching import self_join
from idverify.storage import duplicates, persons
from idverify.storage.database import Connection
from idverify.storage.duplicates import DuplicatePairRow
from idverify.stored.joint_sealing import JointSealing
from idverify.stored.persons import StoredPersons

TABLE = "duplicate_pairs"


@dataclass(frozen=True, slots=True)
class FoundPair:
    """Two persons, the smaller number first, and the encounters whose faces are most alike; `repr` shows no score."""

    left: PersonId
    right: PersonId
    left_encounter: EncounterId
    right_encounter: EncounterId
    similarity: float

    def __repr__(self) -> str:
        return "FoundPair(withheld)"


class FoundPairs:
    """Keeps the pairs of searches, each sealed under the keys of both persons."""

    def __init__(self, stored_persons: StoredPersons, joint_sealing: JointSealing) -> None:
        self._stored_persons = stored_persons
        self._joint_sealing = joint_sealing

    def keep(
        self, connection: Connection, search: str, block: self_join.Block, left: References, right: References
    ) -> None:
        """Seal and store what one block found, less who was erased meanwhile."""
        rows = []
        for at, found in enumerate(_best_of(block, left, right)):
            name = f"{block.number}-{at}"
            found_persons = [self._stored_persons.find(connection, one) for one in (found.left, found.right)]
            sealed_for = [opened_person for opened_person in found_persons if opened_person is not None]
            if len(sealed_for) == len(found_persons):
                content = json.dumps(asdict(found)).encode()
                sealed = self._joint_sealing.seal(sealed_for, content, TABLE, f"{search}/{name}")
                rows.append(DuplicatePairRow(name, found.left, sealed))
        duplicates.add_pairs(connection, search, rows)

    def kept(self, connection: Connection, search: str) -> dict[Pair, FoundPair]:
        """What all blocks found, less who was erased since; of two persons the encounters that are most alike.

        Raises SealBroken.
        """
        best: dict[Pair, FoundPair] = {}
        for row in duplicates.pairs(connection, search):
            first = self._stored_persons.find(connection, row.person)
            content = self._joint_sealing.open(connection, first, row.sealed, TABLE, f"{search}/{row.pair}")
            if content is not None:
                _keep_better(best, FoundPair(**json.loads(content)))
        return best

    def undecided(self, connection: Connection, found: Mapping[Pair, FoundPair]) -> dict[Pair, FoundPair]:
        """The pairs that analysts have not decided to be different people."""
        pseudonyms = {
            key: (persons.get(connection, one.left).pseudonym, persons.get(connection, one.right).pseudonym)
            for key, one in found.items()
        }
        decided = decided_pairs(connection, self._joint_sealing, pseudonyms)
        return {key: one for key, one in found.items() if key not in decided}


def _best_of(block: self_join.Block, left: References, right: References) -> Iterator[FoundPair]:
    """One pair for each two persons of the block; a person in both galleries is no pair with themself."""
    best: dict[Pair, FoundPair] = {}
    rows = zip(block.left.tolist(), block.right.tolist(), block.similarity.tolist(), strict=True)
    for row, column, similarity in rows:
        one = (left.people[left.owners[row]], left.encounters[row])
        other = (right.people[right.owners[column]], right.encounters[column])
        if one[0] != other[0]:
            (first, first_encounter), (second, second_encounter) = sorted((one, other))
            _keep_better(best, FoundPair(first, second, first_encounter, second_encounter, similarity))
    yield from best.values()


def _keep_better(best: dict[Pair, FoundPair], one: FoundPair) -> None:
    known = best.get((one.left, one.right))
    if known is None or known.similarity < one.similarity:
        best[one.left, one.right] = one
