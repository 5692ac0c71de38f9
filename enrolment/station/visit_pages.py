"""The pages of a visit: one address, which shows the step that the visit is at, and a form for each act.

An act that comes late or twice is answered by the visit as it is now; nothing is done twice.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from enrolment.station.capture_pages import capture_page
from enrolment.station.clerk_request import AtDesk, Desk, at_desk, root_of
from enrolment.station.contexts import (
    BasisPage,
    Begun,
    Choice,
    DonePage,
    ExceptionPage,
    NoStationPage,
    Place,
    ReviewPage,
    StartPage,
)
from enrolment.station.visit import FailureReason, Step, Visit
from enrolment.station.visit_steps import NumberMalformed
from idverify.encounters import media_type
from idverify.errors import Conflict, InvalidInput
from idverify.ids import VisitId
from idverify.stored.station_drafts import Draft
from pages.dependencies import ThePages, staff_with
from pages.rendering import Pages
from staff.accounts.accounts import Role
from staff.accounts.sessions import StaffSession

router = APIRouter()
_clerk = staff_with(Role.CLERK)
_STEPS = {Step.BASIS: 1, Step.CAPTURE: 2, Step.EXCEPTION: 2, Step.REVIEW: 3, Step.DONE: 4}


@router.get("/", response_class=HTMLResponse)
def start_page(
    request: Request, pages: ThePages, session: Annotated[StaffSession, Depends(_clerk)], number: str = ""
) -> HTMLResponse:
    """Who is next, and what was not ended."""
    if session.station is None:
        place = Place(root_of(request), root_of(request).endswith("practice/"))
        return pages.render(request, "station/no_station.html", NoStationPage(place))
    return _start(request, pages, at_desk(request, session), number[:64], "")


@router.post("/visits")
def begin(
    request: Request, pages: ThePages, desk: AtDesk, number: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """A visit of the person with that number."""
    try:
        draft = desk.visits.start(desk.sitting, number)
    except NumberMalformed:
        return _start(request, pages, desk, number, "person.malformed", status=422)
    return _to(desk, draft.visit)


@router.get("/visits/{visit}", response_class=HTMLResponse)
def show(request: Request, pages: ThePages, desk: AtDesk, visit: str) -> HTMLResponse:
    """The step that the visit is at, whatever happened since."""
    draft, seen = desk.visits.show(desk.sitting, VisitId(visit))
    return _PAGES[seen.step](request, pages, desk, draft, seen)


@router.post("/visits/{visit}/basis")
def choose_basis(desk: AtDesk, visit: str, basis: Annotated[str, Form(max_length=63)]) -> Response:
    """On what ground the person's face is processed."""
    return _act(desk, visit, lambda: desk.visits.choose_basis(desk.sitting, VisitId(visit), basis))


@router.post("/visits/{visit}/back")
def back(desk: AtDesk, visit: str, step: Annotated[Step, Form()]) -> Response:
    """From that step to the one before it."""
    return _act(desk, visit, lambda: desk.visits.back(desk.sitting, VisitId(visit), step))


@router.post("/visits/{visit}/cancel")
def cancel(desk: AtDesk, visit: str) -> Response:
    """Nothing of the visit is kept."""
    try:
        desk.visits.cancel(desk.sitting, VisitId(visit))
    except Conflict:
        return _to(desk, VisitId(visit))
    return RedirectResponse(desk.root, 303)


@router.post("/visits/{visit}/commit")
def commit(desk: AtDesk, visit: str) -> Response:
    """Enrol what was reviewed."""
    return _act(desk, visit, lambda: desk.visits.commit(desk.sitting, VisitId(visit)))


@router.post("/visits/{visit}/failure")
def fail(desk: AtDesk, visit: str, reason: Annotated[FailureReason, Form()]) -> Response:
    """The face can not be captured; somebody else decides what is done instead."""
    return _act(desk, visit, lambda: desk.ways_out.fail(desk.sitting, VisitId(visit), reason))


@router.get("/visits/{visit}/photograph")
def photograph(desk: AtDesk, visit: str) -> Response:
    """What was captured, to the clerk whose visit it is."""
    content = desk.visits.photograph(*desk.visits.show(desk.sitting, VisitId(visit)))
    return Response(content, media_type=media_type(content))


