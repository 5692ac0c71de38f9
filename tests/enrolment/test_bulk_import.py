"""Bulk import: every photograph exactly one encounter, whatever interrupts it and however often it is run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from enrolment import composition
from enrolment.bulk_import import ImportSummary
from enrolment.enroller import EnrolmentOutcome
from idverify.audit.events import EventKind
from idverify.errors import GalleryNotFound, InvalidInput
from idverify.ids import GalleryId, PersonId
from tests.deployments import REGISTER, Register, access, couple, photograph, wall


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four good photographs of three people, one without a face and one that is broken."""
    source = tmp_path / "photographs"
    for name, content in {
        "P-11/a.jpg": photograph(11, 1),
        "P-11/b.jpg": photograph(11, 2),
        "P-12/a.jpg": photograph(12, 1),
        "P-13.jpg": photograph(13, 1),
        "P-14.jpg": wall(),
        "P-15.jpg": photograph(15, 1)[:-100],
    }.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    return source


def test_a_folder_is_imported_and_what_is_refused_says_why(empty_register: Register, folder: Path) -> None:
    told: list[tuple[str, int, int]] = []
    bulk = composition.bulk_import(empty_register.engine, REGISTER, folder, access())
    summary = bulk.run(lambda *state: told.append(state))
    assert (summary.total, summary.skipped) == (6, 0)
    assert summary.outcomes == {
        ("enrolled", None): 4,
        ("refused", "no_face"): 1,
        ("failed", "image_corrupt"): 1,
    }
    assert told == [("Importing photographs", number, 6) for number in range(1, 7)]
    assert _encounters(empty_register) == {"P-11": 2, "P-12": 1, "P-13": 1}
    refused = {item.person: (item.outcome, item.reason, item.detail or "") for item in bulk.refused()}
    assert refused[PersonId("P-14")][:2] == ("refused", "no_face")
    assert refused[PersonId("P-14")][2].startswith("P-14.jpg\t")
    assert refused[PersonId("P-15")][:2] == ("failed", "image_corrupt")
    assert _events(empty_register).count(EventKind.IMPORT_STARTED) == 1
    assert _events(empty_register)[-1] == EventKind.IMPORT_FINISHED


def test_running_it_again_does_nothing_twice_and_tries_what_failed_again(
    empty_register: Register, folder: Path
) -> None:
    first = _run(empty_register, folder)
    again = _run(empty_register, folder)
    assert (again.total, again.skipped) == (6, 4)
    assert again.outcomes == first.outcomes
    (folder / "P-14.jpg").write_bytes(photograph(14, 1))
    (folder / "P-15.jpg").write_bytes(photograph(15, 1))
    mended = _run(empty_register, folder)
    assert mended.outcomes == {("enrolled", None): 6}
    assert _encounters(empty_register) == {"P-11": 2, "P-12": 1, "P-13": 1, "P-14": 1, "P-15": 1}
    assert _run(empty_register, folder).skipped == 6


def test_a_csv_with_every_kind_of_bad_row(empty_register: Register, folder: Path) -> None:
    source = folder / "list.csv"
    rows = [
        "person;photograph",
        "P-11;P-11/a.jpg",
        "P-11;P-11/../P-11/a.jpg",  # the same photograph once more
        "P-12;P-11/a.jpg",  # one photograph behind two numbers
        "=1+1;P-12/a.jpg",
        "P-13;absent.jpg",
        "P-13;P-11",
        "P-13;bad\0name.jpg",
        f"P-13;{'long' * 100}.jpg",
        "P-14;",
        ";P-12/a.jpg",
        "P-15;P-15.jpg",
    ]
    source.write_text("\n".join(rows), encoding="utf-8-sig")
    bulk = composition.bulk_import(empty_register.engine, REGISTER, source, access())
    summary = bulk.run(lambda *_: None)
    assert summary.skipped == 1
    assert summary.outcomes == {
        ("enrolled", None): 1,
        ("needs_review", None): 1,
        ("failed", "file_unreadable"): 4,
        ("failed", "invalid_input"): 3,
        ("failed", "image_corrupt"): 1,
    }
    places = sorted((item.detail or "").partition("\t")[0] for item in bulk.refused())
    assert places == sorted(f"line {number}" for number in (5, 6, 7, 8, 9, 10, 11, 12))
    assert all((item.detail or "").partition("\t")[2] for item in bulk.refused())


def test_several_faces_are_refused_with_advice(empty_register: Register, tmp_path: Path) -> None:
    (tmp_path / "pair").mkdir()
    (tmp_path / "pair" / "P-1.jpg").write_bytes(couple())
    bulk = composition.bulk_import(empty_register.engine, REGISTER, tmp_path / "pair", access())
    assert bulk.run(lambda *_: None).outcomes == {("refused", "several_faces"): 1}
    (item,) = bulk.refused()
    assert (item.detail or "").partition("\t")[2]


