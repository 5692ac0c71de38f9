"""Checks, before a template is opened, that the audit log verifies and that each stored row has the digest logged last.

The worker processes of the start look for any fault at all; where there is one, the slow check runs here once more, to
name it. Nothing is taken on trust from an earlier start.
"""

import secrets
from collections import defaultdict

from idverify.access import Progress
from idverify.audit.checkpoint import CheckpointSigner
from idverify.errors import RecordRolledBack
from idverify.startup.tasks import PEOPLE
from idverify.startup.workers import StartupWorkers
from idverify.storage import audit_log, audit_verification, quick_log_check, quick_record_check, record_check
from idverify.storage.database import Connection

_VERIFYING, _COMPARING = "Verifying the audit log", "Comparing records"
_NAMED = 10


def require_sound(workers: StartupWorkers, signer: CheckpointSigner, progress: Progress) -> None:
    """Raises AuditBroken when the log does not verify, RecordRolledBack naming the records that differ from it."""
    connection, secret = workers.here.connection, secrets.token_bytes(32)
    # 1. The log itself, since everything below believes it.
    logged = sound_log(workers, signer, secret, progress)
    if logged is None:
        audit_verification.verify(connection, signer, progress=lambda done, total: progress(_VERIFYING, done, total))
    # 2. Every stored record is the one that the log saw last.
    if logged is None or not records_agree(workers, logged, secret, progress):
        _refuse_discrepancies(connection)


def sound_log(
    workers: StartupWorkers, signer: CheckpointSigner, secret: bytes, progress: Progress
) -> list[bytes] | None:
    """What the log says of records, in its order; None when anything about it is not as it should be.

    `secret`: any 32 bytes, the same for `records_agree`. Raises LogForked when a checkpoint is missing or not ours.
    """
    connection = workers.here.connection
    signed = audit_verification.signed_roots(connection, signer.verifier)
    if signed is None:
        return None
    size = audit_log.size(connection)
    pieces = quick_log_check.stretches(size)
    subtrees = [root for _, root in sorted(workers.each("subtree", pieces))]
    erased = quick_log_check.erased_ever(connection)
    authenticated = audit_log.authenticated_from(connection)
    alike = (erased, secret, authenticated)
    asked = [
        (first, leaves, before, {at: signed[at] for at in signed if first < at <= first + leaves}, *alike)
        for (first, leaves), before in zip(pieces, quick_log_check.starts(subtrees), strict=True)
    ]
    done = 0
    entries: dict[int, bytes] = {}
    frontier = quick_log_check.NOTHING
    for place, checked in workers.each("check_stretch", asked):
        if checked is None:
            return None
        entries[place] = checked.entries
        frontier = checked.frontier if checked.frontier.size > frontier.size else frontier
        done += pieces[place][1]
        progress(_VERIFYING, done, size)
    if quick_log_check.counted(connection) != size or not audit_verification.ends_with(connection, frontier):
        return None
    return [entries[place] for place in range(len(pieces))]


def records_agree(workers: StartupWorkers, logged: list[bytes], secret: bytes, progress: Progress) -> bool:
    """Whether every stored record is as the log (see `sound_log`) saw it last, and none is missing."""
    connection = workers.here.connection
    pieces = quick_record_check.ranges(connection, PEOPLE)
    stored = [quick_record_check.entries_of_the_rest(connection, secret)]
    for done, (_, entries) in enumerate(workers.each("entries", [(*piece, secret) for piece in pieces]), start=1):
        if entries is None:
            return False
        stored.append(entries)
        progress(_COMPARING, done, len(pieces))
    agreed = quick_record_check.agree(logged, stored)
    progress(_COMPARING, len(pieces), len(pieces))  # so that what comes now is not taken for a part of what comes next
    return agreed


def _refuse_discrepancies(connection: Connection) -> None:
    by_fault: defaultdict[str, list[str]] = defaultdict(list)
    for found in record_check.discrepancies(connection):
        by_fault[found.fault].append(found.log_name)
    if by_fault:
        named = "; ".join(
            f"{fault}: {', '.join(records[:_NAMED])}{f' and {len(records) - _NAMED} more' * (len(records) > _NAMED)}"
            for fault, records in sorted(by_fault.items())
        )
        raise RecordRolledBack(
            f"stored records are not as the audit log last saw them ({named}); "
            "restore them from a backup that `idverify audit verify` accepts"
        )
