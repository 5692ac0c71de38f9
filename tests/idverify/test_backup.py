"""The drill: enrol, back up while others write, lose the database, restore, verify; and what a backup refuses."""

import io
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idverify import keys
from idverify.access import Access
from idverify.administration import Administration
from idverify.audit.events import EventKind
from idverify.backup import Made, make_backup
from idverify.engine import silent
from idverify.errors import (
    AuditBroken,
    CheckpointInvalid,
    Conflict,
    InvalidInput,
    KeyUnavailable,
    LogForked,
    PersonNotFound,
    RecordRolledBack,
    SealBroken,
    StorageUnavailable,
)
from idverify.ids import PersonId, RequestId
from idverify.protection.backup_file import SealedFile
from idverify.protection.root_key import RootKeyFile
from idverify.restoration import LaterLog, Restored, restore
from idverify.settings import Settings
from idverify.storage import audit_log
from idverify.storage.database import Database
from idverify.vision.reader import Reader
from tests.deployments import PEOPLE, Town, copied, photograph

ADMINISTRATOR = Access(RequestId("drill"), "administration", clerk="root")


def back_up(town: Town, out: Path, progress: Callable[[str, int, int], None] = silent) -> Made:
    opened = town.engine.administration
    return make_backup(
        opened.database, town.settings.root_keys, opened.keys, opened.journal, ADMINISTRATOR, out, progress
    )


def bring_back(town: Town, file: Path, folder: Path, later: LaterLog | None = None) -> tuple[Town, Restored]:
    """Restore `file` into a new folder that holds a copy of the town's root keys."""
    folder.mkdir(exist_ok=True)
    new = Settings.read(data_dir=folder)
    if not new.root_keys.exists():
        shutil.copy2(town.settings.root_keys, new.root_keys)
    database = Database.open(new.database)
    try:
        restored = restore(database, new.root_keys, file, town.clock, ADMINISTRATOR, silent, later)
    finally:
        database.close()
    return Town(new, town.reader, town.clock), restored


def kept_log(town: Town, out: Path) -> LaterLog:
    """What `idverify audit export` writes."""
    with town.engine.database.read() as connection:
        out.write_bytes(b"".join(leaf + b"\n" for leaf in audit_log.export(connection)))
        return LaterLog(audit_log.checkpoint(connection) or "", out)


@pytest.fixture
def backed_up(town: Town, tmp_path: Path) -> Path:
    file = tmp_path / "of-the-day.backup"
    back_up(town, file)
    return file


def test_what_was_acknowledged_before_a_backup_survives_the_loss_of_the_database(
    own_town: Town, tmp_path: Path
) -> None:
    town, file = own_town, tmp_path / "drill.backup"
    acknowledged = list(PEOPLE)
    reading, written = threading.Event(), threading.Event()

    def write_meanwhile() -> None:
        reading.wait(30)
        for seed in range(21, 25):
            town.enrol(f"C-{seed}", photograph(seed, 1))
            town.verify(PEOPLE[0], photograph(1, 2))
        written.set()

    def after_the_snapshot(what: str, _done: int, _total: int) -> None:
        # The backup waits here, its state of the database chosen, until others have written.
        if what == "Writing rows":
            reading.set()
            assert written.wait(60)

    for seed in (11, 12):
        town.enrol(f"C-{seed}", photograph(seed, 1))
        acknowledged.append(PersonId(f"C-{seed}"))
    writer = threading.Thread(target=write_meanwhile)
    writer.start()
    made = back_up(town, file, after_the_snapshot)
    writer.join()
    town.close()
    for left in town.path.parent.glob("idverify.sqlite3*"):
        left.unlink()

    again, restored = bring_back(town, file, town.path.parent)
    assert restored.leaves == made.leaves
    try:
        for number, person in enumerate(acknowledged, start=1):
            seed = number if number <= len(PEOPLE) else number + 4
            assert again.verify(person, photograph(seed, 2)).decision.outcome == "match"
        assert again.found(photograph(3, 2)) == [PEOPLE[2]]
        # Later than the backup: not there, rather than half there.
        with pytest.raises(PersonNotFound):
            again.engine.persons.show(PersonId("C-21"), ADMINISTRATOR)
        again.enrol("C-31", photograph(31, 1))
    finally:
        again.close()


