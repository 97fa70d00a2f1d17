"""What was asked for in vain. Only adds: the program of before goes on working while this runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c4d17e0b92a6"
down_revision = "a7c2e95d10f4"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = "kind IN ('viewed', 'quantity', 'day', 'search')"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "demand_mark",
        sa.Column("week_on", sa.Date(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("quantity", BIG, nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_demand_mark_kind")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_demand_mark_quantity")),
        sa.PrimaryKeyConstraint("week_on", "sku", "words", "mark", name=op.f("pk_demand_mark")),
    )
    op.create_table(
        "lost_demand",
        sa.Column("week_on", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("people", BIG, nullable=False),
        sa.Column("quantity", BIG, nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_lost_demand_kind")),
        sa.CheckConstraint("people > 0 AND quantity > 0", name=op.f("ck_lost_demand_counted")),
        sa.PrimaryKeyConstraint("week_on", "kind", "sku", "words", name=op.f("pk_lost_demand")),
    )


def downgrade() -> None:
    """Undo: what was counted is forgotten."""
    op.drop_table("lost_demand")
    op.drop_table("demand_mark")
