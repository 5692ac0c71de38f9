"""Identifies the client that calls, by its Bearer key or token, and checks what it may do, before any body is read.

1. exactly one Authorization header, of the Bearer scheme; a key in a query, cookie or body is never looked at;
2. the key or token belongs to an active client, and to the certificate that the caller showed where it is bound to one
   (`idverify.clients.agencies`, `idverify.clients.tokens`, `api.certificates`);
3. the client has not used up its quota (`api.quotas`), whatever it asks for;
4. the client has the scope that the endpoint needs;
5. the client may use the gallery and the purpose that the request names (by `Client.require` in the endpoint where they
   stand in a body): before anything is looked up, so that a refusal tells nothing about what exists.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.dependencies import PurposeQuery, engine_of
from idverify.clients.agencies import Client, Scope
from idverify.clients.credentials import KEY_PREFIX
from idverify.errors import CredentialInvalid, NotPermitted

_bearer = HTTPBearer(
    scheme_name="client-key",
    auto_error=False,
    description="The key that `idverify clients add` showed once, or an access token from `/oauth/token`.",
)


def authenticated(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Client:
    """The calling client, after counting this request against its quota. Raises CredentialInvalid, QuotaExceeded."""
    engine = engine_of(request)
    # 1. One header, one scheme.
    if credentials is None or len(request.headers.getlist("authorization")) != 1:
        raise CredentialInvalid("expected one Authorization header of the Bearer scheme")
    # 2. The key or token.
    certificate = request.app.state.certificates.thumbprint(request)
    proof = credentials.credentials
    if proof.startswith(KEY_PREFIX):
        client = engine.clients.authenticate(proof, certificate)
    else:
        client = engine.tokens.open(proof, certificate)
    request.state.client = client.client
    # 3. The quota.
    request.app.state.quotas.spend(client)
    return client


Caller = Annotated[Client, Depends(authenticated)]


def client_with(*scopes: Scope) -> Callable[[Client], Awaitable[Client]]:
    """A dependency that gives the calling client if it has at least one of `scopes`; it raises NotPermitted."""

    async def permitted(client: Caller) -> Client:
        require_scope(client, *scopes)
        return client

    return permitted


def require_scope(client: Client, *scopes: Scope) -> None:
    """Raises NotPermitted when the client has none of `scopes`."""
    # 4. The scope.
    if client.scopes.isdisjoint(scopes):
        raise NotPermitted(f"this needs the scope {' or '.join(scopes)}, which this client does not have")


async def _agreed(client: Caller, purpose: PurposeQuery) -> str:
    # 5. The purpose, of a request without a body.
    if purpose not in client.purposes:
        raise NotPermitted("this client may not act for that purpose")
    return purpose


AgreedPurpose = Annotated[str, Depends(_agreed)]
