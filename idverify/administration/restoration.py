"""Restores a backup into an empty database, which is committed only when everything in it verifies.

It must not bring back a person who is known to have been erased since the backup, and it says when that is not known.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from idverify.access import Access, Progress
from idverify.administration.backup import verified
from idverify.audit import checkpoint as checkpoints
from idverify.audit.checkpoint import VerifierKey
from idverify.audit.events import EventKind, parse
from idverify.audit.log import Frontier, leaf_hash
from idverify.errors import AuditBroken, LogForked, SealBroken
from idverify.ids import PersonId, Pseudonym
from idverify.keys import OpenedKeys
from idverify.persons import forget_person
from idverify.protection.backup_file import SealedFile
from idverify.protection.envelope import Envelope
from idverify.protection.keyring import Keyring, later_service_keys
from idverify.protection.root_key import RootKeyFile
from idverify.protection.visit_key import VisitKeys
from idverify.storage import audit_log, deployment, persons, service_keys
from idverify.storage import backup as rows
from idverify.storage.audit_verification import VerifiedLog
from idverify.storage.database import Connection, Database
from idverify.stored.audit_journal import Journal
from idverify.stored.kept_answers import KeptAnswers
from idverify.stored.persons import OpenedPerson, StoredPersons
from idverify.stored.station_drafts import StationDrafts


@dataclass(frozen=True, slots=True)
class LaterLog:
    """What was kept elsewhere of the same log: a signed checkpoint and, where there is one, the export it covers."""

    checkpoint: str
    export: Path | None = None
    """Lines as `idverify audit export` writes them; without it, who was erased since the backup is not known."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back. `leaves_behind`: by how many leaves the kept checkpoint is ahead of the backup."""

    made_at: str
    rows: int
    leaves: int
    leaves_behind: int
    erased_again: tuple[PersonId, ...]
    """Persons in the backup whom the later log says were erased."""
    erasures_known: bool
    """Whether that list is all there is to know up to the kept checkpoint."""


def restore(
    database: Database,
    root_file: Path,
    source: Path,
    clock: Callable[[], datetime],
    access: Access,
    progress: Progress,
    later: LaterLog | None = None,
) -> Restored:
    """Fill an empty database from a backup in one transaction.

    Raises Conflict when the database is not empty, KeyUnavailable when the backup's root key is not held any more,
    InvalidInput or SealBroken when the file was altered or cut, AuditBroken and RecordRolledBack when its content, or
    what `later` holds, does not verify.
    """
    root = RootKeyFile.load(root_file)
    with source.open("rb") as file, database.write() as connection:
        # 1. The file is a backup of ours, and every block of it genuine, in its place, to the last.
        sealed = SealedFile.open(file, root)
        loaded = rows.load(connection, _lines(_told(sealed.content, file, progress)), sealed.header.revision)
        # 2. The log verifies, as far as it goes against the kept checkpoint, too; every record is as it saw it last.
        keys = _keys(connection, root, sealed.header.deployment)
        verifier = keys.checkpoint_signer.verifier
        kept, ahead = _held_against(connection, later, verifier)
        log = verified(connection, keys.checkpoint_signer, kept, progress)
        # 3. Nobody who was erased since comes back.
        envelope = Envelope(keys.deployment, keys.keyring)
        journal = Journal(envelope, keys.checkpoint_signer, clock)
        erasures = _erasures_since(log, later, verifier)
        kept_answers = KeptAnswers(keys.keyring, clock)
        drafts = StationDrafts(VisitKeys(keys.deployment, keys.keyring), keys.keyring, clock)
        erased_again: list[PersonId] = []
        for opened_person in _present(connection, erasures, StoredPersons(envelope)):
            forget_person(connection, opened_person, access, journal=journal, kept_answers=kept_answers, drafts=drafts)
            erased_again.append(opened_person.row.person)
        journal.record(connection, EventKind.BACKUP_RESTORED, access)
    database.scrub()
    erasures_known = later is not None and (ahead == 0 or later.export is not None)
    return Restored(sealed.header.made_at, loaded, log.size, ahead, tuple(erased_again), erasures_known)


def _keys(connection: Connection, root: RootKeyFile, name: str) -> OpenedKeys:
    """The keys in the restored rows, which must be those of the deployment that the header names."""
    found = deployment.find(connection)
    if found is None or found.deployment != name:
        raise SealBroken("backup: its rows belong to another deployment than its header says")
    stored = service_keys.all_service_keys(connection)
    # A backup of an older version lacks the kinds that came since; the next start makes and stores them.
    return OpenedKeys(name, Keyring.open((*stored, *later_service_keys(stored, root, name)), root, name))


def _held_against(connection: Connection, later: LaterLog | None, verifier: VerifierKey) -> tuple[str | None, int]:
    """The kept checkpoint when the restored log must reach it, and by how many leaves it is ahead of it otherwise."""
    if later is None:
        return None, 0
    ahead = checkpoints.verify(later.checkpoint, verifier).size - audit_log.size(connection)
    return (None, ahead) if ahead > 0 else (later.checkpoint, 0)


def _erasures_since(log: VerifiedLog, later: LaterLog | None, verifier: VerifierKey) -> set[Pseudonym]:
    """Who was erased behind the end of `log`, by an export that continues it.

    Raises LogForked when it is another log, AuditBroken when it is not what its checkpoint was signed for.
    """
    if later is None or later.export is None:
        return set()
    frontier, erased = Frontier(), set[Pseudonym]()
    with later.export.open("rb") as file:
        for line in file:
            leaf = line.removesuffix(b"\n")
            if frontier.size >= log.size:
                event = parse(leaf)
                if event.event is EventKind.PERSON_ERASED and event.person is not None:
                    erased.add(event.person)
            frontier = frontier.append(leaf_hash(leaf))
            if frontier.size == log.size and frontier.root.hex() != log.root:
                raise LogForked(f"{later.export} is not of the log that the backup holds", sequence=log.size - 1)
    signed = checkpoints.verify(later.checkpoint, verifier)
    if (frontier.size, frontier.root) != (signed.size, signed.root):
        raise AuditBroken(f"{later.export} does not hold the {signed.size} leaves that its checkpoint was signed for")
    return erased


def _present(
    connection: Connection, pseudonyms: Iterable[Pseudonym], stored_persons: StoredPersons
) -> Iterator[OpenedPerson]:
    """Those of these persons who are in the restored rows, by pseudonym; each is opened when its turn comes."""
    for pseudonym in sorted(pseudonyms):
        row = persons.find_by_pseudonym(connection, pseudonym)
        if row is not None:
            yield stored_persons.open(row)


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines that the blocks make together."""
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).split(b"\n")
        yield from whole


def _told(blocks: Iterable[bytes], file: BinaryIO, progress: Progress) -> Iterator[bytes]:
    total = os.fstat(file.fileno()).st_size
    for block in blocks:
        yield block
        progress("Reading bytes", file.tell(), total)
