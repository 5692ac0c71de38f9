"""Activates a station: a supervisor enters its code in the browser that becomes the station and makes its key."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from idverify.errors import InvalidInput
from idverify.ids import station_id
from pages.dependencies import TheEngine, ThePages, TheStaff, access_of, staff_with
from pages.rendering import Nothing
from staff.account_pages.sign_in import challenge_for
from staff.accounts.accounts import Role
from staff.accounts.nonces import NonceKind
from staff.accounts.refusals import ActivationRefused
from staff.accounts.sessions import StaffSession
from staff.accounts.station_proof import decoded

router = APIRouter()
_supervisor = staff_with(Role.SUPERVISOR)
Supervisor = Annotated[StaffSession, Depends(_supervisor)]


class Activation(BaseModel):
    """`public_key` (DER) and `signature` are base64url."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    station: str = Field(max_length=63)
    code: str = Field(max_length=100)
    challenge: str = Field(max_length=100)
    public_key: str = Field(max_length=500)
    signature: str = Field(max_length=100)


@router.get("/stations/activate", response_class=HTMLResponse, dependencies=[Depends(_supervisor)])
def activation_form(request: Request, pages: ThePages) -> HTMLResponse:
    """What an administrator's `stations add` printed goes in here."""
    return pages.render(request, "staff/activate.html", Nothing())


@router.post("/stations/challenge", dependencies=[Depends(_supervisor)])
def activation_challenge(request: Request, engine: TheEngine, staff: TheStaff) -> dict[str, str]:
    """What the browser signs with the key that it has just made."""
    return {"challenge": challenge_for(request, engine, staff, NonceKind.STATION)}


@router.post("/stations/activate")
def activate(
    request: Request, engine: TheEngine, staff: TheStaff, session: Supervisor, body: Activation
) -> dict[str, str]:
    """Raises ActivationRefused, StationUnknown, GalleryForeign."""
    try:
        name = station_id(body.station.strip().lower())
    except InvalidInput:
        raise ActivationRefused("the station's name or its activation code is wrong, used or expired") from None
    with engine.database.write() as connection:
        station = staff.stations.activate(
            connection,
            name,
            code=body.code,
            challenge=body.challenge,
            session=session.session,
            public_key=decoded(body.public_key),
            signature=decoded(body.signature),
            access=access_of(request, session, "administration"),
        )
        session.require_gallery(station.gallery)
    return {"station": station.station, "gallery": station.gallery}
