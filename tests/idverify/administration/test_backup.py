"""Backup and restoration: enrol, back up while others write, lose the database, restore; and what a backup holds."""

import signal
import threading
from pathlib import Path

import pytest

from idverify import keys
from idverify.access import no_progress
from idverify.administration.deployment import Deployment
from idverify.audit.events import EventKind
from idverify.errors import (
    AuditBroken,
    Conflict,
    KeyUnavailable,
    PersonNotFound,
    RecordRolledBack,
    StorageUnavailable,
)
from idverify.ids import PersonId
from idverify.protection.root_key import RootKeyFile
from idverify.storage import audit_log
from idverify.storage.database import Database
from tests.backups import ADMINISTRATOR, back_up, bring_back, killed
from tests.deployments import PEOPLE, Register, photograph


@pytest.fixture
def backed_up(register: Register, tmp_path: Path) -> Path:
    file = tmp_path / "of-the-day.backup"
    back_up(register, file)
    return file


def test_what_was_acknowledged_before_a_backup_survives_the_loss_of_the_database(
    own_register: Register, tmp_path: Path
) -> None:
    register, file = own_register, tmp_path / "drill.backup"
    acknowledged = list(PEOPLE)
    reading, written = threading.Event(), threading.Event()

    def write_meanwhile() -> None:
        reading.wait(30)
        for seed in range(21, 25):
            register.enrol(f"C-{seed}", photograph(seed, 1))
            register.verify(PEOPLE[0], photograph(1, 2))
        written.set()

    def after_the_snapshot(what: str, _done: int, _total: int) -> None:
        # The backup waits here, its state of the database chosen, until others have written.
        if what == "Writing rows":
            reading.set()
            assert written.wait(60)

    for seed in (11, 12):
        register.enrol(f"C-{seed}", photograph(seed, 1))
        acknowledged.append(PersonId(f"C-{seed}"))
    writer = threading.Thread(target=write_meanwhile)
    writer.start()
    made = back_up(register, file, after_the_snapshot)
    writer.join()
    register.close()
    for left in register.path.parent.glob("idverify.sqlite3*"):
        left.unlink()

    again, restored = bring_back(register, file, register.path.parent)
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


def test_somebody_erased_during_a_backup_leaves_no_bytes_behind(own_register: Register, tmp_path: Path) -> None:
    """SQLite cannot empty its write-ahead log while a backup reads; the backup does so when it is through."""
    patient = Database.open(own_register.settings.database, busy_timeout_s=0.1)  # the eraser need not wait for long
    persons = Deployment.open(own_register.settings).persons
    persons._database = patient
    wrapped = own_register.sql(
        "SELECT wrapped_key FROM person_keys JOIN persons ON slot = key_slot WHERE person = ?", PEOPLE[0]
    )[0][0]
    told: list[str] = []

    def erase_meanwhile(what: str, _done: int, _total: int) -> None:
        if what == "Writing rows" and not told:
            with pytest.raises(StorageUnavailable, match="the person is erased") as error:
                persons.erase(PEOPLE[0], ADMINISTRATOR)
            told.append(str(error.value))

    back_up(own_register, tmp_path / "of-the-day.backup", erase_meanwhile)
    assert told
    for path in own_register.path.parent.glob("idverify.sqlite3*"):
        assert wrapped not in path.read_bytes()
    patient.close()


def test_making_and_restoring_are_in_the_log(register: Register, backed_up: Path, tmp_path: Path) -> None:
    again, _ = bring_back(register, backed_up, tmp_path / "new")
    with Deployment.open(again.settings) as deployment, deployment.database.read() as connection:
        events = [event.event for event in audit_log.leaves_after(connection, -1)]
    assert events[-2:] == [EventKind.BACKUP_MADE, EventKind.BACKUP_RESTORED]


def test_nothing_of_a_person_stands_in_it_in_the_clear(register: Register, backed_up: Path) -> None:
    content = backed_up.read_bytes()
    assert backed_up.stat().st_mode & 0o777 == 0o600
    pseudonyms = [pseudonym for (pseudonym,) in register.sql("SELECT pseudonym FROM persons")]
    assert len(pseudonyms) >= len(PEOPLE)
    # Long enough that no ciphertext holds one by chance, as it does a number of three letters.
    for plain in (*pseudonyms, "civil-register", "person.enrolled", "templates"):
        assert plain.encode() not in content


def test_a_backup_replaces_no_file_and_leaves_no_half_one(register: Register, backed_up: Path, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="exists"):
        back_up(register, backed_up)

    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        back_up(register, tmp_path / "half.backup", fail)
    assert [path.name for path in tmp_path.iterdir()] == [backed_up.name]


def test_a_backup_of_a_destroyed_root_key_opens_for_nobody(own_register: Register, tmp_path: Path) -> None:
    old = tmp_path / "old.backup"
    back_up(own_register, old)
    bring_back(own_register, old, tmp_path / "while-held")
    opened, root_file = own_register.engine.deployment, own_register.settings.root_keys
    before = RootKeyFile.load(root_file).current_id
    keys.rotate(opened.database, root_file, opened.keys, opened.journal, ADMINISTRATOR)
    own_register.close()
    opened = own_register.engine.deployment
    keys.rewrap(opened.database, opened.keys, opened.journal, ADMINISTRATOR, no_progress)
    RootKeyFile.load(root_file).destroy(before)
    with pytest.raises(KeyUnavailable, match=before):
        bring_back(own_register, old, tmp_path / "afterwards")
    new = tmp_path / "new.backup"
    back_up(own_register, new)
    again, _ = bring_back(own_register, new, tmp_path / "afterwards")
    assert again.verify(PEOPLE[0], photograph(1, 2)).decision.outcome == "match"
    again.close()


def test_a_broken_database_is_not_called_a_backup(own_register: Register, tmp_path: Path) -> None:
    assert own_register.engine.ready
    own_register.sql("UPDATE encounters SET source = 'nowhere' WHERE person = ?", PEOPLE[0])
    with pytest.raises(RecordRolledBack, match="encounters/"):
        back_up(own_register, tmp_path / "broken.backup")
    own_register.sql("UPDATE audit_leaves SET event = 'person.read' WHERE sequence = 1")
    with pytest.raises(AuditBroken):
        back_up(own_register, tmp_path / "broken.backup")
    assert not list(tmp_path.glob("broken*"))


def test_a_killed_backup_takes_no_name_and_hinders_no_other(own_register: Register, tmp_path: Path) -> None:
    file = tmp_path / "of-the-day.backup"
    assert killed("backup", file, "Writing rows", own_register.path.parent) == -signal.SIGKILL
    assert not file.exists()
    back_up(own_register, file)
