"""Serves a visit: one address, which shows the step that the visit is at, and a form for each act.

An act that comes late or twice must do nothing; it is answered by the page of the visit as it is now.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from enrolment.station.capture_pages import capture_page
from enrolment.station.clerk_request import ClerkRequest, TheClerkRequest, at_station, root_of
from enrolment.station.page_contexts import (
    BasisPage,
    Choice,
    DonePage,
    ExceptionPage,
    NoStationPage,
    Place,
    ReviewPage,
    StartPage,
    UnfinishedVisit,
)
from enrolment.station.visit import FailureReason, Visit, VisitStep
from enrolment.station.visit_steps import NumberMalformed
from idverify.encounters.register import media_type
from idverify.errors import Conflict, InvalidInput
from idverify.ids import VisitId
from idverify.stored.station_drafts import StationDraft
from pages.dependencies import ThePages, staff_with
from pages.rendering import Pages
from staff.accounts.accounts import Role
from staff.accounts.sessions import StaffSession

router = APIRouter()
_clerk = staff_with(Role.CLERK)
_STEPS = {VisitStep.BASIS: 1, VisitStep.CAPTURE: 2, VisitStep.EXCEPTION: 2, VisitStep.REVIEW: 3, VisitStep.DONE: 4}


@router.get("/", response_class=HTMLResponse)
def start_page(
    request: Request, pages: ThePages, session: Annotated[StaffSession, Depends(_clerk)], number: str = ""
) -> HTMLResponse:
    """The form for the next person's number, and the visits of this clerk that have not ended."""
    if session.station is None:
        place = Place(root_of(request), root_of(request).endswith("practice/"))
        return pages.render(request, "station/no_station.html", NoStationPage(place))
    return _start(request, pages, at_station(request, session), number[:64], "")


