"""Backups of the registers of `tests.deployments`, and their way back, in this process or in one that is killed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from idverify.access import Access, no_progress
from idverify.administration.backup import FinishedBackup, make_backup
from idverify.administration.restoration import LaterLog, Restored, restore
from idverify.ids import RequestId
from idverify.storage import audit_log
from idverify.storage.database import Database
from tests.deployments import Register, settings_of

ADMINISTRATOR = Access(RequestId("drill"), "administration", clerk="root")


def back_up(register: Register, out: Path, progress: Callable[[str, int, int], None] = no_progress) -> FinishedBackup:
    opened = register.engine.deployment
    return make_backup(
        opened.database, register.settings.root_keys, opened.keys, opened.journal, ADMINISTRATOR, out, progress
    )


def bring_back(
    register: Register, file: Path, folder: Path, later: LaterLog | None = None
) -> tuple[Register, Restored]:
    """Restore `file` into a new folder that holds a copy of the register's root keys."""
    folder.mkdir(exist_ok=True)
    new = settings_of(folder, register.reader)
    if not new.root_keys.exists():
        shutil.copy2(register.settings.root_keys, new.root_keys)
    database = Database.open(new.database)
    try:
        restored = restore(database, new.root_keys, file, register.clock, ADMINISTRATOR, no_progress, later)
    finally:
        database.close()
    return Register(new, register.reader, register.clock), restored


def kept_log(register: Register, out: Path) -> LaterLog:
    """What `idverify audit export` writes."""
    with register.engine.database.read() as connection:
        out.write_bytes(b"".join(leaf + b"\n" for leaf in audit_log.export(connection)))
        return LaterLog(audit_log.checkpoint(connection) or "", out)


KILLED = """
import os, signal, sys
from pathlib import Path
from idverify.access import Access
from idverify.administration.deployment import Deployment, utc_now
from idverify.administration.backup import make_backup
from idverify.ids import RequestId
from idverify.administration.restoration import restore
from idverify.settings import Settings
from idverify.storage.database import Database

act, file, told = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
settings, access = Settings.read(), Access(RequestId("killed"), "administration")

def die(what, done, total):
    if what == told and done == (total if what == "Verifying leaves" else done):
        os.kill(os.getpid(), signal.SIGKILL)

if act == "backup":
    with Deployment.open(settings) as opened:
        make_backup(opened.database, settings.root_keys, opened.keys, opened.journal, access, file, die)
else:
    restore(Database.open(settings.database), settings.root_keys, file, utc_now, access, die)
"""


def killed(act: str, file: Path, when: str, folder: Path) -> int:
    """Make or restore a backup in a process that is killed at a stage; its exit status."""
    environment = os.environ | {"IDVERIFY_DATA_DIR": str(folder)}
    command = [sys.executable, "-c", KILLED, act, str(file), when]
    return subprocess.run(command, env=environment, cwd=Path(__file__).parents[1], timeout=60, check=False).returncode
