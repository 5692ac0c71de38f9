"""The page of one's own account: password and passkeys; roles and galleries are changed by administrators only."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from idverify.engine import Engine
from idverify.errors import Conflict, QuotaExceeded
from pages.browser import PREFIX, set_token
from pages.dependencies import Newcomer, SignedIn, TheEngine, ThePages, TheStaff, access_of
from staff.account_pages.sign_in import challenge_for, party_of
from staff.accounts.accounts import StaffCredentialKind
from staff.accounts.composition import Staff
from staff.accounts.credentials import Held
from staff.accounts.nonces import NonceKind
from staff.accounts.passwords import MIN_CHARACTERS
from staff.accounts.refusals import PasswordRefused, SignInRefused
from staff.accounts.sessions import StaffSession

router = APIRouter()
_PURPOSE = "account"
_ACCOUNT = f"{PREFIX}/account"


@dataclass(frozen=True, slots=True)
class AccountPage:
    """`problem` and `done` are message ids, "" for none; `removable`: more than one credential is left."""

    held: tuple[Held, ...]
    has_password: bool
    removable: bool
    min_characters: int
    problem: str = ""
    done: str = ""


class NewPasskeyAnswer(BaseModel):
    """What a script sends for a passkey that was made."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    answer: dict[str, object]
    challenge: str = Field(max_length=100)
    label: str = Field(max_length=100)


@router.get("/account", response_class=HTMLResponse)
def account(request: Request, staff: TheStaff, pages: ThePages, session: Newcomer, done: str = "") -> HTMLResponse:
    """What this person signs in by."""
    known = done if done in ("password_set", "passkey_added", "removed") else ""
    return _page(request, staff, pages, session, done=f"account.{known}" if known else "")


@router.post("/account/password")
def set_password(
    request: Request,
    engine: TheEngine,
    staff: TheStaff,
    pages: ThePages,
    session: Newcomer,
    new: Annotated[str, Form(max_length=1_000)],
    again: Annotated[str, Form(max_length=1_000)],
    current: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """A first password, or another one for whoever knows the present one."""
    access = access_of(request, session, _PURPOSE)
    if new != again:
        return _page(request, staff, pages, session, problem="account.passwords_differ")
    try:
        if any(held.kind is StaffCredentialKind.PASSWORD for held in staff.credentials.list(session.staff)):
            staff.sign_in.by_password(session.staff, current, access)
        staff.credentials.set_password(session.staff, new, access, here=session.session)
    except PasswordRefused as error:
        return _page(request, staff, pages, session, problem=f"account.password_{error.rule}")
    except SignInRefused:
        return _page(request, staff, pages, session, problem="account.current_wrong")
    except QuotaExceeded:
        return _page(request, staff, pages, session, problem="account.too_many")
    response = RedirectResponse(f"{_ACCOUNT}?done=password_set", 303)
    return _made_whole(request, engine, staff, session, StaffCredentialKind.PASSWORD, response)


@router.post("/account/passkeys/options")
def passkey_options(request: Request, engine: TheEngine, staff: TheStaff, session: Newcomer) -> dict[str, object]:
    """What the browser makes a passkey for."""
    challenge = challenge_for(request, engine, staff, NonceKind.PASSKEY)
    held = [
        item.credential for item in staff.credentials.list(session.staff) if item.kind is StaffCredentialKind.PASSKEY
    ]
    options = party_of(request, engine).registration_options(session.staff, session.display_name, challenge, held)
    return {"challenge": challenge, "options": options}


@router.post("/account/passkeys")
def add_passkey(
    request: Request, engine: TheEngine, staff: TheStaff, session: Newcomer, body: NewPasskeyAnswer
) -> Response:
    """One more passkey. Raises InvalidInput, Conflict, NonceUnknown and its kind."""
    with engine.database.write() as connection:
        staff.nonces.spend(connection, body.challenge, NonceKind.PASSKEY, session=session.session)
    passkey = party_of(request, engine).registered(body.answer, body.challenge)
    staff.credentials.add_passkey(session.staff, passkey, body.label, access_of(request, session, _PURPOSE))
    response = JSONResponse({"next": f"{_ACCOUNT}?done=passkey_added"})
    return _made_whole(request, engine, staff, session, StaffCredentialKind.PASSKEY, response)


@router.post("/account/credentials/remove")
def remove_credential(
    request: Request,
    staff: TheStaff,
    pages: ThePages,
    session: SignedIn,
    credential: Annotated[str, Form(max_length=2_000)],
) -> Response:
    """Refused from now on, unless it is the last. Raises NotFound."""
    try:
        staff.credentials.remove(session.staff, credential, access_of(request, session, _PURPOSE), here=session.session)
    except Conflict:
        return _page(request, staff, pages, session, problem="account.last_one")
    return RedirectResponse(f"{_ACCOUNT}?done=removed", 303)


def _made_whole(
    request: Request, engine: Engine, staff: Staff, session: StaffSession, by: StaffCredentialKind, response: Response
) -> Response:
    """After a one-time code, a session that is good for everything takes the place of this one."""
    if session.provisional:
        with engine.database.write() as connection:
            token = staff.sessions.start(
                connection,
                session.staff,
                by=by,
                station=session.station_id,
                access=access_of(request, session, "sign-in"),
                replaces=session.session,
            )
        set_token(response, token)
    return response


def _page(
    request: Request, staff: Staff, pages: ThePages, session: StaffSession, *, problem: str = "", done: str = ""
) -> HTMLResponse:
    held = staff.credentials.list(session.staff)
    page = AccountPage(
        held=held,
        has_password=any(item.kind is StaffCredentialKind.PASSWORD for item in held),
        removable=len(held) > 1,
        min_characters=MIN_CHARACTERS,
        problem=problem,
        done=done,
    )
    return pages.render(request, "staff/account.html", page, status=422 if problem else 200)
