"""What the live files of SQLite never hold, and what is gone from them after an erasure."""

import base64
import random
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from idverify.ids import PersonId
from idverify.protection.sealing import new_key
from idverify.storage import jobs, persons
from idverify.storage.database import Database
from idverify.storage.tables.register import person_keys


def test_no_template_or_key_is_in_the_files_in_any_notation(sqlite_deployed: Any, sqlite_path: Path) -> None:
    people = [sqlite_deployed.enrol(f"person-{number}") for number in range(20)]
    for person in people:
        vector = person.embedding.vector
        data_key = _data_key(sqlite_deployed, person)
        for secret in (vector.tobytes(), vector.astype("<f8").tobytes(), vector.tobytes()[:32], data_key):
            for notation in (secret, base64.b64encode(secret), secret.hex().encode()):
                assert notation not in _live_bytes(sqlite_path)
        # The search does find what is there.
        assert person.row.wrapped.sealed in _live_bytes(sqlite_path)
        assert person.template.sealed in _live_bytes(sqlite_path)


def test_erasures_leave_no_part_of_a_key_and_the_others_keys_stay(sqlite_deployed: Any, sqlite_path: Path) -> None:
    """So many that SQLite merges pages and fills them again: what it moves then it may leave a copy of where it was."""
    generator = random.Random(0)
    kept: list[Any] = []
    erased: list[Any] = []
    for enrolments, erasures in ((250, 210), (100, 70)):
        kept += [sqlite_deployed.enrol(f"person-{len(kept) + len(erased) + n}") for n in range(enrolments)]
        generator.shuffle(kept)
        for person in kept[:erasures]:
            with sqlite_deployed.database.write() as connection:
                persons.erase_person(connection, person.row.person)
        erased, kept = erased + kept[:erasures], kept[erasures:]
    assert sqlite_deployed.database.scrub()
    live = _live_bytes(sqlite_path)
    for person in erased:
        key = person.row.wrapped.sealed
        assert not any(key[at : at + 12] in live for at in range(2, len(key) - 12, 12))
    for person in kept:
        assert person.row.wrapped.sealed in live
    # It holds because the rows of keys stay where they are, blank, and never move.
    with sqlite_deployed.database.read() as connection:
        keys = list(connection.execute(select(person_keys.c.wrapped_key)).scalars())
    assert len(keys) == len(kept) + len(erased)
    assert sum(not any(key) for key in keys) == len(erased)


def test_a_rewrapped_key_leaves_no_bytes_of_its_old_wrapping(sqlite_deployed: Any, sqlite_path: Path) -> None:
    people = [sqlite_deployed.enrol(f"person-{number}") for number in range(40)]
    with sqlite_deployed.database.write() as connection:
        for person in people:
            row = person.row
            persons.set_wrapped(
                connection, row, sqlite_deployed.envelope.rewrap(row.person, row.pseudonym, row.wrapped)
            )
    assert sqlite_deployed.database.scrub()
    live = _live_bytes(sqlite_path)
    assert not any(person.row.wrapped.sealed in live for person in people)


def test_scrubbing_says_when_a_reader_kept_it_from_finishing(sqlite_deployed: Any, sqlite_path: Path) -> None:
    sqlite_deployed.enrol("anna")
    impatient = Database.open(f"sqlite:///{sqlite_path}", busy_timeout_s=0)
    with sqlite_deployed.database.read() as reader:
        assert persons.count(reader) == 1
        with sqlite_deployed.database.write() as connection:
            persons.erase_person(connection, PersonId("anna"))
        assert not impatient.scrub()
    assert impatient.scrub()
    impatient.close()


def test_scrubbing_waits_for_another_process_that_is_at_it(sqlite_deployed: Any, sqlite_path: Path) -> None:
    """SQLite itself would give up at once."""
    other = sqlite3.connect(sqlite_path, timeout=60, check_same_thread=False)

    def empty() -> None:
        while other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            pass

    with ThreadPoolExecutor(2) as threads:
        with sqlite_deployed.database.read() as reader:
            assert persons.count(reader) == 0
            sqlite_deployed.enrol("anna")
            # The other one has the log to itself now, and waits for the reader.
            emptied = threads.submit(empty)
            held = sqlite3.connect(sqlite_path, timeout=0)
            while not emptied.done() and held.execute("PRAGMA wal_checkpoint").fetchone()[0] == 0:
                pass
            held.close()
            scrubbed = threads.submit(sqlite_deployed.database.scrub)
            with pytest.raises(TimeoutError):
                scrubbed.result(timeout=0.2)
        emptied.result()
        assert scrubbed.result()
    other.close()


@pytest.mark.parametrize(
    ("secure_delete", "truncate", "remains"), [(1, 1, False), (1, 0, True), (0, 1, True), (0, 0, True)]
)
def test_secure_delete_and_the_checkpoint_are_both_needed(
    tmp_path: Path, secure_delete: int, truncate: int, remains: bool
) -> None:
    """The measurement that the design quotes, on SQLite alone: either measure without the other leaves the key."""
    path = tmp_path / "measured.db"
    key = new_key()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA secure_delete={secure_delete}")
    connection.execute("CREATE TABLE persons (person TEXT PRIMARY KEY, wrapped_key BLOB)")
    connection.execute("INSERT INTO persons VALUES ('anna', ?)", (key,))
    connection.execute("INSERT INTO persons VALUES ('ben', ?)", (new_key(),))
    connection.execute("DELETE FROM persons WHERE person = 'anna'")
    if truncate:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in tmp_path.glob("measured.db*"):
        shutil.copy(file, copy)
    assert (key in b"".join(file.read_bytes() for file in copy.iterdir())) is remains
    connection.close()


def test_an_erasure_takes_the_persons_items_of_jobs_too(sqlite_deployed: Any, now: Any) -> None:
    sqlite_deployed.enrol("anna")
    with sqlite_deployed.database.write() as connection:
        jobs.add(connection, jobs.JobRow("j1", "import", {}, "", ""))
        jobs.add_item(connection, "j1", jobs.JobItemRow("anna/1.jpg", "enrolled", person=PersonId("anna")))
        jobs.add_item(connection, "j1", jobs.JobItemRow("ben/1.jpg", "refused", "no_face"))
        persons.erase_person(connection, PersonId("anna"))
        assert jobs.done_items(connection, "j1") == {"ben/1.jpg"}


def _data_key(deployed: Any, person: Any) -> bytes:
    """The person's data key in the clear, which the library itself never hands out."""
    wrapped = person.row.wrapped
    context = deployed.envelope._wrap_context(person.row.person, person.row.pseudonym, wrapped.wrapping_version)
    data_key: bytes = deployed.keyring.wrapping(wrapped.wrapping_version).open(wrapped.sealed, context)
    return data_key


def _live_bytes(path: Path) -> bytes:
    files = [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]
    return b"\n".join(file.read_bytes() for file in files)
