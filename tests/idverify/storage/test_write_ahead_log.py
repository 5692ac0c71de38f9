"""What a writer was told to be kept is on the disk: nobody is told before a sync that began after their commit."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from idverify.errors import StorageUnavailable
from idverify.storage.database import Database
from idverify.storage.tables.administration import jobs
from idverify.storage.write_ahead_log import WriteAheadLogSync
from tests.processes import eventually

ENOUGH_S = 30


def count(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(text("SELECT count(*) FROM jobs")).scalar_one())


def add(database: Database, job: str) -> None:
    row = {"job": job, "kind": "test", "state": "running", "parameters": {}, "created_at": "", "updated_at": ""}
    with database.write() as connection:
        connection.execute(insert(jobs).values(row))


class Disk:
    """Stands before os.fdatasync: counts, waits or fails, and does the real thing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = 0
        self.open = threading.Event()
        self.open.set()
        self.failure: OSError | None = None
        self.seen: Callable[[], None] = lambda: None
        self._real = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", self._fdatasync)

    def _fdatasync(self, descriptor: int) -> None:
        self.begun += 1
        self.seen()
        assert self.open.wait(ENOUGH_S)
        if self.failure is not None:
            raise self.failure
        self._real(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_the_log_is_synced_after_the_commit_and_before_the_writer_goes_on(
    sqlite_database: Database, disk: Disk
) -> None:
    committed: list[int] = []
    disk.seen = lambda: committed.append(count(sqlite_database))
    add(sqlite_database, "a")
    assert committed == [1]


def test_nothing_is_synced_for_what_was_rolled_back_or_only_read(sqlite_database: Database, disk: Disk) -> None:
    with suppress(ZeroDivisionError), sqlite_database.write() as connection:
        connection.execute(text("DELETE FROM jobs"))
        raise ZeroDivisionError
    with sqlite_database.rehearse() as connection:
        connection.execute(text("DELETE FROM jobs"))
    assert count(sqlite_database) == 0
    assert disk.begun == 0


def test_writers_write_while_the_disk_is_busy_and_wait_for_the_next_sync_together(
    sqlite_database: Database, disk: Disk
) -> None:
    disk.open.clear()
    with ThreadPoolExecutor(5) as threads:
        first = threads.submit(add, sqlite_database, "first")
        assert eventually(lambda: disk.begun == 1)
        others = [threads.submit(add, sqlite_database, f"{number}") for number in range(4)]
        assert eventually(lambda: count(sqlite_database) == 5)  # committed, and nobody told
        assert not any(each.done() for each in (first, *others))
        assert disk.begun == 1
        disk.open.set()
        for each in (first, *others):
            each.result()
    assert disk.begun in (2, 3)  # a thread that was late for the second has a third


def test_after_a_sync_that_failed_nobody_is_told_that_anything_is_kept(
    sqlite_database: Database, sqlite_path: Path, disk: Disk
) -> None:
    add(sqlite_database, "kept")
    disk.failure = OSError(5, "Input/output error")
    with pytest.raises(StorageUnavailable, match=r"could not be synced \(Input/output error\)"):
        add(sqlite_database, "not told")
    disk.failure = None  # a later sync would succeed, and prove nothing
    with pytest.raises(StorageUnavailable, match="start again"):
        add(sqlite_database, "never tried")
    assert count(sqlite_database) == 2
    sqlite_database.close()
    again = Database.open(f"sqlite:///{sqlite_path}")
    add(again, "after the next start")
    assert count(again) == 3
    again.close()


def test_all_who_wait_for_a_sync_that_fails_are_refused(tmp_path: Path, disk: Disk) -> None:
    log = tmp_path / "log"
    log.touch()
    waiting = WriteAheadLogSync(log)
    disk.open.clear()
    with ThreadPoolExecutor(3) as threads:
        told = [threads.submit(waiting.wait) for _ in range(3)]
        assert eventually(lambda: disk.begun == 1)
        disk.failure = OSError(28, "No space left on device")
        disk.open.set()
        for each in told:
            with pytest.raises(StorageUnavailable, match="No space left"):
                each.result()


def test_a_log_that_was_copied_and_removed_needs_no_sync(tmp_path: Path) -> None:
    WriteAheadLogSync(tmp_path / "gone").wait()
