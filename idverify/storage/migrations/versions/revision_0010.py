"""Verifications that were answered close to the threshold, by day; quotas of single clients."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clients", sa.Column("requests_per_minute", sa.Integer()))
    op.add_column("clients", sa.Column("identifications_per_day", sa.Integer()))
    op.add_column(
        "verification_counts", sa.Column("close_calls", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )
