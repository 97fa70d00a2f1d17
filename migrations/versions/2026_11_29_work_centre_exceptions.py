"""Days on which one work centre has other hours than the calendar that it shares.

Only adds: the program of before goes on working while this runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c5d81f0e6a34"
down_revision = "a7c3e91d5b48"
branch_labels = None
depends_on = None


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "work_centre_exception",
        sa.Column("id", _big(), nullable=False),
        sa.Column("work_centre_id", _big(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("intervals", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["work_centre_id"], ["work_centre.id"], name=op.f("fk_work_centre_exception_work_centre_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_centre_exception")),
        sa.UniqueConstraint("work_centre_id", "on_day", name=op.f("uq_work_centre_exception_work_centre_id_on_day")),
    )


def downgrade() -> None:
    """Take back. Days of single work centres are forgotten; stops stay."""
    op.drop_table("work_centre_exception")
