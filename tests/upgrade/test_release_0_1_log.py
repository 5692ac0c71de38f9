"""What release 0.1 wrote into its log, its backup and its key file holds after the upgrade."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from idverify.administration import dual_control
from idverify.errors import Conflict
from idverify.vision.reader import Reader
from tests.commands import Commands
from tests.deployments import REGISTER, access
from tests.upgrade.callers import STATION, verify
from tests.upgrade.upgrading import Upgraded, opened


@pytest.fixture
def new_machine(tmp_path: Path, upgraded_files: Path) -> Path:
    """The root key file of then and what people kept, and no database."""
    folder = tmp_path / "new-machine"
    shutil.copytree(upgraded_files, folder, ignore=shutil.ignore_patterns("*.sqlite3*"))
    return folder


def test_the_log_verifies_against_the_kept_checkpoint(shared: Upgraded, commands: Commands) -> None:
    log = shared.facts["log"]
    told = commands.done("audit", "verify", "--checkpoint", shared.kept / log["checkpoint"])
    assert told.startswith("The audit log verifies: ")
    assert int(told.split(": ")[1].split()[0]) > log["leaves"]


def test_leaves_have_a_mac_from_the_first_start_after_the_upgrade_on(own: Upgraded) -> None:
    [(begins,)] = own.register.sql("SELECT sequence FROM audit_leaves WHERE event = 'audit.leaves_authenticated'")
    assert begins >= own.facts["log"]["leaves"]
    without = own.register.sql("SELECT max(sequence) FROM audit_leaves WHERE mac IS NULL")
    assert without == [(begins - 1,)]
    own.register.another()  # a second start finds it there
    assert own.register.sql("SELECT count(*) FROM audit_leaves WHERE event = 'audit.leaves_authenticated'") == [(1,)]


def test_a_kept_checkpoint_that_was_altered_is_found_out(shared: Upgraded, commands: Commands, own_files: Path) -> None:
    altered = own_files / "kept" / shared.facts["log"]["checkpoint"]
    name, size, *rest = altered.read_text().split("\n")
    altered.write_text("\n".join([name, str(int(size) - 1), *rest]))
    assert commands.idverify("audit", "verify", "--checkpoint", altered).status != 0


def test_the_exported_leaves_stand_in_the_log_as_they_were_hashed(own: Upgraded) -> None:
    out = own.kept / "later.jsonl"
    proposed = dual_control.propose_export(
        own.register.engine.deployment, out, access(client=None, clerk=own.facts["proposals"]["proposer"])
    )
    second = access(client=None, clerk=own.facts["proposals"]["second"])
    dual_control.confirm(own.register.engine.deployment, proposed.proposal, second)
    before, later = own.file(own.facts["log"]["export"]).splitlines(), out.read_bytes().splitlines()
    assert len(before) == own.facts["log"]["leaves"]
    assert later[: len(before)] == before
    assert len(later) > len(before)


def test_a_record_that_is_altered_is_found_out(own: Upgraded, commands: Commands) -> None:
    own.register.sql("UPDATE persons SET status = 'active' WHERE person = 'C-5'")
    told = commands.idverify("audit", "verify")
    assert told.status == 15
    assert told.err.startswith("persons/")
    assert told.err.endswith(": rolled_back\n")


def test_the_backup_is_restored_and_who_was_erased_since_is_erased_again(
    shared: Upgraded, commands: Commands, new_machine: Path, reader_of_then: Reader
) -> None:
    on_it = replace(commands, folder=new_machine / "deployment")
    backup, export = (shared.kept / shared.facts[what][file] for what, file in (("backup", "file"), ("log", "export")))
    told = on_it.done("restore", backup, "--audit-export", export)
    assert f"the audit log of {shared.facts['backup']['leaves']} leaves" in told
    assert [line for line in told.splitlines() if line.startswith("Erased again")] == ["Erased again: C-10"]
    assert on_it.done("audit", "verify").startswith("The audit log verifies: ")
    with opened(new_machine, reader_of_then) as restored:
        assert restored.register.found(restored.photograph("C-10")) == []
        assert restored.held_of("C-11").status_code == 404  # who was enrolled after the backup
        with restored.agency("revenue-authority") as office:
            assert verify(office, "C-3", restored.photograph("C-3")).json()["outcome"] == "match"


def test_an_open_proposal_is_confirmed_by_a_second_administrator_once(own: Upgraded) -> None:
    proposals, opened_ = own.facts["proposals"], own.register.engine.deployment
    second = access(client=None, clerk=proposals["second"])
    dual_control.confirm(opened_, proposals["open"], second)
    (policy,) = (view.policy for view in opened_.galleries.list() if view.gallery == REGISTER)
    assert policy.verification_fmr == 1e-5
    for proposal in (proposals["open"], proposals["confirmed"]):
        with pytest.raises(Conflict):
            dual_control.confirm(opened_, proposal, second)


def test_a_confirmed_proposal_has_its_effect(shared: Upgraded) -> None:
    policies = {str(view.gallery): view.policy for view in shared.register.engine.galleries.list()}
    assert policies["payroll"].identification_fpir == 1e-4
    assert policies["payroll"].keep_images
    assert policies["civil-register"].verification_fmr == 1e-4


def test_everything_opens_after_another_change_of_keys(
    shared: Upgraded, commands: Commands, own_files: Path, reader_of_then: Reader
) -> None:
    commands.done("keys", "rotate")
    assert commands.done("keys", "rewrap").startswith("21 persons' keys rewrapped")
    with opened(own_files, reader_of_then) as again:
        assert again.register.found(again.photograph("C-1")) == ["C-1"]
        assert again.held_of("C-4").json() == shared.facts["people"]["C-4"]
        kept = again.facts["answers"]["before"]
        with again.agency("revenue-authority") as office:
            answer = verify(office, kept["person"], again.photograph(kept["person"]), once=kept["once"])
        assert answer.content == again.file(kept["file"])
        with again.at_station() as browser:
            photograph = browser.visitor.get(f"{STATION}visits/{again.facts['begun']['visit']}/photograph")
        assert photograph.content == again.file(again.facts["begun"]["photograph"])
