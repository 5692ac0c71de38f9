"""Issues access tokens (RFC 9068, five minutes) to clients that sign with their private key (RFC 7523), and opens them.

A token is accepted only in the exact form in which it is issued here. Nothing in a token or an assertion may choose how
it is checked: no algorithm, no key and no address is taken from it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.types import Options

from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.clients.agencies import Client, Scope, client_of
from idverify.clients.credentials import CredentialKind, algorithm_of, base64url, stored_public_key
from idverify.errors import CredentialInvalid, InvalidInput, NotPermitted
from idverify.ids import ClientId, RequestId, client_id
from idverify.protection.keyring import Keyring, SecretPurpose
from idverify.storage import clients as table
from idverify.storage.clients import CredentialRow
from idverify.storage.database import Connection, Database
from idverify.stored.audit_journal import Journal

LIFETIME_S = 300
TYPE = "at+jwt"
ALGORITHM = "EdDSA"
ASSERTION_TYPES = ("JWT", "client-authentication+jwt")
PURPOSE = "authentication"
"""What the audit log says a token was asked for."""
_ASSERTION_MAX_LIFETIME_S = 300
_LEEWAY_S = 30
"""How far the clock of a client may differ from ours."""
_MAX_CHARACTERS = 4096
_JTI_MAX_CHARACTERS = 128
# Times are compared with the service's own clock, in this module.
_TOKEN_CHECKS: Options = {
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "strict_aud": True,
    "require": ["sub", "iat", "exp"],
}
_ASSERTION_CHECKS: Options = {**_TOKEN_CHECKS, "require": ["iss", "sub", "aud", "exp", "jti"]}


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What the token endpoint answers."""

    token: str = field(repr=False)
    scopes: tuple[Scope, ...]
    expires_in_s: int = LIFETIME_S


def issuer_of(chosen: str, deployment: str) -> str:
    """The issuer of tokens and the audience of assertions: what the settings say, or the deployment's URN."""
    return chosen or f"urn:idverify:{deployment}"


