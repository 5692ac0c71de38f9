"""Stored answers of requests with an Idempotency-Key, and failed verifications in a row."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "verification_streaks",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_verification_streaks")),
    )
    op.create_table(
        "stored_answers",
        sa.Column("slot", sa.LargeBinary(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("expires_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("slot", name=op.f("pk_stored_answers")),
    )
    op.create_index(op.f("ix_stored_answers_expires_at"), "stored_answers", ["expires_at"])
    op.create_table(
        "stored_answer_persons",
        sa.Column("slot", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["slot"], ["stored_answers.slot"], name=op.f("fk_stored_answer_persons_slot"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("slot", "subject", name=op.f("pk_stored_answer_persons")),
    )
    op.create_index(op.f("ix_stored_answer_persons_subject"), "stored_answer_persons", ["subject"])
