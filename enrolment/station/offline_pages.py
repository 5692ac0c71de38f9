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
from enrolment.station.clerk_request import AtDesk, Glancing
from enrolment.station.contexts import AwayPage
from enrolment.station.offline_captures import Away, Sent
from enrolment.station.received_captures import Parcel
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
def away(request: Request, pages: ThePages, desk: AtDesk) -> HTMLResponse:
    """The page that also works when nothing else does."""
    gallery = desk.visits.gallery(desk.sitting)
    bases = bases_of(request, pages, desk)
    page = AwayPage(place_of(desk), gallery.gallery, bases, gallery.policy.person_pattern)
    return pages.render(request, "station/away.html", page)


@router.get("/worker.js")
def worker() -> Response:
    """Below the address of the pages that it keeps: a browser gives it no others."""
    return FileResponse(Path(__file__).parent / "static" / "worker.js", media_type="text/javascript")


@router.get("/away/session")
def session(desk: Glancing) -> dict[str, str]:
    """Who is signed in here now, and the token that a page needs which was kept from an earlier session."""
    return {"csrf_token": desk.session.csrf_token, "clerk": desk.sitting.clerk, "station": desk.sitting.station}


@router.post("/away/supplies")
def supplies(engine: TheEngine, staff: TheStaff, desk: AtDesk, have: int = 0) -> Supplies:
    """Fill up to `NONCES_KEPT`; `have` are still good."""
    key = engine.capture_keys.current
    lifetime = timedelta(days=engine.settings.capture_nonce_days)
    with engine.database.write() as connection:
        nonces = [
            staff.nonces.issue(
                connection, NonceKind.CAPTURE, lifetime, staff=desk.session.staff, station=desk.session.station_id
            )
            for _ in range(max(0, NONCES_KEPT - have))
        ]
    return Supplies(
        deployment=engine.capture_keys.deployment,
        station=desk.sitting.station,
        clerk=desk.sitting.clerk,
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
    desk: AtDesk,
    parcel: Annotated[Parcel, Depends(received_captures.parcel)],
) -> Taken:
    """One that waited in the browser; sent again, it is answered alike."""
    opened = received_captures.opened(engine, staff, desk.session, parcel)
    source_of(opened.about, desk)
    sent = Sent.of(parcel.capture, opened.about, opened.frames)

    def spend(connection: Connection) -> None:
        # Whoever fetched the nonce made the capture, and nobody else: the encounter will bear their name.
        if received_captures.spend(connection, staff, desk.session, parcel) != sent.clerk:
            raise NonceForeign("the nonce of this capture was given to another clerk")

    outcome = Away(desk.visits).take(desk.sitting, sent, spend)
    said = f"refusal.{outcome.reason}" if outcome.reason else f"away.{outcome.ending}"
    advice = [pages.text(request, f"advice.{code}") for code in outcome.advice]
    return Taken(outcome.ending, pages.text(request, said), advice)
