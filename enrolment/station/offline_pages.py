"""Working without the service: the page that the browser keeps, what it takes along, and what comes back later."""

import base64
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from enrolment.station import received_captures
from enrolment.station.capture_pages import source_of
from enrolment.station.clerk_request import TheClerkRequest, UnattendedRequest
from enrolment.station.contexts import AwayPage
from enrolment.station.offline_captures import OfflineCapture, OfflineCaptures
from enrolment.station.received_captures import SealedCapture
from enrolment.station.visit_pages import bases_of, place_of
from idverify.storage.database import Connection
from pages.dependencies import TheEngine, ThePages, TheStaff
from staff.accounts.nonces import NonceKind
from staff.accounts.refusals import NonceForeign

router = APIRouter()
NONCES_KEPT = 50
"""How many captures a station may make without the service."""


@dataclass(frozen=True, slots=True)
class Supplies:
    """What a station takes along: the key to seal to, and nonces that were given to this clerk at this station."""

    deployment: str
    station: str
    clerk: str
    key_id: str
    point: str
    nonces: list[str]
    expires_in_s: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a capture that waited: an ending, and where it was refused the reason and advice in words."""

    ending: str
    text: str
    advice: list[str]


@router.get("/away", response_class=HTMLResponse)
def away(request: Request, pages: ThePages, clerk_request: TheClerkRequest) -> HTMLResponse:
    """The page that also works when nothing else does."""
    gallery = clerk_request.visits.gallery(clerk_request.workplace)
    bases = bases_of(request, pages, clerk_request)
    page = AwayPage(place_of(clerk_request), gallery.gallery, bases, gallery.policy.person_pattern)
    return pages.render(request, "station/away.html", page)


@router.get("/worker.js")
def worker() -> Response:
    """Below the address of the pages that it keeps: a browser gives it no others."""
    return FileResponse(Path(__file__).parent / "static" / "worker.js", media_type="text/javascript")


@router.get("/away/session")
def session(clerk_request: UnattendedRequest) -> dict[str, str]:
    """Who is signed in here now, and the token that a page needs which was kept from an earlier session."""
    return {
        "csrf_token": clerk_request.session.csrf_token,
        "clerk": clerk_request.workplace.clerk,
        "station": clerk_request.workplace.station,
    }


@router.post("/away/supplies")
def supplies(engine: TheEngine, staff: TheStaff, clerk_request: TheClerkRequest, have: int = 0) -> Supplies:
    """Fill up to `NONCES_KEPT`; `have` are still good."""
    key = engine.capture_keys.current
    lifetime = timedelta(days=engine.settings.capture_nonce_days)
    with engine.database.write() as connection:
        nonces = [
            staff.nonces.issue(
                connection,
                NonceKind.CAPTURE,
                lifetime,
                staff=clerk_request.session.staff,
                station=clerk_request.session.station_id,
            )
            for _ in range(max(0, NONCES_KEPT - have))
        ]
    return Supplies(
        deployment=engine.capture_keys.deployment,
        station=clerk_request.workplace.station,
        clerk=clerk_request.workplace.clerk,
        key_id=key.key_id,
        point=base64.urlsafe_b64encode(key.point).rstrip(b"=").decode(),
        nonces=nonces,
        expires_in_s=int(lifetime.total_seconds()),
    )


@router.post("/captures")
def take(
    request: Request,
    engine: TheEngine,
    staff: TheStaff,
    pages: ThePages,
    clerk_request: TheClerkRequest,
    sealed_capture: Annotated[SealedCapture, Depends(received_captures.sealed_capture)],
) -> Taken:
    """One that waited in the browser; sent again, it is answered alike."""
    opened = received_captures.opened(engine, staff, clerk_request.session, sealed_capture)
    source_of(opened.about, clerk_request)
    sent = OfflineCapture.of(sealed_capture.capture, opened.about, opened.frames)

    def spend(connection: Connection) -> None:
        # Whoever fetched the nonce made the capture, and nobody else: the encounter will bear their name.
        if received_captures.spend(connection, staff, clerk_request.session, sealed_capture) != sent.clerk:
            raise NonceForeign("the nonce of this capture was given to another clerk")

    outcome = OfflineCaptures(clerk_request.visits).take(clerk_request.workplace, sent, spend)
    said = f"refusal.{outcome.reason}" if outcome.reason else f"away.{outcome.ending}"
    advice = [pages.text(request, f"advice.{code}") for code in outcome.advice]
    return Taken(outcome.ending, pages.text(request, said), advice)
