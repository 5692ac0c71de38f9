"""The environment is read once and nothing in it is silently ignored."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from idverify.errors import ConfigurationInvalid
from idverify.settings import Settings


def test_a_misspelt_variable_is_refused_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDVERIFY_DATABSE_URL", "sqlite:///x")
    with pytest.raises(ConfigurationInvalid, match="did you mean IDVERIFY_DATABASE_URL"):
        Settings.read()


def test_a_wrong_value_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDVERIFY_DATABASE_URL", "mysql://root:hunter2@db/x")
    with pytest.raises(ConfigurationInvalid, match=r"IDVERIFY_DATABASE_URL: .*postgresql") as caught:
        Settings.read()
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_files_default_to_the_data_folder(tmp_path: Path) -> None:
    settings = Settings.read(data_dir=tmp_path)
    assert settings.database == f"sqlite:///{tmp_path}/idverify.sqlite3"
    assert settings.root_keys == tmp_path / "root.key"


def test_settings_are_frozen() -> None:
    settings = Settings.read()
    with pytest.raises(ValidationError):
        settings.port = 1
