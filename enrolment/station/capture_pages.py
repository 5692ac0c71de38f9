"""The photograph: advice for one frame after the other, which is kept nowhere, and the captures themselves."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from enrolment.station import received_captures
from enrolment.station.clerk_request import ClerkRequest, TheClerkRequest, UnattendedRequest, station_parts_of
from enrolment.station.contexts import CapturePage, Place, SealTo
from enrolment.station.received_captures import SealedCapture
from enrolment.station.visit import FailureReason, Visit
from idverify.engine import Engine
from idverify.errors import NotPermitted
from idverify.ids import VisitId
from idverify.storage.database import Connection
from idverify.stored.station_drafts import StationDraft
from idverify.vision.reader import Look, ReadingPolicy
from pages.dependencies import TheEngine, ThePages, TheStaff
from staff.accounts.parts import Staff

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
    engine: TheEngine,
    pages: ThePages,
    clerk_request: UnattendedRequest,
    frame: Annotated[bytes, Depends(_body)],
) -> LookAnswer:
    """What to change before the photograph is taken, by the measures that will judge it; nothing is kept of the frame.

    Raises ImageRejected, QuotaExceeded, DecoderUnavailable.
    """
    station_parts_of(request).look_limit.count(clerk_request.session.session)
    look = engine.reader.look(frame, ReadingPolicy.enrolment())
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
    engine: TheEngine,
    staff: TheStaff,
    clerk_request: TheClerkRequest,
    visit: str,
    sealed_capture: Annotated[SealedCapture, Depends(received_captures.sealed_capture)],
) -> dict[str, str]:
    """Take a capture into a visit. Raises StepPassed, FilesNotAllowed and what `received` and `ImageRejected` say."""
    sent = received_captures.opened(engine, staff, clerk_request.session, sealed_capture)
    source = source_of(sent.about, clerk_request)

    def spend(connection: Connection) -> None:
        if not clerk_request.visits.practice:
            received_captures.spend(connection, staff, clerk_request.session, sealed_capture)

    clerk_request.visits.capture(
        clerk_request.workplace, VisitId(visit), sealed_capture.capture, sent.frames, source, spend
    )
    return {"next": f"{clerk_request.root}visits/{visit}"}


def source_of(about: Mapping[str, Any], clerk_request: ClerkRequest) -> str:
    """By which way the frames came to the station, as it says. Raises FilesNotAllowed."""
    if about.get("source") != "file":
        return CAMERA
    if not clerk_request.visits.gallery(clerk_request.workplace).policy.allow_files:
        raise FilesNotAllowed("this gallery takes no photographs from files")
    return FILE


def capture_page(
    request: Request, clerk_request: ClerkRequest, place: Place, draft: StationDraft, visit: Visit
) -> CapturePage:
    """The page with the camera; each showing of it has a nonce of its own."""
    policy = clerk_request.visits.gallery(clerk_request.workplace).policy
    refused = visit.last if visit.last is not None and visit.last.reason is not None else None
    engine, staff = request.app.state.engine, request.app.state.staff
    return CapturePage(
        place=place,
        visit=draft.visit,
        person=visit.person,
        seal_to=seal_to(engine, staff, clerk_request),
        refused="" if refused is None else str(refused.reason),
        advice=() if refused is None else refused.advice,
        tries=visit.tries,
        tries_allowed=policy.capture_tries,
        may_fail=clerk_request.exceptions.may_fail(clerk_request.workplace, visit),
        failures=tuple(FailureReason),
        allow_files=policy.allow_files,
    )


def seal_to(engine: Engine, staff: Staff, clerk_request: ClerkRequest) -> SealTo:
    """The key to seal to and a nonce; in practice, where nothing is written, one that is good for nothing else."""
    key = engine.capture_keys.current
    nonce = (
        PRACTICE_NONCE
        if clerk_request.visits.practice
        else received_captures.issue(engine, staff, clerk_request.session)
    )
    point = base64.urlsafe_b64encode(key.point).rstrip(b"=").decode()
    return SealTo(engine.capture_keys.deployment, clerk_request.workplace.station, key.key_id, point, nonce)


def _box(look: Look) -> list[float] | None:
    if look.face is None:
        return None
    x, y, width, height = look.face.box
    return [x / look.width_px, y / look.height_px, width / look.width_px, height / look.height_px]


def _points(look: Look) -> list[list[float]] | None:
    if look.face is None:
        return None
    return [[point.real / look.width_px, point.imag / look.height_px] for point in look.face.points]
