"""Quantities kept for a class of customers, and the classes of parties, carts and reservations.

Only adds; what is new has a default that the server knows, so that the program of before goes on working while this runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import backoffice.db

revision = "f2b6d8e91c35"
down_revision = "e1a5c7d90b24"
branch_labels = None
depends_on = None

CLASSES = "customer_class IN ('retail', 'trade', 'key')"
SUPPLIES = ("stock", "purchase_order_line")
OF_CUSTOMERS = ("party", "cart", "reservation")


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "allotment",
        sa.Column("id", _big(), nullable=False),
        sa.Column("item_id", _big(), nullable=False),
        sa.Column("warehouse_id", _big(), nullable=True),
        sa.Column("purchase_order_line_id", _big(), nullable=True),
        sa.Column("customer_class", sa.Text(), nullable=False),
        sa.Column("quantity", _big(), nullable=False),
        sa.Column("taken", _big(), nullable=False),
        sa.Column("release_on", sa.Date(), nullable=False),
        sa.Column("released_at", backoffice.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_at", backoffice.db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0 AND taken >= 0 AND taken <= quantity", name=op.f("ck_allotment_never_taken_twice")),
        sa.CheckConstraint("(warehouse_id IS NULL) <> (purchase_order_line_id IS NULL)", name=op.f("ck_allotment_supply")),
        sa.CheckConstraint(CLASSES, name=op.f("ck_allotment_customer_class")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_allotment_item_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_allotment_warehouse_id")),
        sa.ForeignKeyConstraint(
            ["purchase_order_line_id"], ["purchase_order_line.id"], name=op.f("fk_allotment_purchase_order_line_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allotment")),
    )
    with op.batch_alter_table("allotment", schema=None) as batch_op:
        batch_op.create_index("ix_allotment_item_id_released_at", ["item_id", "released_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_allotment_purchase_order_line_id"), ["purchase_order_line_id"], unique=False)
    for table in SUPPLIES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("allotted", _big(), server_default="0", nullable=False))
            batch_op.create_check_constraint(batch_op.f(f"ck_{table}_allotted"), "allotted >= 0")
    for table in OF_CUSTOMERS:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("customer_class", sa.Text(), server_default="retail", nullable=False))
            batch_op.create_check_constraint(batch_op.f(f"ck_{table}_customer_class"), CLASSES)
    with op.batch_alter_table("peg", schema=None) as batch_op:
        batch_op.add_column(sa.Column("allotment_id", _big(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_peg_allotment_id"), "allotment", ["allotment_id"], ["id"])


def downgrade() -> None:
    """Take back. What was kept for a class is everybody's."""
    with op.batch_alter_table("peg", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_peg_allotment_id"), type_="foreignkey")
        batch_op.drop_column("allotment_id")
    for table in OF_CUSTOMERS:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(batch_op.f(f"ck_{table}_customer_class"), type_="check")
            batch_op.drop_column("customer_class")
    for table in SUPPLIES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(batch_op.f(f"ck_{table}_allotted"), type_="check")
            batch_op.drop_column("allotted")
    op.drop_table("allotment")
