"""Margins learnt from what really came: the residuals, what was learnt, and the first word of receipts and production orders.

Columns have a default that the server knows, or none is needed, so that the program of before goes on working while this runs.
What was first said of receipts that are under way nobody knows any more: nothing is learnt from them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import backoffice.db

revision = "a7c3e91d5b48"
down_revision = "a25d41f7c6e2"
branch_labels = None
depends_on = None

LEVEL = "service_level = 0 OR service_level BETWEEN 50 AND 99"


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, backoffice.db.UtcDateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "residual",
        sa.Column("id", _big(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("supplier_id", _big(), nullable=True),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("came_on", sa.Date(), nullable=False),
        sa.Column("days", _big(), nullable=False),
        _instant("at"),
        sa.CheckConstraint("kind IN ('receipt', 'made', 'carrier')", name=op.f("ck_residual_kind")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_residual_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_residual")),
        sa.UniqueConstraint("ref", name=op.f("uq_residual_ref")),
    )
    op.create_index("ix_residual_source_id", "residual", ["source", "id"], unique=False)
    op.create_table(
        "margin",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("days", _big(), nullable=False),
        sa.Column("level", _big(), nullable=False),
        sa.Column("residuals", _big(), nullable=False),
        _instant("learnt_at"),
        sa.CheckConstraint("days >= 0 AND residuals > 0", name=op.f("ck_margin_learnt")),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_margin")),
    )
    with op.batch_alter_table("company", schema=None) as batch_op:
        batch_op.add_column(sa.Column("service_level", _big(), server_default="0", nullable=False))
        batch_op.create_check_constraint(batch_op.f("ck_company_service_level"), LEVEL)
    with op.batch_alter_table("reservation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("margin_days", _big(), server_default="0", nullable=False))
    with op.batch_alter_table("purchase_order_line", schema=None) as batch_op:
        batch_op.add_column(_instant("first_due_at", nullable=True))
    with op.batch_alter_table("production_order", schema=None) as batch_op:
        batch_op.add_column(_instant("first_ready_at", nullable=True))
        batch_op.add_column(sa.Column("learns", sa.Text(), server_default=sa.text("''"), nullable=False))
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("earliest_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Take back. Days that were promised with a margin stay as they were promised."""
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.drop_column("earliest_on")
    with op.batch_alter_table("production_order", schema=None) as batch_op:
        batch_op.drop_column("learns")
        batch_op.drop_column("first_ready_at")
    with op.batch_alter_table("purchase_order_line", schema=None) as batch_op:
        batch_op.drop_column("first_due_at")
    with op.batch_alter_table("reservation", schema=None) as batch_op:
        batch_op.drop_column("margin_days")
    with op.batch_alter_table("company", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_company_service_level"), type_="check")
        batch_op.drop_column("service_level")
    op.drop_table("margin")
    op.drop_table("residual")
