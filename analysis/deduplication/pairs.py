"""Names pairs of identities, and tells which pairs analysts have decided to be different people; it compares none."""

from collections.abc import Mapping

from idverify.ids import PersonId, Pseudonym
from idverify.storage import duplicates
from idverify.storage.database import Connection
from idverify.stored.joint_sealing import JointSealing

Pair = tuple[str, str]
"""Two identities, the smaller name first."""


def entry_name(payroll: str) -> str:
    """A roster entry as pairs name it: a payroll number may be somebody's person number, too."""
    return f"entry {payroll}"


def person_name(person: PersonId) -> str:
    """An enrolled person as pairs name them beside roster entries."""
    return f"person {person}"


def pair(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)


def decided_pairs(
    connection: Connection, joint_sealing: JointSealing, pairs: Mapping[Pair, tuple[Pseudonym, Pseudonym]]
) -> set[Pair]:
    """Those of `pairs`, by the pseudonyms of their persons, that analysts decided to be different people."""
    names = {key: joint_sealing.pair(*pseudonyms) for key, pseudonyms in pairs.items()}
    decided = duplicates.decided_pairs(connection, names.values())
    return {key for key, name in names.items() if name in decided}
