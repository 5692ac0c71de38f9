"""The application of all pages for people, below /staff: routes, templates and texts of every section together."""

from fastapi import Depends, FastAPI
from fastapi.responses import RedirectResponse
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from analysis.adjudication.section import SECTION as DESK
from enrolment.station.section import SECTION as STATION
from enrolment.supervision.section import SECTION as SUPERVISION
from idverify.engine import Engine
from pages import problems
from pages.browser import HOME, PREFIX
from pages.rendering import Pages
from pages.section import KIT
from pages.security import SecurityHeaders, guard
from staff.account_pages.section import SECTION as STAFF
from staff.accounts.composition import Staff

SECTIONS = (KIT, STATION, SUPERVISION, STAFF, DESK)
"""In the order of their menu_entries."""


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
    app.state.staff = Staff.of(engine.deployment)
    app.state.pages = Pages(SECTIONS, settings.time_zone, settings.session_idle_lock_s)
    app.state.sections = {section.name: section.prepare(engine) for section in SECTIONS if section.prepare is not None}
    for section in SECTIONS:
        app.include_router(section.router)
        if (section.folder / "static").is_dir():
            app.mount(f"/static/{section.name}", StaticFiles(directory=section.folder / "static"))
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
