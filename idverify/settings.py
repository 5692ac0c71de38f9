"""One frozen `Settings`, read once from `IDVERIFY_…` variables; a misspelt variable refuses the start."""

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path, user_data_path
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from idverify.errors import ConfigurationInvalid

PREFIX = "IDVERIFY_"
# Read by the tests, never by the service.
_NOT_SETTINGS = frozenset({"IDVERIFY_REQUIRE_ALL"})


class Settings(BaseSettings):
    """Everything that the environment may decide. Field names are the variables without their prefix."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    data_dir: Path = Field(default_factory=lambda: user_data_path("idverify"))
    """Folder of the embedded database and the root key file when they are not named otherwise."""
    database_url: str = ""
    """SQLAlchemy URL, sqlite or postgresql+psycopg; empty: an SQLite file in the data folder."""
    root_key_file: Path | None = None
    """File (mode 0400) of the root key-encryption keys; none: `root.key` in the data folder."""
    model_dir: Path | None = None
    """Folder of model files, looked in before the user cache."""
    model_cache_dir: Path = Field(default_factory=lambda: user_cache_path("idverify") / "models")
    """Where `idverify models pull` puts what it fetched."""
    model_set: str = "reference"
    threads: int = Field(default=1, ge=1, le=64)
    """Threads of one network run; requests run side by side anyway."""
    verifications_per_person_per_day: int = Field(default=20, ge=1)
    verifications_per_person_per_month: int = Field(default=60, ge=1)
    """Caps over all clients that a success does not reset (design section 7)."""
    consecutive_failures_per_person: int = Field(default=100, ge=1)
    """So many failures in a row lock the channel for that number until an administrator releases it (SP 800-63B)."""
    identifications_per_client_per_day: int = Field(default=10_000, ge=1)
    requests_per_client_per_minute: int = Field(default=1_200, ge=1)
    """Counted in each process by itself."""
    answer_lifetime_s: int = Field(default=300, ge=1, le=86_400)
    """How long a signed answer may be relied on."""
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65_535)

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if url and not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("expected sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME")
        return url

    @classmethod
    def read(cls, **overrides: Any) -> "Settings":
        """Read the process environment. Raises ConfigurationInvalid naming each variable that is wrong or unknown."""
        refuse_unknown(os.environ)
        try:
            return cls(**overrides)
        except ValidationError as error:
            # pydantic's own message would repeat the value, which may be a database password.
            wrong = "; ".join(
                f"{PREFIX}{'.'.join(map(str, item['loc'])).upper()}: {item['msg']}" for item in error.errors()
            )
            raise ConfigurationInvalid(f"settings: {wrong}") from None

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'idverify.sqlite3'}"

    @property
    def root_keys(self) -> Path:
        return self.root_key_file or self.data_dir / "root.key"


def refuse_unknown(environment: Iterable[str]) -> None:
    """pydantic's extra="forbid" does not see misspelt environment variables, so compare them with the fields.

    Raises ConfigurationInvalid with the nearest known name.
    """
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | _NOT_SETTINGS
    unknown = sorted(name for name in environment if name.upper().startswith(PREFIX) and name not in known)
    if unknown:
        hints = (difflib.get_close_matches(name, known, n=1) for name in unknown)
        told = ", ".join(
            f"{name} (did you mean {hint[0]}?)" if hint else name for name, hint in zip(unknown, hints, strict=True)
        )
        raise ConfigurationInvalid(f"unknown settings in the environment: {told}; correct or unset them")
