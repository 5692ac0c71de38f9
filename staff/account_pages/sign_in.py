"""Signing in and out by password, passkey or one-time code; a station's browser also signs with the station's key."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from idverify.access import Access
from idverify.engine import Engine
from idverify.errors import QuotaExceeded
from idverify.ids import RequestId
from pages.browser import PREFIX, clear_token, origin_of, set_token, token_of, within_pages
from pages.dependencies import (
    SIGN_IN,
    Somebody,
    TheEngine,
    ThePages,
    TheStaff,
    access_of,
    anonymous_access,
    known_session,
)
from staff.accounts.composition import Staff
from staff.accounts.nonces import NonceKind
from staff.accounts.passkeys import RelyingParty
from staff.accounts.refusals import SessionEnded, SignInRefused
from staff.accounts.sign_in import CHALLENGE_LIFETIME, Proved
from staff.accounts.station_proof import StationProof, proved_station

router = APIRouter()


@dataclass(frozen=True, slots=True)
class SignInPage:
    """`problem` is a message id, "" for none; `wait_s`: how long until another try is looked at."""

    next: str
    name: str = ""
    problem: str = ""
    wait_s: int = 0


@dataclass(frozen=True, slots=True)
class Keyboard:
    """What somebody typed into a sign-in form, and what the browser added if it is a station."""

    name: str
    next: str
    proof: StationProof


class PasskeyAnswer(BaseModel):
    """What a script sends for a passkey that signed."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    answer: dict[str, object]
    challenge: str = Field(max_length=100)
    next: str = Field("", max_length=1_000)
    station: str = Field("", max_length=63)
    station_challenge: str = Field("", max_length=100)
    station_signature: str = Field("", max_length=100)


def typed(
    name: Annotated[str, Form(max_length=200)],
    next: Annotated[str, Form(max_length=1_000)] = "",  # noqa: A002  as the field is called
    station: Annotated[str, Form(max_length=63)] = "",
    station_challenge: Annotated[str, Form(max_length=100)] = "",
    station_signature: Annotated[str, Form(max_length=100)] = "",
) -> Keyboard:
    """The fields of both sign-in forms."""
    return Keyboard(name, within_pages(next), StationProof(station, station_challenge, station_signature))


def party_of(request: Request, engine: Engine) -> RelyingParty:
    """This service as the browser's passkeys know it."""
    return RelyingParty(origin_of(request, engine.settings))


@router.get("/sign-in", response_class=HTMLResponse)
def sign_in_form(request: Request, pages: ThePages, next: str = "") -> HTMLResponse:  # noqa: A002
    """The way in."""
    return pages.render(request, "staff/sign_in.html", SignInPage(within_pages(next)))


@router.post("/sign-in")
def sign_in(
    request: Request,
    engine: TheEngine,
    staff: TheStaff,
    pages: ThePages,
    keyboard: Annotated[Keyboard, Depends(typed)],
    password: Annotated[str, Form(max_length=1_000)],
) -> Response:
    """By name and password."""
    try:
        proved = staff.sign_in.by_password(keyboard.name, password, anonymous_access(request))
    except (SignInRefused, QuotaExceeded) as error:
        return _again(request, pages, "staff/sign_in.html", keyboard, error)
    return started(request, engine, staff, proved, keyboard.proof, RedirectResponse(keyboard.next, 303))


@router.get("/first-sign-in", response_class=HTMLResponse)
def first_sign_in_form(request: Request, pages: ThePages) -> HTMLResponse:
    """For whoever was given a one-time code."""
    return pages.render(request, "staff/first_sign_in.html", SignInPage(f"{PREFIX}/account"))


@router.post("/first-sign-in")
def first_sign_in(
    request: Request,
    engine: TheEngine,
    staff: TheStaff,
    pages: ThePages,
    keyboard: Annotated[Keyboard, Depends(typed)],
    code: Annotated[str, Form(max_length=100)],
) -> Response:
    """By name and one-time code; good for setting a password or a passkey only."""
    try:
        proved = staff.sign_in.by_code(keyboard.name, code, anonymous_access(request))
    except (SignInRefused, QuotaExceeded) as error:
        return _again(request, pages, "staff/first_sign_in.html", keyboard, error)
    return started(request, engine, staff, proved, keyboard.proof, RedirectResponse(f"{PREFIX}/account", 303))


