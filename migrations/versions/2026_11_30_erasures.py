"""Proof that somebody was erased. Only adds: the program of before goes on working while this runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "b7e3d90c51fa"
down_revision = "f1c84d20b7e3"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "erasure",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("asked_how", sa.Text(), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("kept", sa.JSON(), nullable=False),
        sa.Column("export_hash", sa.Text(), nullable=False),
        sa.Column("export", sa.LargeBinary(), nullable=True),
        sa.Column("export_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("asked_how IN ('letter', 'email', 'phone', 'in_person', 'ours')", name=op.f("ck_erasure_asked_how")),
        sa.CheckConstraint("(export IS NULL) = (export_until IS NULL)", name=op.f("ck_erasure_export_ends")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    op.create_index("ix_erasure_export_until", "erasure", ["export_until"], unique=False)
    op.create_table(
        "erased_party",
        sa.Column("party_id", BIG, autoincrement=False, nullable=False),
        sa.Column("erasure_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_erased_party_party_id")),
        sa.ForeignKeyConstraint(["erasure_id"], ["erasure.id"], name=op.f("fk_erased_party_erasure_id")),
        sa.PrimaryKeyConstraint("party_id", name=op.f("pk_erased_party")),
    )
    op.create_index("ix_erased_party_erasure_id", "erased_party", ["erasure_id"], unique=False)
    op.create_table(
        "erased_mark",
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("erasure_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["erasure_id"], ["erasure.id"], name=op.f("fk_erased_mark_erasure_id")),
        sa.PrimaryKeyConstraint("mark", "erasure_id", name=op.f("pk_erased_mark")),
    )


def downgrade() -> None:
    """Undo: nobody can say any more who was erased."""
    op.drop_table("erased_mark")
    op.drop_table("erased_party")
    op.drop_table("erasure")
