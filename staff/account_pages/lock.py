"""The page of a locked session: it shows nothing but the way to unlock it, and keeps the work in progress."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from idverify.errors import QuotaExceeded
from pages.browser import PREFIX, wants_json, within_pages
from pages.dependencies import SIGN_IN, Somebody, TheEngine, ThePages, TheStaff, access_of
from staff.account_pages.sign_in import PasskeyAnswer, party_of
from staff.accounts.refusals import SignInRefused

router = APIRouter()


@dataclass(frozen=True, slots=True)
class LockedPage:
    """`problem` is a message id, "" for none; `wait_s`: how long until another try is looked at."""

    next: str
    problem: str = ""
    wait_s: int = 0


@router.get("/locked", response_class=HTMLResponse)
def locked(request: Request, pages: ThePages, session: Somebody, next: str = "") -> Response:  # noqa: A002
    """For whoever comes back."""
    if not session.locked:
        return RedirectResponse(within_pages(next), 303)
    return pages.render(request, "staff/locked.html", LockedPage(within_pages(next)))


@router.post("/lock")
def lock(
    request: Request,
    staff: TheStaff,
    session: Somebody,
    next: Annotated[str, Form(max_length=1_000)] = "",  # noqa: A002
) -> Response:
    """Somebody leaves the desk, or the page's script has noticed that they left it."""
    by_script = wants_json(request.headers)
    if not session.locked:
        staff.sessions.lock(session, access_of(request, session, SIGN_IN), reason="idle" if by_script else "asked")
    if by_script:
        return Response(status_code=204)
    return RedirectResponse(f"{PREFIX}/locked?next={within_pages(next)}", 303)


@router.post("/unlock")
def unlock(
    request: Request,
    engine: TheEngine,
    staff: TheStaff,
    pages: ThePages,
    session: Somebody,
    password: Annotated[str, Form(max_length=1_000)],
    next: Annotated[str, Form(max_length=1_000)] = "",  # noqa: A002
) -> Response:
    """By the password of the same account."""
    access = access_of(request, session, SIGN_IN)
    back = within_pages(next)
    try:
        proved = staff.sign_in.by_password(session.staff, password, access)
    except SignInRefused:
        return pages.render(request, "staff/locked.html", LockedPage(back, "sign_in.wrong_password"), status=401)
    except QuotaExceeded as error:
        page = LockedPage(back, "sign_in.too_many", error.retry_after_s)
        headers = {"Retry-After": str(error.retry_after_s)}
        return pages.render(request, "staff/locked.html", page, status=429, headers=headers)
    with engine.database.write() as connection:
        staff.sessions.unlock(connection, session, access, by=proved.kind)
    return RedirectResponse(back, 303)


@router.post("/unlock/passkey")
def unlock_by_passkey(
    request: Request, engine: TheEngine, staff: TheStaff, session: Somebody, body: PasskeyAnswer
) -> JSONResponse:
    """By a passkey of the same account. Raises SignInRefused."""
    access = access_of(request, session, SIGN_IN)
    proved = staff.sign_in.by_passkey(body.answer, body.challenge, session.session, party_of(request, engine), access)
    if proved.staff != session.staff:
        raise SignInRefused("this is another account's passkey")
    with engine.database.write() as connection:
        staff.sessions.unlock(connection, session, access, by=proved.kind)
    return JSONResponse({"next": within_pages(body.next)})