@router.post("/sign-in/station-challenge")
def station_challenge(request: Request, engine: TheEngine, staff: TheStaff) -> dict[str, str]:
    """What a browser that holds a station's key signs."""
    return {"challenge": challenge_for(request, engine, staff, NonceKind.STATION)}


@router.post("/sign-in/passkey-options")
def passkey_options(request: Request, engine: TheEngine, staff: TheStaff) -> dict[str, object]:
    """What the browser asks its passkeys to sign; the same for everybody."""
    challenge = challenge_for(request, engine, staff, NonceKind.PASSKEY)
    return {"challenge": challenge, "options": party_of(request, engine).authentication_options(challenge)}


@router.post("/sign-in/passkey")
def sign_in_by_passkey(request: Request, engine: TheEngine, staff: TheStaff, body: PasskeyAnswer) -> Response:
    """By a passkey, which says whose it is. Raises SignInRefused."""
    proved = staff.sign_in.by_passkey(
        body.answer,
        body.challenge,
        cookie_of(request, staff),
        party_of(request, engine),
        anonymous_access(request),
    )
    proof = StationProof(body.station, body.station_challenge, body.station_signature)
    return started(request, engine, staff, proved, proof, JSONResponse({"next": within_pages(body.next)}))


@router.post("/sign-out")
def sign_out(request: Request, staff: TheStaff, session: Somebody) -> RedirectResponse:
    """The session is over on the server, too."""
    staff.sessions.end(session, access_of(request, session, SIGN_IN))
    response = RedirectResponse(f"{PREFIX}/sign-in", 303)
    clear_token(response)
    return response


def cookie_of(request: Request, staff: Staff) -> bytes:
    """What is stored of the browser's cookie, whether somebody is signed in or not."""
    return staff.sessions.name_of(token_of(request))


def challenge_for(request: Request, engine: Engine, staff: Staff, kind: NonceKind) -> str:
    """A one-use value for this browser's cookie."""
    with engine.database.write() as connection:
        return staff.nonces.issue(connection, kind, CHALLENGE_LIFETIME, session=cookie_of(request, staff))


def started(
    request: Request, engine: Engine, staff: Staff, proved: Proved, proof: StationProof, response: Response
) -> Response:
    """`response` with the cookie of a new session, bound to the station that the browser proves to be."""
    station = proved_station(engine, staff, proof, cookie_of(request, staff), proved.staff, request.state.request_id)
    access = Access(RequestId(request.state.request_id), SIGN_IN, clerk=proved.staff, station=station)
    with engine.database.write() as connection:
        token = staff.sessions.start(
            connection, proved.staff, by=proved.kind, station=station, access=access, replaces=_running(request, staff)
        )
    set_token(response, token)
    return response


def _running(request: Request, staff: Staff) -> bytes | None:
    """The session that was running in this browser, which the new one takes the place of."""
    try:
        session = known_session(request, staff, alive=False)
    except SessionEnded:
        return None
    return None if session is None else session.session


def _again(
    request: Request, pages: ThePages, template: str, keyboard: Keyboard, error: SignInRefused | QuotaExceeded
) -> HTMLResponse:
    """The form once more; whether the name is known is not said."""
    throttled = isinstance(error, QuotaExceeded)
    page = SignInPage(
        next=keyboard.next,
        name=keyboard.name,
        problem="sign_in.too_many" if throttled else "sign_in.wrong",
        wait_s=error.retry_after_s if isinstance(error, QuotaExceeded) else 0,
    )
    headers = {"Retry-After": str(page.wait_s)} if throttled else None
    return pages.render(request, template, page, status=429 if throttled else 401, headers=headers)
