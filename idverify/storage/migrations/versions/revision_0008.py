"""Cases for adjudication by analysts: their members, opinions and contests."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _cases()
    _case_galleries()
    _case_members()
    _case_opinions()
    _case_contests()


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("case", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("strength", sa.String(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.String(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("finding", sa.String()),
        sa.Column("decided_by", sa.String()),
        sa.Column("decided_at", sa.String()),
        sa.PrimaryKeyConstraint("case", name=op.f("pk_cases")),
        sa.UniqueConstraint("origin", "source", name=op.f("uq_cases_origin_source")),
    )
    op.create_index(op.f("ix_cases_opened_at"), "cases", ["opened_at"])
    op.create_index(op.f("ix_cases_state"), "cases", ["state"])


def _case_galleries() -> None:
    op.create_table(
        "case_galleries",
        sa.Column("case", sa.String(), nullable=False),
        sa.Column("gallery", sa.String(), nullable=False),
        _of_case("case_galleries"),
        sa.ForeignKeyConstraint(["gallery"], ["galleries.gallery"], name=op.f("fk_case_galleries_gallery")),
        sa.PrimaryKeyConstraint("case", "gallery", name=op.f("pk_case_galleries")),
    )
    op.create_index(op.f("ix_case_galleries_gallery"), "case_galleries", ["gallery"])


def _case_members() -> None:
    op.create_table(
        "case_members",
        sa.Column("case", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.String()),
        sa.Column("encounter", sa.String()),
        _of_case("case_members"),
        sa.ForeignKeyConstraint(
            ["person"], ["persons.person"], name=op.f("fk_case_members_person"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["encounter"], ["encounters.encounter"], name=op.f("fk_case_members_encounter"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("case", "place", name=op.f("pk_case_members")),
    )
    op.create_index(op.f("ix_case_members_person"), "case_members", ["person"])
    op.create_index(op.f("ix_case_members_encounter"), "case_members", ["encounter"])


def _case_opinions() -> None:
    op.create_table(
        "case_opinions",
        sa.Column("case", sa.String(), nullable=False),
        sa.Column("analyst", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("lead", sa.Boolean(), nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("given_at", sa.String(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        _of_case("case_opinions"),
        sa.PrimaryKeyConstraint("case", "analyst", name=op.f("pk_case_opinions")),
    )
    op.create_index(op.f("ix_case_opinions_analyst_given_at"), "case_opinions", ["analyst", "given_at"])


def _case_contests() -> None:
    op.create_table(
        "case_contests",
        sa.Column("case", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        _of_case("case_contests"),
        sa.PrimaryKeyConstraint("case", "round", name=op.f("pk_case_contests")),
    )


def _of_case(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["case"], ["cases.case"], name=op.f(f"fk_{table}_case"), ondelete="CASCADE")
