"""Who is at the keyboard: the login as the kernel knows it, whatever the environment says."""

import os
import pwd
from pathlib import Path

import pytest

from idverify.cli.operator import account

OWN = pwd.getpwuid(os.getuid()).pw_name
ROOT = pwd.getpwuid(0).pw_name


@pytest.mark.parametrize("variable", ["LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER", "SUDO_UID"])
def test_the_environment_names_nobody(variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(variable, "somebody-else")
    assert account(tmp_path / "no-such-file") == OWN
    assert account(_said(tmp_path, "0")) == ROOT


@pytest.mark.parametrize(
    ("said", "name"), [("0", ROOT), ("0\n", ROOT), ("4294967294", "uid-4294967294"), ("4294967295", OWN), ("", OWN)]
)
def test_the_login_counts_and_without_one_the_account_of_the_process(said: str, name: str, tmp_path: Path) -> None:
    assert account(_said(tmp_path, said)) == name


def _said(folder: Path, text: str) -> Path:
    path = folder / "loginuid"
    path.write_text(text)
    return path
