"""Adds, authenticates and suspends client agencies, and says what each may do, in which galleries, for which purposes.

It must not store a secret that a client could be impersonated with.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.clients.credentials import KEY_PREFIX, Credential, CredentialKind, new_key, secret_hmac
from idverify.clients.keys import found, put, record
from idverify.errors import Conflict, CredentialInvalid, InvalidInput, NotPermitted
from idverify.ids import ClientId, GalleryId, client_id, purpose
from idverify.protection.keyring import Keyring, SecretPurpose
from idverify.storage import clients as table
from idverify.storage.clients import ClientRow, CredentialRow
from idverify.storage.database import Database
from idverify.stored.audit_journal import Journal

MOST = 1_000_000_000
"""The largest quota."""


class Scope(StrEnum):
    """What a client may do at all. Each agency gets those that its task needs, lest a stolen credential do more."""

    VERIFY = "verify"
    IDENTIFY = "identify"
    ENROL = "enrol"
    DUPLICATES_READ = "duplicates.read"
    DUPLICATES_DECIDE = "duplicates.decide"
    PERSONS_ERASE = "persons.erase"
    AUDIT_READ = "audit.read"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Client:
    """An agency that has proved itself. `certificates`: x5t#S256 of those of which it must show one; None: none.

    A quota that is None is the settings'.
    """

    client: ClientId
    scopes: frozenset[Scope]
    galleries: frozenset[GalleryId]
    purposes: frozenset[str]
    sees_scores: bool
    suspended: bool
    created_at: str
    certificates: frozenset[str] | None = None
    requests_per_minute: int | None = None
    identifications_per_day: int | None = None

    def accepts(self, certificate: str | None) -> bool:
        """Whether the client may come with this certificate (x5t#S256), or with none."""
        return self.certificates is None or certificate in self.certificates

    def require(self, scope: Scope, *, gallery: GalleryId | None = None, purpose: str | None = None) -> None:
        """Raises NotPermitted naming the first thing that this client lacks."""
        # 1. The kind of act.
        if scope not in self.scopes:
            raise NotPermitted(f"this client lacks the scope {scope}")
        # 2. The gallery, named or not: a client learns nothing about galleries that are not its own.
        if gallery is not None and gallery not in self.galleries:
            raise NotPermitted("this client may not use that gallery")
        # 3. The purpose, as agreed with the agency.
        if purpose is not None and purpose not in self.purposes:
            raise NotPermitted("this client may not act for that purpose")


class Clients:
    """Adds, authenticates and suspends client agencies; every change is audited."""

    def __init__(self, database: Database, journal: Journal, keyring: Keyring) -> None:
        self._database = database
        self._journal = journal
        self._hmac_key = keyring.derived(SecretPurpose.CLIENT_SECRETS)

    def add(
        self,
        name: str,
        *,
        scopes: Iterable[str],
        galleries: Iterable[GalleryId],
        purposes: Iterable[str],
        sees_scores: bool,
        access: Access,
        proofs: Sequence[Credential] = (),
        lifetime: timedelta | None = None,
    ) -> tuple[Client, str]:
        """A new client and its key, which is shown this once and stored as an HMAC. Raises InvalidInput, Conflict.

        `proofs`: what it proves itself by besides; with a public key among them there is no key of ours, but "".
        `lifetime`: of key and proofs; None: until they are rotated or revoked.
        """
        key = ""
        if all(proof.kind != CredentialKind.PUBLIC_KEY for proof in proofs):
            key, secret = new_key(client_id(name))
            proofs = [Credential.of_secret(secret_hmac(self._hmac_key, secret)), *proofs]
        with self._database.write() as connection:
            row = ClientRow(
                client=client_id(name),
                scopes=tuple(sorted({_scope(scope) for scope in scopes})),
                galleries=tuple(sorted(set(galleries))),
                purposes=tuple(sorted({purpose(text) for text in purposes})),
                sees_scores=sees_scores,
                created_at=utc_text(self._journal.now()),
            )
            if table.find(connection, row.client) is not None:
                raise Conflict(f"client {row.client} exists already; choose another name or suspend it first")
            table.add(connection, row)
            credentials = [put(self._journal, connection, row.client, proof, lifetime) for proof in proofs]
            record(self._journal, connection, EventKind.CLIENT_ADDED, access, row, credentials)
        return client_of(row, credentials, row.created_at), key

    def authenticate(self, key: str, certificate: str | None = None) -> Client:
        """The client that this key belongs to. Raises CredentialInvalid with one message for every fault.

        `certificate`: x5t#S256 of the one that the caller showed, if any.
        """
        refusal = CredentialInvalid("the client key is missing, wrong, expired or suspended")
        # 1. The form. An unknown name is compared with a secret too, so that the time does not tell who is a client.
        name, _, encoded = key.removeprefix(KEY_PREFIX).partition(".")
        try:
            client = client_id(name)
            secret = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        except (ValueError, InvalidInput):
            raise refusal from None
        with self._database.read() as connection:
            row = table.find(connection, client)
            credentials = table.credentials_of(connection, client)
        # 2. A secret that has not expired, as HMAC, in constant time.
        now = utc_text(self._journal.now())
        offered = secret_hmac(self._hmac_key, secret)
        secrets = [item.stored for item in credentials if item.kind == CredentialKind.SECRET and item.live(now)]
        genuine = any(hmac.compare_digest(offered, stored) for stored in secrets or [_NO_SECRET])
        # 3. The state.
        if row is None or not genuine or not key.startswith(KEY_PREFIX) or row.status != table.ACTIVE:
            raise refusal
        # 4. The certificate, where the client is held to some.
        known = client_of(row, credentials, now)
        if not known.accepts(certificate):
            raise refusal
        return known

    def suspend(self, name: ClientId, access: Access) -> None:
        """Every credential of the client is refused from now on. Raises ClientNotFound."""
        self._set_status(name, table.SUSPENDED, EventKind.CLIENT_SUSPENDED, access)

    def resume(self, name: ClientId, access: Access) -> None:
        """The credentials of the client that have not expired are accepted again. Raises ClientNotFound."""
        self._set_status(name, table.ACTIVE, EventKind.CLIENT_RESUMED, access)

    def limit(
        self, name: ClientId, access: Access, *, requests_per_minute: int | None, identifications_per_day: int | None
    ) -> None:
        """Quotas of this client's own, from now on; None: the settings'. Raises InvalidInput, ClientNotFound."""
        if any(
            quota is not None and not 1 <= quota <= MOST for quota in (requests_per_minute, identifications_per_day)
        ):
            raise InvalidInput(f"quota: expected 1 to {MOST:,}; suspend a client that may do nothing")
        with self._database.write() as connection:
            row = found(connection, name)
            table.set_quotas(connection, name, requests_per_minute, identifications_per_day)
            row = replace(row, requests_per_minute=requests_per_minute, identifications_per_day=identifications_per_day)
            record(self._journal, connection, EventKind.CLIENT_LIMITED, access, row, [])

    def list(self) -> tuple[Client, ...]:
        """All clients by name."""
        with self._database.read() as connection:
            credentials = table.all_credentials(connection)
            return tuple(
                client_of(
                    row, [item for item in credentials if item.client == row.client], utc_text(self._journal.now())
                )
                for row in table.all_clients(connection)
            )

    def _set_status(self, name: ClientId, status: str, event: EventKind, access: Access) -> None:
        with self._database.write() as connection:
            row = found(connection, name)
            table.set_status(connection, name, status)
            record(self._journal, connection, event, access, replace(row, status=status), [])


def client_of(row: ClientRow, credentials: Iterable[CredentialRow], now: str) -> Client:
    """The client with what it may do. One that ever had a certificate must always show one that has not expired."""
    pinned = [item for item in credentials if item.kind == CredentialKind.CERTIFICATE]
    return Client(
        client=row.client,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        galleries=frozenset(row.galleries),
        purposes=frozenset(row.purposes),
        sees_scores=row.sees_scores,
        suspended=row.status != table.ACTIVE,
        created_at=row.created_at,
        certificates=frozenset(item.credential for item in pinned if item.live(now)) if pinned else None,
        requests_per_minute=row.requests_per_minute,
        identifications_per_day=row.identifications_per_day,
    )


_NO_SECRET = bytes(hashlib.sha256().digest_size)


def _scope(text: str) -> Scope:
    try:
        return Scope(text)
    except ValueError:
        raise InvalidInput(f"scope: expected one of {', '.join(Scope)}, got {text[:40]!r}") from None
