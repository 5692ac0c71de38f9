"""Audit leaves with a MAC of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit_leaves", sa.Column("mac", sa.LargeBinary()))
