"""Reminders of carts that one of a crowd asked for. Only adds: the program of before goes on working while this runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a9d25b6e714c"
down_revision = "e2b6c07a914f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("cart_reminder", sa.Column("doubtful", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    """Undo: all of them are as good as any."""
    op.drop_column("cart_reminder", "doubtful")
