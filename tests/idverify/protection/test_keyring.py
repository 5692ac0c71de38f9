"""Service keys open under their root key, in their deployment, and rotation leaves old wrapping keys to die with it."""

import pickle
from dataclasses import replace

import pytest

from idverify.errors import KeyUnavailable, SealBroken
from idverify.protection.keyring import (
    Keyring,
    RootKeyFile,
    SealedServiceKey,
    SecretPurpose,
    ServiceKeyKind,
    first_service_keys,
    rotated_service_keys,
)


def test_a_start_costs_one_root_call_for_each_service_key(
    root: RootKeyFile, deployment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    opened = RootKeyFile.open

    def counting(self: RootKeyFile, root_id: str, sealed: bytes, associated: bytes) -> bytes:
        calls.append(root_id)
        return opened(self, root_id, sealed, associated)

    stored = first_service_keys(root, deployment)
    monkeypatch.setattr(RootKeyFile, "open", counting)
    keyring = Keyring.open(stored, root, deployment)
    assert len(calls) == len(ServiceKeyKind) == 6
    assert keyring.current_wrapping_version == 1


def test_the_service_keys_differ_from_each_other(keyring: Keyring) -> None:
    whole = [
        ServiceKeyKind.AUDIT_SIGNING,
        ServiceKeyKind.ANSWER_SIGNING,
        ServiceKeyKind.CAPTURE_SEALING,
    ]
    raw = [SecretPurpose.CLIENT_SECRETS, SecretPurpose.ATTEMPT_COUNTERS]
    keys = {*map(keyring.service_key, whole), *map(keyring.derived, raw)}
    assert len(keys) == len(whole) + len(raw) == len(ServiceKeyKind) - 1
    assert all(len(key) == 32 for key in keys)


def test_a_service_key_does_not_open_as_another_kind_version_or_deployment(root: RootKeyFile, deployment: str) -> None:
    stored = first_service_keys(root, deployment)
    by_kind = {key.kind: key for key in stored}
    swapped = [replace(key, sealed=by_kind[ServiceKeyKind.AUDIT_SIGNING].sealed) for key in stored]
    with pytest.raises(SealBroken):
        Keyring.open(swapped, root, deployment)
    with pytest.raises(SealBroken):
        Keyring.open([replace(key, version=2) for key in stored], root, deployment)
    with pytest.raises(SealBroken):
        Keyring.open(stored, root, "another deployment")


def test_a_missing_kind_is_named(root: RootKeyFile, deployment: str) -> None:
    stored = first_service_keys(root, deployment)
    for kind in ServiceKeyKind:
        with pytest.raises(KeyUnavailable, match=kind.value):
            Keyring.open([key for key in stored if key.kind is not kind], root, deployment)


def test_rotation_adds_wrapping_signing_and_capture_keys_and_keeps_the_other_secrets(
    root: RootKeyFile, deployment: str
) -> None:
    stored = first_service_keys(root, deployment)
    before = Keyring.open(stored, root, deployment)
    rotated = root.with_new_current()
    after_rows = _stored_after(stored, rotated_service_keys(stored, rotated, deployment))
    after = Keyring.open(after_rows, rotated, deployment)
    assert after.current_wrapping_version == 2
    assert after.wrapping(1).open(before.wrapping(1).seal(b"x", b""), b"") == b"x"
    assert after.every_version(ServiceKeyKind.AUDIT_SIGNING) == before.every_version(ServiceKeyKind.AUDIT_SIGNING)
    for purpose in SecretPurpose:
        assert after.derived(purpose) == before.derived(purpose)
    for kind in (ServiceKeyKind.ANSWER_SIGNING, ServiceKeyKind.CAPTURE_SEALING):
        new, *previous = after.every_version(kind)
        assert previous == [before.service_key(kind)]
        assert after.service_key(kind) == new not in previous


def test_every_previous_answer_signing_key_outlives_the_root_keys_of_its_days(
    root: RootKeyFile, deployment: str
) -> None:
    stored: list[SealedServiceKey] = list(first_service_keys(root, deployment))
    seeds = [Keyring.open(stored, root, deployment).service_key(ServiceKeyKind.ANSWER_SIGNING)]
    for _ in range(3):
        old, root = root.current_id, root.with_new_current()
        stored = _stored_after(tuple(stored), rotated_service_keys(stored, root, deployment))
        stored = [key for key in stored if key.root_id != old]  # rewrapped: the old wrapping key is dropped
        root = root.destroy(old)
        seeds.insert(0, Keyring.open(stored, root, deployment).service_key(ServiceKeyKind.ANSWER_SIGNING))
    assert Keyring.open(stored, root, deployment).every_version(ServiceKeyKind.ANSWER_SIGNING) == tuple(seeds)
    assert len(set(seeds)) == 4


def test_after_rotation_only_the_old_wrapping_key_needs_the_old_root(root: RootKeyFile, deployment: str) -> None:
    stored = first_service_keys(root, deployment)
    rotated = root.with_new_current()
    after = _stored_after(stored, rotated_service_keys(stored, rotated, deployment))
    assert [(key.kind, key.version) for key in after if key.root_id == root.current_id] == [
        (ServiceKeyKind.WRAPPING, 1)
    ]
    remaining = rotated.destroy(root.current_id)
    with pytest.raises(KeyUnavailable, match="destroyed"):
        Keyring.open(after, remaining, deployment)
    rewrapped = [key for key in after if key.root_id != root.current_id]
    assert Keyring.open(rewrapped, remaining, deployment).current_wrapping_version == 2


def test_an_absent_wrapping_version_says_which_are_held(keyring: Keyring) -> None:
    with pytest.raises(KeyUnavailable, match=r"version 7 .* holds 1"):
        keyring.wrapping(7)


def test_a_keyring_shows_and_pickles_nothing(keyring: Keyring) -> None:
    assert repr(keyring) == "Keyring(wrapping versions [1], keys withheld)"
    with pytest.raises(TypeError):
        pickle.dumps(keyring)


def _stored_after(stored: tuple[SealedServiceKey, ...], fresh: tuple[SealedServiceKey, ...]) -> list[SealedServiceKey]:
    return list({(key.kind, key.version): key for key in (*stored, *fresh)}.values())
