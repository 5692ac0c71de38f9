"""Declares the pages of the enrolment station: every route twice, for work and for practice, and the menu entries."""

from pathlib import Path

from fastapi import APIRouter

from enrolment.station import capture_pages, composition, exception_pages, offline_pages, visit_pages
from pages.section import MenuEntry, Section
from staff.accounts.accounts import Role

router = APIRouter()
# Practice before the rest: its address begins with the station's.
for prefix in ("/station/practice", "/station"):
    for part in (visit_pages, capture_pages, exception_pages):
        router.include_router(part.router, prefix=prefix)
# Offline capture has no practice: what a browser keeps is always meant to be sent.
router.include_router(offline_pages.router, prefix="/station")

SECTION = Section(
    "station",
    Path(__file__).parent,
    router,
    (
        MenuEntry("/station/", "station.title", "station.description", frozenset({Role.CLERK})),
        MenuEntry("/station/exceptions", "exceptions.title", "exceptions.description", frozenset({Role.SUPERVISOR})),
    ),
    prepare=composition.station_parts,
)
