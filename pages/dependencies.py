"""FastAPI dependencies of the pages: engine, staff accounts, renderer, and the session if it may use the page.

1. the cookie is that of a session that has not ended;
2. the session is not locked;
3. it was begun with a real credential, or this page is there to set one;
4. the account has the role that the page needs.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from idverify.access import Access
from idverify.engine import Engine
from idverify.ids import RequestId
from pages.browser import token_of
from pages.rendering import Pages
from staff.accounts.accounts import Role
from staff.accounts.composition import Staff
from staff.accounts.refusals import CredentialMissing, NotSignedIn, SessionLocked
from staff.accounts.sessions import StaffSession

SIGN_IN = "sign-in"
"""The purpose of whatever happens to a session."""


def _engine(request: Request) -> Engine:
    engine = request.app.state.engine
    assert isinstance(engine, Engine)  # noqa: S101  set by create_pages
    return engine


def _staff(request: Request) -> Staff:
    staff = request.app.state.staff
    assert isinstance(staff, Staff)  # noqa: S101
    return staff


def _pages(request: Request) -> Pages:
    pages = request.app.state.pages
    assert isinstance(pages, Pages)  # noqa: S101
    return pages


TheEngine = Annotated[Engine, Depends(_engine)]
TheStaff = Annotated[Staff, Depends(_staff)]
ThePages = Annotated[Pages, Depends(_pages)]


def anonymous_access(request: Request) -> Access:
    """A browser that nobody is known to sit at."""
    return Access(RequestId(request.state.request_id), SIGN_IN)


def access_of(request: Request, session: StaffSession, purpose: str) -> Access:
    """Who asks, from which station, why, and under which request id."""
    return Access(RequestId(request.state.request_id), purpose, clerk=session.staff, station=session.station_id)


def known_session(request: Request, staff: Staff, *, alive: bool) -> StaffSession | None:
    """The session of the browser's cookie in whatever state, or None. Raises SessionEnded."""
    session = staff.sessions.find(token_of(request), anonymous_access(request), alive=alive)
    request.state.session = session
    return session


def somebody(request: Request, staff: TheStaff) -> StaffSession:
    """Signed in, perhaps locked, perhaps with a one-time code only. Raises NotSignedIn, SessionEnded."""
    # 1. A session.
    session = known_session(request, staff, alive=True)
    if session is None:
        raise NotSignedIn("sign in first")
    return session


def newcomer(session: Annotated[StaffSession, Depends(somebody)]) -> StaffSession:
    """Signed in and not locked, perhaps with a one-time code only. Raises SessionLocked and what `somebody` does."""
    # 2. Unlocked.
    if session.locked:
        raise SessionLocked("unlock the session first")
    return session


def signed_in(session: Annotated[StaffSession, Depends(newcomer)]) -> StaffSession:
    """Raises CredentialMissing and what `newcomer` does."""
    # 3. By a credential of their own.
    if session.provisional:
        raise CredentialMissing("set a password or a passkey first")
    return session


def watching(request: Request, staff: TheStaff) -> StaffSession:
    """Like `signed_in`, for what a page asks by itself again and again: it is no sign that somebody is there."""
    session = known_session(request, staff, alive=False)
    if session is None:
        raise NotSignedIn("sign in first")
    return signed_in(newcomer(session))


Somebody = Annotated[StaffSession, Depends(somebody)]
Newcomer = Annotated[StaffSession, Depends(newcomer)]
SignedIn = Annotated[StaffSession, Depends(signed_in)]
Watching = Annotated[StaffSession, Depends(watching)]


def staff_with(*roles: Role) -> Callable[[StaffSession], StaffSession]:
    """A dependency that lets in whoever has at least one of `roles`; raises RoleMissing."""

    def permitted(session: SignedIn) -> StaffSession:
        # 4. The role.
        session.require_role(*roles)
        return session

    return permitted