class Tokens:
    """Issues access tokens and opens them."""

    def __init__(self, database: Database, journal: Journal, keyring: Keyring, issuer: str) -> None:
        self._database = database
        self._journal = journal
        self.issuer = issuer
        self._key = Ed25519PrivateKey.from_private_bytes(keyring.derived(SecretPurpose.TOKEN_SIGNING))
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._header = {"alg": ALGORITHM, "typ": TYPE, "kid": base64url(hashlib.sha256(public).digest()[:12])}

    def exchange(
        self,
        assertion: str,
        *,
        request: RequestId,
        client: str | None = None,
        scopes: Sequence[str] | None = None,
        certificate: str | None = None,
    ) -> AccessToken:
        """A token for the client that signed `assertion`, bound to `certificate` (x5t#S256) if there is one.

        `client`: who it says it is besides. `scopes`: fewer than it has; None: all. The issue is audited.
        Raises CredentialInvalid, NotPermitted (a scope that it does not have).
        """
        # 1. Who claims to speak: read without trust, to know whose keys to try.
        name = _claimed_client(assertion)
        if client is not None and client != name:
            raise CredentialInvalid("the assertion is of another client")
        with self._database.read() as connection:
            caller, credentials = self._active(connection, name)
        # 2. The signature, by a key that this client registered and the one algorithm of that key.
        claims, key = self._proven(assertion, credentials)
        # 3. From whom, for whom, for how long.
        expires_s = self._check_assertion(claims, name)
        # 4. The certificate, where the client is held to some.
        if not caller.accepts(certificate):
            raise CredentialInvalid("the client did not show its certificate")
        granted = _granted(caller, scopes)
        with self._database.write() as connection:
            # 5. Once: remembered for as long as 3. would let it pass, and a little longer for another process's clock.
            table.use_assertion(
                connection,
                name,
                hashlib.sha256(claims["jti"].encode(errors="surrogatepass")).digest(),
                now=utc_text(self._journal.now()),
                expires_at=utc_text(datetime.fromtimestamp(expires_s, UTC) + timedelta(seconds=3 * _LEEWAY_S)),
            )
            self._journal.record(connection, EventKind.TOKEN_ISSUED, Access(request, PURPOSE, name))
        return AccessToken(self._signed(name, key, granted, certificate), granted)

    def open(self, token: str, certificate: str | None = None) -> Client:
        """The client that `token` was given to, with no more scopes than the token names. Raises CredentialInvalid.

        `certificate`: x5t#S256 of the one that the caller showed, if any.
        """
        # 1. Our signature, issuer and audience, and exactly the header that we write.
        claims = self._our_claims(token)
        # 2. The time.
        now_s = int(self._journal.now().timestamp())
        if not claims["iat"] <= now_s < claims["exp"]:
            raise CredentialInvalid("the token has expired")
        # 3. The connection that it is bound to (RFC 8705 section 3).
        bound_to = claims.get("cnf", {}).get("x5t#S256")
        if bound_to is not None and bound_to != certificate:
            raise CredentialInvalid("the token is bound to another certificate")
        # 4. The client as it is now, and the key that proved it: both may have been refused since.
        with self._database.read() as connection:
            client, credentials = self._active(connection, ClientId(claims["sub"]))
        if claims["credential"] not in {item.credential for item in credentials} or not client.accepts(certificate):
            raise CredentialInvalid("the credential that this token was got by is not valid any more")
        named = {Scope(scope) for scope in claims["scope"].split()}
        return replace(client, scopes=client.scopes & named)

    def _signed(self, client: ClientId, credential: str, scopes: Sequence[Scope], certificate: str | None) -> str:
        issued_s = int(self._journal.now().timestamp())
        claims: dict[str, object] = {
            "iss": self.issuer,
            "aud": self.issuer,
            "sub": client,
            "client_id": client,
            "iat": issued_s,
            "exp": issued_s + LIFETIME_S,
            "jti": str(uuid4()),
            "scope": " ".join(scopes),
            "credential": credential,
        }
        if certificate is not None:
            claims["cnf"] = {"x5t#S256": certificate}
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers=dict(self._header))

    def _our_claims(self, token: str) -> dict[str, Any]:
        if len(token) > _MAX_CHARACTERS:
            raise CredentialInvalid("the token is too long")
        try:
            decoded = jwt.decode_complete(
                token,
                self._key.public_key(),
                algorithms=[ALGORITHM],
                issuer=self.issuer,
                audience=self.issuer,
                options=_TOKEN_CHECKS,
            )
        except (jwt.PyJWTError, ValueError):
            raise CredentialInvalid("the token is not one of ours") from None
        if decoded["header"] != self._header:
            raise CredentialInvalid("the token has another header than ours")
        claims: dict[str, Any] = decoded["payload"]
        return claims

    def _active(self, connection: Connection, name: ClientId) -> tuple[Client, list[CredentialRow]]:
        """The client and its live public keys. Raises CredentialInvalid."""
        row = table.find(connection, name)
        if row is None or row.status != table.ACTIVE:
            raise CredentialInvalid("no active client")
        now = utc_text(self._journal.now())
        credentials = table.credentials_of(connection, name)
        keys = [item for item in credentials if item.kind == CredentialKind.PUBLIC_KEY and item.live(now)]
        return client_of(row, credentials, now), keys

    def _proven(self, assertion: str, keys: Sequence[CredentialRow]) -> tuple[dict[str, Any], str]:
        """The claims, and which of `keys` signed them. Raises CredentialInvalid."""
        for row in keys:
            key = stored_public_key(row.stored)
            try:
                decoded = jwt.decode_complete(
                    assertion,
                    key,
                    algorithms=[algorithm_of(key)],
                    audience=self.issuer,
                    options=_ASSERTION_CHECKS,
                )
            except (jwt.PyJWTError, ValueError):
                continue
            if _plain_header(decoded["header"], row.credential):
                return decoded["payload"], row.credential
        raise CredentialInvalid("no key of this client signed such an assertion")

    def _check_assertion(self, claims: Mapping[str, Any], client: ClientId) -> int:
        """When it expires, in seconds since 1970. Raises CredentialInvalid."""
        now_s = self._journal.now().timestamp()
        expires, begins = claims["exp"], claims.get("nbf", claims.get("iat", 0))
        if claims["iss"] != client or claims["sub"] != client:
            raise CredentialInvalid("the assertion must name the client as issuer and subject")
        if type(expires) is not int or type(begins) is not int or begins > now_s + _LEEWAY_S:
            raise CredentialInvalid("the assertion is not valid yet")
        if not now_s - _LEEWAY_S < expires <= now_s + _ASSERTION_MAX_LIFETIME_S + _LEEWAY_S:
            raise CredentialInvalid(f"the assertion has expired or is valid beyond {_ASSERTION_MAX_LIFETIME_S} s")
        if not 1 <= len(claims["jti"]) <= _JTI_MAX_CHARACTERS:
            raise CredentialInvalid("the assertion's jti is empty or too long")
        return expires


def _claimed_client(assertion: str) -> ClientId:
    if len(assertion) > _MAX_CHARACTERS:
        raise CredentialInvalid("the assertion is too long")
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
        return client_id(claims["sub"])
    except (jwt.PyJWTError, ValueError, KeyError, TypeError, InvalidInput):
        raise CredentialInvalid("the assertion names no client") from None


def _plain_header(header: Mapping[str, object], credential: str) -> bool:
    """Nothing but alg, typ and kid: no crit, no key and no address of one (RFC 8725 section 3.10)."""
    if not header.keys() <= {"alg", "typ", "kid"}:
        return False
    return header.get("typ", "JWT") in ASSERTION_TYPES and header.get("kid", credential) == credential


def _granted(client: Client, asked: Sequence[str] | None) -> tuple[Scope, ...]:
    if asked is None:
        return tuple(sorted(client.scopes))
    if not client.scopes.issuperset(asked):
        raise NotPermitted("this client does not have every scope that it asks for")
    return tuple(sorted({Scope(scope) for scope in asked}))
