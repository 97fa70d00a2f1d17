"""The plan as a log: decisions, checkpoints, audits, and a first checkpoint of what stands.

Only adds. What the program of before changes while both run is in no decision: `shopfloor plan correct` after the last one has
stopped.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

import backoffice.db

revision = "e1b6c40d7a92"
down_revision = "d4f7a93c1e58"
branch_labels = None
depends_on = None

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = ("due_at", "starts_at", "ends_at", "ready_at", "not_before_at", "available_at")
STANDS = {
    "purchase": ("purchase_order", "state", "state IN ('proposed', 'ordered')"),
    "receipt": ("purchase_order_line", "purchase_order_id, item_id, quantity, received, due_at", "received < quantity"),
    "order": (
        "production_order",
        "item_id, quantity, state, reservation_id, starts_at, ready_at, not_before_at",
        "state IN ('held', 'planned')",
    ),
    "slot": (
        "operation_slot",
        "production_order_id, work_centre_id, position, lane, starts_at, ends_at",
        "production_order_id IN (SELECT id FROM production_order WHERE state IN ('held', 'planned'))",
    ),
    "peg": (
        "peg",
        "reservation_id, production_order_id, item_id, quantity, kind,"
        " COALESCE(warehouse_id, purchase_order_line_id, supply_order_id) AS supply, available_at",
        "NOT used AND (kind <> 'stock' OR production_order_id IS NOT NULL)",
    ),
}


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _instant() -> sa.types.TypeEngine[datetime]:
    return backoffice.db.UtcDateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "plan_decision",
        sa.Column("number", _big(), autoincrement=False, nullable=False),
        sa.Column("at", _instant(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("plan_version", _big(), nullable=False),
        sa.Column("decided", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_plan_decision")),
    )
    checkpoints = op.create_table(
        "plan_checkpoint",
        sa.Column("number", _big(), autoincrement=False, nullable=False),
        sa.Column("at", _instant(), nullable=False),
        sa.Column("decided", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_plan_checkpoint")),
    )
    op.create_table(
        "plan_audit",
        sa.Column("id", _big(), nullable=False),
        sa.Column("at", _instant(), nullable=False),
        sa.Column("number", _big(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("breaches", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_audit")),
    )
    with op.batch_alter_table("plan_audit", schema=None) as batch_op:
        batch_op.create_index("ix_plan_audit_at", ["at"], unique=False)
    connection = op.get_bind()
    decided = [
        [kind, key, [_plain(value) for value in values]]
        for kind, (table, columns, condition) in STANDS.items()
        for key, *values in connection.execute(_typed(f"SELECT id, {columns} FROM {table} WHERE {condition} ORDER BY id"))  # noqa: S608 - our own words
    ]
    if decided:
        op.bulk_insert(checkpoints, [{"number": 0, "at": datetime.now(UTC), "decided": decided}])


def _typed(statement: str) -> sa.TextualSelect:
    """Let instants come back as instants on both databases."""
    return sa.text(statement).columns(**{name: _instant() for name in INSTANTS if f" {name}" in statement})


def _plain(value: object) -> object:
    return (value - EPOCH) // timedelta(microseconds=1) if isinstance(value, datetime) else value


def downgrade() -> None:
    """Take back."""
    op.drop_table("plan_audit")
    op.drop_table("plan_checkpoint")
    op.drop_table("plan_decision")
