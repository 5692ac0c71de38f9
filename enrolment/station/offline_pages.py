"""Serves the page that a browser keeps for capturing offline, issues its key and nonces, and takes the captures later.

The kept page must hold nothing of any person.
"""

from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from enrolment.station.capture_pages import source_of
from enrolment.station.capture_request import TheSealedCapture
from enrolment.station.clerk_request import TheClerkRequest, UnattendedRequest, station_parts_of
from enrolment.station.offline_captures import OfflineCapture
from enrolment.station.page_contexts import OfflinePage
from enrolment.station.visit_pages import bases_of, place_of
from idverify.storage.database import Connection
from pages.dependencies import ThePages
from staff.accounts.refusals import NonceForeign

router = APIRouter()
NONCES_KEPT = 50
"""How many captures a station may make before it reaches the service again."""


@dataclass(frozen=True, slots=True)
class OfflineSupplies:
    """What a station needs offline: the key to seal to, and nonces that were given to this clerk at this station."""

    deployment: str
    station: str
    clerk: str
    key_id: str
    point: str
    nonces: list[str]
    expires_in_s: int


@dataclass(frozen=True, slots=True)
class OfflineCaptureAnswer:
    """What became of an offline capture; where it was refused, `text` and `advice` say why and what would help."""

    ending: str
    text: str
    advice: list[str]


@router.get("/away", response_class=HTMLResponse)
def offline_page(request: Request, pages: ThePages, clerk_request: TheClerkRequest) -> HTMLResponse:
    """The page for capturing while the service is out of reach."""
    gallery = clerk_request.visits.gallery(clerk_request.workplace)
    bases = bases_of(request, pages, clerk_request)
    page = OfflinePage(place_of(clerk_request), gallery.gallery, bases, gallery.policy.person_pattern)
    return pages.render(request, "station/offline.html", page)


@router.get("/worker.js")
def worker() -> Response:
    """The service worker; a browser lets it keep only pages below its own address."""
    return FileResponse(Path(__file__).parent / "static" / "worker.js", media_type="text/javascript")


@router.get("/away/session")
def session(clerk_request: UnattendedRequest) -> dict[str, str]:
    """Who is signed in now, and the token of this session, for a page that was kept in an earlier one."""
    return {
        "csrf_token": clerk_request.session.csrf_token,
        "clerk": clerk_request.workplace.clerk,
        "station": clerk_request.workplace.station,
    }


@router.post("/away/supplies")
def supplies(request: Request, clerk_request: TheClerkRequest, have: int = 0) -> OfflineSupplies:
    """As many nonces as are missing from `NONCES_KEPT`; the station has `have` good ones."""
    received_captures = station_parts_of(request).received_captures
    key = received_captures.sealing_key
    return OfflineSupplies(
        deployment=key.deployment,
        station=clerk_request.workplace.station,
        clerk=clerk_request.workplace.clerk,
        key_id=key.key_id,
        point=key.point,
        nonces=received_captures.issue_offline(clerk_request.session, max(0, NONCES_KEPT - have)),
        expires_in_s=int(received_captures.offline_nonce_lifetime.total_seconds()),
    )


@router.post("/captures")
def take(
    request: Request, pages: ThePages, clerk_request: TheClerkRequest, sealed_capture: TheSealedCapture
) -> OfflineCaptureAnswer:
    """Enrol an offline capture; sent again, it gets the same answer."""
    parts = station_parts_of(request)
    opened = parts.received_captures.open(clerk_request.session, sealed_capture)
    source_of(opened.about, clerk_request)
    sent = OfflineCapture.of(sealed_capture.capture, opened.about, opened.frames)

    def spend(connection: Connection) -> None:
        # Only the clerk who was given the nonce can have made the capture, and the encounter will name them.
        if parts.received_captures.spend(connection, clerk_request.session, sealed_capture) != sent.clerk:
            raise NonceForeign("the nonce of this capture was given to another clerk")

    outcome = parts.offline_captures.take(clerk_request.workplace, sent, spend)
    said = f"refusal.{outcome.reason}" if outcome.reason else f"away.{outcome.ending}"
    advice = [pages.text(request, f"advice.{code}") for code in outcome.advice]
    return OfflineCaptureAnswer(outcome.ending, pages.text(request, said), advice)
