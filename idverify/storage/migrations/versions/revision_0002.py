"""Clients have several credentials, each with its expiry; assertions that were used are remembered."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    credentials = op.create_table(
        "client_credentials",
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("credential", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("stored", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("expires_at", sa.String()),
        sa.ForeignKeyConstraint(
            ["client"], ["clients.client"], name=op.f("fk_client_credentials_client"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("client", "credential", name=op.f("pk_client_credentials")),
    )
    op.create_table(
        "used_assertions",
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("assertion", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client"], ["clients.client"], name=op.f("fk_used_assertions_client"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("client", "assertion", name=op.f("pk_used_assertions")),
    )
    op.create_index(op.f("ix_used_assertions_expires_at"), "used_assertions", ["expires_at"])
    _move_keys(credentials)


def _move_keys(credentials: sa.Table) -> None:
    """The one key that each client had goes on working; its name is that of `idverify.clients.credentials`."""
    old = sa.table("clients", sa.column("client"), sa.column("secret_hmac"), sa.column("created_at"))
    rows = [
        {
            "client": row.client,
            "credential": hashlib.sha256(row.secret_hmac).hexdigest()[:16],
            "kind": "secret",
            "stored": row.secret_hmac,
            "created_at": row.created_at,
            "expires_at": None,
        }
        for row in op.get_bind().execute(sa.select(old))
    ]
    if rows:
        op.bulk_insert(credentials, rows)
    op.drop_column("clients", "secret_hmac")
