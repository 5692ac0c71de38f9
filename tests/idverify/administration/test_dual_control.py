"""The acts that take two administrators: proposing does nothing, confirming does exactly what was proposed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from idverify import keys
from idverify.access import Access
from idverify.administration import dual_control
from idverify.administration.approvals import Proposal
from idverify.administration.deployment import Deployment
from idverify.audit.events import EventKind
from idverify.errors import Conflict, GalleryNotFound, InvalidInput, KeyUnavailable, NotPermitted, StorageUnavailable
from idverify.galleries.definitions import GalleryPolicy
from idverify.ids import GalleryId, RequestId
from idverify.protection.keyring import RootKeyFile
from idverify.storage import galleries
from idverify.vision.reader import AttackCheck
from tests.deployments import PAYROLL, POLICY, REGISTER, Register, access, photograph

AMARA, BINTA = (Access(RequestId(f"request-of-{name}"), "administration", clerk=name) for name in ("amara", "binta"))


def test_a_threshold_changes_when_a_second_administrator_confirms(own_register: Register) -> None:
    at = own_register.engine.deployment
    proposal = dual_control.propose_gallery_change(at, REGISTER, {"verification_fmr": 1e-5}, AMARA)
    assert _policy(at, REGISTER) == POLICY
    with pytest.raises(NotPermitted):
        dual_control.confirm(at, proposal.proposal, AMARA)
    assert _policy(at, REGISTER) == POLICY
    assert "civil-register" in dual_control.confirm(at, proposal.proposal, BINTA)
    assert _policy(at, REGISTER) == GalleryPolicy(verification_fmr=1e-5, presentation_attack=AttackCheck.OFF)
    assert "1e-05" in own_register.verify("C-1", photograph(1, 2)).policy  # a running service answers by it at once
    _, refused, confirmed, changed = _leaves(own_register)[-5:-1]
    assert (refused["event"], refused["clerk"]) == (EventKind.APPROVAL_REFUSED, "amara")
    assert (confirmed["event"], confirmed["clerk"]) == (EventKind.APPROVAL_CONFIRMED, "binta")
    assert (changed["event"], changed["clerk"], changed["gallery"]) == (EventKind.GALLERY_CHANGED, "binta", REGISTER)
    with at.database.read() as connection:
        gallery = galleries.get(connection, REGISTER)
    assert changed["records"] == {proposal.log_name: proposal.digest, gallery.log_name: gallery.digest}


def test_every_part_of_a_policy_can_be_changed_and_the_rest_stays(own_register: Register) -> None:
    at = own_register.engine.deployment
    changes: dict[str, object] = {
        "identification_fpir": 1e-4,
        "duplicate_fpir": 5e-2,
        "presentation_attack": AttackCheck.REQUIRE,
        "keep_images": False,
    }
    proposal = dual_control.propose_gallery_change(at, PAYROLL, changes, AMARA)
    dual_control.confirm(at, proposal.proposal, BINTA)
    assert _policy(at, PAYROLL) == GalleryPolicy(1e-4, 1e-4, 5e-2, AttackCheck.REQUIRE, keep_images=False)
    assert _policy(at, REGISTER) == POLICY


def test_a_change_of_a_policy_that_changed_meanwhile_is_refused(own_register: Register) -> None:
    at = own_register.engine.deployment
    first, second = (
        dual_control.propose_gallery_change(at, REGISTER, {"verification_fmr": rate}, AMARA) for rate in (1e-5, 1e-3)
    )
    dual_control.confirm(at, first.proposal, BINTA)
    with pytest.raises(Conflict, match="changed meanwhile"):
        dual_control.confirm(at, second.proposal, BINTA)
    assert _policy(at, REGISTER).verification_fmr == 1e-5


def test_what_could_never_be_done_is_refused_when_it_is_proposed(own_register: Register, tmp_path: Path) -> None:
    at = own_register.engine.deployment
    current = RootKeyFile.load(own_register.settings.root_keys).current_id
    before = _leaves(own_register)
    impossible: list[tuple[type[Exception], Callable[[], Proposal]]] = [
        (GalleryNotFound, lambda: dual_control.propose_gallery_change(at, GalleryId("no"), {}, AMARA)),
        (InvalidInput, lambda: dual_control.propose_gallery_change(at, REGISTER, {}, AMARA)),
        (InvalidInput, lambda: dual_control.propose_gallery_change(at, REGISTER, {"verification_fmr": 0.9}, AMARA)),
        (Conflict, lambda: dual_control.propose_root_destruction(at, current, AMARA)),
        (KeyUnavailable, lambda: dual_control.propose_root_destruction(at, "0123456789abcdef", AMARA)),
        (InvalidInput, lambda: dual_control.propose_export(at, own_register.path, AMARA)),
        (InvalidInput, lambda: dual_control.propose_export(at, tmp_path / "no-folder" / "log", AMARA)),
    ]
    for error, propose in impossible:
        with pytest.raises(error):
            propose()
    assert (_leaves(own_register), at.approvals.list()) == (before, ())


def test_a_root_key_is_destroyed_by_two_and_not_by_one(own_register: Register) -> None:
    at = own_register.engine.deployment
    old = _previous_root(own_register)
    proposal = dual_control.propose_root_destruction(at, old, AMARA)
    with pytest.raises(NotPermitted):
        dual_control.confirm(at, proposal.proposal, AMARA)
    assert old in RootKeyFile.load(own_register.settings.root_keys).ids
    assert old in dual_control.confirm(at, proposal.proposal, BINTA)
    assert old not in RootKeyFile.load(own_register.settings.root_keys).ids
    assert [leaf["event"] for leaf in _leaves(own_register)[-2:]] == [
        EventKind.APPROVAL_CONFIRMED,
        EventKind.ROOT_KEY_DESTROYED,
    ]
    assert own_register.another().ready


def test_a_destruction_that_cannot_be_recorded_destroys_nothing_and_stays_proposed(own_register: Register) -> None:
    at = own_register.engine.deployment
    old = _previous_root(own_register)
    proposal = dual_control.propose_root_destruction(at, old, AMARA).proposal
    own_register.sql(
        "CREATE TRIGGER full BEFORE INSERT ON audit_leaves WHEN NEW.event = 'keys.root_destroyed' "
        "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    with pytest.raises((Conflict, StorageUnavailable)):
        dual_control.confirm(at, proposal, BINTA)
    assert old in RootKeyFile.load(own_register.settings.root_keys).ids
    assert at.approvals.get(proposal).state == "open"
    own_register.sql("DROP TRIGGER full")
    dual_control.confirm(at, proposal, BINTA)
    assert old not in RootKeyFile.load(own_register.settings.root_keys).ids


def test_a_destruction_cut_off_before_it_was_recorded_is_recorded_by_confirming_again(own_register: Register) -> None:
    at = own_register.engine.deployment
    old = _previous_root(own_register)
    proposal = dual_control.propose_root_destruction(at, old, AMARA).proposal
    RootKeyFile.load(own_register.settings.root_keys).destroy(old)  # and then the power went, before the commit
    dual_control.confirm(at, proposal, BINTA)
    assert _leaves(own_register)[-1]["event"] == EventKind.ROOT_KEY_DESTROYED


def test_the_log_is_exported_by_two_to_the_place_that_was_proposed(own_register: Register, tmp_path: Path) -> None:
    at = own_register.engine.deployment
    out = tmp_path / "log.jsonl"
    proposal = dual_control.propose_export(at, out, AMARA)
    with pytest.raises(NotPermitted):
        dual_control.confirm(at, proposal.proposal, AMARA)
    assert not out.exists()
    assert str(out) in dual_control.confirm(at, proposal.proposal, BINTA)
    lines = out.read_bytes().splitlines()
    assert lines == [leaf for (leaf,) in own_register.sql("SELECT leaf FROM audit_leaves ORDER BY sequence")]
    assert json.loads(lines[-1])["event"] == EventKind.AUDIT_EXPORTED
    ((note,),) = own_register.sql("SELECT note FROM audit_head")
    assert (tmp_path / "log.jsonl.checkpoint").read_text() == note


def test_an_export_whose_place_was_taken_meanwhile_overwrites_nothing_and_stays_open(
    own_register: Register, tmp_path: Path
) -> None:
    at = own_register.engine.deployment
    out = tmp_path / "log.jsonl"
    proposal = dual_control.propose_export(at, out, AMARA).proposal
    out.write_text("something else")
    with pytest.raises(InvalidInput, match="does not exist yet"):
        dual_control.confirm(at, proposal, BINTA)
    assert out.read_text() == "something else"
    assert at.approvals.get(proposal).state == "open"


def _policy(at: Deployment, gallery: GalleryId) -> GalleryPolicy:
    return next(view.policy for view in at.galleries.list() if view.gallery == gallery)


def _leaves(register: Register) -> list[dict[str, object]]:
    return [json.loads(leaf) for (leaf,) in register.sql("SELECT leaf FROM audit_leaves ORDER BY sequence")]


def _previous_root(register: Register) -> str:
    """The id of a root key that nothing needs any more."""
    old = RootKeyFile.load(register.settings.root_keys).current_id
    at = register.engine.deployment
    keys.rotate(at.database, register.settings.root_keys, at.keys, at.journal, access("rotation"))
    opened = keys.open_keys(at.database, register.settings.root_keys)
    keys.rewrap(at.database, opened, at.journal, access("rotation"), lambda *_: None)
    return old
