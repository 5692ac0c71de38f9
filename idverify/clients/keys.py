"""Adds, rotates (with a period of grace) and revokes credentials of clients; no change may lack an audit leaf."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.clients.credentials import Credential, new_key, secret_hmac
from idverify.errors import ClientNotFound, Conflict, NotFound
from idverify.ids import ClientId
from idverify.protection.keyring import Keyring, SecretPurpose
from idverify.storage import clients as table
from idverify.storage.clients import ClientRow, CredentialRow
from idverify.storage.database import Connection, Database
from idverify.stored.audit_journal import Journal


class ClientKeys:
    """Changes what clients prove themselves by."""

    def __init__(self, database: Database, journal: Journal, keyring: Keyring) -> None:
        self._database = database
        self._journal = journal
        self._hmac_key = keyring.derived(SecretPurpose.CLIENT_SECRETS)

    def add_secret(self, name: ClientId, access: Access, lifetime: timedelta | None = None) -> str:
        """One more secret key beside the others; shown this once. Raises ClientNotFound."""
        key, secret = new_key(name)
        self.add(name, Credential.of_secret(secret_hmac(self._hmac_key, secret)), access, lifetime)
        return key

    def add(self, name: ClientId, proof: Credential, access: Access, lifetime: timedelta | None = None) -> None:
        """One more public key or certificate beside the others. Raises ClientNotFound, Conflict."""
        with self._database.write() as connection:
            row = found(connection, name)
            added = put(self._journal, connection, name, proof, lifetime)
            record(self._journal, connection, EventKind.CLIENT_KEY_ADDED, access, row, [added])

    def rotate_secret(self, name: ClientId, access: Access, grace: timedelta) -> str:
        """A new secret key; the ones before it are valid for `grace` more. Raises ClientNotFound."""
        key, secret = new_key(name)
        self.rotate(name, Credential.of_secret(secret_hmac(self._hmac_key, secret)), access, grace)
        return key

    def rotate(self, name: ClientId, proof: Credential, access: Access, grace: timedelta) -> None:
        """A new public key or certificate; those of its kind before it are valid for `grace` more.

        Raises ClientNotFound, Conflict.
        """
        with self._database.write() as connection:
            row = found(connection, name)
            ends = utc_text(self._journal.now() + grace)
            outgoing = [
                _expire(connection, item, ends)
                for item in table.credentials_of(connection, name)
                if item.kind == proof.kind and item.live(ends)
            ]
            incoming = put(self._journal, connection, name, proof, None)
            record(self._journal, connection, EventKind.CLIENT_KEY_ROTATED, access, row, [incoming, *outgoing])

    def revoke(self, name: ClientId, credential: str, access: Access) -> None:
        """Refuse one credential, and the tokens that were got by it, from now on. Raises ClientNotFound, NotFound."""
        with self._database.write() as connection:
            row = found(connection, name)
            matching = [item for item in table.credentials_of(connection, name) if item.credential == credential]
            if not matching:
                raise NotFound(f"client {name} has no such credential; `idverify clients keys list {name}` shows them")
            revoked = _expire(connection, matching[0], utc_text(self._journal.now()))
            record(self._journal, connection, EventKind.CLIENT_KEY_REVOKED, access, row, [revoked])

    def list(self, name: ClientId) -> tuple[CredentialRow, ...]:
        """Those of one client, expired ones too, oldest first. Raises ClientNotFound."""
        with self._database.read() as connection:
            return table.credentials_of(connection, found(connection, name).client)


def found(connection: Connection, name: ClientId) -> ClientRow:
    """The client's row. Raises ClientNotFound."""
    row = table.find(connection, name)
    if row is None:
        raise ClientNotFound(f"no client {name}; `idverify clients list` shows them")
    return row


def put(
    journal: Journal, connection: Connection, client: ClientId, proof: Credential, lifetime: timedelta | None
) -> CredentialRow:
    """Store a credential that is valid from now on. Raises Conflict when the client has or had it."""
    now = journal.now()
    expires_at = None if lifetime is None else utc_text(now + lifetime)
    row = CredentialRow(client, proof.name, proof.kind, proof.stored, utc_text(now), expires_at)
    if row.credential in {item.credential for item in table.credentials_of(connection, client)}:
        raise Conflict(f"client {client} has the credential {row.credential} already, or had it; make another one")
    table.add_credential(connection, row)
    return row


def record(
    journal: Journal,
    connection: Connection,
    event: EventKind,
    access: Access,
    row: ClientRow,
    credentials: Iterable[CredentialRow],
) -> None:
    """Write the audit leaf of a change, with the digests of the client's row and of the credentials that changed."""
    records = {row.log_name: row.digest} | {item.log_name: item.digest for item in credentials}
    journal.record(connection, event, access, records=records)


def _expire(connection: Connection, row: CredentialRow, expires_at: str) -> CredentialRow:
    table.set_expiry(connection, row, expires_at)
    return replace(row, expires_at=expires_at)