def basis_text(request: Request, pages: Pages, code: str) -> str:
    """The legal basis in the person's language; a code of the administrator's own stands for itself."""
    known = pages.catalogues["en"].texts
    return pages.text(request, f"basis.{code}") if f"basis.{code}" in known else code


def bases_of(request: Request, pages: Pages, desk: Desk) -> tuple[Choice, ...]:
    """What the gallery's policy offers, in its order."""
    codes = desk.visits.gallery(desk.sitting).policy.legal_bases
    return tuple(Choice(code, basis_text(request, pages, code)) for code in codes)


def place_of(desk: Desk, step: Step | None = None) -> Place:
    return Place(desk.root, desk.visits.practice, None if step is None else _STEPS[step])


def _to(desk: Desk, visit: VisitId) -> RedirectResponse:
    return RedirectResponse(f"{desk.root}visits/{visit}", 303)


def _act(desk: Desk, visit: str, act: Callable[[], object]) -> Response:
    with suppress(Conflict, InvalidInput):  # the page that follows shows how things stand
        act()
    return _to(desk, VisitId(visit))


def _start(request: Request, pages: Pages, desk: Desk, number: str, problem: str, *, status: int = 200) -> HTMLResponse:
    begun = [(draft, Visit.parse(draft.content)) for draft in desk.visits.unfinished(desk.sitting)]
    page = StartPage(
        place=Place(desk.root, desk.visits.practice, 0),
        number=number,
        problem=problem,
        begun=tuple(Begun(draft.visit, visit.person, visit.step, draft.created_at) for draft, visit in begun),
        waiting=len(desk.ways_out.waiting(frozenset({desk.sitting.gallery}))),
    )
    return pages.render(request, "station/start.html", page, status=status)


def _basis(request: Request, pages: Pages, desk: Desk, draft: Draft, visit: Visit) -> HTMLResponse:
    bases = bases_of(request, pages, desk)
    page = BasisPage(place_of(desk, visit.step), draft.visit, visit.person, visit.known, bases, visit.basis)
    return pages.render(request, "station/basis.html", page)


def _capture(request: Request, pages: Pages, desk: Desk, draft: Draft, visit: Visit) -> HTMLResponse:
    page = capture_page(request, desk, place_of(desk, visit.step), draft, visit)
    return pages.render(request, "station/capture.html", page)


def _review(request: Request, pages: Pages, desk: Desk, draft: Draft, visit: Visit) -> HTMLResponse:
    assert visit.kept is not None  # noqa: S101  a step of review has a capture
    page = ReviewPage(
        place=place_of(desk, visit.step),
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
    place: Place, draft: Draft, visit: Visit, *, own: bool, problem: str = "", name: str = ""
) -> ExceptionPage:
    """The same for the clerk who waits and for whoever decides."""
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


def _exception(request: Request, pages: Pages, desk: Desk, draft: Draft, visit: Visit) -> HTMLResponse:
    page = exception_page(place_of(desk, visit.step), draft, visit, own=True)
    return pages.render(request, "station/exception.html", page)


def _done(request: Request, pages: Pages, desk: Desk, draft: Draft, visit: Visit) -> HTMLResponse:
    outcome = visit.outcome
    assert outcome is not None  # noqa: S101  whatever is done has an outcome
    page = DonePage(
        place=place_of(desk, visit.step),
        person=visit.person,
        ending=outcome.ending,
        encounter=outcome.encounter or "",
        at=outcome.at,
        station=draft.station,
        clerk=draft.clerk,
        gallery=draft.gallery,
        basis=basis_text(request, pages, visit.basis),
        receipt=outcome.receipt,
        demonstration=desk.visits.gallery(desk.sitting).demonstration,
    )
    return pages.render(request, "station/done.html", page)


_PAGES: dict[Step, Callable[[Request, Pages, Desk, Draft, Visit], HTMLResponse]] = {
    Step.BASIS: _basis,
    Step.CAPTURE: _capture,
    Step.REVIEW: _review,
    Step.EXCEPTION: _exception,
    Step.DONE: _done,
}
