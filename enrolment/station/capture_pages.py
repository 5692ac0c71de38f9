"""Serves the photograph step: advice on frames, of which none is kept, and the taking of captures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from enrolment.station.capture_request import TheSealedCapture
from enrolment.station.clerk_request import ClerkRequest, TheClerkRequest, UnattendedRequest, station_parts_of
from enrolment.station.page_contexts import CapturePage, Place, SealTo
from enrolment.station.received_captures import ReceivedCaptures
from enrolment.station.visit import FailureReason, Visit
from idverify.errors import NotPermitted
from idverify.ids import VisitId
from idverify.storage.database import Connection
from idverify.stored.station_drafts import StationDraft
from idverify.vision.reader import Look, ReadingPolicy
from pages.dependencies import ThePages

router = APIRouter()
PRACTICE_NONCE = "practice"
CAMERA, FILE = "station", "station-file"


class FilesNotAllowed(NotPermitted):
    """The gallery's policy takes no photographs from files."""

    code = "files_not_allowed"


@dataclass(frozen=True, slots=True)
class LookAnswer:
    """`box` (x, y, width, height) and `points` are shares of the frame's width and height; `score` is 0 to 100."""

    good: bool
    advice: list[str]
    text: str
    score: int | None
    box: list[float] | None
    points: list[list[float]] | None


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post("/advice")
def advice(
    request: Request,
    pages: ThePages,
    clerk_request: UnattendedRequest,
    frame: Annotated[bytes, Depends(_body)],
) -> LookAnswer:
    """What to change before the photograph is taken, by the measures that will judge it; nothing is kept of the frame.

    Raises ImageRejected, QuotaExceeded, DecoderUnavailable.
    """
    parts = station_parts_of(request)
    parts.look_limit.count(clerk_request.session.session)
    look = parts.reader.look(frame, ReadingPolicy.enrolment())
    good = look.reason is None
    said = "capture.good" if good and not look.advice else f"advice.{look.advice[0]}" if look.advice else "capture.good"
    return LookAnswer(
        good=good,
        advice=list(look.advice),
        text=pages.text(request, said),
        score=None if look.verdict is None else look.verdict.score,
        box=_box(look),
        points=_points(look),
    )


@router.post("/visits/{visit}/captures")
def capture(
    request: Request, clerk_request: TheClerkRequest, visit: str, sealed_capture: TheSealedCapture
) -> dict[str, str]:
    """Take a capture into a visit. Raises StepPassed, FilesNotAllowed, ImageRejected, what `open` and `spend` do."""
    received_captures = station_parts_of(request).received_captures
    sent = received_captures.open(clerk_request.session, sealed_capture)
    source = source_of(sent.about, clerk_request)

    def spend(connection: Connection) -> None:
        if not clerk_request.visits.practice:
            received_captures.spend(connection, clerk_request.session, sealed_capture)

    clerk_request.visits.capture(
        clerk_request.workplace, VisitId(visit), sealed_capture.capture, sent.frames, source, spend
    )
    return {"next": f"{clerk_request.root}visits/{visit}"}


def source_of(about: Mapping[str, Any], clerk_request: ClerkRequest) -> str:
    """How the frames came to the station, by its own statement. Raises FilesNotAllowed."""
    if about.get("source") != "file":
        return CAMERA
    if not clerk_request.visits.gallery(clerk_request.workplace).policy.allow_files:
        raise FilesNotAllowed("this gallery takes no photographs from files")
    return FILE


def capture_page(
    request: Request, clerk_request: ClerkRequest, place: Place, draft: StationDraft, visit: Visit
) -> CapturePage:
    """The page with the camera; it has a new nonce each time it is shown."""
    policy = clerk_request.visits.gallery(clerk_request.workplace).policy
    refused = visit.last if visit.last is not None and visit.last.reason is not None else None
    return CapturePage(
        place=place,
        visit=draft.visit,
        person=visit.person,
        seal_to=seal_to(station_parts_of(request).received_captures, clerk_request),
        refused="" if refused is None else str(refused.reason),
        advice=() if refused is None else refused.advice,
        tries=visit.tries,
        may_fail=clerk_request.exceptions.may_record_failure(clerk_request.workplace, visit),
        failures=tuple(FailureReason),
        allow_files=policy.allow_files,
    )


def seal_to(received_captures: ReceivedCaptures, clerk_request: ClerkRequest) -> SealTo:
    """The key to seal to and a nonce; in practice, where nothing is written, one that no capture can spend."""
    key = received_captures.sealing_key
    nonce = PRACTICE_NONCE if clerk_request.visits.practice else received_captures.issue(clerk_request.session)
    return SealTo(key.deployment, clerk_request.workplace.station, key.key_id, key.point, nonce)


def _box(look: Look) -> list[float] | None:
    if look.face is None:
        return None
    x, y, width, height = look.face.box
    return [x / look.width_px, y / look.height_px, width / look.width_px, height / look.height_px]


def _points(look: Look) -> list[list[float]] | None:
    if look.face is None:
        return None
    return [[point.real / look.width_px, point.imag / look.height_px] for point in look.face.points]
