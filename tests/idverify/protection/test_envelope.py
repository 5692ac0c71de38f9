"""A person's key opens for that person, and what it seals opens in its own record only."""

import inspect
import pickle
from dataclasses import fields, replace
from typing import Any

import pytest

from idverify.errors import InvalidInput, KeyUnavailable, SealBroken
from idverify.ids import EncounterId, ModelDigest, PersonId, Pseudonym
from idverify.protection.envelope import Envelope, SealContext, SealKind
from idverify.protection.keyring import Keyring, RootKeyFile, first_service_keys, rotated_service_keys

ANNA, BEN = PersonId("A-1"), PersonId("B-2")
PSEUDONYM = Pseudonym("p-anna")


def test_a_persons_key_opens_for_that_person_only(envelope: Envelope) -> None:
    key, wrapped = envelope.new_person_key(ANNA, PSEUDONYM)
    context = SealContext.of_encounter_detail(ANNA, EncounterId("e1"))
    sealed = envelope.seal(key, b"detail", context)
    assert envelope.open(envelope.open_person_key(ANNA, PSEUDONYM, wrapped), sealed, context) == b"detail"
    with pytest.raises(SealBroken):
        envelope.open_person_key(BEN, PSEUDONYM, wrapped)
    with pytest.raises(SealBroken):
        envelope.open_person_key(ANNA, Pseudonym("p-ben"), wrapped)


def test_every_field_of_the_context_is_bound(envelope: Envelope) -> None:
    key, _ = envelope.new_person_key(ANNA, PSEUDONYM)
    full = SealContext(
        kind=SealKind.TEMPLATE,
        table="templates",
        person=ANNA,
        record="t1",
        generation=1,
        encounter=EncounterId("e1"),
        model=ModelDigest("ab" * 32),
        dimension=128,
        dtype="<f4",
    )
    other: dict[str, Any] = {"kind": SealKind.IMAGE, "person": BEN, "generation": 2, "dimension": 129}
    absent: dict[str, Any] = {"encounter": None, "model": None, "dimension": None, "dtype": None}
    sealed = envelope.seal(key, b"x", full)
    for item in fields(SealContext):
        with pytest.raises(SealBroken):
            envelope.open(key, sealed, replace(full, **{item.name: other.get(item.name, "other")}))
    for name, nothing in absent.items():
        with pytest.raises(SealBroken):
            envelope.open(key, sealed, replace(full, **{name: nothing}))
    assert envelope.open(key, sealed, full) == b"x"


def test_the_deployment_is_bound(envelope: Envelope, keyring: Keyring) -> None:
    key, wrapped = envelope.new_person_key(ANNA, PSEUDONYM)
    context = SealContext.of_audit_detail(ANNA, 7)
    elsewhere = Envelope("another deployment", keyring)
    with pytest.raises(SealBroken):
        elsewhere.open(key, envelope.seal(key, b"x", context), context)
    with pytest.raises(SealBroken):
        elsewhere.open_person_key(ANNA, PSEUDONYM, wrapped)


def test_nothing_is_sealed_for_somebody_else(envelope: Envelope) -> None:
    key, _ = envelope.new_person_key(ANNA, PSEUDONYM)
    with pytest.raises(InvalidInput):
        envelope.seal(key, b"x", SealContext.of_audit_detail(BEN, 7))


def test_sealing_takes_no_nonce() -> None:
    assert list(inspect.signature(Envelope.seal).parameters) == ["self", "key", "plaintext", "context"]


def test_rewrapping_keeps_the_data_key_and_needs_the_old_root_no_more(root: RootKeyFile, deployment: str) -> None:
    stored = first_service_keys(root, deployment)
    old = Envelope(deployment, Keyring.open(stored, root, deployment))
    key, wrapped = old.new_person_key(ANNA, PSEUDONYM)
    context = SealContext.of_audit_detail(ANNA, 1)
    sealed = old.seal(key, b"x", context)

    rotated = root.with_new_current()
    fresh = rotated_service_keys(stored, rotated, deployment)
    both = {(k.kind, k.version): k for k in (*stored, *fresh)}.values()
    rewrapped = Envelope(deployment, Keyring.open(both, rotated, deployment)).rewrap(ANNA, PSEUDONYM, wrapped)
    assert (wrapped.wrapping_version, rewrapped.wrapping_version) == (1, 2)

    alone = Envelope(deployment, Keyring.open(fresh, rotated.destroy(root.current_id), deployment))
    assert alone.open(alone.open_person_key(ANNA, PSEUDONYM, rewrapped), sealed, context) == b"x"
    with pytest.raises(KeyUnavailable):
        alone.open_person_key(ANNA, PSEUDONYM, wrapped)


def test_a_persons_key_shows_and_pickles_nothing(envelope: Envelope) -> None:
    key, _ = envelope.new_person_key(ANNA, PSEUDONYM)
    assert repr(key) == "PersonKey(withheld)"
    with pytest.raises(TypeError):
        pickle.dumps(key)
