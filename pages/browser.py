"""What a browser sends with a request: the token in its cookie, its language, its origin. None of it is trusted."""

from collections.abc import Mapping

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from idverify.settings import Settings
from pages.catalogues import preferred
from staff.accounts.accounts import LANGUAGES
from staff.accounts.sessions import StaffSession, csrf_of, new_token

COOKIE = "__Host-idverify"
LANGUAGE_COOKIE = "__Host-idverify-language"
PREFIX = "/staff"
HOME = f"{PREFIX}/"
_TOKEN_CHARACTERS = 43
_YEAR_S = 365 * 86_400


def token_of(request: Request) -> str:
    """The token of the browser's cookie, or a new one, which the next page sets."""
    known: str | None = getattr(request.state, "token", None)
    if known is None:
        offered = request.cookies.get(COOKIE, "")
        fits = len(offered) == _TOKEN_CHARACTERS and offered.isascii()
        known = request.state.token = offered if fits else new_token()
        request.state.token_is_new = not fits
    return known


def csrf_token_of(request: Request) -> str:
    """What a form on the page that answers this request must send back."""
    return csrf_of(token_of(request))


def set_token(response: Response, token: str) -> None:
    """__Host-: over TLS only, for this host only, out of reach of scripts, never sent from another site's page."""
    response.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="strict")


def clear_token(response: Response) -> None:
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")


def set_language(response: Response, language: str) -> None:
    response.set_cookie(
        LANGUAGE_COOKIE, language, max_age=_YEAR_S, path="/", secure=True, httponly=True, samesite="strict"
    )


def language_of(request: Request) -> str:
    """The account's, where somebody is signed in, else the one that was chosen here, else the browser's."""
    session: StaffSession | None = getattr(request.state, "session", None)
    if session is not None:
        return session.language
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return chosen if chosen in LANGUAGES else preferred(request.headers.get("accept-language", ""))


def origin_of(connection: HTTPConnection, settings: Settings) -> str:
    """The origin of these pages: as it is configured, or as the browser addressed this service."""
    return settings.staff_origin or f"{connection.url.scheme}://{connection.headers.get('host', '')}"


def within_pages(address: str) -> str:
    """`address` when it is a page of ours to go on to, else the start page: never a way out to another site."""
    plain = address.isascii() and address.isprintable() and "\\" not in address
    return address if plain and address.startswith(HOME) and not address.startswith(f"{HOME}/") else HOME


def wants_json(headers: Mapping[str, str]) -> bool:
    """Whether a script of ours asks, rather than a person's browser."""
    return headers.get("accept", "").startswith("application/json")
