"""Searches for duplicates, what was decided about pairs, and reports."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "duplicate_pairs",
        sa.Column("search", sa.String(), nullable=False),
        sa.Column("pair", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["search"], ["jobs.job"], name=op.f("fk_duplicate_pairs_search"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["person"], ["persons.person"], name=op.f("fk_duplicate_pairs_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("search", "pair", name=op.f("pk_duplicate_pairs")),
    )
    op.create_index(op.f("ix_duplicate_pairs_person"), "duplicate_pairs", ["person"])
    op.create_table(
        "decided_pairs",
        sa.Column("pair", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("pair", name=op.f("pk_decided_pairs")),
    )
    op.create_table(
        "reports",
        sa.Column("report", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("galleries", sa.JSON(), nullable=False),
        sa.Column("search", sa.String()),
        sa.Column("made_at", sa.String(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("report", name=op.f("pk_reports")),
        sa.UniqueConstraint("search", name=op.f("uq_reports_search")),
    )
    op.create_table(
        "report_parts",
        sa.Column("report", sa.String(), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.String()),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["report"], ["reports.report"], name=op.f("fk_report_parts_report"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person"], ["persons.person"], name=op.f("fk_report_parts_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("report", "part", name=op.f("pk_report_parts")),
    )
    op.create_index(op.f("ix_report_parts_person"), "report_parts", ["person"])
