"""Defines a visit as its draft holds it: its step, what was chosen and captured, its outcome. It stores nothing."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Self

from idverify.ids import EncounterId, PersonId
from idverify.reasons import Reason
from idverify.vision.quality import Advice


class VisitStep(StrEnum):
    """The steps of a visit; its page always shows the step that the visit is at."""

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
    """Only of an offline capture: at a station, the clerk takes another one instead."""


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
    """One capture of up to five frames, by its best one; `quality` is 0 to 100, None where it was not measured."""

    capture: str
    source: str
    frames: int
    reason: Reason | None
    quality: int | None
    advice: tuple[Advice, ...]


@dataclass(frozen=True, slots=True)
class VisitOutcome:
    """How a visit ended, as the receipt states it."""

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
        """Whether the kept capture shows one face and was refused for its quality alone."""
        return self.kept is not None and self.kept.reason is Reason.QUALITY_TOO_LOW

    def captured(self, capture: CaptureSummary) -> "Visit":
        """The visit after one more capture: a good one is kept for review; a poor one counts as a failed try."""
        if capture.reason is None:
            return replace(self, step=VisitStep.REVIEW, last=capture, kept=capture)
        kept = capture if _better(capture, self.kept) else self.kept
        return replace(self, step=VisitStep.CAPTURE, tries=self.tries + 1, last=capture, kept=kept)

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
                "last": _capture_summary(content["last"]),
                "kept": _capture_summary(content["kept"]),
                "failure": None if failure is None else FailureReason(failure),
                "outcome": None if outcome is None else _outcome(outcome),
            }
        )


def _better(capture: CaptureSummary, kept: CaptureSummary | None) -> bool:
    return kept is None or (capture.quality or -1) > (kept.quality or -1)


def _capture_summary(content: Mapping[str, Any] | None) -> CaptureSummary | None:
    return None if content is None else CaptureSummary(**{**content, **_reason_and_advice(content)})


def _outcome(content: Mapping[str, Any]) -> VisitOutcome:
    return VisitOutcome(**{**content, "ending": Ending(content["ending"]), **_reason_and_advice(content)})


def _reason_and_advice(content: Mapping[str, Any]) -> dict[str, Any]:
    reason = content["reason"]
    return {
        "reason": None if reason is None else Reason(reason),
        "advice": tuple(map(Advice, content["advice"])),
    }
