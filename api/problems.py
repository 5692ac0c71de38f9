"""Answers every error with an RFC 9457 problem document, from the one table below.

A document never repeats what the caller sent; an error that the table does not know says nothing but its request id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from idverify.errors import IdverifyError, InvalidInput, QuotaExceeded

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:idverify:problem:"
_LOADING_RETRY_AFTER_S = 5


class BodyTooLarge(InvalidInput):
    """The request body passed its cap while it was being received."""

    code = "body_too_large"


class ContentTypeUnsupported(InvalidInput):
    """The body is neither JSON nor multipart/form-data."""

    code = "content_type_unsupported"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field: its name as the schema spells it, and what was expected there."""

    field: str
    problem: str


class RequestInvalid(InvalidInput):
    """Fields are missing, unknown or of the wrong form; `fields` says which."""

    code: ClassVar[str] = "request_invalid"

    def __init__(self, fields: Sequence[FieldProblem]) -> None:
        super().__init__(f"{len(fields)} fields do not fit")
        self.fields = tuple(fields)

    @classmethod
    def from_errors(cls, errors: Sequence[Mapping[str, Any]], known: Sequence[str] = ()) -> "RequestInvalid":
        """From pydantic's error list, of which only the place and the message are kept.

        The name of an unknown field was chosen by the caller, so the `known` names are told in its place.
        """
        return cls([_field_problem(error, known) for error in errors])


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table. `tells` allows the error's own message, for errors whose messages hold no caller's text."""

    status: int
    title: str
    detail: str
    tells: bool = False


INTERNAL = Kind(500, "Internal error", "The service failed. Quote the request id when you report it.")

KINDS: Mapping[str, Kind] = {
    "invalid_input": Kind(422, "Invalid input", "A value in the request can not be processed as it is."),
    "request_invalid": Kind(422, "Invalid request", "Fields are missing, unknown or malformed: see `errors`."),
    "image_rejected": Kind(422, "Photograph rejected", "The photograph can not be processed.", tells=True),
    "image_too_large": Kind(422, "Photograph too large", "The photograph has too many bytes or pixels.", tells=True),
    "image_too_small": Kind(422, "Photograph too small", "A side of the photograph is too short.", tells=True),
    "image_format_unsupported": Kind(422, "Photograph of another format", "Send a JPEG or PNG.", tells=True),
    "image_corrupt": Kind(422, "Photograph damaged", "The photograph is incomplete or inconsistent.", tells=True),
    "body_too_large": Kind(413, "Body too large", "The request body is larger than this endpoint takes.", tells=True),
    "content_type_unsupported": Kind(
        415, "Content type unsupported", "Send application/json with base64 photographs, or multipart/form-data."
    ),
    "credential_invalid": Kind(
        401,
        "Credential invalid",
        "Send `Authorization: Bearer …` with a valid key or token, and the certificate that it is bound to if any.",
    ),
    "not_permitted": Kind(
        403, "Not permitted", "This client lacks the scope, the gallery or the purpose that is needed.", tells=True
    ),
    "not_found": Kind(404, "Not found", "There is nothing here."),
    "person_not_found": Kind(404, "Person not found", "There is no such person in a gallery that this client may use."),
    "gallery_not_found": Kind(404, "Gallery not found", "There is no such gallery."),
    "route_not_found": Kind(404, "No such address", "See /docs for the addresses of this API."),
    "method_not_allowed": Kind(405, "Method not allowed", "The Allow header lists the methods of this address."),
    "conflict": Kind(409, "Conflict", "The object is in a state that forbids this."),
    "embedder_mismatch": Kind(409, "Embedder mismatch", "The gallery holds templates of another embedder."),
    "idempotency_key_reused": Kind(
        422, "Idempotency-Key reused", "This key belongs to another request; take a new key for each request."
    ),
    "request_in_flight": Kind(
        409, "Request in flight", "A request with this Idempotency-Key is being worked on; send it again in a moment."
    ),
    "answer_erased": Kind(
        410, "Answer erased", "This was done before; its answer is gone because it named a person who was erased since."
    ),
    "channel_locked": Kind(
        423, "Channel locked", "Too many failures or doubtful answers. The person can have it opened again in person."
    ),
    "quota_exceeded": Kind(429, "Too many requests", "A cap was reached; Retry-After says when to try again."),
    "gallery_loading": Kind(503, "Gallery loading", "The gallery is being loaded; try again in a few seconds."),
    # What the database said may name its host and account.
    "storage_unavailable": Kind(503, "Storage unavailable", "The store can not take this now; try again later."),
    "erasure_unscrubbed": Kind(503, "Erased, not yet scrubbed", "The person is erased.", tells=True),
    "decoder_unavailable": Kind(503, "Decoder unavailable", "No photograph can be read now; try again soon."),
    "internal_error": INTERNAL,
}


def kind_of(error: IdverifyError) -> tuple[str, Kind]:
    """The error's code and row; a subclass without a row has its parent's row, and an unknown branch is internal."""
    for parent in type(error).__mro__:
        row = KINDS.get(getattr(parent, "code", ""))
        if row is not None and row is not INTERNAL:
            return error.code, row
    return "internal_error", INTERNAL


def problem_response(
    request: Request,
    code: str,
    kind: Kind,
    *,
    detail: str = "",
    fields: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The document itself. Leaves the code where the request log and the metrics find it."""
    request.state.outcome = code
    document: dict[str, object] = {
        "type": TYPE_PREFIX + code,
        "title": kind.title,
        "status": kind.status,
        "detail": detail or kind.detail,
        "code": code,
        "request_id": request.state.request_id,
    }
    if fields:
        document["errors"] = [asdict(field) for field in fields]
    return JSONResponse(document, kind.status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Route every known exception of `app` to its document; unknown ones are caught by `api.observe`."""
    app.add_exception_handler(IdverifyError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_error)


async def _on_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, IdverifyError)  # noqa: S101  registered for this type
    code, kind = kind_of(error)
    if kind is INTERNAL:
        raise error  # to api.observe, with its traceback
    return problem_response(
        request,
        code,
        kind,
        detail=str(error) if kind.tells else "",
        fields=error.fields if isinstance(error, RequestInvalid) else (),
        headers=_headers(request, error, kind),
    )


async def _on_validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return await _on_error(request, RequestInvalid.from_errors(error.errors()))


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    code = {404: "route_not_found", 405: "method_not_allowed"}.get(error.status_code, "internal_error")
    headers = dict(error.headers or {})
    if error.status_code == 405:
        # The router knows the methods of the first route with this path only; the published document knows all of them.
        methods = request.app.openapi()["paths"].get(getattr(request.scope.get("route"), "path", None), {})
        headers["Allow"] = ", ".join(sorted(map(str.upper, methods))) or headers.get("Allow", "GET")
    return problem_response(request, code, KINDS[code], headers=headers)


def _headers(request: Request, error: IdverifyError, kind: Kind) -> dict[str, str]:
    if kind.status == 401:
        # RFC 6750 section 3.1: name an error only to a caller who did send a credential.
        sent = "authorization" in request.headers
        return {"WWW-Authenticate": 'Bearer realm="idverify"' + (', error="invalid_token"' if sent else "")}
    if isinstance(error, QuotaExceeded):
        return {"Retry-After": str(max(1, error.retry_after_s))}
    if kind.status == 503:
        return {"Retry-After": str(_LOADING_RETRY_AFTER_S)}
    return {}


def _field_problem(error: Mapping[str, Any], known: Sequence[str]) -> FieldProblem:
    if error["type"] == "extra_forbidden":
        return FieldProblem("(unknown)", f"unknown field; expected {', '.join(known)}")
    place = [part for part in error["loc"] if part not in ("body", "path", "query", "header")]
    return FieldProblem(".".join(map(str, place)) or "(body)", str(error["msg"]))
