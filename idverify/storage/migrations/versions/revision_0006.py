"""Visits at a station: sealed drafts with keys of their own, and the captures that belong to them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "visit_keys",
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("slot", name=op.f("pk_visit_keys")),
    )
    op.create_table(
        "visits",
        sa.Column("visit", sa.String(), nullable=False),
        sa.Column("key_slot", sa.Integer(), nullable=False),
        sa.Column("wrapping_version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("gallery", sa.String(), nullable=False),
        sa.Column("station", sa.String(), nullable=False),
        sa.Column("clerk", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("expires_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["key_slot"], ["visit_keys.slot"], name=op.f("fk_visits_key_slot")),
        sa.PrimaryKeyConstraint("visit", name=op.f("pk_visits")),
        sa.UniqueConstraint("key_slot", name=op.f("uq_visits_key_slot")),
    )
    op.create_index(op.f("ix_visits_wrapping_version"), "visits", ["wrapping_version"])
    op.create_index(op.f("ix_visits_subject"), "visits", ["subject"])
    op.create_index(op.f("ix_visits_expires_at"), "visits", ["expires_at"])
    op.create_index(op.f("ix_visits_station_clerk"), "visits", ["station", "clerk"])
    op.create_table(
        "visit_captures",
        sa.Column("capture", sa.String(), nullable=False),
        sa.Column("visit", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["visit"], ["visits.visit"], name=op.f("fk_visit_captures_visit"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("capture", name=op.f("pk_visit_captures")),
    )
    op.create_index(op.f("ix_visit_captures_visit"), "visit_captures", ["visit"])