def test_a_file_over_the_limit_is_not_even_read(empty_register: Register, tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    with (tmp_path / "big" / "P-1.jpg").open("wb") as file:
        file.truncate(1 << 40)  # sparse: reading it would fill the memory
    assert _run(empty_register, tmp_path / "big").outcomes == {("failed", "image_too_large"): 1}


def test_an_unknown_gallery_or_an_empty_source_starts_nothing(
    empty_register: Register, folder: Path, tmp_path: Path
) -> None:
    before = _events(empty_register)
    with pytest.raises(GalleryNotFound):
        composition.bulk_import(empty_register.engine, GalleryId("atlantis"), folder, access()).run(lambda *_: None)
    (tmp_path / "nothing").mkdir()
    with pytest.raises(InvalidInput):
        _run(empty_register, tmp_path / "nothing")
    assert _events(empty_register) == before


def test_an_interrupted_run_keeps_what_it_did(empty_register: Register, folder: Path) -> None:
    def interrupt(_what: str, done: int, _total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    bulk = composition.bulk_import(empty_register.engine, REGISTER, folder, access())
    with pytest.raises(KeyboardInterrupt):
        bulk.run(interrupt)
    assert sum(_encounters(empty_register).values()) >= 1
    assert empty_register.sql("SELECT state FROM jobs") == [("running",)]
    summary = _run(empty_register, folder)
    assert summary.count(EnrolmentOutcome.ENROLLED) == 4
    assert _encounters(empty_register) == {"P-11": 2, "P-12": 1, "P-13": 1}
    assert empty_register.sql("SELECT state FROM jobs") == [("finished",)]


def test_a_full_disk_stops_the_import_and_it_goes_on_afterwards(empty_register: Register, folder: Path) -> None:
    assert empty_register.engine.ready
    empty_register.sql(
        "CREATE TRIGGER full BEFORE INSERT ON templates WHEN (SELECT count(*) FROM templates) = 2 "
        "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    with pytest.raises(Exception, match="disk full"):
        _run(empty_register, folder)
    assert sum(_encounters(empty_register).values()) == 2
    empty_register.sql("DROP TRIGGER full")
    assert _run(empty_register, folder).count(EnrolmentOutcome.ENROLLED) == 4
    assert _encounters(empty_register) == {"P-11": 2, "P-12": 1, "P-13": 1}


def test_an_import_killed_in_the_middle_goes_on_where_it_stopped(
    empty_register: Register, tmp_path: Path, model_dir: Path
) -> None:
    source = tmp_path / "crowd"
    source.mkdir()
    people = [f"P-{seed}" for seed in range(20, 32)]
    for seed, person in enumerate(people, start=20):
        (source / f"{person}.jpg").write_bytes(photograph(seed, 1))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("IDVERIFY_")},
        "IDVERIFY_DATA_DIR": str(empty_register.settings.data_dir),
        "IDVERIFY_MODEL_DIR": str(model_dir),
    }
    command = [sys.executable, "-m", "enrolment", "import", str(source), "--gallery", REGISTER]
    root = Path(__file__).parents[2]
    killed = subprocess.Popen(command, env=environment, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while sum(_encounters(empty_register).values()) < 4 and time.monotonic() < deadline and killed.poll() is None:
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    done = sum(_encounters(empty_register).values())
    assert 4 <= done < len(people)
    summary = _run(empty_register, source)
    assert (summary.total, summary.skipped) == (len(people), done)
    assert _encounters(empty_register) == dict.fromkeys(people, 1)
    assert empty_register.sql("SELECT count(*) FROM templates") == [(len(people),)]
    assert empty_register.another().ready


def test_an_erasure_takes_the_imports_notes_of_that_person_along(empty_register: Register, folder: Path) -> None:
    (folder / "P-12" / "broken.jpg").write_bytes(photograph(12, 3)[:-50])
    _run(empty_register, folder)
    assert len(empty_register.sql("SELECT item FROM job_items WHERE item LIKE '%P-12%' OR detail LIKE '%P-12%'")) == 2
    empty_register.engine.persons.erase(PersonId("P-12"), access())
    assert empty_register.sql("SELECT item FROM job_items WHERE item LIKE '%P-12%' OR detail LIKE '%P-12%'") == []
    assert b"P-12" not in empty_register.path.read_bytes()


def _run(register: Register, source: Path) -> ImportSummary:
    return composition.bulk_import(register.engine, REGISTER, source, access()).run(lambda *_: None)


def _encounters(register: Register) -> dict[str, int]:
    return dict(register.sql("SELECT person, count(*) FROM encounters GROUP BY 1 ORDER BY 1"))


def _events(register: Register) -> list[str]:
    return [event for (event,) in register.sql("SELECT event FROM audit_leaves ORDER BY sequence")]
