"""Client agencies: their credentials, and what each may do, on which galleries and for which purposes."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.errors import ClientNotFound, Conflict, CredentialInvalid, InvalidInput, NotPermitted
from idverify.ids import ClientId, GalleryId, client_id, purpose
from idverify.journal import Journal
from idverify.protection.canonical import record_digest
from idverify.storage import clients as table
from idverify.storage.clients import ClientRow
from idverify.storage.database import Connection, Database

KEY_BYTES = 32


class Scope(StrEnum):
    """What a client may do at all (design section 7)."""

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
    """An agency as the doors know it."""

    client: ClientId
    scopes: frozenset[Scope]
    galleries: frozenset[GalleryId]
    purposes: frozenset[str]
    sees_scores: bool
    suspended: bool
    created_at: str

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

    def __init__(self, database: Database, journal: Journal, hmac_key: bytes) -> None:
        self._database = database
        self._journal = journal
        self._hmac_key = hmac_key

    def add(
        self,
        name: str,
        *,
        scopes: Iterable[str],
        galleries: Iterable[GalleryId],
        purposes: Iterable[str],
        sees_scores: bool,
        access: Access,
    ) -> tuple[Client, str]:
        """A new client and its key, which is shown this once and stored as an HMAC. Raises InvalidInput, Conflict."""
        secret = secrets.token_bytes(KEY_BYTES)
        with self._database.write() as connection:
            row = ClientRow(
                client=client_id(name),
                secret_hmac=self._hmac(secret),
                scopes=tuple(sorted({_scope(scope) for scope in scopes})),
                galleries=tuple(sorted(set(galleries))),
                purposes=tuple(sorted({purpose(text) for text in purposes})),
                sees_scores=sees_scores,
                created_at=utc_text(self._journal.now()),
            )
            if table.find(connection, row.client) is not None:
                raise Conflict(f"client {row.client} exists already; choose another name or suspend it first")
            table.add(connection, row)
            self._record(connection, EventKind.CLIENT_ADDED, row, access)
        return _client(row), f"idv.{row.client}.{base64.urlsafe_b64encode(secret).decode().rstrip('=')}"

    def authenticate(self, key: str) -> Client:
        """The client that this key belongs to. Raises CredentialInvalid with one message for every fault."""
        refusal = CredentialInvalid("the client key is missing, wrong or suspended")
        # 1. The form; an unknown name is compared all the same, so that time does not tell names apart.
        prefix, _, rest = key.partition(".")
        name, _, encoded = rest.partition(".")
        try:
            client = client_id(name)
            secret = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        except (ValueError, InvalidInput):
            raise refusal from None
        with self._database.read() as connection:
            row = table.find(connection, client)
        # 2. The secret, as HMAC, in constant time.
        stored = row.secret_hmac if row is not None else bytes(hashlib.sha256().digest_size)
        genuine = hmac.compare_digest(self._hmac(secret), stored)
        # 3. The state.
        if row is None or not genuine or prefix != "idv" or row.status != table.ACTIVE:
            raise refusal
        return _client(row)

    def suspend(self, name: ClientId, access: Access) -> None:
        """The client's key is refused from now on. Raises ClientNotFound."""
        with self._database.write() as connection:
            row = table.find(connection, name)
            if row is None:
                raise ClientNotFound(f"no client {name}; `idverify clients list` shows them")
            table.set_status(connection, name, table.SUSPENDED)
            self._record(connection, EventKind.CLIENT_SUSPENDED, replace(row, status=table.SUSPENDED), access)

    def list(self) -> tuple[Client, ...]:
        """All clients by name."""
        with self._database.read() as connection:
            return tuple(_client(row) for row in table.all_clients(connection))

    def _record(self, connection: Connection, event: EventKind, row: ClientRow, access: Access) -> None:
        """The leaf names the client that changed as the record that was written."""
        what: tuple[str | int | bytes | None, ...] = (
            row.client,
            row.secret_hmac,
            row.status,
            row.sees_scores,
            *row.scopes,
            *row.galleries,
            *row.purposes,
        )
        self._journal.record(
            connection, event, access, records={f"clients/{row.client}": record_digest("clients", *what)}
        )

    def _hmac(self, secret: bytes) -> bytes:
        return hmac.digest(self._hmac_key, secret, hashlib.sha256)


def _scope(text: str) -> Scope:
    try:
        return Scope(text)
    except ValueError:
        raise InvalidInput(f"scope: expected one of {', '.join(Scope)}, got {text[:40]!r}") from None


def _client(row: ClientRow) -> Client:
    return Client(
        client=row.client,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        galleries=frozenset(row.galleries),
        purposes=frozenset(row.purposes),
        sees_scores=row.sees_scores,
        suspended=row.status != table.ACTIVE,
        created_at=row.created_at,
    )
