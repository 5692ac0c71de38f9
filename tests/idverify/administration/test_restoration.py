"""A backup comes back whole and verified or not at all, and nobody who was erased comes back without notice."""

import shutil
import signal
from pathlib import Path

import pytest

from idverify.access import no_progress
from idverify.administration.restoration import LaterLog, restore
from idverify.errors import (
    AuditBroken,
    CheckpointInvalid,
    Conflict,
    InvalidInput,
    LogForked,
    SealBroken,
)
from idverify.storage.database import Database
from idverify.vision.reader import Reader
from tests.backups import ADMINISTRATOR, back_up, bring_back, kept_log, killed
from tests.deployments import PEOPLE, Register, copied, photograph


@pytest.fixture
def backed_up(register: Register, tmp_path: Path) -> Path:
    file = tmp_path / "of-the-day.backup"
    back_up(register, file)
    return file


@pytest.mark.parametrize("place", [0.0, 0.0005, 0.3, 0.6, 0.999])
def test_an_altered_backup_leaves_the_database_empty(
    register: Register, backed_up: Path, tmp_path: Path, place: float
) -> None:
    content = bytearray(backed_up.read_bytes())
    content[int(place * len(content))] ^= 1
    (altered := tmp_path / "altered.backup").write_bytes(content)
    with pytest.raises((InvalidInput, SealBroken)):
        bring_back(register, altered, tmp_path / "new")
    bring_back(register, backed_up, tmp_path / "new")  # which takes an empty database


@pytest.mark.parametrize("share", [0.0, 0.1, 0.9, 0.9999])
def test_a_cut_backup_is_refused(register: Register, backed_up: Path, tmp_path: Path, share: float) -> None:
    content = backed_up.read_bytes()
    (cut := tmp_path / "cut.backup").write_bytes(content[: int(share * len(content))])
    with pytest.raises((InvalidInput, SealBroken)):
        bring_back(register, cut, tmp_path / "new")


def test_a_database_in_use_is_not_restored_over(register: Register, backed_up: Path) -> None:
    database = Database.open(register.settings.database)
    with pytest.raises(Conflict, match="empty"):
        restore(database, register.settings.root_keys, backed_up, register.clock, ADMINISTRATOR, no_progress)
    database.close()


@pytest.mark.parametrize("when", ["Reading bytes", "Verifying leaves"])
def test_a_killed_restoration_leaves_an_empty_database(
    register: Register, backed_up: Path, tmp_path: Path, when: str
) -> None:
    (folder := tmp_path / "new").mkdir()
    shutil.copy2(register.settings.root_keys, folder / "root.key")
    assert killed("restore", backed_up, when, folder) == -signal.SIGKILL
    again, _ = bring_back(register, backed_up, folder)
    assert again.found(photograph(3, 2)) == [PEOPLE[2]]
    again.close()


@pytest.fixture
def before(own_register: Register, tmp_path: Path) -> Path:
    """A backup that was made before two persons were erased."""
    file = tmp_path / "before.backup"
    back_up(own_register, file)
    for person in PEOPLE[:2]:
        own_register.engine.persons.erase(person, ADMINISTRATOR)
    return file


def test_with_an_export_the_erased_are_erased_again(own_register: Register, before: Path, tmp_path: Path) -> None:
    again, restored = bring_back(
        own_register, before, tmp_path / "new", kept_log(own_register, tmp_path / "audit.jsonl")
    )
    assert sorted(restored.erased_again) == sorted(PEOPLE[:2])
    assert restored.leaves_behind == 2
    assert restored.erasures_known
    assert again.found(photograph(1, 2)) == []
    assert again.found(photograph(3, 2)) == [PEOPLE[2]]
    again.close()


def test_with_a_checkpoint_it_is_said_how_much_is_lost(own_register: Register, before: Path, tmp_path: Path) -> None:
    kept = LaterLog(kept_log(own_register, tmp_path / "audit.jsonl").checkpoint)
    _, restored = bring_back(own_register, before, tmp_path / "new", kept)
    assert restored.leaves_behind == 2
    assert not restored.erasures_known


def test_without_either_it_is_said_that_nobody_knows_who_was_erased(
    own_register: Register, before: Path, tmp_path: Path
) -> None:
    _, restored = bring_back(own_register, before, tmp_path / "new")
    assert not restored.erasures_known


def test_an_export_that_lacks_a_leaf_is_refused(own_register: Register, before: Path, tmp_path: Path) -> None:
    later = kept_log(own_register, export := tmp_path / "audit.jsonl")
    export.write_bytes(b"".join(export.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(AuditBroken, match="checkpoint"):
        bring_back(own_register, before, tmp_path / "new", later)


def test_an_export_of_another_log_is_refused(
    own_register: Register, before: Path, tmp_path: Path, register_files: Path, reader: Reader
) -> None:
    forked = copied(register_files, tmp_path / "forked", reader)  # the same deployment, gone another way
    for _ in range(9):
        forked.verify(PEOPLE[3], photograph(4, 2))
    later = kept_log(forked, tmp_path / "audit.jsonl")
    forked.close()
    with pytest.raises(LogForked):
        bring_back(own_register, before, tmp_path / "new", later)


def test_a_checkpoint_that_is_not_ours_is_refused(own_register: Register, before: Path, tmp_path: Path) -> None:
    kept = kept_log(own_register, tmp_path / "audit.jsonl").checkpoint
    with pytest.raises(CheckpointInvalid):
        bring_back(own_register, before, tmp_path / "new", LaterLog(kept.replace("\n", "\n1", 1)))


def test_a_checkpoint_that_the_backup_has_passed_must_fit(
    own_register: Register, tmp_path: Path, register_files: Path, reader: Reader
) -> None:
    forked = copied(register_files, tmp_path / "forked", reader)
    forked.verify(PEOPLE[3], photograph(4, 2))
    kept = kept_log(forked, tmp_path / "audit.jsonl").checkpoint
    forked.close()
    for _ in range(3):
        own_register.verify(PEOPLE[4], photograph(5, 2))
    file = tmp_path / "passed.backup"
    back_up(own_register, file)
    with pytest.raises(LogForked):
        bring_back(own_register, file, tmp_path / "new", LaterLog(kept))
