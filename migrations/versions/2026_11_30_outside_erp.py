"""An outside ERP: messages that are put off or given up, the lane they take, and the stock snapshots that come in.

Columns have a default that the server knows, or none is needed, so that the program of before goes on working while this runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import backoffice.db

revision = "f0e3a7c1b254"
down_revision = "c47a0e9b52d1"
branch_labels = None
depends_on = None

BEFORE = "state IN ('pending', 'done', 'dead')"
STATES = "state IN ('pending', 'done', 'dead', 'given_up')"


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, backoffice.db.UtcDateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("outbox_message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("excused", _big(), server_default="0", nullable=False))
        batch_op.add_column(_instant("asked_at", nullable=True))
        batch_op.drop_constraint(batch_op.f("ck_outbox_message_state"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_outbox_message_state"), STATES)
    op.create_table(
        "outbox_lane",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("failures", _big(), nullable=False),
        _instant("closed_until", nullable=True),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_outbox_lane")),
    )
    op.create_table(
        "outside_stock",
        sa.Column("warehouse_id", _big(), nullable=False),
        sa.Column("sequence", _big(), nullable=False),
        _instant("as_of"),
        _instant("good_until"),
        sa.Column("in_doubt", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_outside_stock_warehouse_id")),
        sa.PrimaryKeyConstraint("warehouse_id", name=op.f("pk_outside_stock")),
    )
    op.create_table(
        "stock_snapshot",
        sa.Column("id", _big(), nullable=False),
        sa.Column("sequence", _big(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("after", _big(), nullable=True),
        _instant("as_of"),
        _instant("received_at"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed", _big(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("short", sa.JSON(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        _instant("decided_at", nullable=True),
        sa.CheckConstraint("kind IN ('full', 'delta')", name=op.f("ck_stock_snapshot_kind")),
        sa.CheckConstraint("state IN ('applied', 'refused', 'quarantined', 'declined')", name=op.f("ck_stock_snapshot_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_snapshot")),
        sa.UniqueConstraint("sequence", "kind", name=op.f("uq_stock_snapshot_sequence_kind")),
    )


def downgrade() -> None:
    """Take back. What was given up is a dead letter again; snapshots are forgotten, the stock stays as they left it."""
    op.drop_table("stock_snapshot")
    op.drop_table("outside_stock")
    op.drop_table("outbox_lane")
    op.execute("UPDATE outbox_message SET state = 'dead' WHERE state = 'given_up'")
    with op.batch_alter_table("outbox_message", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_outbox_message_state"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_outbox_message_state"), BEFORE)
        batch_op.drop_column("asked_at")
        batch_op.drop_column("excused")
