"""Ways to send beside the usual one, and which of them a cart has chosen. Only adds, with defaults that the server knows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a25d41f7c6e2"
down_revision = "a25c7e3f9b10"
branch_labels = None
depends_on = None


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "shipping_service",
        sa.Column("id", _big(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", _big(), nullable=False),
        sa.Column("price_minor", _big(), nullable=False),
        sa.Column("transit_days", _big(), nullable=False),
        sa.Column("cutoff_minute", _big(), nullable=True),
        sa.Column("countries", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("cutoff_minute BETWEEN 0 AND 1440", name=op.f("ck_shipping_service_cutoff")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_shipping_service_price")),
        sa.CheckConstraint("transit_days >= 0", name=op.f("ck_shipping_service_transit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipping_service")),
        sa.UniqueConstraint("code", name=op.f("uq_shipping_service_code")),
    )
    for table in ("cart", "checkout"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("service", sa.Text(), server_default=sa.text("''"), nullable=False))


def downgrade() -> None:
    """Take back."""
    for table in ("checkout", "cart"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("service")
    op.drop_table("shipping_service")
