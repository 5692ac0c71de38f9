"""Where a clerk sits in one request: the visits of the station (or of practice), the account, and the addresses."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from enrolment.station.exceptions import Approver, CaptureExceptions
from enrolment.station.visit_steps import Visits, Workplace
from idverify.engine import Engine
from idverify.errors import QuotaExceeded
from idverify.ids import RequestId
from pages.browser import PREFIX
from pages.dependencies import staff_with, watching
from staff.accounts.accounts import Role
from staff.accounts.sessions import StaffSession

STATION = f"{PREFIX}/station/"
PRACTICE = f"{STATION}practice/"
MOST_LOOKS_PER_S = 12


class LookLimit:
    """How many frames each session had looked at in the last second; in memory, for what is stored nowhere."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        """`clock_s`: seconds that never go back, from any beginning."""
        self._clock_s = clock_s
        self._seen: dict[bytes, deque[float]] = {}
        self._lock = threading.Lock()

    def count(self, session: bytes) -> None:
        """Raises QuotaExceeded."""
        now = self._clock_s()
        with self._lock:
            for other in [key for key, times in self._seen.items() if times[-1] <= now - 1]:
                del self._seen[other]
            times = self._seen.setdefault(session, deque())
            while times and times[0] <= now - 1:
                times.popleft()
            if len(times) >= MOST_LOOKS_PER_S:
                raise QuotaExceeded(f"at most {MOST_LOOKS_PER_S} frames a second", retry_after_s=1)
            times.append(now)


@dataclass(frozen=True, slots=True)
class StationParts:
    """Made once for the pages: the visits, those of practice, and what is counted."""

    visits: Visits
    practice: Visits
    look_limit: LookLimit

    @classmethod
    def of(cls, engine: Engine) -> "StationParts":
        return cls(Visits(engine, practice=False), Visits(engine, practice=True), LookLimit(time.monotonic))


def station_parts_of(request: Request) -> StationParts:
    rooms = request.app.state.sections["station"]
    assert isinstance(rooms, StationParts)  # noqa: S101  made by the room's `prepare`
    return rooms


@dataclass(frozen=True, slots=True)
class ClerkRequest:
    """A clerk at a station, with the visits that the address asks for."""

    visits: Visits
    session: StaffSession
    workplace: Workplace
    root: str

    @property
    def exceptions(self) -> CaptureExceptions:
        return CaptureExceptions(self.visits)


def root_of(request: Request) -> str:
    """The real station, or practice: the address says which, on every page alike."""
    return PRACTICE if request.url.path.startswith(PRACTICE) else STATION


def visits_of(request: Request) -> Visits:
    rooms = station_parts_of(request)
    return rooms.practice if root_of(request) == PRACTICE else rooms.visits


_clerk = staff_with(Role.CLERK)


def _clerk_request(request: Request, session: StaffSession) -> ClerkRequest:
    station = session.require_station()
    workplace = Workplace(session.staff, station.station, station.gallery, RequestId(request.state.request_id))
    return ClerkRequest(visits_of(request), session, workplace, root_of(request))


def at_station(request: Request, session: Annotated[StaffSession, Depends(_clerk)]) -> ClerkRequest:
    """Raises StationUnknown, GalleryForeign, RoleMissing and what `signed_in` does."""
    return _clerk_request(request, session)


def glancing(request: Request, session: Annotated[StaffSession, Depends(watching)]) -> ClerkRequest:
    """Like `at_desk`, for what the page asks by itself: no sign that somebody is there."""
    session.require_role(Role.CLERK)
    return _clerk_request(request, session)


def approver_of(request: Request, session: StaffSession) -> Approver:
    """Somebody who decides about exceptions in their own session, at a station or not."""
    return Approver(session.staff, session.galleries, RequestId(request.state.request_id), session.station_id)


TheClerkRequest = Annotated[ClerkRequest, Depends(at_station)]
UnattendedRequest = Annotated[ClerkRequest, Depends(glancing)]
