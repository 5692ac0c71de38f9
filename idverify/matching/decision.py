"""Decides match, no match or not processed, always with a reason; it compares nothing and stores nothing."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from idverify.ids import EncounterId, PersonId
from idverify.matching.operating_point import OperatingPoint
from idverify.reasons import Reason


class Outcome(StrEnum):
    """The result of a verification: match, no match, or not processed."""

    MATCH = "match"
    NO_MATCH = "no_match"
    NOT_PROCESSED = "not_processed"


@dataclass(frozen=True, slots=True)
class Decision:
    """An outcome and its reason. Never a boolean: `if decision:` would take "not processed" for an answer."""

    outcome: Outcome
    reason: Reason

    def __bool__(self) -> NoReturn:
        raise TypeError("a Decision is not a boolean; compare decision.outcome with Outcome.MATCH")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One person that a search found, with the similarity of their best encounter; `repr` shows no score."""

    person: PersonId
    encounter: EncounterId
    similarity: float

    def __repr__(self) -> str:
        return "Candidate(withheld)"


def decide(similarity: float | None, point: OperatingPoint) -> Decision:
    """Match when the similarity reaches the threshold. None (nobody to compare with) answers like a non-match."""
    if similarity is not None and similarity >= point.threshold:
        return Decision(Outcome.MATCH, Reason.SIMILARITY_AT_OR_ABOVE_THRESHOLD)
    return Decision(Outcome.NO_MATCH, Reason.SIMILARITY_BELOW_THRESHOLD)


def refuse(reason: Reason) -> Decision:
    """A decision not to process, such as a photograph without a face."""
    return Decision(Outcome.NOT_PROCESSED, reason)
