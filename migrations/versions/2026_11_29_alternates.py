"""Alternates of components and work centres, scrap, efficiency, and days on which nothing new begins.

Only adds; what is new has a default that the server knows, so that the program of before goes on working while this runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a3c9e4f17d68"
down_revision = "f2b6d8e91c35"
branch_labels = None
depends_on = None


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "bom_alternate",
        sa.Column("id", _big(), nullable=False),
        sa.Column("bom_line_id", _big(), nullable=False),
        sa.Column("item_id", _big(), nullable=False),
        sa.Column("priority", _big(), nullable=False),
        sa.ForeignKeyConstraint(["bom_line_id"], ["bom_line.id"], name=op.f("fk_bom_alternate_bom_line_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_bom_alternate_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bom_alternate")),
        sa.UniqueConstraint("bom_line_id", "item_id", name=op.f("uq_bom_alternate_bom_line_id_item_id")),
    )
    with op.batch_alter_table("bom_alternate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bom_alternate_item_id"), ["item_id"], unique=False)
    op.create_table(
        "operation_alternate",
        sa.Column("id", _big(), nullable=False),
        sa.Column("operation_id", _big(), nullable=False),
        sa.Column("work_centre_id", _big(), nullable=False),
        sa.Column("priority", _big(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["routing_operation.id"], name=op.f("fk_operation_alternate_operation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["work_centre_id"], ["work_centre.id"], name=op.f("fk_operation_alternate_work_centre_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operation_alternate")),
        sa.UniqueConstraint("operation_id", "work_centre_id", name=op.f("uq_operation_alternate_operation_id_work_centre_id")),
    )
    with op.batch_alter_table("operation_alternate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_operation_alternate_work_centre_id"), ["work_centre_id"], unique=False)
    with op.batch_alter_table("bom_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("scrap_permille", _big(), server_default="0", nullable=False))
        batch_op.create_check_constraint(batch_op.f("ck_bom_line_scrap"), "scrap_permille >= 0 AND scrap_permille < 1000")
    with op.batch_alter_table("work_centre", schema=None) as batch_op:
        batch_op.add_column(sa.Column("efficiency_percent", _big(), server_default="100", nullable=False))
        batch_op.add_column(sa.Column("frozen_days", _big(), server_default="0", nullable=False))
        batch_op.create_check_constraint(batch_op.f("ck_work_centre_pace"), "efficiency_percent >= 1 AND frozen_days >= 0")


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("work_centre", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_work_centre_pace"), type_="check")
        batch_op.drop_column("frozen_days")
        batch_op.drop_column("efficiency_percent")
    with op.batch_alter_table("bom_line", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_bom_line_scrap"), type_="check")
        batch_op.drop_column("scrap_permille")
    op.drop_table("operation_alternate")
    op.drop_table("bom_alternate")
