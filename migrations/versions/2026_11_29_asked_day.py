"""The day by which all of a cart is asked for, kept until it is an order's. Both columns may be empty: safe while this runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a25c7e3f9b10"
down_revision = "a3c9e4f17d68"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for table in ("cart", "checkout"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("requested_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Take back."""
    for table in ("checkout", "cart"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("requested_on")
