"""Makes, opens, rotates, rewraps and destroys the keys of a deployment; it must not destroy one still in use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from idverify.access import Access
from idverify.audit.checkpoint import CheckpointSigner
from idverify.audit.events import EventKind, utc_text
from idverify.errors import Conflict, KeyUnavailable
from idverify.ids import PersonId
from idverify.protection.envelope import Envelope
from idverify.protection.keyring import (
    Keyring,
    SecretPurpose,
    ServiceKeyKind,
    first_service_keys,
    later_kinds,
    later_service_keys,
    rotated_service_keys,
)
from idverify.protection.root_key import RootKeyFile
from idverify.protection.visit_key import VisitKeys
from idverify.receipts import Receipts
from idverify.storage import audit_log, deployment, persons, service_keys, visits
from idverify.storage.database import Connection, Database
from idverify.storage.deployment import DeploymentRow
from idverify.stored.audit_journal import Journal

REWRAP_BATCH = 500


@dataclass(frozen=True)
class OpenedKeys:
    """A deployment's name and its service keys, opened; and what signs with them, made once."""

    deployment: str
    keyring: Keyring

    @cached_property
    def checkpoint_signer(self) -> CheckpointSigner:
        """Signs the audit log's checkpoints under the name of this deployment."""
        seed = self.keyring.service_key(ServiceKeyKind.AUDIT_SIGNING)
        leaf_secret = self.keyring.derived(SecretPurpose.AUDIT_LEAVES)
        return CheckpointSigner(f"idverify-{self.deployment}", seed, leaf_secret)

    @cached_property
    def receipts(self) -> Receipts:
        """Signs answers, reports and instructions in the name of this deployment."""
        return Receipts(self.keyring.every_version(ServiceKeyKind.ANSWER_SIGNING), self.deployment)


def create(database: Database, root_file: Path, clock: Callable[[], datetime], access: Access) -> None:
    """Name the deployment and make its keys: a root key file and the service keys sealed by it.

    Raises Conflict when the file or the deployment exists already.
    """
    with database.write() as connection:
        if deployment.find(connection) is not None:
            raise Conflict(
                f"this database belongs to a deployment already; restore its root key file to {root_file} "
                "or choose another database"
            )
        name = str(uuid4())
        root = RootKeyFile.create(root_file)
        fresh = first_service_keys(root, name)
        deployment.add(connection, DeploymentRow(name, utc_text(clock())))
        service_keys.put(connection, fresh, utc_text(clock()))
        keys = OpenedKeys(name, Keyring.open(fresh, root, name))
        journal = Journal(Envelope(name, keys.keyring), keys.checkpoint_signer, clock)
        journal.record(connection, EventKind.KEYS_CREATED, access, reason=audit_log.AUTHENTICATED)


def complete(database: Database, root_file: Path, clock: Callable[[], datetime], access: Access) -> None:
    """Add what came with a later version than the deployment: keys of new kinds, and MACs of audit leaves.

    Mostly there is nothing to do. Raises KeyUnavailable, SealBroken, LogForked.
    """
    with database.read() as connection:
        row = deployment.find(connection)
        if row is None:
            return
        lacks_keys = bool(later_kinds(service_keys.all_service_keys(connection)))
        if not lacks_keys and audit_log.authenticated_from(connection) is not None:
            return
    with database.write() as connection:
        audit_log.take_turn(connection)  # of two services that start at once, the second finds the keys made
        stored = service_keys.all_service_keys(connection)
        root = RootKeyFile.load(root_file)
        fresh = later_service_keys(stored, root, row.deployment)
        service_keys.put(connection, fresh, utc_text(clock()))
        keys = OpenedKeys(row.deployment, Keyring.open((*stored, *fresh), root, row.deployment))
        journal = Journal(Envelope(row.deployment, keys.keyring), keys.checkpoint_signer, clock)
        if fresh:
            journal.record(connection, EventKind.KEYS_ADDED, access)
        if audit_log.authenticated_from(connection) is None:
            journal.record(connection, EventKind.LEAVES_AUTHENTICATED, access)


def open_keys(database: Database, root_file: Path) -> OpenedKeys:
    """Open every service key with a handful of calls to the root. Raises KeyUnavailable, SealBroken.

    The keyring opens them again when it meets a wrapping version that another process made.
    """
    with database.read() as connection:
        row = deployment.find(connection)
    if row is None:
        raise KeyUnavailable("the database has no keys yet; make them with `idverify keys new`")

    def stored() -> Keyring:
        root = RootKeyFile.load(root_file)
        with database.read() as connection:
            return Keyring.open(service_keys.all_service_keys(connection), root, row.deployment)

    return OpenedKeys(row.deployment, stored().following(stored))


