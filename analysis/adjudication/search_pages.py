"""Pages of duplicate searches: what to expect before one starts, how far it is, its report or its end."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from analysis.adjudication.case_pages import one_in
from analysis.adjudication.dependencies import AnalystRequest, LeadAnalystRequest, TheAnalystRequest
from analysis.deduplication.background_searches import BackgroundSearches, SearchState
from analysis.deduplication.expectation import LEAST_BUDGET
from analysis.deduplication.search import SearchView
from analysis.deduplication.search_plan import SearchPlan
from idverify.access import Access
from idverify.errors import InvalidInput
from idverify.ids import GalleryId
from pages.browser import PREFIX
from pages.dependencies import Watching
from staff.accounts.accounts import Role
from staff.accounts.refusals import GalleryForeign

router = APIRouter(prefix="/desk/searches")
PURPOSE = "duplicate-search"
DEFAULT_BUDGET = 100
BUDGET = {"ge": LEAST_BUDGET, "le": 1_000_000.0}


@dataclass(frozen=True, slots=True)
class SearchItem:
    """A line of the list."""

    search: str
    gallery: str
    against: str
    started_at: str
    progress: str


@dataclass(frozen=True, slots=True)
class SearchesPage:
    items: tuple[SearchItem, ...]
    galleries: tuple[str, ...]
    budget: int
    leads: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """What a search announces, as people read it. `against` "": the same gallery."""

    gallery: str
    against: str
    pairs: int
    expected: float
    low: int
    high: int
    threshold: float
    one_in: int
    extrapolated: bool


@dataclass(frozen=True, slots=True)
class PlanPage:
    expected: Expected
    budget: float
    leads: bool = True


@dataclass(frozen=True, slots=True)
class SearchPage:
    """`total` 0: not known yet. `report` "": none yet."""

    address: str
    expected: Expected
    started_at: str
    progress: str
    done: int
    total: int
    report: str
    leads: bool


def _searching(request: Request) -> BackgroundSearches:
    searching = request.app.state.searching
    assert isinstance(searching, BackgroundSearches)  # noqa: S101  set by mount_pages
    return searching


TheSearching = Annotated[BackgroundSearches, Depends(_searching)]


@router.get("", response_class=HTMLResponse)
def searches(request: Request, analyst: TheAnalystRequest, searching: TheSearching) -> HTMLResponse:
    """Those of this analyst's galleries."""
    items = tuple(
        SearchItem(
            view.search,
            view.plan.gallery,
            view.plan.against or "",
            view.started_at,
            searching.progress(view),
        )
        for view in searching.searches.list(within=analyst.reviewer.galleries)
    )
    context = SearchesPage(items, tuple(sorted(analyst.reviewer.galleries)), DEFAULT_BUDGET, analyst.reviewer.lead)
    return analyst.pages.render(request, "desk/searches.html", context)


@router.get("/plan", response_class=HTMLResponse)
def plan_search(
    request: Request,
    analyst: LeadAnalystRequest,
    searching: TheSearching,
    gallery: str,
    budget: Annotated[float, Query(**BUDGET)],
    against: str = "",
) -> HTMLResponse:
    """Says what will come of it; starts nothing."""
    planned = _planned(analyst, searching, gallery, against, budget)
    return analyst.pages.render(request, "desk/plan.html", PlanPage(_expected(planned), budget))


@router.post("")
def start_search(
    analyst: LeadAnalystRequest,
    searching: TheSearching,
    gallery: Annotated[str, Form()],
    budget: Annotated[float, Form(**BUDGET)],
    against: Annotated[str, Form()] = "",
) -> RedirectResponse:
    """Starts it in the background."""
    search = searching.searches.start(_planned(analyst, searching, gallery, against, budget), _access(analyst))
    searching.resume(search, _access(analyst))
    return RedirectResponse(f"{PREFIX}/desk/searches/{search}", 303)


@router.get("/{search}", response_class=HTMLResponse)
def show_search(request: Request, analyst: TheAnalystRequest, searching: TheSearching, search: str) -> HTMLResponse:
    """How far it is."""
    view, progress = _shown(searching, search, analyst.reviewer.galleries)
    context = SearchPage(
        address=f"{PREFIX}/desk/searches/{search}",
        expected=_expected(view.plan),
        started_at=view.started_at,
        progress=progress,
        done=view.blocks_done,
        total=view.blocks,
        report=view.report or "",
        leads=analyst.reviewer.lead,
    )
    return analyst.pages.render(request, "desk/search.html", context)


@router.get("/{search}/progress")
def progress_of(session: Watching, searching: TheSearching, search: str) -> JSONResponse:
    """For the page's own script, which asks again and again."""
    session.require_role(Role.ANALYST, Role.LEAD_ANALYST)
    view, progress = _shown(searching, search, session.galleries)
    return JSONResponse({"progress": progress, "done": view.blocks_done, "total": view.blocks})


@router.post("/{search}/resume")
def resume_search(analyst: LeadAnalystRequest, searching: TheSearching, search: str) -> RedirectResponse:
    """Blocks that are done are not done again."""
    _shown(searching, search, analyst.reviewer.galleries)
    searching.resume(search, _access(analyst))
    return RedirectResponse(f"{PREFIX}/desk/searches/{search}", 303)


@router.post("/{search}/cancel")
def cancel_search(analyst: LeadAnalystRequest, searching: TheSearching, search: str) -> RedirectResponse:
    """Its pairs are deleted."""
    searching.searches.cancel(search, _access(analyst), within=analyst.reviewer.galleries)
    return RedirectResponse(f"{PREFIX}/desk/searches", 303)


def _shown(searching: BackgroundSearches, search: str, within: frozenset[GalleryId]) -> tuple[SearchView, SearchState]:
    """Raises NotFound, also for a search of a gallery beyond `within`."""
    view = searching.searches.show(search, within=within)
    return view, searching.progress(view)


def _planned(
    analyst: AnalystRequest, searching: BackgroundSearches, gallery: str, against: str, budget: float
) -> SearchPlan:
    named = {GalleryId(name) for name in (gallery, against) if name}
    if not named <= analyst.reviewer.galleries:
        raise GalleryForeign("this account may not work in that gallery")
    if gallery == against:
        raise InvalidInput("expected another gallery to compare with, or none")
    other = GalleryId(against) if against else None
    return searching.searches.plan(GalleryId(gallery), against=other, budget=budget)


def _expected(planned: SearchPlan) -> Expected:
    expectation = planned.expectation
    return Expected(
        gallery=planned.gallery,
        against=planned.against or "",
        pairs=expectation.pairs,
        expected=to_two_digits(expectation.expected),
        low=expectation.low,
        high=expectation.high,
        threshold=expectation.point.threshold,
        one_in=one_in(expectation.point.fmr),
        extrapolated=expectation.point.extrapolated,
    )


def to_two_digits(number: float) -> float:
    """An expected number, no finer than it can be known."""
    return round(number) if number >= 10 else float(f"{number:.2g}")


def _access(analyst: AnalystRequest) -> Access:
    return replace(analyst.access, purpose=PURPOSE)
