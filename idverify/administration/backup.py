"""Makes a backup of a running service: one verified state of the whole database, sealed under the current root key.

It blocks no other writer. A file under its final name is complete; `idverify.administration.restoration` reads it.
"""

import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from idverify import __version__
from idverify.access import Access, Progress
from idverify.audit.checkpoint import CheckpointSigner
from idverify.audit.events import EventKind, utc_text
from idverify.errors import Conflict, RecordRolledBack
from idverify.keys import OpenedKeys
from idverify.protection.backup_file import BackupHeader, write_sealed
from idverify.protection.root_key import RootKeyFile
from idverify.storage import audit_verification, record_check
from idverify.storage import backup as rows
from idverify.storage.audit_verification import VerifiedLog
from idverify.storage.database import Connection, Database
from idverify.stored.audit_journal import Journal

_NAMED = 10
_TOLD_EVERY = 1000


@dataclass(frozen=True, slots=True)
class FinishedBackup:
    """A finished backup: rows, leaves of the audit log in it, and bytes of the file."""

    rows: int
    leaves: int
    size_bytes: int


def make_backup(
    database: Database,
    root_file: Path,
    keys: OpenedKeys,
    journal: Journal,
    access: Access,
    out: Path,
    progress: Progress,
) -> FinishedBackup:
    """Write the state of the database as it is now while others go on writing; the act itself is in it.

    Raises Conflict when `out` exists, AuditBroken or RecordRolledBack when the database does not verify.
    """
    if out.exists():
        raise Conflict(f"{out} exists already; a backup replaces nothing")
    root = RootKeyFile.load(root_file)
    beside = out.with_name(f"{out.name}.{secrets.token_hex(8)}.partial")
    try:
        with _created(beside) as file:
            # The file first: a backup that cannot be written is not recorded as one.
            with database.write() as connection:
                journal.record(connection, EventKind.BACKUP_MADE, access)
            with database.read() as connection:
                log = verified(connection, keys.checkpoint_signer, None, progress)
                header = BackupHeader(keys.deployment, utc_text(journal.now()), rows.revision(connection), __version__)
                total = rows.count(connection)
                write_sealed(file, header, root, _told(rows.dump(connection), total, progress))
            file.flush()
            os.fsync(file.fileno())
            size_bytes = file.tell()
        beside.rename(out)
    finally:
        beside.unlink(missing_ok=True)
    _sync_folder(out.parent)
    # SQLite could not empty its write-ahead log while this backup read: whoever was erased meanwhile is in it yet.
    database.scrub()
    return FinishedBackup(total, log.size, size_bytes)


def verified(connection: Connection, signer: CheckpointSigner, kept: str | None, progress: Progress) -> VerifiedLog:
    """The audit log of this state, when it and every record verify. Raises AuditBroken, RecordRolledBack."""
    log = audit_verification.verify(
        connection, signer, kept=kept, progress=lambda done, total: progress("Verifying leaves", done, total)
    )
    differing = [f"{found.log_name} {found.fault}" for found in record_check.discrepancies(connection)]
    if differing:
        more = f" and {len(differing) - _NAMED} more" * (len(differing) > _NAMED)
        raise RecordRolledBack(
            f"stored records are not as the audit log last saw them: {', '.join(differing[:_NAMED])}{more}"
        )
    return log


def _created(path: Path) -> BinaryIO:
    """A new file that only its owner reads."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")


def _told(lines: Iterable[bytes], total: int, progress: Progress) -> Iterator[bytes]:
    for done, line in enumerate(lines):
        yield line
        if done % _TOLD_EVERY == 0:
            progress("Writing rows", min(done, total), total)  # there is a line for each table, too


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
