"""The section of staff accounts: start page, language, sign-in, own account, lock, and activation of stations."""

from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from pages.browser import set_language, within_pages
from pages.dependencies import ThePages, TheStaff, known_session, signed_in
from pages.rendering import Nothing
from pages.section import MenuEntry, Section
from staff.account_pages import lock, own_account, sign_in, station_activation
from staff.accounts.accounts import Role
from staff.accounts.refusals import SessionEnded

router = APIRouter()


@router.get("/", response_class=HTMLResponse, dependencies=[Depends(signed_in)])
def home(request: Request, pages: ThePages) -> HTMLResponse:
    """Where this person may go."""
    return pages.render(request, "staff/home.html", Nothing())


@router.post("/language")
def change_language(
    request: Request,
    staff: TheStaff,
    language: Annotated[Literal["en", "st", "sw"], Form()],
    next: Annotated[str, Form()] = "",  # noqa: A002  as the field is called
) -> RedirectResponse:
    """Of this browser, and of the account that is signed in here."""
    try:
        session = known_session(request, staff, alive=True)
    except SessionEnded:
        session = None
    if session is not None:
        staff.accounts.set_language(session.staff, language)
    response = RedirectResponse(within_pages(next), 303)
    set_language(response, language)
    return response


for part in (sign_in, lock, own_account, station_activation):
    router.include_router(part.router)

SECTION = Section(
    "staff",
    Path(__file__).parent,
    router,
    (MenuEntry("/stations/activate", "activation.title", "activation.description", frozenset({Role.SUPERVISOR})),),
)
