"""What somebody can do to the audit log who has the database and no key."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from idverify.audit.checkpoint import CheckpointSigner
from idverify.audit.events import LeafDraft
from idverify.audit.log import Frontier, leaf_hash
from idverify.storage.tables.audit import audit_head, audit_leaves


def forge(connection: Connection, draft: LeafDraft, now: datetime) -> None:
    """Append a leaf as the service would, but for what takes a key: the MAC is invented, the head's note stays."""
    frontier = Frontier.from_bytes(connection.execute(select(audit_head.c.frontier)).scalar_one())
    event = draft.placed(frontier.size, now, None)
    digest = leaf_hash(event.leaf())
    frontier = frontier.append(digest)
    row = {"sequence": event.sequence, "event": event.event, "person": event.person, "leaf": event.leaf()}
    connection.execute(insert(audit_leaves), {**row, "leaf_hash": digest, "root": frontier.root, "mac": bytes(32)})
    moved = {"size": frontier.size, "frontier": frontier.to_bytes(), "root": frontier.root}
    connection.execute(update(audit_head), moved)


def sign_head(connection: Connection, signer: CheckpointSigner) -> None:
    """The note that only the service can write, over whatever the head speaks of."""
    head = connection.execute(select(audit_head)).one()
    connection.execute(update(audit_head).values(note=signer.sign(head.size, head.root)))
