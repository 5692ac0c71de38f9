"""The room of the enrolment station: its routes twice, for the work and for practice, and the way in."""

from pathlib import Path

from fastapi import APIRouter

from enrolment.pages.room import Entrance, Room
from enrolment.staff.accounts import Role
from enrolment.station import away_pages, capture_pages, exception_pages, visit_pages
from enrolment.station.desk import StationRooms

router = APIRouter()
# Practice before the rest: its address begins with the station's.
for prefix in ("/station/practice", "/station"):
    for part in (visit_pages, capture_pages, exception_pages):
        router.include_router(part.router, prefix=prefix)
# Without the service there is nothing to practise on: what is kept in a browser is always meant to be sent.
router.include_router(away_pages.router, prefix="/station")

ROOM = Room(
    "station",
    Path(__file__).parent,
    router,
    (
        Entrance("/station/", "station.title", "station.entrance", frozenset({Role.CLERK})),
        Entrance("/station/exceptions", "exceptions.title", "exceptions.entrance", frozenset({Role.SUPERVISOR})),
    ),
    prepare=StationRooms.of,
)
