"""Reads the settings of the service once from `IDVERIFY_…` variables; it must not accept one that it does not know.

A misspelt variable would otherwise leave a default in force without anybody noticing.
"""

import difflib
import ipaddress
import os
import urllib.parse
import zoneinfo
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from platformdirs import user_cache_path, user_data_path
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from idverify.errors import ConfigurationInvalid
from idverify.vision.manifest import ModelFiles

PREFIX = "IDVERIFY_"
# Read by the tests, never by the service.
_NOT_SETTINGS = frozenset({"IDVERIFY_REQUIRE_ALL"})
_DEFAULT_PASSWORDS = frozenset(
    {
        "",
        "123456",
        "admin",
        "changeme",
        "change-me",
        "default",
        "idverify",
        "password",
        "postgres",
        "root",
        "secret",
        "test",
    }
)


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
    model_set: str = ""
    """A set of models/manifest.toml; empty: the one that `idverify.vision.manifest.PREFERENCE` finds first."""
    threads: int = Field(default=1, ge=1, le=64)
    """Threads of one network run; requests run side by side anyway."""
    readers: int = Field(default_factory=lambda: len(os.sched_getaffinity(0)), ge=1, le=64)
    """Photographs that are read at once: processes of the service, each with a confined decoder; in a command, which
    reads in its own process, confined decoders."""
    verifications_per_person_per_day: int = Field(default=20, ge=1)
    verifications_per_person_per_month: int = Field(default=60, ge=1)
    """Caps over all clients that a success does not reset: even answers of match / no match alone rebuild a template in
    some 6,000 attempts, so the attempts themselves are bounded."""
    consecutive_failures_per_person: int = Field(default=100, ge=1)
    """So many failures in a row lock the channel for that number until an administrator releases it (SP 800-63B)."""
    close_calls_per_person_per_year: int = Field(default=10, ge=1)
    """So many answers close to the threshold within 365 days lock it likewise: these teach a template thief most."""
    identifications_per_client_per_day: int = Field(default=10_000, ge=1)
    requests_per_client_per_minute: int = Field(default=1_200, ge=1)
    """Counted in each process by itself."""
    answer_lifetime_s: int = Field(default=300, ge=1, le=86_400)
    """How long a signed answer may be relied on."""
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65_535)
    staff_origin: str = Field(default="", pattern=r"^(https://[A-Za-z0-9.:-]+)?$")
    """The https address under which people reach the staff pages, without a path, where a proxy stands in front; empty:
    the address that their browser names."""
    session_lifetime_s: int = Field(default=36_000, ge=60, le=86_400)
    """How long after signing in staff must sign in again."""
    session_idle_lock_s: int = Field(default=600, ge=10, le=3_600)
    """After so long without a sign of life a session is locked until the same person unlocks it."""
    capture_nonce_days: int = Field(default=7, ge=1, le=30)
    """How long a station may keep captures that it made without a connection."""
    time_zone: str = "UTC"
    """In which the staff pages write times and begin a day, such as Africa/Maseru."""
    token_issuer: str = Field(default="", max_length=200)
    """Whom access tokens are from, such as the service's https address; empty: the deployment's URN."""
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    """PEM files, both or neither: the API is then served over TLS. The key file must be readable by its owner only."""
    tls_client_ca_file: Path | None = None
    """PEM file of the authorities of client certificates: every caller must then show one (mutual TLS)."""
    trusted_proxies: str = ""
    client_certificate_header: str = Field(default="", pattern=r"^[A-Za-z0-9-]*$")
    """Where a proxy ends mutual TLS instead: its addresses or networks (comma-separated), and the header in which it
    passes the client's certificate on. From anybody else the header is ignored."""

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if url and not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("expected sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME")
        account = urllib.parse.urlsplit(url)
        if account.password is not None and account.password.lower() in {*_DEFAULT_PASSWORDS, account.username}:
            raise ValueError("its password is one that everybody tries first; set another one in the database and here")
        return url

    @field_validator("time_zone")
    @classmethod
    def _known_time_zone(cls, name: str) -> str:
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            raise ValueError("expected a name of the IANA time zone database, such as Africa/Maseru") from None
        return name

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, text: str) -> str:
        for part in filter(None, text.split(",")):
            ipaddress.ip_network(part.strip())  # its ValueError says what is wrong
        return text

    @model_validator(mode="after")
    def _one_source_of_certificates(self) -> Self:
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            raise ValueError("expected TLS_CERTIFICATE_FILE and TLS_KEY_FILE together")
        if bool(self.trusted_proxies) != bool(self.client_certificate_header):
            raise ValueError("expected TRUSTED_PROXIES and CLIENT_CERTIFICATE_HEADER together")
        if self.tls_client_ca_file is not None and self.tls_certificate_file is None:
            raise ValueError("TLS_CLIENT_CA_FILE needs TLS_CERTIFICATE_FILE and TLS_KEY_FILE")
        if self.tls_client_ca_file is not None and self.trusted_proxies:
            raise ValueError("client certificates come from TLS_CLIENT_CA_FILE or from TRUSTED_PROXIES, never both")
        return self

    @classmethod
    def read(cls, **overrides: Any) -> "Settings":
        """Read the process environment. Raises ConfigurationInvalid naming each variable that is wrong or unknown."""
        refuse_unknown(os.environ)
        try:
            return cls(**overrides)
        except ValidationError as error:
            # pydantic's own message would repeat the value, which may be a database password.
            wrong = "; ".join(
                f"{PREFIX}{'.'.join(map(str, item['loc'])).upper() or '…'}: {item['msg']}" for item in error.errors()
            )
            raise ConfigurationInvalid(f"settings: {wrong}") from None

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'idverify.sqlite3'}"

    @property
    def root_keys(self) -> Path:
        return self.root_key_file or self.data_dir / "root.key"

    @property
    def model_files(self) -> ModelFiles:
        """Where model files are looked up."""
        return ModelFiles(self.model_dir, self.model_cache_dir)


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
