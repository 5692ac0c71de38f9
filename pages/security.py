"""Security of all pages alike: response headers, and two checks of every request that may change something.

1. a request that may change something comes from a page of this origin: its Origin header says so or, where a browser
   sends none, Sec-Fetch-Site;
2. it carries the CSRF token of the browser's session: the field `csrf_token` of a form, or the header X-CSRF-Token.
"""

import hmac

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from idverify.engine import Engine
from pages.browser import csrf_token_of, origin_of
from staff.accounts.refusals import RequestForged

SAFE_METHODS = frozenset({"GET", "HEAD"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "worker-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(self), publickey-credentials-get=(self), publickey-credentials-create=(self), "
        "microphone=(), geolocation=(), display-capture=(), payment=(), usb=()"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class SecurityHeaders:
    """ASGI middleware around all pages. Files that do not change with the person may be kept and asked for again."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_static = scope.get("path", "").removeprefix(scope.get("root_path", "")).startswith("/static/")

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers["Cache-Control"] = "no-cache" if is_static else "no-store"
            await send(message)

        await self._app(scope, receive, send_secured)


async def guard(request: Request) -> None:
    """A dependency of every route. Raises RequestForged."""
    expected = csrf_token_of(request)
    if request.method in SAFE_METHODS:
        return
    # 1. From here.
    engine: Engine = request.app.state.engine
    origin = request.headers.get("origin")
    from_here = request.headers.get("sec-fetch-site") == "same-origin" if origin is None else None
    if not (from_here or origin == origin_of(request, engine.settings)):
        raise RequestForged("this was sent from another site")
    # 2. By a page of this session.
    offered = request.headers.get("x-csrf-token")
    if offered is None and _is_form(request):
        field = (await request.form()).get("csrf_token")
        offered = field if isinstance(field, str) else None
    if offered is None or not hmac.compare_digest(offered.encode(), expected.encode()):
        raise RequestForged("the page is out of date, or this was not sent by it")


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in ("application/x-www-form-urlencoded", "multipart/form-data")