def test_somebody_erased_during_a_backup_leaves_no_bytes_behind(own_town: Town, tmp_path: Path) -> None:
    """SQLite cannot empty its write-ahead log while a backup reads; the backup does so when it is through."""
    patient = Database.open(own_town.settings.database, busy_timeout_s=0.1)  # the eraser need not wait for long
    persons = Administration.open(own_town.settings).persons
    persons._database = patient
    wrapped = own_town.sql(
        "SELECT wrapped_key FROM person_keys JOIN persons ON slot = key_slot WHERE person = ?", PEOPLE[0]
    )[0][0]
    told: list[str] = []

    def erase_meanwhile(what: str, _done: int, _total: int) -> None:
        if what == "Writing rows" and not told:
            with pytest.raises(StorageUnavailable, match="the person is erased") as error:
                persons.erase(PEOPLE[0], ADMINISTRATOR)
            told.append(str(error.value))

    back_up(own_town, tmp_path / "of-the-day.backup", erase_meanwhile)
    assert told
    for path in own_town.path.parent.glob("idverify.sqlite3*"):
        assert wrapped not in path.read_bytes()
    patient.close()


def test_making_and_restoring_are_in_the_log(town: Town, backed_up: Path, tmp_path: Path) -> None:
    again, _ = bring_back(town, backed_up, tmp_path / "new")
    with Administration.open(again.settings) as administration, administration.database.read() as connection:
        events = [event.event for event in audit_log.leaves_after(connection, -1)]
    assert events[-2:] == [EventKind.BACKUP_MADE, EventKind.BACKUP_RESTORED]


def test_nothing_of_a_person_stands_in_it_in_the_clear(town: Town, backed_up: Path) -> None:
    content = backed_up.read_bytes()
    assert backed_up.stat().st_mode & 0o777 == 0o600
    for plain in (*PEOPLE, "civil-register", "person.enrolled", "templates"):
        assert plain.encode() not in content


def test_a_backup_replaces_no_file_and_leaves_no_half_one(town: Town, backed_up: Path, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="exists"):
        back_up(town, backed_up)

    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        back_up(town, tmp_path / "half.backup", fail)
    assert [path.name for path in tmp_path.iterdir()] == [backed_up.name]


@pytest.mark.parametrize("place", [0.0, 0.0005, 0.3, 0.6, 0.999])
def test_an_altered_backup_leaves_the_database_empty(town: Town, backed_up: Path, tmp_path: Path, place: float) -> None:
    content = bytearray(backed_up.read_bytes())
    content[int(place * len(content))] ^= 1
    (altered := tmp_path / "altered.backup").write_bytes(content)
    with pytest.raises((InvalidInput, SealBroken)):
        bring_back(town, altered, tmp_path / "new")
    bring_back(town, backed_up, tmp_path / "new")  # which takes an empty database


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, 800), bit=st.integers(0, 7))
def test_no_bit_of_the_header_may_differ(town: Town, kept_backup: Path, place: int, bit: int) -> None:
    altered = bytearray(kept_backup.read_bytes())
    altered[place] ^= 1 << bit
    with pytest.raises((InvalidInput, SealBroken, KeyUnavailable)):
        list(SealedFile.open(io.BytesIO(altered), RootKeyFile.load(town.settings.root_keys)).content)


