"""When the provider was last asked about a payment and a refund, and what each night's check found.

Only adds: the program of before goes on working while this runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a7c52e90d1f4"
down_revision = "e7b41d90a26c"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    for table in ("payment", "refund"):
        op.add_column(table, sa.Column("last_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "verification",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found", BIG, nullable=False),
        sa.Column("breaches", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification")),
    )
    op.create_index("ix_verification_at", "verification", ["at"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("verification")
    for table in ("refund", "payment"):
        op.drop_column(table, "last_asked_at")
