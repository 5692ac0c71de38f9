"""The commands of two administrators and of a breach, as processes of two login sessions on one service account."""

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
from typer.testing import CliRunner

from idverify.cli import app, incident
from idverify.errors import InvalidInput
from idverify.ids import ClientId
from idverify.protection.keyring import RootKeyFile
from tests.deployments import Town, access, photograph

LOGIN_UID = "/proc/self/loginuid"
AMARA, BINTA = sorted((entry for entry in pwd.getpwall() if entry.pw_uid), key=lambda entry: entry.pw_uid)[:2]


@pytest.fixture
def _logins() -> None:
    """Each command says to the kernel who logged in, as a session does; that is possible where nobody has."""
    tried = subprocess.run(["sh", "-c", f"echo {AMARA.pw_uid} > {LOGIN_UID}"], check=False, capture_output=True)
    if tried.returncode:
        pytest.skip("this session has a login of its own, which the kernel lets nobody change")


@pytest.mark.usefixtures("_logins")
def test_a_threshold_changes_by_two_sessions_and_not_by_one(own_town: Town) -> None:
    proposed = _run(own_town, AMARA, "galleries", "set", "civil-register", "--verification-fmr", "1e-5")
    assert "verification_fmr 0.0001 -> 1e-05" in proposed.stdout
    confirm = proposed.stdout.rpartition("idverify ")[2].split()
    assert confirm[:2] == ["approvals", "confirm"]
    refused = _run(own_town, AMARA, *confirm, "--yes", status=2, LOGNAME=BINTA.pw_name, USER=BINTA.pw_name)
    assert "(not_permitted)" in refused.stderr
    assert f"{AMARA.pw_name} proposed galleries.set" in _run(own_town, BINTA, *confirm, "--yes").stdout
    assert own_town.sql("SELECT proposer, decider, state FROM approvals") == [
        (AMARA.pw_name, BINTA.pw_name, "confirmed")
    ]
    ((policy,),) = own_town.sql("SELECT policy FROM galleries WHERE gallery = 'civil-register'")
    assert json.loads(policy)["verification_fmr"] == 1e-5
    assert own_town.sql("SELECT event FROM audit_leaves ORDER BY sequence DESC LIMIT 4") == [
        ("gallery.changed",),
        ("approval.confirmed",),
        ("approval.refused",),
        ("approval.proposed",),
    ]


@pytest.mark.usefixtures("_logins")
def test_a_breach_is_listed_for_a_spreadsheet_and_contained(own_town: Town, tmp_path: Path) -> None:
    own_town.engine.clients.add(
        "stolen-key", scopes=["verify"], galleries=[], purposes=[], sees_scores=False, access=access()
    )
    by = access(client=ClientId("stolen-key"), station='=HYPERLINK("http://example.org")')
    own_town.verify("C-1", photograph(1, 2), by=by)
    own_town.close()
    table, document = tmp_path / "list.csv", tmp_path / "report.json"
    asked = ("--client", "stolen-key", "--from", "2026-11-21", "--to", "2026-11-21")
    files = ("--csv", str(table), "--json", str(document))
    told = _run(own_town, AMARA, "incident", "report", *asked, *files).stdout
    assert "1 people to notify" in told
    assert "C-1" in told
    (row,) = csv.DictReader(table.read_text().splitlines())
    assert (row["person"], row["events"]) == ("C-1", "person.verified x1")
    assert json.loads(document.read_bytes())["persons"][0]["person"] == "C-1"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (table, document)} == {0o600}
    told = _run(own_town, AMARA, "incident", "contain", "--client", "stolen-key", "--rotate").stdout
    assert told.count("done: ") == 3
    assert "idverify keys destroy " in told
    assert own_town.sql("SELECT status FROM clients") == [("suspended",)]
    assert own_town.sql("SELECT DISTINCT wrapping_version FROM persons") == [(2,)]


def test_what_waits_is_shown_in_words_and_can_be_withdrawn(
    own_town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDVERIFY_DATA_DIR", str(own_town.settings.data_dir))
    old = RootKeyFile.load(own_town.settings.root_keys).current_id
    for arguments in (
        ["keys", "rotate"],
        ["keys", "rewrap"],
        ["keys", "destroy", old],
        ["audit", "export", "--out", str(tmp_path / "log")],
    ):
        _inside(*arguments)
    listed = _inside("approvals", "list")
    assert f"destroy root key {old}; backups of its days never open again" in listed
    assert f"write the whole audit log to {tmp_path / 'log'}" in listed
    assert old in RootKeyFile.load(own_town.settings.root_keys).ids
    assert not (tmp_path / "log").exists()
    for (proposal,) in own_town.sql("SELECT proposal FROM approvals"):
        _inside("approvals", "withdraw", proposal)
    assert "withdrawn" not in _inside("approvals", "list")
    assert _inside("approvals", "list", "--all").count("withdrawn") == 2


def test_a_report_never_writes_over_a_file(own_town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDVERIFY_DATA_DIR", str(own_town.settings.data_dir))
    (tmp_path / "list.csv").write_text("another incident")
    with pytest.raises(FileExistsError):
        _inside("incident", "report", "--clerk", "amara", "--csv", str(tmp_path / "list.csv"))
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


def _inside(*arguments: str) -> str:
    """The output of `idverify ARGUMENTS`, run in this process."""
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def _run(
    town: Town, who: pwd.struct_passwd, *arguments: str, status: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """`idverify ARGUMENTS` in a session that `who` logged in to; the process itself runs under the tests' account."""
    command = shlex.join([sys.executable, "-m", "idverify", *arguments])
    done = subprocess.run(
        ["sh", "-c", f"echo {who.pw_uid} > {LOGIN_UID} && exec {command}"],
        env={**os.environ, "IDVERIFY_DATA_DIR": str(town.settings.data_dir), **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == status, done.stderr
    return done
