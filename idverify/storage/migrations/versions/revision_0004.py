"""Proposals that wait for a second administrator."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("proposal", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("proposer", sa.String(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.String(), nullable=False),
        sa.Column("expires_at", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decider", sa.String()),
        sa.Column("decided_at", sa.String()),
        sa.PrimaryKeyConstraint("proposal", name=op.f("pk_approvals")),
    )
