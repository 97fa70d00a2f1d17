"""Suppliers in the planner's order, and the one that a promise is to be bought from.

Only adds; what is new has a default that the server knows, so that the program of before goes on working while this runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "e1a5c7d90b24"
down_revision = "e1b6c40d7a92"
branch_labels = None
depends_on = None


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("supplier_item", schema=None) as batch_op:
        batch_op.add_column(sa.Column("priority", _big(), server_default="1", nullable=False))
    with op.batch_alter_table("peg", schema=None) as batch_op:
        batch_op.add_column(sa.Column("supplier_id", _big(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_peg_supplier_id"), "supplier", ["supplier_id"], ["id"])


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("peg", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_peg_supplier_id"), type_="foreignkey")
        batch_op.drop_column("supplier_id")
    with op.batch_alter_table("supplier_item", schema=None) as batch_op:
        batch_op.drop_column("priority")
