"""`python -m analysis duplicates | payroll | report`: what an analyst sees at a terminal, and exit statuses."""

import json
import re
from pathlib import Path

import pytest

from idverify.ids import PersonId
from idverify.storage.persons import PersonStatus
from tests.commands import Commands
from tests.deployments import REGISTER, Register, access, photograph

SEARCH = ("analysis", "duplicates", "search", "--gallery", REGISTER)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_from_a_search_to_a_report_that_is_checked_offline(
    own_register: Register, commands: Commands, tmp_path: Path
) -> None:
    own_register.enrol("GHOST", photograph(3, 2))
    told = commands(*SEARCH, "--budget", "0.01", "--dry-run")
    assert told.out.startswith("21 pairs at a false match rate of 4.8e-04: expect about 0.01 false pairs")
    assert commands("analysis", "duplicates", "list").out.count("finished") == 0
    told = commands(*SEARCH, "--fmr", "1e-5")
    assert (told.status, "1 same-face" in told.out) == (0, True), told
    report = _ID.search(told.out)
    assert report is not None
    listed = commands("analysis", "duplicates", "list").out
    assert "finished" in listed
    assert report[0] in listed
    assert report[0] in commands("analysis", "report", "list").out

    written = {kind: tmp_path / f"report.{kind}" for kind in ("html", "csv", "json", "pdf")}
    options = [part for kind, path in written.items() for part in (f"--{kind}", path)]
    assert commands("analysis", "report", "export", report[0], *options).status == 0
    assert "GHOST" in written["csv"].read_text()
    assert written["pdf"].read_bytes().startswith(b"%PDF")
    own_register.close()

    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps(own_register.engine.receipts.jwks()))
    for kind in ("html", "json"):
        told = commands("analysis", "report", "verify", written[kind], "--jwks", jwks)
        assert (told.status, "GENUINE" in told.out) == (0, True), told
        altered = tmp_path / f"altered.{kind}"
        altered.write_text(written[kind].read_text().replace("GHOST", "HONEST", 1))
        told = commands("analysis", "report", "verify", altered, "--jwks", jwks)
        assert told.status == 20
        assert told.out.startswith("NOT GENUINE: ")
    assert commands("analysis", "report", "verify", written["csv"], "--jwks", jwks).status == 20
    # A page of the release before names the command as it was called then.
    before = tmp_path / "before.html"
    before.write_text(written["html"].read_text().replace("python -m analysis report", "python -m enrolment report"))
    assert commands("analysis", "report", "verify", before, "--jwks", jwks).status == 0


@pytest.mark.parametrize("old", [("duplicates", "list"), ("report", "export", "--html", "x"), ("instruction",)])
def test_the_old_spelling_of_a_command_says_where_it_went(commands: Commands, old: tuple[str, ...]) -> None:
    told = commands("enrolment", *old)
    assert told.status == 2
    assert f"run: python -m analysis {' '.join(old)}" in told.err


def test_a_payroll_is_checked_with_columns_by_name_and_bad_rows_told(
    own_register: Register, commands: Commands, tmp_path: Path
) -> None:
    own_register.engine.persons.set_status(PersonId("C-2"), PersonStatus.DECEASED, access("administration"))
    roster = tmp_path / "roster.csv"
    roster.write_text("Nr;Who\nE-1;C-1\nE-2;C-1\nE-3;C-2\nE-4;1900-01-05\n")
    command = ("analysis", "payroll", "check", roster, "--gallery", REGISTER, "--fmr", "1e-5")
    told = commands(*command)
    assert told.status == 2
    assert "--column payroll=HEADING" in told.err
    told = commands(*command, "--column", "payroll=Nr", "--column", "person=Who")
    assert told.status == 0, told.err
    assert "4 entries, 1 rows or cells that cannot be used" in told.out
    assert "line 5, Who: a date where a number belongs" in told.err
    assert "1 deceased, 1 no-face, 1 same-face" in told.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*SEARCH,), "either a false match rate or a budget"),
        ((*SEARCH, "--fmr", "2"), "false match rate: expected"),
        ((*SEARCH, "--against", "atlantis", "--fmr", "1e-4"), "gallery_not_found"),
        (("analysis", "duplicates", "cancel", "nothing"), "no duplicate search nothing"),
        (("analysis", "report", "export", "nothing", "--csv", "x.csv"), "no report nothing"),
        (("analysis", "report", "export", "nothing"), "at least one of --html"),
        (("analysis", "payroll", "check", "absent.csv", "--gallery", REGISTER, "--fmr", "1e-4"), "No such file"),
    ],
)
def test_what_is_wrong_is_one_line(
    own_register: Register, commands: Commands, arguments: tuple[str, ...], message: str
) -> None:
    told = commands(*arguments)
    assert (told.status, told.out) == (2, "")
    assert message in told.err
    assert told.err.count("\n") == 1


def test_a_person_is_marked_as_deceased_once(own_register: Register, commands: Commands) -> None:
    assert "marked as deceased" in commands.done("persons", "status", "C-2", "deceased")
    assert "conflict" in commands.refused("persons", "status", "C-2", "deceased")
    assert "C-2: deceased" in commands.done("persons", "show", "C-2")
    assert own_register.another().ready  # the log knows the new state of the record
