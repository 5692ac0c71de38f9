"""Gives each request its id, its security headers, a log line and metrics, and answers for errors that nobody expected.

Neither the log line nor a metric names a path, a person, a body or a header: only the route's template.
"""

import logging
import re
import time
import traceback
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.logs import REQUEST_ID
from api.metrics import Metrics
from api.problems import INTERNAL, problem_response
from idverify.errors import IdverifyError

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_CLIENT_CLOSED_REQUEST = 499  # as nginx calls it; never sent
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

logger = logging.getLogger("idverify.api")


class Observe:
    """The outermost middleware of the API."""

    def __init__(self, app: ASGIApp, metrics: Metrics, new_request_id: Callable[[], str]) -> None:
        self._app = app
        self._metrics = metrics
        self._new_request_id = new_request_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope["state"] = dict(scope.get("state") or {})
        state["request_id"] = self._request_id(scope)
        token = REQUEST_ID.set(state["request_id"])  # threads that serve this request inherit it
        started_s = time.perf_counter()
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = state["request_id"]
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            with self._metrics.in_progress.track_inprogress():
                await self._app(scope, receive, send_marked)
        except ClientDisconnect:
            state["outcome"], status = "client_disconnected", _CLIENT_CLOSED_REQUEST
        except Exception as error:  # noqa: BLE001  whatever it is, nothing of it may reach the caller
            _log_failure(error, state["request_id"])
            if status == 0:
                await problem_response(Request(scope), "internal_error", INTERNAL)(scope, receive, send_marked)
        finally:
            self._record(scope, status, time.perf_counter() - started_s)
            REQUEST_ID.reset(token)

    def _request_id(self, scope: Scope) -> str:
        """The caller's X-Request-ID where it fits, else a new one."""
        offered = Headers(scope=scope).getlist("x-request-id")
        return offered[0] if len(offered) == 1 and _REQUEST_ID.fullmatch(offered[0]) else self._new_request_id()

    def _record(self, scope: Scope, status: int, duration_s: float) -> None:
        route = getattr(scope.get("route"), "path", "(none)")
        if route != "(none)":
            route = scope.get("root_path", "") + route  # of an application that is mounted below a path
        outcome = scope["state"].get("outcome", "ok" if status < 400 else "error")
        reason = scope["state"].get("reason")
        self._metrics.count(scope["method"], route, status, outcome, duration_s, reason=reason)
        fields = {
            "method": scope["method"],
            "route": route,
            "status": status,
            "outcome": outcome,
            "reason": reason,
            "duration_ms": round(duration_s * 1000, 1),
            "request_id": scope["state"]["request_id"],
            "client": scope["state"].get("client"),
        }
        logger.info("request", extra={"fields": fields})


def _log_failure(error: Exception, request_id: str) -> None:
    """The kind of error and where it came from. Only our own errors are known to carry nothing that is secret."""
    fields = {
        "request_id": request_id,
        "error": type(error).__qualname__,
        "message": str(error) if isinstance(error, IdverifyError) else "(withheld)",
        "frames": [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)[-12:]],
    }
    logger.error("failure", extra={"fields": fields})
