"""Holds who asks in a request to the station's pages, and whether on visits that count or for practice."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from enrolment.station.capture_exceptions import Approver, CaptureExceptions
from enrolment.station.parts import StationParts, VisitFlows
from enrolment.station.visit_steps import Visits, Workplace
from idverify.ids import RequestId
from pages.browser import PREFIX
from pages.dependencies import staff_with, watching
from staff.accounts.accounts import Role
from staff.accounts.sessions import StaffSession

STATION = f"{PREFIX}/station/"
PRACTICE = f"{STATION}practice/"


def station_parts_of(request: Request) -> StationParts:
    parts = request.app.state.sections["station"]
    assert isinstance(parts, StationParts)  # noqa: S101  made by the section's `prepare`
    return parts


@dataclass(frozen=True, slots=True)
class ClerkRequest:
    """A clerk at a station, with the visits that the address asks for. `root` is that address."""

    visits: Visits
    exceptions: CaptureExceptions
    session: StaffSession
    workplace: Workplace
    root: str


def root_of(request: Request) -> str:
    """The address of the real station's start page, or of practice, whichever the request's address is below."""
    return PRACTICE if request.url.path.startswith(PRACTICE) else STATION


def flows_of(request: Request) -> VisitFlows:
    """What to call for the visits that the address asks for."""
    parts = station_parts_of(request)
    return parts.practice if root_of(request) == PRACTICE else parts.work


_clerk = staff_with(Role.CLERK)


def _clerk_request(request: Request, session: StaffSession) -> ClerkRequest:
    station = session.require_station()
    workplace = Workplace(session.staff, station.station, station.gallery, RequestId(request.state.request_id))
    flows = flows_of(request)
    return ClerkRequest(flows.visits, flows.exceptions, session, workplace, root_of(request))


def at_station(request: Request, session: Annotated[StaffSession, Depends(_clerk)]) -> ClerkRequest:
    """Raises StationUnknown, GalleryForeign, RoleMissing and what `signed_in` does."""
    return _clerk_request(request, session)


def unattended(request: Request, session: Annotated[StaffSession, Depends(watching)]) -> ClerkRequest:
    """Like `at_station`, for what the page asks by itself: it does not show that the clerk is still there."""
    session.require_role(Role.CLERK)
    return _clerk_request(request, session)


def approver_of(request: Request, session: StaffSession) -> Approver:
    """The person of this session as one who decides about exceptions, at a station or not."""
    return Approver(session.staff, session.galleries, RequestId(request.state.request_id), session.station_id)


TheClerkRequest = Annotated[ClerkRequest, Depends(at_station)]
UnattendedRequest = Annotated[ClerkRequest, Depends(unattended)]
