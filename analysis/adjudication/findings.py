"""Lists what analysts can find about a case, and works out what follows from several findings. Pure rules.

1. Two analysts find the same: it is decided. They differ, or cannot tell: a lead analyst decides.
2. A finding that has an effect on somebody always rests on two people who found it, whoever decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from idverify.storage.cases import CaseState


class Finding(StrEnum):
    """The closed list of reason codes of an opinion and of a decision."""

    SAME_PERSON = "same_person"
    DIFFERENT_PEOPLE = "different_people"
    TWINS_OR_FAMILY = "twins_or_family"
    DATA_ERROR = "data_error"
    CANNOT_TELL = "cannot_tell"


WITH_EFFECT = frozenset({Finding.SAME_PERSON, Finding.DATA_ERROR})
"""Findings after which a register or a payroll changes something about somebody."""
KEPT_APART = frozenset({Finding.DIFFERENT_PEOPLE, Finding.TWINS_OR_FAMILY})
"""Findings after which a search does not name these people as one again."""


class DecidedBy(StrEnum):
    AGREEMENT = "agreement"
    LEAD = "lead"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one person found in one round of a case."""

    analyst: str
    finding: Finding
    lead: bool


@dataclass(frozen=True, slots=True)
class RoundState:
    """How far a round is; finding and by whom only when it is decided."""

    state: CaseState
    finding: Finding | None = None
    decided_by: DecidedBy | None = None


def settle(opinions: Sequence[Opinion]) -> RoundState:
    """What follows from the opinions of one round, in the order in which they were given."""
    peers = [opinion.finding for opinion in opinions if not opinion.lead]
    leads = [opinion for opinion in opinions if opinion.lead]
    if len(peers) < 2:
        return RoundState(CaseState.HALF if peers else CaseState.OPEN)
    if peers[0] == peers[1] != Finding.CANNOT_TELL:
        return RoundState(CaseState.DECIDED, peers[0], DecidedBy.AGREEMENT)
    if not leads:
        return RoundState(CaseState.ESCALATED)
    last = leads[-1]
    seconded = any(one.finding == last.finding for one in opinions if one.analyst != last.analyst)
    if last.finding in WITH_EFFECT and not seconded:
        return RoundState(CaseState.ESCALATED)  # rule 2: it waits for another lead analyst
    return RoundState(CaseState.DECIDED, last.finding, DecidedBy.LEAD)
