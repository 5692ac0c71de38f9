"""The quick look of a start, for tests that hold it against the slow one: what that names, this must not pass."""

from idverify.audit.checkpoint import CheckpointSigner
from idverify.errors import AuditBroken
from idverify.ids import ModelDigest
from idverify.protection.envelope import Envelope
from idverify.startup.integrity import records_agree, sound_log
from idverify.startup.tasks import StartupTasks
from idverify.startup.workers import StartupWorkers
from idverify.storage.database import Database

SECRET = bytes(32)


def looks_sound(database: Database, envelope: Envelope, signer: CheckpointSigner, *, records: bool = True) -> bool:
    """Whether the log, and the records with it, pass without the slow way being gone."""
    with StartupWorkers(StartupTasks(database, envelope, signer.leaf_key, ModelDigest("ab" * 32), 128)) as workers:
        workers.here.begin()
        try:
            logged = sound_log(workers, signer, SECRET, lambda *_: None)
        except AuditBroken:
            return False
        if logged is None:
            return False
        return not records or records_agree(workers, logged, SECRET, lambda *_: None)
