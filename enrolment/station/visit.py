"""One visit as its draft holds it: how far it is, what was chosen and captured, what became of it. It does nothing."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Self

from idverify.ids import EncounterId, PersonId
from idverify.reasons import Reason
from idverify.vision.quality import Advice


class VisitStep(StrEnum):
    """Where a visit stands; the page shows exactly this step, whoever opens it after whatever happened."""

    BASIS = "basis"
    CAPTURE = "capture"
    REVIEW = "review"
    EXCEPTION = "exception"
    DONE = "done"


class Ending(StrEnum):
    """What became of a visit."""

    ENROLLED = "enrolled"
    NEEDS_REVIEW = "needs_review"
    WITHOUT_FACE = "without_face"
    REFUSED = "refused"
    """Only of a capture that was made out of the service's reach: nobody was there to take another one."""


class FailureReason(StrEnum):
    """Why a face could not be captured, as the clerk saw it."""

    INJURY = "injury"
    COVERED = "covered"
    UNABLE_TO_POSE = "unable_to_pose"
    EQUIPMENT = "equipment"
    OTHER = "other"


class ExceptionWay(StrEnum):
    """What a second person may approve in place of a good capture."""

    DESPITE_QUALITY = "despite_quality"
    WITHOUT_FACE = "without_face"


@dataclass(frozen=True, slots=True)
class CaptureSummary:
    """One capture of up to five frames, by its best one; `quality` is 0 to 100, None where there was no one face."""

    capture: str
    source: str
    frames: int
    reason: Reason | None
    quality: int | None
    advice: tuple[Advice, ...]


@dataclass(frozen=True, slots=True)
class VisitOutcome:
    """The end of a visit: what the receipt says."""

    ending: Ending
    at: str
    audit_position: int
    encounter: EncounterId | None = None
    receipt: str = ""
    reason: Reason | None = None
    advice: tuple[Advice, ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """`known`: the person has been in this gallery before. `kept` is the capture whose frames are stored, `last` the
    newest one; they differ where a later try was worse than an earlier one.
    """

    person: PersonId
    known: bool
    step: VisitStep = VisitStep.BASIS
    basis: str = ""
    tries: int = 0
    last: CaptureSummary | None = None
    kept: CaptureSummary | None = None
    failure: FailureReason | None = None
    outcome: VisitOutcome | None = None

    @property
    def may_enrol_despite_quality(self) -> bool:
        """Only where there is one face and nothing but its quality stood against it."""
        return self.kept is not None and self.kept.reason is Reason.QUALITY_TOO_LOW

    def captured(self, shot: CaptureSummary) -> "Visit":
        """After one more capture: a good one is kept and to be reviewed; a poor one counts as a try."""
        if shot.reason is None:
            return replace(self, step=VisitStep.REVIEW, last=shot, kept=shot)
        kept = shot if _better(shot, self.kept) else self.kept
        return replace(self, step=VisitStep.CAPTURE, tries=self.tries + 1, last=shot, kept=kept)

    def as_json(self) -> dict[str, Any]:
        """What `parse` takes."""
        return asdict(self)

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Self:
        """The visit that a draft holds."""
        failure, outcome = content["failure"], content["outcome"]
        return cls(
            **{
                **content,
                "step": VisitStep(content["step"]),
                "last": _shot(content["last"]),
                "kept": _shot(content["kept"]),
                "failure": None if failure is None else FailureReason(failure),
                "outcome": None if outcome is None else _outcome(outcome),
            }
        )


def _better(shot: CaptureSummary, kept: CaptureSummary | None) -> bool:
    return kept is None or (shot.quality or -1) > (kept.quality or -1)


def _shot(content: Mapping[str, Any] | None) -> CaptureSummary | None:
    return None if content is None else CaptureSummary(**{**content, **_said(content)})


def _outcome(content: Mapping[str, Any]) -> VisitOutcome:
    return VisitOutcome(**{**content, "ending": Ending(content["ending"]), **_said(content)})


def _said(content: Mapping[str, Any]) -> dict[str, Any]:
    reason = content["reason"]
    return {
        "reason": None if reason is None else Reason(reason),
        "advice": tuple(map(Advice, content["advice"])),
    }