@pytest.fixture(scope="module")
def kept_backup(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("backup") / "of-the-day.backup"
    back_up(town, file)
    return file


@pytest.mark.parametrize("share", [0.0, 0.1, 0.9, 0.9999])
def test_a_cut_backup_is_refused(town: Town, backed_up: Path, tmp_path: Path, share: float) -> None:
    content = backed_up.read_bytes()
    (cut := tmp_path / "cut.backup").write_bytes(content[: int(share * len(content))])
    with pytest.raises((InvalidInput, SealBroken)):
        bring_back(town, cut, tmp_path / "new")


def test_every_field_of_the_header_is_bound(town: Town, backed_up: Path, tmp_path: Path) -> None:
    first, header, rest = backed_up.read_bytes().split(b"\n", 2)
    for name in (b"deployment", b"made_at", b"revision", b"version"):
        at = header.index(b'"%s": "' % name) + len(name) + 5
        changed = header[:at] + (b"x" if header[at : at + 1] != b"x" else b"y") + header[at + 1 :]
        (altered := tmp_path / "altered.backup").write_bytes(b"\n".join((first, changed, rest)))
        with pytest.raises(SealBroken, match="header"):
            bring_back(town, altered, tmp_path / "new")


def test_a_database_in_use_is_not_restored_over(town: Town, backed_up: Path) -> None:
    database = Database.open(town.settings.database)
    with pytest.raises(Conflict, match="empty"):
        restore(database, town.settings.root_keys, backed_up, town.clock, ADMINISTRATOR, silent)
    database.close()


def test_a_backup_of_a_destroyed_root_key_opens_for_nobody(own_town: Town, tmp_path: Path) -> None:
    old = tmp_path / "old.backup"
    back_up(own_town, old)
    bring_back(own_town, old, tmp_path / "while-held")
    opened, root_file = own_town.engine.administration, own_town.settings.root_keys
    before = RootKeyFile.load(root_file).current_id
    keys.rotate(opened.database, root_file, opened.keys, opened.journal, ADMINISTRATOR)
    own_town.close()
    opened = own_town.engine.administration
    keys.rewrap(opened.database, opened.keys, opened.journal, ADMINISTRATOR, silent)
    keys.destroy_root(opened.database, root_file, before, opened.journal, ADMINISTRATOR)
    with pytest.raises(KeyUnavailable, match=before):
        bring_back(own_town, old, tmp_path / "afterwards")
    new = tmp_path / "new.backup"
    back_up(own_town, new)
    again, _ = bring_back(own_town, new, tmp_path / "afterwards")
    assert again.verify(PEOPLE[0], photograph(1, 2)).decision.outcome == "match"
    again.close()


def test_a_broken_database_is_not_called_a_backup(own_town: Town, tmp_path: Path) -> None:
    assert own_town.engine.ready
    own_town.sql("UPDATE encounters SET source = 'nowhere' WHERE person = ?", PEOPLE[0])
    with pytest.raises(RecordRolledBack, match="encounters/"):
        back_up(own_town, tmp_path / "broken.backup")
    own_town.sql("UPDATE audit_leaves SET event = 'person.read' WHERE sequence = 1")
    with pytest.raises(AuditBroken):
        back_up(own_town, tmp_path / "broken.backup")
    assert not list(tmp_path.glob("broken*"))


KILLED = """
import os, signal, sys
from pathlib import Path
from idverify.access import Access
from idverify.administration import Administration, utc_now
from idverify.backup import make_backup
from idverify.ids import RequestId
from idverify.restoration import restore
from idverify.settings import Settings
from idverify.storage.database import Database

act, file, told = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
settings, access = Settings.read(), Access(RequestId("killed"), "administration")

def die(what, done, total):
    if what == told and done == (total if what == "Verifying leaves" else done):
        os.kill(os.getpid(), signal.SIGKILL)

if act == "backup":
    with Administration.open(settings) as opened:
        make_backup(opened.database, settings.root_keys, opened.keys, opened.journal, access, file, die)
else:
    restore(Database.open(settings.database), settings.root_keys, file, utc_now, access, die)
"""


def killed(act: str, file: Path, when: str, folder: Path) -> int:
    """Make or restore a backup in a process that is killed at a stage; its exit status."""
    environment = os.environ | {"IDVERIFY_DATA_DIR": str(folder)}
    command = [sys.executable, "-c", KILLED, act, str(file), when]
    return subprocess.run(command, env=environment, cwd=Path(__file__).parents[2], timeout=60, check=False).returncode


def test_a_killed_backup_takes_no_name_and_hinders_no_other(own_town: Town, tmp_path: Path) -> None:
    file = tmp_path / "of-the-day.backup"
    assert killed("backup", file, "Writing rows", own_town.path.parent) == -signal.SIGKILL
    assert not file.exists()
    back_up(own_town, file)


@pytest.mark.parametrize("when", ["Reading bytes", "Verifying leaves"])
def test_a_killed_restoration_leaves_an_empty_database(town: Town, backed_up: Path, tmp_path: Path, when: str) -> None:
    (folder := tmp_path / "new").mkdir()
    shutil.copy2(town.settings.root_keys, folder / "root.key")
    assert killed("restore", backed_up, when, folder) == -signal.SIGKILL
    again, _ = bring_back(town, backed_up, folder)
    assert again.found(photograph(3, 2)) == [PEOPLE[2]]
    again.close()


class TestErasuresSinceTheBackup:
    """An erased person does not come back without notice."""

    @pytest.fixture
    def before(self, own_town: Town, tmp_path: Path) -> Path:
        """A backup that two persons outlived in the database's place: they were erased after it."""
        file = tmp_path / "before.backup"
        back_up(own_town, file)
        for person in PEOPLE[:2]:
            own_town.engine.persons.erase(person, ADMINISTRATOR)
        return file

    def test_with_an_export_they_are_erased_again(self, own_town: Town, before: Path, tmp_path: Path) -> None:
        again, restored = bring_back(own_town, before, tmp_path / "new", kept_log(own_town, tmp_path / "audit.jsonl"))
        assert sorted(restored.erased_again) == sorted(PEOPLE[:2])
        assert restored.leaves_behind == 2
        assert restored.erasures_known
        assert again.found(photograph(1, 2)) == []
        assert again.found(photograph(3, 2)) == [PEOPLE[2]]
        again.close()

    def test_with_a_checkpoint_it_is_said_how_much_is_lost(self, own_town: Town, before: Path, tmp_path: Path) -> None:
        kept = LaterLog(kept_log(own_town, tmp_path / "audit.jsonl").checkpoint)
        _, restored = bring_back(own_town, before, tmp_path / "new", kept)
        assert restored.leaves_behind == 2
        assert not restored.erasures_known

    def test_without_either_it_is_said_that_nobody_knows(self, own_town: Town, before: Path, tmp_path: Path) -> None:
        _, restored = bring_back(own_town, before, tmp_path / "new")
        assert not restored.erasures_known

    def test_an_export_that_lacks_a_leaf_is_refused(self, own_town: Town, before: Path, tmp_path: Path) -> None:
        later = kept_log(own_town, export := tmp_path / "audit.jsonl")
        export.write_bytes(b"".join(export.read_bytes().splitlines(keepends=True)[:-1]))
        with pytest.raises(AuditBroken, match="checkpoint"):
            bring_back(own_town, before, tmp_path / "new", later)

    def test_an_export_of_another_log_is_refused(
        self, own_town: Town, before: Path, tmp_path: Path, town_files: Path, reader: Reader
    ) -> None:
        forked = copied(town_files, tmp_path / "forked", reader)  # the same deployment, gone another way
        for _ in range(9):
            forked.verify(PEOPLE[3], photograph(4, 2))
        later = kept_log(forked, tmp_path / "audit.jsonl")
        forked.close()
        with pytest.raises(LogForked):
            bring_back(own_town, before, tmp_path / "new", later)

    def test_a_checkpoint_that_is_not_ours_is_refused(self, own_town: Town, before: Path, tmp_path: Path) -> None:
        kept = kept_log(own_town, tmp_path / "audit.jsonl").checkpoint
        with pytest.raises(CheckpointInvalid):
            bring_back(own_town, before, tmp_path / "new", LaterLog(kept.replace("\n", "\n1", 1)))

    def test_a_checkpoint_that_the_backup_has_passed_must_fit(
        self, own_town: Town, tmp_path: Path, town_files: Path, reader: Reader
    ) -> None:
        forked = copied(town_files, tmp_path / "forked", reader)
        forked.verify(PEOPLE[3], photograph(4, 2))
        kept = kept_log(forked, tmp_path / "audit.jsonl").checkpoint
        forked.close()
        for _ in range(3):
            own_town.verify(PEOPLE[4], photograph(5, 2))
        file = tmp_path / "passed.backup"
        back_up(own_town, file)
        with pytest.raises(LogForked):
            bring_back(own_town, file, tmp_path / "new", LaterLog(kept))
