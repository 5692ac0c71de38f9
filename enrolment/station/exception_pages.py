"""Serves the list of exceptions that await approval, and takes the decision of a second person.

They decide in their own session or at the clerk's station; nobody decides about their own visit.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from enrolment.station.capture_exceptions import Approver, CaptureUnusable, OwnException
from enrolment.station.clerk_request import PRACTICE, TheClerkRequest, approver_of, flows_of, root_of
from enrolment.station.page_contexts import AwaitedApproval, ExceptionsPage, Place
from enrolment.station.visit import ExceptionWay, FailureReason, VisitStep
from enrolment.station.visit_pages import exception_page, place_of
from idverify.encounters.register import media_type
from idverify.errors import Conflict, NotFound, QuotaExceeded
from idverify.ids import RequestId, VisitId
from pages.dependencies import ThePages, TheStaff, anonymous_access, staff_with
from pages.rendering import Pages
from staff.accounts.accounts import Role
from staff.accounts.refusals import SignInRefused
from staff.accounts.sessions import StaffSession

router = APIRouter()
_decider = staff_with(Role.CLERK, Role.SUPERVISOR)
Decider = Annotated[StaffSession, Depends(_decider)]


@router.get("/exceptions", response_class=HTMLResponse)
def waiting(request: Request, pages: ThePages, session: Decider) -> HTMLResponse:
    """The exceptions that await approval in this person's galleries."""
    found = flows_of(request).exceptions.awaiting_approval(session.galleries)
    page = ExceptionsPage(
        _place(request),
        tuple(
            AwaitedApproval(
                draft.visit,
                visit.person,
                visit.failure or FailureReason.OTHER,
                draft.clerk,
                draft.station,
                draft.created_at,
                draft.clerk == session.staff,
            )
            for draft, visit in found
        ),
    )
    return pages.render(request, "station/exceptions.html", page)


@router.get("/exceptions/{visit}", response_class=HTMLResponse)
def decide_page(request: Request, pages: ThePages, session: Decider, visit: str) -> HTMLResponse:
    """One exception, for whoever decides about it."""
    return _decision(request, pages, session, VisitId(visit))


@router.get("/exceptions/{visit}/photograph")
def photograph(request: Request, session: Decider, visit: str) -> Response:
    """The best photograph that was captured, for whoever decides."""
    flows = flows_of(request)
    content = flows.visits.photograph(*flows.exceptions.show(session.galleries, VisitId(visit)))
    return Response(content, media_type=media_type(content))


@router.post("/exceptions/{visit}")
def decide(
    request: Request, pages: ThePages, session: Decider, visit: str, way: Annotated[ExceptionWay, Form()]
) -> Response:
    """The decision of somebody in their own session."""
    try:
        flows_of(request).exceptions.approve(approver_of(request, session), VisitId(visit), way)
    except (OwnException, CaptureUnusable) as error:
        problem = f"exception.{error.code}"
        return _decision(request, pages, session, VisitId(visit), problem=problem, status=403)
    except (NotFound, Conflict):
        pass  # somebody else decided first; the list shows what is left
    return RedirectResponse(f"{root_of(request)}exceptions", 303)


@router.post("/visits/{visit}/approval")
def decide_here(
    request: Request,
    pages: ThePages,
    staff: TheStaff,
    clerk_request: TheClerkRequest,
    visit: str,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=1_000)],
    way: Annotated[ExceptionWay, Form()],
) -> Response:
    """The decision of a second person at the clerk's station; the clerk stays signed in."""
    draft, seen = clerk_request.visits.at(clerk_request.workplace, VisitId(visit), VisitStep.EXCEPTION)
    problem = ""
    try:
        proved = staff.sign_in.by_password(name, password, anonymous_access(request))
        account = next(account for account in staff.accounts.list() if account.staff == proved.staff)
        allowed = not account.roles.isdisjoint({Role.CLERK, Role.SUPERVISOR})
        galleries = account.galleries if allowed else frozenset()
        request_id = RequestId(request.state.request_id)
        approver = Approver(account.staff, galleries, request_id, clerk_request.workplace.station)
        clerk_request.exceptions.approve(approver, draft.visit, way)
    except (SignInRefused, QuotaExceeded):
        problem = "exception.sign_in_refused"
    except (OwnException, CaptureUnusable) as error:
        problem = f"exception.{error.code}"
    except NotFound:
        problem = "exception.not_permitted"
    if not problem:
        return RedirectResponse(f"{clerk_request.root}visits/{visit}", 303)
    page = exception_page(place_of(clerk_request, seen.step), draft, seen, own=True, problem=problem, name=name)
    return pages.render(request, "station/exception.html", page, status=403)


def _place(request: Request) -> Place:
    root = root_of(request)
    return Place(root, root == PRACTICE)


def _decision(
    request: Request, pages: Pages, session: StaffSession, visit_id: VisitId, *, problem: str = "", status: int = 200
) -> HTMLResponse:
    draft, visit = flows_of(request).exceptions.show(session.galleries, visit_id)
    page = exception_page(_place(request), draft, visit, own=draft.clerk == session.staff, problem=problem)
    return pages.render(request, "station/decision.html", page, status=status)
