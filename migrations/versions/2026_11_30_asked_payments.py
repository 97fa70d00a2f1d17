"""When the provider was last asked about a payment and a refund. Only adds: the program of before goes on working."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a7c52e90d1f4"
down_revision = "d8a3f61c0b57"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for table in ("payment", "refund"):
        op.add_column(table, sa.Column("last_asked_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Undo."""
    for table in ("refund", "payment"):
        op.drop_column(table, "last_asked_at")