def rotate(database: Database, root_file: Path, keys: OpenedKeys, journal: Journal, access: Access) -> int:
    """A new root key and a new wrapping key; returns the wrapping key's version. Persons follow with `rewrap`.

    The root key file is written first: should the machine stop in between, everything still opens, and rotating again
    is safe.
    """
    with database.write() as connection:
        audit_log.take_turn(connection)  # of two at once, the second must read the file that the first one wrote
        root = RootKeyFile.load(root_file).with_new_current()
        fresh = rotated_service_keys(service_keys.all_service_keys(connection), root, keys.deployment)
        service_keys.put(connection, fresh, utc_text(journal.now()))
        journal.record(connection, EventKind.KEYS_ROTATED, access)
    return max(key.version for key in fresh if key.kind is ServiceKeyKind.WRAPPING)


def rewrap(
    database: Database,
    keys: OpenedKeys,
    journal: Journal,
    access: Access,
    progress: Callable[[str, int, int], None],
) -> int:
    """Wrap every person's key by the current wrapping key, in batches; returns how many were rewrapped.

    Each batch and its leaf are one transaction, so a run that was cut off goes on where it stopped. Wrapping keys that
    nobody needs any more are dropped at the end.
    """
    envelope = Envelope(keys.deployment, keys.keyring)
    version = keys.keyring.current_wrapping_version
    with database.read() as connection:
        total = persons.count(connection)
    done = 0
    after: PersonId | None = None
    while True:
        with database.write() as connection:
            batch = persons.persons_wrapped_before(connection, version, after=after, limit=REWRAP_BATCH)
            if not batch:
                _rewrap_visits(connection, VisitKeys(keys.deployment, keys.keyring), version)
                service_keys.drop_unused_wrapping(connection)
                return done
            rewrapped = [
                persons.set_wrapped(connection, row, envelope.rewrap(row.person, row.pseudonym, row.wrapped))
                for row in batch
            ]
            digests = {row.log_name: row.digest for row in rewrapped}
            journal.record(connection, EventKind.KEYS_REWRAPPED, access, records=digests)
        after = batch[-1].person
        done += len(batch)
        progress("Rewrapping persons' keys", done, total)


def _rewrap_visits(connection: Connection, visit_keys: VisitKeys, version: int) -> None:
    """Rewrap the keys of drafts at stations: there are few, and the audit log holds no digests of them."""
    for row in visits.wrapped_before(connection, version):
        visits.save(connection, row, replace(row, wrapped=visit_keys.rewrap(row.visit, row.wrapped)))


def require_destroyable(connection: Connection, root_file: Path, root_id: str) -> None:
    """Raises KeyUnavailable when this root key is not held, Conflict while it is current or something needs it."""
    root = RootKeyFile.load(root_file)
    if root_id not in root.ids:
        raise KeyUnavailable(f"root key {root_id} is not in {root_file}; it holds {', '.join(root.ids)}")
    _require_unused(connection, root, root_id)


def destroy_root(
    connection: Connection,
    root_file: Path,
    root_id: str,
    journal: Journal,
    access: Access,
    approval: Mapping[str, str],
) -> None:
    """Destroy a previous root key: backups of its days never open again. Raises Conflict while it is still needed.

    Two administrators decide this: it takes the transaction and the record of their approval, see
    `idverify.administration.dual_control`. A key that is gone already is recorded as destroyed: a run was cut off
    before it could be.
    """
    audit_log.take_turn(connection)  # a rotation meanwhile would write the file that was read before
    root = RootKeyFile.load(root_file)
    _require_unused(connection, root, root_id)
    # Recorded first: what cannot be recorded is not destroyed.
    journal.record(connection, EventKind.ROOT_KEY_DESTROYED, access, records=approval)
    if root_id in root.ids:
        root.destroy(root_id)


def _require_unused(connection: Connection, root: RootKeyFile, root_id: str) -> None:
    if root_id == root.current_id:
        raise Conflict(f"root key {root_id} is the current one; run `idverify keys rotate` and `idverify keys rewrap`")
    if root_id in service_keys.roots_in_use(connection):
        raise Conflict(f"root key {root_id} still seals service keys; run `idverify keys rewrap` first")
