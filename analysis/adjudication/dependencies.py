"""Gives each page of adjudication its analyst and its parts; nobody but analysts is let in."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from analysis.adjudication.case_reading import PURPOSE
from analysis.adjudication.composition import AdjudicationParts
from analysis.adjudication.reviewer import Reviewer
from idverify.access import Access
from pages.dependencies import ThePages, access_of, staff_with
from pages.rendering import Pages
from staff.accounts.accounts import Role
from staff.accounts.sessions import StaffSession

SECTION_NAME = "desk"
"""Names templates, texts and static files of these pages, and their parts in the application's state."""


@dataclass(frozen=True, slots=True)
class AnalystRequest:
    """A request of an analyst or lead analyst."""

    pages: Pages
    reviewer: Reviewer
    access: Access
    parts: AdjudicationParts


def _analyst_request(
    request: Request,
    pages: ThePages,
    session: Annotated[StaffSession, Depends(staff_with(Role.ANALYST, Role.LEAD_ANALYST))],
) -> AnalystRequest:
    reviewer = Reviewer(
        name=session.staff,
        galleries=session.galleries,
        lead=Role.LEAD_ANALYST in session.roles,
        analyst=Role.ANALYST in session.roles,
    )
    parts = request.app.state.sections[SECTION_NAME]
    assert isinstance(parts, AdjudicationParts)  # noqa: S101  made by the section's `prepare`
    return AnalystRequest(pages, reviewer, access_of(request, session, PURPOSE), parts)


TheAnalystRequest = Annotated[AnalystRequest, Depends(_analyst_request)]


def _lead_analyst_request(
    analyst: TheAnalystRequest, session: Annotated[StaffSession, Depends(staff_with(Role.LEAD_ANALYST))]
) -> AnalystRequest:
    session.require_role(Role.LEAD_ANALYST)
    return analyst


LeadAnalystRequest = Annotated[AnalystRequest, Depends(_lead_analyst_request)]
"""Of a lead analyst only."""
