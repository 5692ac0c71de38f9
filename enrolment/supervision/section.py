"""Serves a day at the stations to supervisors, as a page and as a CSV file; each reading is on record."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from enrolment.supervision import composition
from enrolment.supervision.day import StationDay, StationDays
from idverify.cli.spreadsheet import csv_text
from pages.dependencies import ThePages, access_of, staff_with
from pages.section import MenuEntry, Section
from staff.accounts.accounts import Role
from staff.accounts.sessions import StaffSession

router = APIRouter()
Supervisor = Annotated[StaffSession, Depends(staff_with(Role.SUPERVISOR))]
_PURPOSE = "supervision"
_ACTS_A_PAGE = 50
_COLUMNS = ("time", "clerk", "station", "gallery", "outcome", "reason", "review")


def _station_days(request: Request) -> StationDays:
    days = request.app.state.sections["supervision"]
    assert isinstance(days, StationDays)  # noqa: S101  made by the section's `prepare`
    return days


TheStationDays = Annotated[StationDays, Depends(_station_days)]


@dataclass(frozen=True, slots=True)
class DayPage:
    """`acts` are those of one page of the list. `before` and `after` are ISO dates; `after` is "" for a day to come."""

    day: date
    before: str
    after: str
    station_day: StationDay
    page: int
    pages: int

    @property
    def acts(self) -> tuple[object, ...]:
        first = (self.page - 1) * _ACTS_A_PAGE
        return self.station_day.acts[first : first + _ACTS_A_PAGE]


@router.get("/supervisor", response_class=HTMLResponse)
def day_page(
    request: Request,
    station_days: TheStationDays,
    pages: ThePages,
    session: Supervisor,
    day: date | None = None,
    page: int = 1,
) -> HTMLResponse:
    """Counts, clerks, stations and every act of one day; today's unless another one is named."""
    today = station_days.today()
    chosen = min(day or today, today)
    found = station_days.read(chosen, session.galleries, access_of(request, session, _PURPOSE), "page")
    number = max(1, -(-len(found.acts) // _ACTS_A_PAGE))
    context = DayPage(
        day=chosen,
        before=(chosen - timedelta(days=1)).isoformat(),
        after=(chosen + timedelta(days=1)).isoformat() if chosen < today else "",
        station_day=found,
        page=min(max(page, 1), number),
        pages=number,
    )
    return pages.render(request, "supervision/day.html", context)


@router.get("/supervisor/day.csv")
def day_file(request: Request, station_days: TheStationDays, session: Supervisor, day: date | None = None) -> Response:
    """Every act of one day; times are UTC, and no cell is taken for a formula."""
    chosen = day or station_days.today()
    found = station_days.read(chosen, session.galleries, access_of(request, session, _PURPOSE), "file")
    rows = (
        (act.time, act.clerk, act.station, act.gallery, act.outcome.value, act.reason, act.review or "")
        for act in found.acts
    )
    # With a byte order mark, by which spreadsheets know UTF-8.
    name = f"stations-{chosen.isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(csv_text(_COLUMNS, rows).encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)


SECTION = Section(
    "supervision",
    Path(__file__).parent,
    router,
    (MenuEntry("/supervisor", "supervision.title", "supervision.description", frozenset({Role.SUPERVISOR})),),
    prepare=composition.station_days,
)
