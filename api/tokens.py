"""POST /oauth/token: OAuth 2.0 client credentials (RFC 6749 section 4.4) with private_key_jwt (RFC 7523).

It answers in the form of RFC 6749, which OAuth libraries expect, and never says what exactly was wrong with a proof.
"""

from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from api.dependencies import TheEngine
from api.openapi import problems
from idverify.clients.tokens import LIFETIME_S
from idverify.errors import CredentialInvalid, NotPermitted
from idverify.ids import RequestId

GRANT = "client_credentials"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 20

router = APIRouter(tags=["tokens"])


class TokenAnswer(BaseModel):
    """RFC 6749 section 5.1."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  a name
    expires_in: int
    scope: str


class TokenRefusal(BaseModel):
    """RFC 6749 section 5.2."""

    error: Literal["invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope"]
    error_description: str
    request_id: str


class _Refused(Exception):
    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status


async def _form(request: Request) -> dict[str, str] | None:
    """The fields of the body; None when it is no form, or any field stands twice (RFC 6749 section 3.2).

    By the same section a field without a value counts as left out, and one that nobody knows is left alone.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return None
    try:
        pairs = parse_qsl((await request.body()).decode("ascii"), strict_parsing=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else None


def _described() -> dict[str, Any]:
    fields = {
        "grant_type": {"type": "string", "const": GRANT},
        "client_assertion_type": {"type": "string", "const": ASSERTION},
        "client_assertion": {
            "type": "string",
            "minLength": 1,
            "description": "A JWT signed by the client's registered key: `iss` and `sub` the client's name, `aud` the "
            "issuer that `idverify clients add` told, `exp` at most 300 s ahead, `jti` never used before.",
        },
        "client_id": {"type": "string", "description": "The client's name, if given."},
        "scope": {"type": "string", "description": "Fewer scopes than the client has, separated by spaces."},
        "client_secret": {"not": {}, "description": "Refused: an assertion is the only proof."},
    }
    schema = {
        "type": "object",
        "description": "Each field once. Other fields are ignored.",
        "properties": fields,
        "required": list(fields)[:3],
        "additionalProperties": {"type": "string"},
        "maxProperties": _MOST_FIELDS,
    }
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}}


@router.post(
    "/oauth/token",
    summary="Exchange a signed assertion for an access token",
    response_model=TokenAnswer,
    responses={
        400: {"model": TokenRefusal, "description": "The request is not one for a token, or asks for too much."},
        401: {"model": TokenRefusal, "description": "The client did not prove itself: `invalid_client`."},
        **problems("body_too_large", "storage_unavailable"),
    },
    openapi_extra=_described(),
)
def issue_token(
    request: Request, engine: TheEngine, form: Annotated[dict[str, str] | None, Depends(_form)]
) -> TokenAnswer | JSONResponse:
    """The token is valid for five minutes, as `Authorization: Bearer …`.

    Where callers show certificates, it is bound to the one that it was asked for with (RFC 8705) and worth nothing
    without it.
    """
    try:
        return _issued(request, engine, form)
    except _Refused as refused:
        request.state.outcome = refused.error
        refusal = {
            "error": refused.error,
            "error_description": refused.description,
            "request_id": request.state.request_id,
        }
        return JSONResponse(refusal, refused.status)


def _issued(request: Request, engine: TheEngine, form: dict[str, str] | None) -> TokenAnswer:
    # 1. A request for a token, by assertion and by nothing else.
    if form is None or "grant_type" not in form:
        raise _Refused("invalid_request", f"expected a body of {FORM}, each field once")
    if form["grant_type"] != GRANT:
        raise _Refused("unsupported_grant_type", f"expected {GRANT}")
    if "client_secret" in form:
        raise _Refused("invalid_request", "expected a client_assertion and no client_secret")
    if form.get("client_assertion_type") != ASSERTION or "client_assertion" not in form:
        raise _Refused("invalid_request", f"expected client_assertion, and client_assertion_type {ASSERTION}")
    try:
        # 2. The certificate that the token will be bound to: where there are any, no token goes unbound.
        source = request.app.state.certificates
        certificate = source.thumbprint(request)
        if source.expected and certificate is None:
            raise CredentialInvalid("no client certificate")
        # 3. The assertion.
        issued = engine.tokens.exchange(
            form["client_assertion"],
            request=RequestId(request.state.request_id),
            client=form.get("client_id"),
            scopes=form["scope"].split() if "scope" in form else None,
            certificate=certificate,
        )
    except CredentialInvalid:
        expected = (
            "expected an unused assertion of an active client, signed by its key, for this issuer, of 300 s at most"
        )
        raise _Refused("invalid_client", expected, 401) from None
    except NotPermitted:
        raise _Refused("invalid_scope", "this client does not have every scope that it asks for") from None
    return TokenAnswer(access_token=issued.token, expires_in=LIFETIME_S, scope=" ".join(issued.scopes))
