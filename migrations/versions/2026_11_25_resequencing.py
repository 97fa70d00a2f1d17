"""The sequences that the optimiser found and the plan took over, as data.

Only adds.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import backoffice.db

revision = "d4f7a93c1e58"
down_revision = "d4a9b2c81f57"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "resequencing",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", backoffice.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("plan_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("orders_earlier", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("minutes_saved", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("late_minutes_saved", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("moves", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "minutes_saved >= 0 AND late_minutes_saved >= 0 AND orders_earlier >= 0", name=op.f("ck_resequencing_only_better")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resequencing")),
        sa.UniqueConstraint("plan_version", name=op.f("uq_resequencing_plan_version")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("resequencing")
