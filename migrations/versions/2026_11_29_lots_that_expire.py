"""Lots that expire: which items are kept in lots, what lies of each lot, and the lot of a peg and of a movement.

Only adds; what is new is empty or has a default that the server knows, so that the program of before goes on working while this
runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "b93d5e7f1a06"
down_revision = "e2a06b7d94c1"
branch_labels = None
depends_on = None


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "stock_lot",
        sa.Column("id", _big(), nullable=False),
        sa.Column("item_id", _big(), nullable=False),
        sa.Column("warehouse_id", _big(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("best_before_on", sa.Date(), nullable=False),
        sa.Column("on_hand", _big(), nullable=False),
        sa.Column("pegged", _big(), nullable=False),
        sa.CheckConstraint("pegged >= 0 AND pegged <= on_hand", name=op.f("ck_stock_lot_never_promised_twice")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_stock_lot_item_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_stock_lot_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_lot")),
        sa.UniqueConstraint("item_id", "warehouse_id", "number", name=op.f("uq_stock_lot_item_id_warehouse_id_number")),
    )
    op.create_index("ix_stock_lot_best_before_on", "stock_lot", ["best_before_on"], unique=False)
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.add_column(sa.Column("days_left", _big(), nullable=True))
        kept = "days_left IS NULL OR (days_left >= 0 AND source IN ('buy', 'none'))"
        batch_op.create_check_constraint(batch_op.f("ck_item_days_left"), kept)
    with op.batch_alter_table("stock_movement", schema=None) as batch_op:
        batch_op.add_column(sa.Column("lot_id", _big(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_stock_movement_lot_id"), "stock_lot", ["lot_id"], ["id"])
    with op.batch_alter_table("peg", schema=None) as batch_op:
        batch_op.add_column(sa.Column("lot_id", _big(), nullable=True))
        batch_op.add_column(sa.Column("use_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("picked", _big(), server_default="0", nullable=False))
        batch_op.create_foreign_key(batch_op.f("fk_peg_lot_id"), "stock_lot", ["lot_id"], ["id"])
        batch_op.create_check_constraint(batch_op.f("ck_peg_lot"), "lot_id IS NULL OR kind = 'stock'")
        batch_op.create_check_constraint(batch_op.f("ck_peg_picked"), "picked >= 0 AND picked <= quantity")


def downgrade() -> None:
    """Take back. What lies in lots is stock like any other."""
    with op.batch_alter_table("peg", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_peg_picked"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_peg_lot"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_peg_lot_id"), type_="foreignkey")
        batch_op.drop_column("picked")
        batch_op.drop_column("use_on")
        batch_op.drop_column("lot_id")
    with op.batch_alter_table("stock_movement", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_stock_movement_lot_id"), type_="foreignkey")
        batch_op.drop_column("lot_id")
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_item_days_left"), type_="check")
        batch_op.drop_column("days_left")
    op.drop_table("stock_lot")
