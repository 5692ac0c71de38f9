"""All pages for people, as one application below /staff, put together from the routes, templates and texts of rooms."""

from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import RedirectResponse
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from enrolment.desk.pages import ROOM as DESK
from enrolment.pages import problems
from enrolment.pages.rendering import Pages
from enrolment.pages.room import Room
from enrolment.pages.security import SecurityHeaders, guard
from enrolment.pages.visit import HOME, PREFIX
from enrolment.staff.pages import ROOM as STAFF
from enrolment.staff.rooms import Staff
from enrolment.station.pages import ROOM as STATION
from enrolment.supervision.pages import ROOM as SUPERVISION
from idverify.engine import Engine

KIT = Room("pages", Path(__file__).parent, APIRouter())
ROOMS = (KIT, STATION, SUPERVISION, STAFF, DESK)
"""In the order of their entrances."""


def create_pages(engine: Engine) -> FastAPI:
    """The pages on an open engine."""
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # FastAPI's own spans and logs hold paths and rejected input.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        dependencies=[Depends(guard)],
        middleware=[Middleware(SecurityHeaders)],
    )
    settings = engine.settings
    app.state.engine = engine
    app.state.staff = Staff.of(engine.administration)
    app.state.pages = Pages(ROOMS, settings.time_zone, settings.session_idle_lock_s)
    app.state.rooms = {room.name: room.prepare(engine) for room in ROOMS if room.prepare is not None}
    for room in ROOMS:
        app.include_router(room.router)
        if (room.folder / "static").is_dir():
            app.mount(f"/static/{room.name}", StaticFiles(directory=room.folder / "static"))
    problems.install(app)
    return app


def mount_pages(app: FastAPI, engine: Engine) -> None:
    """Put the pages below /staff of the service, and lead there whoever opens its bare address."""
    for bare in ("/", PREFIX):
        app.add_api_route(bare, _to_pages, include_in_schema=False)
    pages = create_pages(engine)
    pages.state.searching = app.state.searching
    app.mount(PREFIX, pages)


def _to_pages() -> RedirectResponse:
    return RedirectResponse(HOME, 303)
