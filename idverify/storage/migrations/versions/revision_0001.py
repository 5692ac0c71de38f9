"""The first schema: people and what is sealed of them, galleries, clients, jobs, and the empty audit log."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _service()
    _people()
    _work()
    _audit()


def _service() -> None:
    op.create_table(
        "deployment",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("deployment", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_deployment_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployment")),
    )
    op.create_table(
        "service_keys",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root_id", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "version", name=op.f("pk_service_keys")),
    )
    op.create_table(
        "galleries",
        sa.Column("gallery", sa.String(), nullable=False),
        sa.Column("demonstration", sa.Boolean(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("gallery", name=op.f("pk_galleries")),
    )
    op.create_table(
        "clients",
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("secret_hmac", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("galleries", sa.JSON(), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("sees_scores", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("client", name=op.f("pk_clients")),
    )


def _people() -> None:
    op.create_table(
        "person_keys",
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("slot", name=op.f("pk_person_keys")),
    )
    op.create_table(
        "persons",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.Column("key_slot", sa.Integer(), nullable=False),
        sa.Column("wrapping_version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_persons")),
        sa.ForeignKeyConstraint(["key_slot"], ["person_keys.slot"], name=op.f("fk_persons_key_slot")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_persons_pseudonym")),
        sa.UniqueConstraint("key_slot", name=op.f("uq_persons_key_slot")),
    )
    op.create_index(op.f("ix_persons_wrapping_version"), "persons", ["wrapping_version"])
    op.create_table(
        "encounters",
        sa.Column("encounter", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("client", sa.String()),
        sa.Column("clerk", sa.String()),
        sa.Column("station", sa.String()),
        sa.Column("review", sa.String(), nullable=False),
        sa.Column("detail", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["person"], ["persons.person"], name=op.f("fk_encounters_person"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("encounter", name=op.f("pk_encounters")),
    )
    op.create_index(op.f("ix_encounters_person"), "encounters", ["person"])
    op.create_index(op.f("ix_encounters_review"), "encounters", ["review"])
    op.create_table(
        "encounter_galleries",
        sa.Column("encounter", sa.String(), nullable=False),
        sa.Column("gallery", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["encounter"],
            ["encounters.encounter"],
            name=op.f("fk_encounter_galleries_encounter"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["gallery"], ["galleries.gallery"], name=op.f("fk_encounter_galleries_gallery")),
        sa.PrimaryKeyConstraint("encounter", "gallery", name=op.f("pk_encounter_galleries")),
    )
    op.create_index(op.f("ix_encounter_galleries_gallery"), "encounter_galleries", ["gallery"])
    _sealed(
        "templates",
        "template",
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("dtype", sa.String(), nullable=False),
    )
    _sealed("images", "image", sa.Column("media_type", sa.String(), nullable=False))


def _sealed(table: str, key: str, *columns: sa.Column[str] | sa.Column[int]) -> None:
    op.create_table(
        table,
        sa.Column(key, sa.String(), nullable=False),
        sa.Column("encounter", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        *columns,
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["encounter"], ["encounters.encounter"], name=op.f(f"fk_{table}_encounter"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person"], ["persons.person"], name=op.f(f"fk_{table}_person"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(key, name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_encounter"), table, ["encounter"])
    op.create_index(op.f(f"ix_{table}_person"), table, ["person"])


def _work() -> None:
    op.create_table(
        "verification_counts",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "day", name=op.f("pk_verification_counts")),
    )
    op.create_index(op.f("ix_verification_counts_day"), "verification_counts", ["day"])
    op.create_table(
        "jobs",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_jobs")),
    )
    op.create_table(
        "job_items",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("person", sa.String()),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String()),
        sa.Column("detail", sa.Text()),
        sa.ForeignKeyConstraint(["job"], ["jobs.job"], name=op.f("fk_job_items_job"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job", "item", name=op.f("pk_job_items")),
    )
    op.create_index(op.f("ix_job_items_person"), "job_items", ["person"])


def _audit() -> None:
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", _COUNT, nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_leaves",
        sa.Column("sequence", _COUNT, autoincrement=False, nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("person", sa.String()),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_leaves")),
    )
    op.create_index(op.f("ix_audit_leaves_person_sequence"), "audit_leaves", ["person", "sequence"])
    op.create_index(op.f("ix_audit_leaves_event_sequence"), "audit_leaves", ["event", "sequence"])
    op.create_table(
        "audit_checkpoints",
        sa.Column("size", _COUNT, autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_audit_checkpoints")),
    )
    # The empty log, so that the first writers already have a row to lock.
    op.bulk_insert(head, [{"id": 1, "size": 0, "frontier": bytes(8), "root": hashlib.sha256().digest()}])
