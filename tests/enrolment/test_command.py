"""`python -m enrolment …`: what a clerk sees, exit statuses, and a report that no spreadsheet runs."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from enrolment.station.receipt_codes import ReceiptCodes
from idverify.ids import EncounterId, PersonId
from idverify.vision.stages import Stage, Stages
from tests.commands import Commands
from tests.deployments import REGISTER, Register, photograph, wall


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    folder.mkdir()
    for name, content in {"seven.jpg": photograph(7, 1), "three.jpg": photograph(3, 2), "wall.jpg": wall()}.items():
        (folder / name).write_bytes(content)
    return folder


def test_a_person_is_enrolled(own_register: Register, commands: Commands, photos: Path) -> None:
    told = commands("enrolment", "enrol", "--gallery", REGISTER, "--person", "C-7", photos / "seven.jpg")
    assert told.status == 0
    assert told.out.startswith("Enrolled C-7 in civil-register as encounter ")
    assert "Quality " in told.out
    assert own_register.found(photograph(7, 2)) == ["C-7"]
    assert own_register.sql("SELECT source FROM encounters WHERE person = 'C-7'") == [("cli",)]


def test_of_several_photographs_each_is_assessed_once_and_the_best_embedded_once(
    own_register: Register, commands: Commands, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_stages: Counter[Stage] = Counter()
    monkeypatch.setattr(Stages, "tell", lambda _stages, stage, _duration_s: told_stages.update([stage]))
    frames = [photos / "wall.jpg"] * 4 + [photos / "seven.jpg"]
    told = commands("enrolment", "enrol", "--gallery", REGISTER, "--person", "C-7", *frames)
    assert told.status == 0
    assert (told_stages[Stage.DECODE], told_stages[Stage.QUALITY], told_stages[Stage.EMBED]) == (5, 1, 1)


def test_a_duplicate_is_told_and_not_refused_and_the_other_person_not_named(
    own_register: Register, commands: Commands, photos: Path
) -> None:
    told = commands("enrolment", "enrol", "--gallery", REGISTER, "--person", "GHOST", photos / "three.jpg")
    assert told.status == 0
    assert "Marked for review: possible_duplicate" in told.out
    assert "C-3" not in told.out


def test_a_refusal_has_its_own_status_and_says_what_to_do(
    own_register: Register, commands: Commands, photos: Path
) -> None:
    told = commands("enrolment", "enrol", "--gallery", REGISTER, "--person", "C-7", photos / "wall.jpg")
    assert told.status == 3
    assert told.out.startswith("Refused: no_face.\nAdvice: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--gallery", "atlantis", "--person", "C-7", "seven.jpg"), "gallery_not_found"),
        (("--gallery", "Civil Register", "--person", "C-7", "seven.jpg"), "gallery: expected"),
        (("--gallery", "civil-register", "--person", "C 7", "seven.jpg"), "person identifier"),
        (("--gallery", "civil-register", "--person", "C-7", "absent.jpg"), "absent.jpg: No such file"),
        (("--gallery", "civil-register", "--person", "C-7", "."), "Is a directory"),
        (("--gallery", "civil-register", "--person", "C-7", *["seven.jpg"] * 11), "expected 1 to 10, got 11"),
    ],
)
def test_what_is_wrong_is_one_line(
    own_register: Register, commands: Commands, photos: Path, arguments: tuple[str, ...], message: str
) -> None:
    commands.monkeypatch.chdir(photos)
    told = commands("enrolment", "enrol", *arguments)
    assert (told.status, told.out) == (2, "")
    assert message in told.err
    assert len(told.err.splitlines()) == 1


def test_an_import_sums_up_and_reports_what_was_refused(
    own_register: Register, commands: Commands, photos: Path
) -> None:
    rows = [
        ["person", "photograph"],
        ["C-7", "seven.jpg"],
        ["C-8", "wall.jpg"],
        ['=HYPERLINK("http://evil","x")', "seven.jpg"],
        ["+41", "seven.jpg"],
        ["-1", "seven.jpg"],
        ["@SUM(A1)", "seven.jpg"],
        ["C-9", "=cmd|'/c calc'!A1"],
        ["C-10", "absent.jpg"],
    ]
    with (photos / "list.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    report = photos / "report.csv"
    told = commands("enrolment", "import", photos / "list.csv", "--gallery", REGISTER, "--refused", report)
    assert told.status == 0, told.err
    assert "8 photographs into civil-register" in told.out
    assert f"7 were refused or failed: see {report}" in told.out
    with report.open(newline="", encoding="utf-8") as file:
        header, *refused = csv.reader(file)
    assert header == ["place", "person", "outcome", "reason", "what to do"]
    assert len(refused) == 7
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in refused for cell in row)
    by_person = {row[1]: row for row in refused}
    assert by_person['\'=HYPERLINK("http://evil","x")'][2:4] == ["failed", "invalid_input"]
    assert by_person["C-8"][0] == "line 3"
    assert by_person["C-8"][2:4] == ["refused", "no_face"]
    assert by_person["C-10"][3] == "file_unreadable"
    assert all(row[4] for row in refused)
    again = commands("enrolment", "import", photos / "list.csv", "--gallery", REGISTER, "--refused", report)
    assert "1 were done by an earlier run" in again.out


def test_a_report_that_cannot_be_written_is_one_line_and_the_import_stands(
    own_register: Register, commands: Commands, photos: Path
) -> None:
    told = commands("enrolment", "import", photos, "--gallery", REGISTER, "--refused", photos / "absent" / "x.csv")
    assert told.status == 2
    assert "No such file or directory" in told.err
    assert own_register.sql("SELECT count(*) FROM job_items") == [(3,)]


def test_an_import_in_its_own_process(
    empty_register: Register, commands: Commands, photos: Path, tmp_path: Path
) -> None:
    arguments = ("import", str(photos), "--gallery", "civil-register", "--refused", str(tmp_path / "refused.csv"))
    told = commands.process("enrolment", *arguments)
    assert (told.status, told.err) == (0, "")
    assert "3 photographs into civil-register" in told.out
    assert commands.process("enrolment", "import", "absent", "--gallery", "civil-register").status == 2


def test_a_printed_receipt_is_told_from_one_that_was_made_up(own_register: Register, commands: Commands) -> None:
    visit = "e08f692e-1ff3-49a8-85bd-ecfd101b8fe6"
    code = ReceiptCodes(own_register.engine.deployment.keys.keyring).code(PersonId("C-7"), EncounterId(visit))
    genuine = commands("enrolment", "receipt", code, "--person", "C-7", "--visit", visit)
    assert (genuine.status, genuine.out.partition(":")[0]) == (0, "Genuine")
    made_up = commands("enrolment", "receipt", code, "--person", "C-8", "--visit", visit)
    assert (made_up.status, made_up.out.partition(":")[0]) == (3, "Not genuine")