@router.post("/visits")
def begin(
    request: Request, pages: ThePages, clerk_request: TheClerkRequest, number: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """Start a visit of the person with that number."""
    try:
        draft = clerk_request.visits.start(clerk_request.workplace, number)
    except NumberMalformed:
        return _start(request, pages, clerk_request, number, "person.malformed", status=422)
    return _to(clerk_request, draft.visit)


@router.get("/visits/{visit}", response_class=HTMLResponse)
def show(request: Request, pages: ThePages, clerk_request: TheClerkRequest, visit: str) -> HTMLResponse:
    """The page of the step that the visit is at."""
    draft, seen = clerk_request.visits.show(clerk_request.workplace, VisitId(visit))
    return _PAGES[seen.step](request, pages, clerk_request, draft, seen)


@router.post("/visits/{visit}/basis")
def choose_basis(clerk_request: TheClerkRequest, visit: str, basis: Annotated[str, Form(max_length=63)]) -> Response:
    """The legal basis on which the person's face is processed."""
    return _act(
        clerk_request, visit, lambda: clerk_request.visits.choose_basis(clerk_request.workplace, VisitId(visit), basis)
    )


@router.post("/visits/{visit}/back")
def back(clerk_request: TheClerkRequest, visit: str, step: Annotated[VisitStep, Form()]) -> Response:
    """Go from that step back to the one before it."""
    return _act(clerk_request, visit, lambda: clerk_request.visits.back(clerk_request.workplace, VisitId(visit), step))


@router.post("/visits/{visit}/cancel")
def cancel(clerk_request: TheClerkRequest, visit: str) -> Response:
    """End the visit; nothing of it is kept."""
    try:
        clerk_request.visits.cancel(clerk_request.workplace, VisitId(visit))
    except Conflict:
        return _to(clerk_request, VisitId(visit))
    return RedirectResponse(clerk_request.root, 303)


@router.post("/visits/{visit}/commit")
def commit(clerk_request: TheClerkRequest, visit: str) -> Response:
    """Enrol the reviewed photograph."""
    return _act(clerk_request, visit, lambda: clerk_request.visits.commit(clerk_request.workplace, VisitId(visit)))


@router.post("/visits/{visit}/failure")
def fail(clerk_request: TheClerkRequest, visit: str, reason: Annotated[FailureReason, Form()]) -> Response:
    """Record that the face can not be captured; a second person decides what is done instead."""
    return _act(
        clerk_request,
        visit,
        lambda: clerk_request.exceptions.record_failure(clerk_request.workplace, VisitId(visit), reason),
    )


@router.get("/visits/{visit}/photograph")
def photograph(clerk_request: TheClerkRequest, visit: str) -> Response:
    """The captured photograph, for the clerk whose visit it is."""
    content = clerk_request.visits.photograph(*clerk_request.visits.show(clerk_request.workplace, VisitId(visit)))
    return Response(content, media_type=media_type(content))


def basis_text(request: Request, pages: Pages, code: str) -> str:
    """The legal basis in the reader's language, or the code itself where it is one of the administrator's own."""
    known = pages.catalogues["en"].texts
    return pages.text(request, f"basis.{code}") if f"basis.{code}" in known else code


def bases_of(request: Request, pages: Pages, clerk_request: ClerkRequest) -> tuple[Choice, ...]:
    """The legal bases of the gallery's policy, in its order."""
    codes = clerk_request.visits.gallery(clerk_request.workplace).policy.legal_bases
    return tuple(Choice(code, basis_text(request, pages, code)) for code in codes)


def place_of(clerk_request: ClerkRequest, step: VisitStep | None = None) -> Place:
    return Place(clerk_request.root, clerk_request.visits.practice, None if step is None else _STEPS[step])


def _to(clerk_request: ClerkRequest, visit: VisitId) -> RedirectResponse:
    return RedirectResponse(f"{clerk_request.root}visits/{visit}", 303)


def _act(clerk_request: ClerkRequest, visit: str, act: Callable[[], object]) -> Response:
    with suppress(Conflict, InvalidInput):  # the page that follows shows the step that the visit is at
        act()
    return _to(clerk_request, VisitId(visit))


def _start(
    request: Request, pages: Pages, clerk_request: ClerkRequest, number: str, problem: str, *, status: int = 200
) -> HTMLResponse:
    begun = [(draft, Visit.parse(draft.content)) for draft in clerk_request.visits.unfinished(clerk_request.workplace)]
    page = StartPage(
        place=Place(clerk_request.root, clerk_request.visits.practice, 0),
        number=number,
        problem=problem,
        begun=tuple(UnfinishedVisit(draft.visit, visit.person, visit.step, draft.created_at) for draft, visit in begun),
        waiting=len(clerk_request.exceptions.awaiting_approval(frozenset({clerk_request.workplace.gallery}))),
    )
    return pages.render(request, "station/start.html", page, status=status)


def _basis(
    request: Request, pages: Pages, clerk_request: ClerkRequest, draft: StationDraft, visit: Visit
) -> HTMLResponse:
    bases = bases_of(request, pages, clerk_request)
    page = BasisPage(place_of(clerk_request, visit.step), draft.visit, visit.person, visit.known, bases, visit.basis)
    return pages.render(request, "station/basis.html", page)


def _capture(
    request: Request, pages: Pages, clerk_request: ClerkRequest, draft: StationDraft, visit: Visit
) -> HTMLResponse:
    page = capture_page(request, clerk_request, place_of(clerk_request, visit.step), draft, visit)
    return pages.render(request, "station/capture.html", page)


def _review(
    request: Request, pages: Pages, clerk_request: ClerkRequest, draft: StationDraft, visit: Visit
) -> HTMLResponse:
    assert visit.kept is not None  # noqa: S101  a step of review has a capture
    page = ReviewPage(
        place=place_of(clerk_request, visit.step),
        visit=draft.visit,
        person=visit.person,
        known=visit.known,
        basis=basis_text(request, pages, visit.basis),
        from_file=visit.kept.source == "station-file",
        frames=visit.kept.frames,
        advice=visit.kept.advice,
    )
    return pages.render(request, "station/review.html", page)


def exception_page(
    place: Place, draft: StationDraft, visit: Visit, *, own: bool, problem: str = "", name: str = ""
) -> ExceptionPage:
    """The page of an exception, for the clerk who waits (`own`) and for whoever decides."""
    return ExceptionPage(
        place=place,
        visit=draft.visit,
        person=visit.person,
        failure=visit.failure or FailureReason.OTHER,
        clerk=draft.clerk,
        station=draft.station,
        own=own,
        has_photograph=visit.kept is not None,
        may_enrol=visit.may_enrol_despite_quality,
        problem=problem,
        name=name,
    )


def _exception(
    request: Request, pages: Pages, clerk_request: ClerkRequest, draft: StationDraft, visit: Visit
) -> HTMLResponse:
    page = exception_page(place_of(clerk_request, visit.step), draft, visit, own=True)
    return pages.render(request, "station/exception.html", page)


def _done(
    request: Request, pages: Pages, clerk_request: ClerkRequest, draft: StationDraft, visit: Visit
) -> HTMLResponse:
    outcome = visit.outcome
    assert outcome is not None  # noqa: S101  whatever is done has an outcome
    page = DonePage(
        place=place_of(clerk_request, visit.step),
        person=visit.person,
        ending=outcome.ending,
        encounter=outcome.encounter or "",
        at=outcome.at,
        station=draft.station,
        clerk=draft.clerk,
        gallery=draft.gallery,
        basis=basis_text(request, pages, visit.basis),
        receipt=outcome.receipt,
        demonstration=clerk_request.visits.gallery(clerk_request.workplace).demonstration,
    )
    return pages.render(request, "station/done.html", page)


_PAGES: dict[VisitStep, Callable[[Request, Pages, ClerkRequest, StationDraft, Visit], HTMLResponse]] = {
    VisitStep.BASIS: _basis,
    VisitStep.CAPTURE: _capture,
    VisitStep.REVIEW: _review,
    VisitStep.EXCEPTION: _exception,
    VisitStep.DONE: _done,
}
