"""The acts that take two administrators: how each is proposed, and what confirming it does. They have no other entry.

A proposal that could not be carried out now is refused; confirming does exactly what was proposed.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from idverify import keys
from idverify.access import Access
from idverify.administration.approvals import Act, Proposal
from idverify.administration.deployment import Deployment
from idverify.audit.events import EventKind
from idverify.errors import InvalidInput
from idverify.galleries.definitions import GalleryPolicy
from idverify.ids import GalleryId
from idverify.storage import audit_log
from idverify.storage.database import Connection

Finish = Callable[[], str]
"""What remains to be done after the commit; it says in a sentence what was done."""


def propose_gallery_change(
    deployment: Deployment, gallery: GalleryId, changes: Mapping[str, object], access: Access
) -> Proposal:
    """Other thresholds or another policy for a gallery; `changes` by field of `GalleryPolicy`.

    Raises GalleryNotFound, InvalidInput when a value is out of range or nothing would change.
    """
    before, after = deployment.galleries.planned(gallery, changes)
    if before == after:
        raise InvalidInput(f"gallery {gallery}: this is its policy already; name at least one option to change")
    parameters = {"gallery": gallery, "before": before.as_json(), "after": after.as_json()}
    return deployment.approvals.propose(Act.CHANGE_GALLERY, parameters, access)


def propose_root_destruction(deployment: Deployment, root_id: str, access: Access) -> Proposal:
    """The end of a previous root key, and of every backup of its days. Raises KeyUnavailable, Conflict."""
    with deployment.database.read() as connection:
        keys.require_destroyable(connection, deployment.settings.root_keys, root_id)
    return deployment.approvals.propose(Act.DESTROY_ROOT_KEY, {"root": root_id}, access)


def propose_export(deployment: Deployment, out: Path, access: Access) -> Proposal:
    """The whole audit log into a new file. Raises InvalidInput when it cannot be made."""
    place = out.absolute()
    _require_new_file(place)
    return deployment.approvals.propose(Act.EXPORT_AUDIT_LOG, {"out": str(place)}, access)


def confirm(deployment: Deployment, proposal: str, access: Access) -> str:
    """Do what another administrator proposed, now and once; returns what was done, in a sentence.

    Raises NotFound, NotPermitted, Conflict, RecordRolledBack, and then nothing was done. An export that fails while it
    is written (OSError) is used up; propose it again.
    """

    def perform(connection: Connection, found: Proposal) -> Finish:
        return _PERFORM[found.act](deployment, connection, found, access)

    return deployment.approvals.confirm(proposal, access, perform)()


def _change_gallery(deployment: Deployment, connection: Connection, proposal: Proposal, access: Access) -> Finish:
    what: Mapping[str, Any] = proposal.parameters
    before, after = GalleryPolicy.parse(what["before"]), GalleryPolicy.parse(what["after"])
    gallery = GalleryId(what["gallery"])
    deployment.galleries.change(connection, gallery, before, after, access, _approval(proposal))
    return lambda: f"Gallery {gallery} has its new policy; every answer from now on is given by it."


def _destroy_root(deployment: Deployment, connection: Connection, proposal: Proposal, access: Access) -> Finish:
    root: str = proposal.parameters["root"]
    place = deployment.settings.root_keys
    keys.destroy_root(connection, place, root, deployment.journal, access, _approval(proposal))
    return lambda: f"Root key {root} is destroyed here. Destroy its copies too."


def _export(deployment: Deployment, connection: Connection, proposal: Proposal, access: Access) -> Finish:
    out = Path(proposal.parameters["out"])
    _require_new_file(out)
    deployment.journal.record(connection, EventKind.AUDIT_EXPORTED, access, records=_approval(proposal))
    return lambda: _write_log(deployment, out)


def _write_log(deployment: Deployment, out: Path) -> str:
    with out.open("xb") as file, deployment.database.read() as connection:
        leaves = 0
        for leaf in audit_log.export(connection):
            file.write(leaf + b"\n")
            leaves += 1
        note = audit_log.checkpoint(connection) or ""
    out.with_name(f"{out.name}.checkpoint").write_text(note, encoding="utf-8")
    verifier = deployment.keys.checkpoint_signer.verifier
    return f"{leaves} leaves in {out}; checkpoint in {out.name}.checkpoint; verifier key: {verifier.text}"


def _require_new_file(place: Path) -> None:
    if place.exists() or not os.access(place.parent, os.W_OK):
        raise InvalidInput(f"{place}: expected a file that does not exist yet, in a folder that can be written to")


def _approval(proposal: Proposal) -> Mapping[str, str]:
    return {proposal.log_name: proposal.digest}


_PERFORM: Mapping[Act, Callable[[Deployment, Connection, Proposal, Access], Finish]] = {
    Act.CHANGE_GALLERY: _change_gallery,
    Act.DESTROY_ROOT_KEY: _destroy_root,
    Act.EXPORT_AUDIT_LOG: _export,
}
