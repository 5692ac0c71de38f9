"""Turns errors into pages in the person's language, or into problem documents for a page's script; records refusals."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from idverify.access import Access
from idverify.audit.events import EventKind
from idverify.engine import Engine
from idverify.errors import IdverifyError, InvalidInput, NotPermitted, QuotaExceeded
from idverify.ids import RequestId
from pages.browser import PREFIX, clear_token, origin_of, wants_json
from pages.dependencies import SIGN_IN, known_session
from pages.rendering import Pages
from staff.accounts.refusals import CredentialMissing, NotSignedIn, SessionEnded, SessionLocked
from staff.accounts.sessions import StaffSession

_PROBLEM = "application/problem+json"
_STATUSES = {
    "body_too_large": 413,
    "not_found": 404,
    "conflict": 409,
    "credential_invalid": 401,
    "not_permitted": 403,
    "quota_exceeded": 429,
    "gallery_loading": 503,
    "storage_unavailable": 503,
    "decoder_unavailable": 503,
    "invalid_input": 422,
}
"""By the code of the error or of the nearest class above it; each has its texts in the catalogue: problem.<code>."""
_INTERNAL = "internal_error"
_WAYS_IN = {
    NotSignedIn.code: f"{PREFIX}/sign-in",
    SessionEnded.code: f"{PREFIX}/sign-in",
    SessionLocked.code: f"{PREFIX}/locked",
    CredentialMissing.code: f"{PREFIX}/account",
}
"""Where a person is sent who has to do something else first."""


@dataclass(frozen=True, slots=True)
class ProblemPage:
    """`kind` names the texts problem.<kind>.title and .text; `wait_s` None: there is no use in waiting."""

    kind: str
    request_id: str
    wait_s: int | None = None


def install(app: FastAPI) -> None:
    """Turn every exception of the pages into an answer."""
    app.add_exception_handler(IdverifyError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_failure)


def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, IdverifyError)  # noqa: S101  registered for this type
    kind = _kind_of(error)
    if kind == _INTERNAL:
        raise error  # to the last catch, with its traceback
    if isinstance(error, NotPermitted | SessionEnded) and not isinstance(error, CredentialMissing):
        _record(request, error)
    way_in = _WAYS_IN.get(error.code)
    if way_in is not None and not wants_json(request.headers):
        response: Response = RedirectResponse(f"{way_in}?next={quote(_wanted(request), safe='/')}", 303)
    else:
        wait_s = error.retry_after_s if isinstance(error, QuotaExceeded) else None
        response = _answer(request, kind, _STATUSES[kind], code=error.code, wait_s=wait_s, way_in=way_in)
    if isinstance(error, SessionEnded):
        clear_token(response)
    return response


def _on_validation_error(request: Request, _error: Exception) -> Response:
    return _on_error(request, InvalidInput("fields are missing or malformed"))


def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if isinstance(error.__cause__, IdverifyError):
        return _on_error(request, error.__cause__)  # FastAPI wraps what is raised while it parses a body
    kind = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid_input")
    return _answer(request, kind, error.status_code, code=kind)


def _on_failure(request: Request, _error: Exception) -> Response:
    """The middleware that calls this raises the error again, for the log of the service."""
    return _answer(request, _INTERNAL, 500, code=_INTERNAL)


def _kind_of(error: IdverifyError) -> str:
    for parent in type(error).__mro__:
        code = getattr(parent, "code", "")
        if code in _STATUSES:
            return str(code)
    return _INTERNAL


def _answer(
    request: Request, kind: str, status: int, *, code: str, wait_s: int | None = None, way_in: str | None = None
) -> Response:
    request.state.outcome = code
    pages: Pages = request.app.state.pages
    headers = {} if wait_s is None else {"Retry-After": str(wait_s)}
    if not wants_json(request.headers):
        _find_session(request)
        page = ProblemPage(kind, request.state.request_id, wait_s)
        return pages.render(request, "pages/problem.html", page, status=status, headers=headers)
    document = {
        "type": f"urn:idverify:problem:{code}",
        "title": pages.text(request, f"problem.{kind}.title"),
        "detail": pages.text(request, f"problem.{kind}.text"),
        "status": status,
        "code": code,
        "request_id": request.state.request_id,
        "way_in": way_in,
    }
    return JSONResponse(document, status, headers, _PROBLEM)


def _record(request: Request, error: IdverifyError) -> None:
    """The leaf of a refusal: by whom, where, and the error's code as the reason."""
    session = _find_session(request)
    clerk = error.clerk if isinstance(error, SessionEnded) else None if session is None else session.staff
    station = None if session is None else session.station_id
    access = Access(RequestId(request.state.request_id), SIGN_IN, clerk=clerk, station=station)
    engine: Engine = request.app.state.engine
    with engine.database.write() as connection:
        engine.journal.record(connection, EventKind.STAFF_REFUSED, access, reason=error.code)


def _find_session(request: Request) -> StaffSession | None:
    """Who is signed in, also where the error was raised before anybody asked."""
    if not hasattr(request.state, "session"):
        try:
            known_session(request, request.app.state.staff, alive=False)
        except IdverifyError:
            request.state.session = None
    session: StaffSession | None = request.state.session
    return session


def _wanted(request: Request) -> str:
    """The page to go on to afterwards: this one, or the one whose form was sent."""
    if request.method == "GET":
        return request.url.path + (f"?{request.url.query}" if request.url.query else "")
    engine: Engine = request.app.state.engine
    referer = request.headers.get("referer", "")
    if not referer.startswith(f"{origin_of(request, engine.settings)}/"):
        return f"{PREFIX}/"
    parts = urlsplit(referer)
    return parts.path + (f"?{parts.query}" if parts.query else "")
