"""A root key file, the service keys under it, and an envelope: real keys, made anew for each test."""

from pathlib import Path

import pytest

from idverify.protection.envelope import Envelope
from idverify.protection.keyring import Keyring, RootKeyFile, first_service_keys

DEPLOYMENT = "5f3b9a52-6f0e-4a4e-9d4b-0c9f3d1a7e11"


@pytest.fixture
def deployment() -> str:
    return DEPLOYMENT


@pytest.fixture
def root(tmp_path: Path) -> RootKeyFile:
    return RootKeyFile.create(tmp_path / "root-keys.json")


@pytest.fixture
def keyring(root: RootKeyFile, deployment: str) -> Keyring:
    return Keyring.open(first_service_keys(root, deployment), root, deployment)


@pytest.fixture
def envelope(keyring: Keyring, deployment: str) -> Envelope:
    return Envelope(deployment, keyring)
