"""Decides what an analyst may do with one case: the only place of these rules. It changes nothing.

1. All galleries of the case are among the analyst's.
2. Nobody judges an enrolment of their own.
3. Who has not given an opinion sees none of others; a case that others are done with is not shown to them, so that they
   stay fit to review it should it be contested.
4. Nobody decides on a case twice, in whatever round.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from idverify.errors import Conflict, IdverifyError, NotPermitted
from idverify.ids import GalleryId
from idverify.storage.case_opinions import OpinionRow
from idverify.storage.cases import AWAITING_OPINION, CaseRow, CaseState
from idverify.stored.case_evidence import Evidence


@dataclass(frozen=True, slots=True)
class Reviewer:
    """An analyst or lead analyst by account name, with the galleries that they may work in."""

    name: str
    galleries: frozenset[GalleryId]
    lead: bool = False
    analyst: bool = True


@dataclass(frozen=True, slots=True)
class ReviewRefusal:
    """Why something is not done: a code for the audit log, and what the person is told."""

    reason: str
    error: IdverifyError


def refuse_scope(row: CaseRow, reviewer: Reviewer) -> ReviewRefusal | None:
    """Rule 1."""
    if reviewer.galleries.issuperset(row.galleries):
        return None
    return ReviewRefusal(
        "outside_galleries", NotPermitted("this case is of a gallery that your account does not cover")
    )


def refuse_reading(
    row: CaseRow, evidence: Evidence, opinions: Sequence[OpinionRow], reviewer: Reviewer
) -> ReviewRefusal | None:
    """Rules 2 and 3."""
    if any(member.clerk == reviewer.name for member in evidence.members):
        return ReviewRefusal("own_enrolment", NotPermitted("you enrolled somebody in this case; colleagues decide it"))
    if reviewer.lead or any(opinion.analyst == reviewer.name for opinion in opinions):
        return None
    if row.state not in AWAITING_OPINION:
        return ReviewRefusal(
            "not_involved", NotPermitted("colleagues are dealing with this case; you have no part in it")
        )
    return None


def refuse_deciding(row: CaseRow, opinions: Sequence[OpinionRow], reviewer: Reviewer) -> ReviewRefusal | None:
    """Rule 4, and whose turn it is."""
    if any(opinion.analyst == reviewer.name for opinion in opinions):
        return ReviewRefusal(
            "decided_before", Conflict("you have given your opinion on this case; nobody decides twice")
        )
    if row.state is CaseState.DECIDED:
        return ReviewRefusal(
            "decided", Conflict("this case is decided; it is reopened only when the person contests it")
        )
    if row.state is CaseState.ESCALATED and not reviewer.lead:
        return ReviewRefusal("escalated", NotPermitted("a lead analyst decides this case"))
    if row.state in AWAITING_OPINION and not reviewer.analyst:
        return ReviewRefusal("not_escalated", NotPermitted("two analysts look at this case before a lead analyst does"))
    return None


def shown_to(row: CaseRow, opinions: Sequence[OpinionRow], reviewer: Reviewer) -> list[OpinionRow]:
    """The opinions that this person may see: their own; all once it is decided; a lead's business when it is theirs."""
    own = [opinion for opinion in opinions if opinion.analyst == reviewer.name]
    if row.state is CaseState.DECIDED:
        return list(opinions)
    if row.state is CaseState.ESCALATED and reviewer.lead and not own:
        return [opinion for opinion in opinions if opinion.round == row.round]
    return own
