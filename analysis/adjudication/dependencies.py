"""Who is at the desk: every page of it is handed the same few things, and none lets in anybody but analysts."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from analysis.adjudication.case_reading import PURPOSE, CaseReading
from analysis.adjudication.casework import Casework
from analysis.adjudication.reviewer import Reviewer
from idverify.access import Access
from idverify.engine import Engine
from pages.dependencies import TheEngine, ThePages, access_of, staff_with
from pages.rendering import Pages
from staff.accounts.accounts import Role
from staff.accounts.sessions import StaffSession


@dataclass(frozen=True, slots=True)
class AnalystRequest:
    """A request of an analyst or lead analyst."""

    engine: Engine
    pages: Pages
    reviewer: Reviewer
    access: Access
    casework: Casework
    reading: CaseReading


def _analyst_request(
    request: Request,
    engine: TheEngine,
    pages: ThePages,
    session: Annotated[StaffSession, Depends(staff_with(Role.ANALYST, Role.LEAD_ANALYST))],
) -> AnalystRequest:
    reviewer = Reviewer(
        name=session.staff,
        galleries=session.galleries,
        lead=Role.LEAD_ANALYST in session.roles,
        analyst=Role.ANALYST in session.roles,
    )
    casework = Casework(engine)
    return AnalystRequest(
        engine, pages, reviewer, access_of(request, session, PURPOSE), casework, CaseReading(engine, casework)
    )


TheAnalystRequest = Annotated[AnalystRequest, Depends(_analyst_request)]


def _leading(
    analyst: TheAnalystRequest, session: Annotated[StaffSession, Depends(staff_with(Role.LEAD_ANALYST))]
) -> AnalystRequest:
    session.require_role(Role.LEAD_ANALYST)
    return analyst


LeadAnalystRequest = Annotated[AnalystRequest, Depends(_leading)]
"""Of a lead analyst only."""
