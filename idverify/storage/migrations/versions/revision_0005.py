"""Staff with their credentials and sessions, stations, and one-use nonces."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _staff()
    op.create_table(
        "stations",
        sa.Column("station", sa.String(), nullable=False),
        sa.Column("gallery", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("public_key", sa.LargeBinary()),
        sa.Column("code", sa.LargeBinary()),
        sa.Column("code_expires_at", sa.String()),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["gallery"], ["galleries.gallery"], name=op.f("fk_stations_gallery")),
        sa.PrimaryKeyConstraint("station", name=op.f("pk_stations")),
    )
    _sessions()
    op.create_table(
        "nonces",
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("session", sa.LargeBinary()),
        sa.Column("staff", sa.String()),
        sa.Column("station", sa.String()),
        sa.Column("issued_at", sa.String(), nullable=False),
        sa.Column("expires_at", sa.String(), nullable=False),
        sa.Column("spent_at", sa.String()),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_nonces")),
    )
    op.create_index(op.f("ix_nonces_expires_at"), "nonces", ["expires_at"])


def _staff() -> None:
    op.create_table(
        "staff",
        sa.Column("staff", sa.String(), nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("galleries", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("staff", name=op.f("pk_staff")),
    )
    op.create_table(
        "staff_credentials",
        sa.Column("credential", sa.String(), nullable=False),
        sa.Column("staff", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("stored", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("expires_at", sa.String()),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff"], ["staff.staff"], ondelete="CASCADE", name=op.f("fk_staff_credentials_staff")
        ),
        sa.PrimaryKeyConstraint("credential", name=op.f("pk_staff_credentials")),
    )
    op.create_index(op.f("ix_staff_credentials_staff"), "staff_credentials", ["staff"])
    op.create_table(
        "staff_failures",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_staff_failures")),
    )
    op.create_index(op.f("ix_staff_failures_last_at"), "staff_failures", ["last_at"])


def _sessions() -> None:
    op.create_table(
        "staff_sessions",
        sa.Column("session", sa.LargeBinary(), nullable=False),
        sa.Column("staff", sa.String(), nullable=False),
        sa.Column("station", sa.String()),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.String(), nullable=False),
        sa.Column("seen_at", sa.String(), nullable=False),
        sa.Column("expires_at", sa.String(), nullable=False),
        sa.Column("locked_at", sa.String()),
        sa.Column("ended_at", sa.String()),
        sa.ForeignKeyConstraint(["staff"], ["staff.staff"], ondelete="CASCADE", name=op.f("fk_staff_sessions_staff")),
        sa.ForeignKeyConstraint(
            ["station"], ["stations.station"], ondelete="CASCADE", name=op.f("fk_staff_sessions_station")
        ),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_staff_sessions")),
    )
    op.create_index(op.f("ix_staff_sessions_staff"), "staff_sessions", ["staff"])
    op.create_index(op.f("ix_staff_sessions_expires_at"), "staff_sessions", ["expires_at"])
