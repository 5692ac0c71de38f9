"""Who is at the desk: every page of it is handed the same few things, and none lets in anybody but analysts."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from analysis.adjudication.case_reading import PURPOSE, Reading
from analysis.adjudication.casework import Desk
from analysis.adjudication.reviewer import Reviewer
from idverify.access import Access
from idverify.engine import Engine
from pages.dependencies import TheEngine, ThePages, access_of, staff_with
from pages.rendering import Pages
from staff.accounts.accounts import Role
from staff.accounts.sessions import StaffSession


@dataclass(frozen=True, slots=True)
class Seat:
    """A request of an analyst or lead analyst."""

    engine: Engine
    pages: Pages
    reviewer: Reviewer
    access: Access
    desk: Desk
    reading: Reading


def _seat(
    request: Request,
    engine: TheEngine,
    pages: ThePages,
    session: Annotated[StaffSession, Depends(staff_with(Role.ANALYST, Role.LEAD_ANALYST))],
) -> Seat:
    reviewer = Reviewer(
        name=session.staff,
        galleries=session.galleries,
        lead=Role.LEAD_ANALYST in session.roles,
        analyst=Role.ANALYST in session.roles,
    )
    desk = Desk(engine)
    return Seat(engine, pages, reviewer, access_of(request, session, PURPOSE), desk, Reading(engine, desk))


TheSeat = Annotated[Seat, Depends(_seat)]


def _leading(seat: TheSeat, session: Annotated[StaffSession, Depends(staff_with(Role.LEAD_ANALYST))]) -> Seat:
    session.require_role(Role.LEAD_ANALYST)
    return seat


LeadingSeat = Annotated[Seat, Depends(_leading)]
"""Of a lead analyst only."""
