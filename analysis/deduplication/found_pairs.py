"""The pairs that a search found, kept sealed under both persons' keys until the report is made of them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from analysis.deduplication.clusters import Pair
from analysis.deduplication.references import References
from idverify.administration.deployment import Deployment
from idverify.ids import EncounterId, PersonId
from idverify.matching import self_join
from idverify.storage import duplicates, persons
from idverify.storage.database import Connection
from idverify.storage.duplicates import PairRow

TABLE = "duplicate_pairs"


@dataclass(frozen=True, slots=True)
class FoundPair:
    """Two persons, the smaller number first, and the visits whose faces are most alike; `repr` shows no score."""

    left: PersonId
    right: PersonId
    left_encounter: EncounterId
    right_encounter: EncounterId
    similarity: float

    def __repr__(self) -> str:
        return "FoundPair(withheld)"


def keep(
    connection: Connection,
    deployment: Deployment,
    search: str,
    block: self_join.Block,
    left: References,
    right: References,
) -> None:
    """Seal and store what one block found, less who was erased meanwhile."""
    rows = []
    for at, found in enumerate(_best_of(block, left, right)):
        name = f"{block.number}-{at}"
        found_persons = [deployment.stored_persons.find(connection, one) for one in (found.left, found.right)]
        sealed_for = [opened_person for opened_person in found_persons if opened_person is not None]
        if len(sealed_for) == len(found_persons):
            content = json.dumps(asdict(found)).encode()
            sealed = deployment.joint_sealing.seal(sealed_for, content, TABLE, f"{search}/{name}")
            rows.append(PairRow(name, found.left, sealed))
    duplicates.add_pairs(connection, search, rows)


def kept(connection: Connection, deployment: Deployment, search: str) -> dict[Pair, FoundPair]:
    """What all blocks found, less who was erased since; of two persons the visits that are most alike."""
    best: dict[Pair, FoundPair] = {}
    for row in duplicates.pairs(connection, search):
        first = deployment.stored_persons.find(connection, row.person)
        content = deployment.joint_sealing.open(connection, first, row.sealed, TABLE, f"{search}/{row.pair}")
        if content is not None:
            _keep_better(best, FoundPair(**json.loads(content)))
    return best


def undecided(connection: Connection, deployment: Deployment, found: Mapping[Pair, FoundPair]) -> dict[Pair, FoundPair]:
    """The pairs that no analyst held for different people yet."""
    names = {}
    for key, one in found.items():
        left, right = (persons.get(connection, person) for person in (one.left, one.right))
        names[key] = deployment.joint_sealing.pair(left.pseudonym, right.pseudonym)
    decided = duplicates.decided_pairs(connection, names.values())
    return {key: one for key, one in found.items() if names[key] not in decided}


def _best_of(block: self_join.Block, left: References, right: References) -> Iterator[FoundPair]:
    """One pair for each two persons of the block; a person who stands in both galleries is no pair with themself."""
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
