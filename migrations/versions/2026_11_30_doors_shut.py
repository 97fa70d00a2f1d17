"""Log-in in two steps: somebody's phone, and what lets them in without it.

Only adds, so that the program of before goes on working while this runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "d0075b1e4a2c"
down_revision = "c47a0e9b52d1"
branch_labels = None
depends_on = None


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "second_step",
        sa.Column("staff_id", _big(), autoincrement=False, nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("last_counter", _big(), nullable=False),
        sa.Column("set_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_second_step_staff_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_second_step")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", _big(), nullable=False),
        sa.Column("staff_id", _big(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_recovery_code_staff_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_recovery_code_code_hash")),
    )
    op.create_index("ix_recovery_code_staff_id", "recovery_code", ["staff_id"], unique=False)


def downgrade() -> None:
    """Take back. Whoever logged in in two steps does so in one."""
    op.drop_table("recovery_code")
    op.drop_table("second_step")
