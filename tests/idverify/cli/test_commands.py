"""Every group of commands: what its user sees when all is well, and one clear line when it is not."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.table import Table

from idverify.cli.terminal import operator_access, print_table
from idverify.ids import PersonId
from idverify.protection.root_key import RootKeyFile
from idverify.vision.manifest import ModelSet
from tests.commands import Commands
from tests.deployments import PAYROLL, PEOPLE, REGISTER, Register, access, photograph

ADD = ("--scope", "verify", "--gallery", "civil-register", "--purpose", "tax-filing")


def test_a_deployment_from_nothing(commands: Commands) -> None:
    commands.monkeypatch.setenv("IDVERIFY_MODEL_SET", "reference")  # whose weights no step of this needs
    assert "mode 0400" in commands.done("keys", "new")
    assert (commands.folder / "root.key").stat().st_mode & 0o777 == 0o400
    assert commands.done("galleries", "list").count("\n") < 6
    assert commands.done("galleries", "add", "civil-register") == "Gallery civil-register is ready.\n"
    assert "civil-register" in commands.done("galleries", "list")
    key = commands.done("clients", "add", "revenue-authority", *ADD)
    assert re.fullmatch(r"idv\.revenue-authority\.[\w-]{43}\n", key)
    assert "The audit log verifies: 3 leaves" in commands.done("audit", "verify")
    assert "is at this version" in commands.done("database", "migrate")
    assert "gone" in commands.done("database", "scrub")
    assert "belongs to a deployment already" in commands.refused("keys", "new")


def test_before_there_is_a_database_the_next_step_is_named(commands: Commands) -> None:
    assert "idverify database migrate" in commands.refused("galleries", "list")
    commands.done("database", "migrate")
    assert "idverify keys new" in commands.refused("galleries", "list")
    assert "idverify keys new" in commands.refused("audit", "verify")


def test_a_folder_that_cannot_be_made_is_one_line(commands: Commands) -> None:
    (commands.folder / "file").touch()
    commands.monkeypatch.setenv("IDVERIFY_ROOT_KEY_FILE", str(commands.folder / "absent" / "root.key"))
    assert "absent/root.key: No such file or directory" in commands.refused("keys", "new")
    commands.monkeypatch.delenv("IDVERIFY_ROOT_KEY_FILE")
    elsewhere = Commands(commands.folder / "file" / "data", commands.model_dir, commands.monkeypatch, commands.capsys)
    assert "Not a directory" in elsewhere.refused("keys", "new")


@pytest.mark.parametrize(
    "command",
    [
        ("models", "list"),
        ("models", "check"),
        ("database", "migrate"),
        ("keys", "rewrap"),
        ("galleries", "list"),
        ("persons", "show", "C-1"),
        ("clients", "list"),
        ("audit", "verify"),
    ],
)
def test_a_misspelt_variable_stops_every_command(
    own_register: Register, commands: Commands, command: tuple[str, ...]
) -> None:
    commands.monkeypatch.setenv("IDVERIFY_DATABASE_ULR", "sqlite:///elsewhere")
    assert "did you mean IDVERIFY_DATABASE_URL?" in commands.refused(*command)


@pytest.mark.parametrize("group", ["models", "database", "keys", "galleries", "persons", "clients", "audit"])
def test_a_group_alone_shows_its_help(commands: Commands, group: str) -> None:
    told = commands.idverify(group, "--help")
    assert told.status == 0
    assert "Usage" in told.out


def test_models_are_listed_and_checked(commands: Commands, model_set: ModelSet, tmp_path: Path) -> None:
    listed = commands.done("models", "list")
    assert "Apache-2.0" in listed
    assert str(commands.model_dir) in listed
    assert commands.done("models", "check").count("as pinned") == len(model_set.files)
    assert commands.done("models", "check", "--quiet") == ""
    broken = tmp_path / "models"
    broken.mkdir()
    (broken / "mobilefacenet.onnx").write_bytes(b"another model")
    altered = Commands(commands.folder, broken, commands.monkeypatch, commands.capsys)
    altered.monkeypatch.setenv("IDVERIFY_MODEL_CACHE_DIR", str(tmp_path / "nothing"))
    assert "model_" in altered.refused("models", "check")
    assert "model_altered" in altered.done("models", "list")
    assert "model_missing" in altered.done("models", "list")


def test_galleries_are_refused_in_words(own_register: Register, commands: Commands) -> None:
    assert "exists already" in commands.refused("galleries", "add", REGISTER, "--demonstration")
    assert "gallery: expected" in commands.refused("galleries", "add", "Civil Register")
    assert "verification_fmr" in commands.refused("galleries", "add", "strict", "--verification-fmr", "0")
    assert commands.idverify("galleries", "add", "x", "--presentation-attack", "maybe").status == 2


def test_a_gallerys_policy_is_what_was_asked_for(own_register: Register, commands: Commands) -> None:
    commands.monkeypatch.setenv("IDVERIFY_MODEL_SET", "reference")  # the built-in one takes no real people
    policy = ("--verification-fmr", "1e-5", "--identification-fpir", "0.002", "--duplicate-fpir", "0.03")
    commands.done(
        *("galleries", "add", "strict", *policy),
        "--presentation-attack",
        "require",
        "--keep-images",
        *("--legal-basis", "statute-12", "--legal-basis", "consent", "--person-pattern", "P-[0-9]{4}-[0-9]"),
        *("--allow-files", "--capture-tries", "5"),
    )
    ((stored, demonstration),) = own_register.sql(
        "SELECT policy, demonstration FROM galleries WHERE gallery = 'strict'"
    )
    assert json.loads(stored) == {
        "verification_fmr": 1e-5,
        "identification_fpir": 0.002,
        "duplicate_fpir": 0.03,
        "presentation_attack": "require",
        "keep_images": True,
        "legal_bases": ["statute-12", "consent"],
        "person_pattern": "P-[0-9]{4}-[0-9]",
        "allow_files": True,
        "capture_tries": 5,
    }
    assert not demonstration
    assert "kept, sealed" in commands.done("galleries", "list")


def test_persons_are_shown_and_erased(own_register: Register, commands: Commands) -> None:
    shown = commands.done("persons", "show", "C-1")
    assert "C-1: active" in shown
    assert "civil-register" in shown
    own_register.verify("C-1", photograph(1, 2))
    accesses = commands.done("persons", "accesses", "C-1")
    assert all(word in accesses for word in ("encounter.enrolled", "person.verified", "revenue-authority", "match"))
    assert "similarity_at_or_above_threshold" in accesses
    for answer in ("n\n", ""):
        commands.monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        assert commands.idverify("persons", "erase", "C-1").status == 1
    assert "C-1: active" in commands.done("persons", "show", "C-1")
    assert "Erased: 1 encounters, 1 templates, 0 images" in commands.done("persons", "erase", "C-1", "--yes")
    for command in (("show",), ("accesses",), ("erase", "--yes")):
        assert "person_not_found" in commands.refused("persons", *command, "C-1")
    assert "person identifier: expected" in commands.refused("persons", "show", "C 1")
    assert own_register.found(photograph(1, 2)) == []


def test_clients_are_added_listed_and_suspended(own_register: Register, commands: Commands) -> None:
    told = commands.idverify("clients", "add", "revenue-authority", *ADD, "--gallery", "atlantis")
    assert "there is no gallery atlantis yet" in told.err
    assert own_register.engine.clients.authenticate(told.out.strip()).client == "revenue-authority"
    assert "active" in commands.done("clients", "list")
    assert "exists already" in commands.refused("clients", "add", "revenue-authority", *ADD)
    assert "client: expected" in commands.refused("clients", "add", "Revenue", *ADD)
    assert commands.idverify("clients", "add", "other", "--scope", "everything").status == 2
    assert "is suspended" in commands.done("clients", "suspend", "revenue-authority")
    assert "suspended" in commands.done("clients", "list")
    assert "client_not_found" in commands.refused("clients", "suspend", "nobody")
    secret = told.out.strip().rpartition(".")[2]
    assert secret not in commands.done("clients", "list")


def test_keys_are_rotated_rewrapped_and_destroyed(own_register: Register, commands: Commands) -> None:
    old = RootKeyFile.load(own_register.settings.root_keys).current_id
    assert "idverify keys rewrap" in commands.done("keys", "rotate")
    assert "idverify keys rewrap" in commands.refused("keys", "destroy", old)
    assert f"{len(PEOPLE)} persons' keys rewrapped" in commands.done("keys", "rewrap")
    assert "0 persons' keys" in commands.done("keys", "rewrap")
    assert "is destroyed here" in commands.confirmed(commands.done("keys", "destroy", old))
    assert "is not in" in commands.refused("keys", "destroy", old)
    assert "is the current one" in commands.refused(
        "keys", "destroy", RootKeyFile.load(own_register.settings.root_keys).current_id
    )
    assert "audit log verifies" in commands.done("audit", "verify")
    assert own_register.another().ready


def test_a_key_file_that_others_can_read_is_refused_with_the_remedy(own_register: Register, commands: Commands) -> None:
    own_register.settings.root_keys.chmod(0o644)
    assert f"chmod 400 {own_register.settings.root_keys}" in commands.refused("persons", "show", "C-1")


def test_no_cell_is_cut_or_wrapped_when_the_output_is_not_a_terminal(
    own_register: Register, commands: Commands
) -> None:
    purposes = [f"a-rather-long-purpose-number-{number}" for number in range(12)]
    commands.monkeypatch.setenv("COLUMNS", "40")
    arguments = [part for purpose in purposes for part in ("--purpose", purpose)]
    commands.done("clients", "add", "revenue-authority", *ADD, *arguments)
    assert ", ".join(sorted([*purposes, "tax-filing"])) in commands.done("clients", "list")
    ((encounter,),) = own_register.sql("SELECT encounter FROM encounters WHERE person = 'C-1'")
    assert encounter in commands.done("persons", "show", "C-1")
    piped = commands.process("idverify", "clients", "list", COLUMNS="40")
    assert ", ".join(sorted([*purposes, "tax-filing"])) in piped.out
    assert (piped.status, piped.err) == (0, "")


def test_what_stands_in_a_table_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("by")
    table.add_row("[/red] clerk [bold]7[/] :smile:")
    print_table(table)
    assert "[/red] clerk [bold]7[/] :smile:" in capsys.readouterr().out


def test_a_clerk_with_a_name_full_of_brackets_is_shown(own_register: Register, commands: Commands) -> None:
    own_register.engine.persons.show(PersonId("C-1"), access(station="[/desk]", client="agency"))
    assert "[/desk]" in commands.done("persons", "accesses", "C-1")


def test_an_operator_without_an_account_name_is_known_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 54_321)
    assert operator_access().clerk == "uid-54321"


def test_a_command_in_its_own_process_ends_with_one_line_and_no_traceback(
    empty_register: Register, commands: Commands
) -> None:
    shown = commands.process("idverify", "persons", "show", "nobody")
    assert shown.status == 2
    assert shown.out == ""
    assert shown.err.splitlines() == ["error (person_not_found): no person with this number in your galleries"]
    listed = commands.process("idverify", "galleries", "list")
    assert listed.status == 0
    assert PAYROLL in listed.out
    assert "memory" in listed.out
