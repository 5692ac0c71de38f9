"""The commands of two administrators and of a breach, and that a login decides who is who."""

import csv
import json
import os
import pwd
import shlex
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idverify.cli import incident
from idverify.cli.operator import LOGIN_UID, account
from idverify.errors import InvalidInput
from idverify.ids import ClientId
from idverify.protection.keyring import RootKeyFile
from tests.commands import Commands
from tests.deployments import Register, access, photograph

OTHER = next(entry for entry in pwd.getpwall() if entry.pw_name != account())


def test_a_threshold_changes_by_two_logins_and_not_by_one(own_register: Register, commands: Commands) -> None:
    proposed = commands.done("galleries", "set", "civil-register", "--verification-fmr", "1e-5")
    assert "verification_fmr 0.0001 -> 1e-05" in proposed
    confirm = proposed.rpartition("idverify ")[2].split()
    assert confirm[:2] == ["approvals", "confirm"]
    for variable in ("LOGNAME", "USER", "SUDO_USER"):
        commands.monkeypatch.setenv(variable, OTHER.pw_name)
    assert "another administrator" in commands.idverify(*confirm, "--yes").err
    told = _in_a_session_of(OTHER, commands, *confirm, "--yes")
    assert f"{account()} proposed galleries.set: gallery civil-register: verification_fmr 0.0001 -> 1e-05" in told
    assert own_register.sql("SELECT proposer, decider, state FROM approvals") == [
        (account(), OTHER.pw_name, "confirmed")
    ]
    ((policy,),) = own_register.sql("SELECT policy FROM galleries WHERE gallery = 'civil-register'")
    assert json.loads(policy)["verification_fmr"] == 1e-5


def test_nothing_is_confirmed_without_being_asked(own_register: Register, commands: Commands) -> None:
    proposed = commands.done("galleries", "set", "payroll", "--no-keep-images", "--presentation-attack", "require")
    told = commands.process("idverify", *proposed.rpartition("idverify ")[2].split())  # with nobody to answer
    assert told.status != 0
    assert "keep_images True -> False" in told.out
    assert own_register.sql("SELECT state FROM approvals") == [("open",)]


def test_what_waits_is_shown_in_words_and_can_be_withdrawn(
    own_register: Register, commands: Commands, tmp_path: Path
) -> None:
    old = RootKeyFile.load(own_register.settings.root_keys).current_id
    commands.done("keys", "rotate")
    commands.done("keys", "rewrap")
    commands.done("keys", "destroy", old)
    commands.done("audit", "export", "--out", tmp_path / "log")
    listed = commands.done("approvals", "list")
    assert f"destroy root key {old}; backups of its days never open again" in listed
    assert f"write the whole audit log to {tmp_path / 'log'}" in listed
    assert old in RootKeyFile.load(own_register.settings.root_keys).ids
    assert not (tmp_path / "log").exists()
    for (proposal,) in own_register.sql("SELECT proposal FROM approvals"):
        commands.done("approvals", "withdraw", proposal)
    assert "withdrawn" not in commands.done("approvals", "list")
    assert commands.done("approvals", "list", "--all").count("withdrawn") == 2


def test_a_breach_is_listed_for_a_spreadsheet_and_contained(
    own_register: Register, commands: Commands, tmp_path: Path
) -> None:
    own_register.engine.clients.add(
        "stolen-key", scopes=["verify"], galleries=[], purposes=[], sees_scores=False, access=access()
    )
    own_register.verify("C-1", photograph(1, 2), by=access(client=ClientId("stolen-key"), station="window-3"))
    table, document = tmp_path / "list.csv", tmp_path / "report.json"
    asked = ("--client", "stolen-key", "--from", "2026-11-21", "--to", "2026-11-21")
    told = commands.done("incident", "report", *asked, "--csv", table, "--json", document)
    assert "1 people to notify" in told
    assert "C-1" in told
    (row,) = csv.DictReader(table.read_text().splitlines())
    assert (row["person"], row["events"], row["by"]) == ("C-1", "person.verified x1", "stolen-key at window-3")
    assert json.loads(document.read_bytes())["persons"][0]["person"] == "C-1"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (table, document)} == {0o600}
    told = commands.done("incident", "contain", "--client", "stolen-key", "--rotate")
    assert told.count("done: ") == 3
    assert "idverify keys destroy " in told
    assert own_register.sql("SELECT status FROM clients") == [("suspended",)]
    assert own_register.sql("SELECT DISTINCT wrapping_version FROM persons") == [(2,)]


def test_a_containment_that_is_cut_off_says_what_remains(own_register: Register, commands: Commands) -> None:
    own_register.sql(
        "CREATE TRIGGER cut BEFORE INSERT ON audit_leaves WHEN NEW.event = 'keys.rewrapped' "
        "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    told = commands.idverify("incident", "contain", "--rotate")
    assert told.status == 2
    assert told.out.splitlines() == [
        "done: rotate the root key and the wrapping key",
        "remains: rewrap everybody's key by the new wrapping key",
    ]
    assert "Run the same command again" in told.err
    own_register.sql("DROP TRIGGER cut")
    assert commands.done("incident", "contain", "--rotate").count("done: ") == 2
    assert own_register.sql("SELECT DISTINCT wrapping_version FROM persons") == [(2,)]


def test_a_report_from_a_damaged_log_is_made_and_says_so_by_its_status(
    own_register: Register, commands: Commands
) -> None:
    own_register.sql("UPDATE audit_leaves SET leaf = x'00' WHERE sequence = 4")
    told = commands.idverify("incident", "report", "--gallery", "civil-register")
    assert told.status == 14
    assert "THE LIST MAY LACK PEOPLE" in told.err
    assert "5 people to notify" in told.out


def test_a_report_never_writes_over_a_file(own_register: Register, commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("another incident")
    assert "File exists" in commands.refused("incident", "report", "--clerk", "amara", "--csv", tmp_path / "list.csv")
    assert (tmp_path / "list.csv").read_text() == "another incident"


@pytest.mark.parametrize(
    ("text", "end", "moment"),
    [
        ("2026-11-21", False, datetime(2026, 11, 21, tzinfo=UTC)),
        ("2026-11-21", True, datetime(2026, 11, 22, tzinfo=UTC)),
        ("2026-11-21T09:30", True, datetime(2026, 11, 21, 9, 30, tzinfo=UTC)),
        ("2026-11-21T09:30:15Z", False, datetime(2026, 11, 21, 9, 30, 15, tzinfo=UTC)),
        ("2026-11-21T09:30+02:00", False, datetime(2026, 11, 21, 7, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_utc_and_a_day_is_meant_as_a_whole(text: str, end: bool, moment: datetime) -> None:
    assert incident.moment(text, end=end) == moment


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(InvalidInput, match="2026-11-21T09:30"):
        incident.moment("yesterday", end=False)


def _in_a_session_of(who: pwd.struct_passwd, commands: Commands, *arguments: str) -> str:
    """`idverify ARGUMENTS` in a session that `who` logged in to; the process itself runs under the tests' account."""
    command = shlex.join([sys.executable, "-m", "idverify", *arguments])
    log_in = f"echo {who.pw_uid} > {LOGIN_UID}"
    if subprocess.run(["sh", "-c", log_in], check=False, capture_output=True).returncode:
        pytest.skip("this session has a login of its own, which the kernel lets nobody change")
    environment = {**os.environ, **commands.environment}
    done = subprocess.run(
        ["sh", "-c", f"{log_in} && exec {command}"],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
