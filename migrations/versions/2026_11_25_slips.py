"""Days that moved and what their customers chose, what may be sent instead, production that cannot begin yet.

Columns have a default that the server knows, so that the program of before goes on working while this runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import backoffice.db

revision = "d4a9b2c81f57"
down_revision = "c2e5d18f6b73"
branch_labels = None
depends_on = None

KINDS_BEFORE = "kind IN ('contact', 'question', 'tell_me', 'order_question', 'quote_request', 'phone')"
KINDS = "kind IN ('contact', 'question', 'tell_me', 'order_question', 'quote_request', 'phone', 'late_order')"
IS_OPEN = sa.text("state = 'open'")


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "item_substitute",
        sa.Column("id", _big(), nullable=False),
        sa.Column("item_id", _big(), nullable=False),
        sa.Column("substitute_id", _big(), nullable=False),
        sa.Column("priority", _big(), nullable=False),
        sa.CheckConstraint("item_id <> substitute_id", name=op.f("ck_item_substitute_not_itself")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_item_substitute_item_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["substitute_id"], ["item.id"], name=op.f("fk_item_substitute_substitute_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_substitute")),
        sa.UniqueConstraint("item_id", "substitute_id", name=op.f("uq_item_substitute_item_id_substitute_id")),
    )
    with op.batch_alter_table("item_substitute", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_item_substitute_substitute_id"), ["substitute_id"], unique=False)
    with op.batch_alter_table("company", schema=None) as batch_op:
        batch_op.add_column(sa.Column("choose_days", _big(), server_default="2", nullable=False))
        batch_op.add_column(sa.Column("important_minor", _big(), server_default="50000", nullable=False))
    with op.batch_alter_table("production_order", schema=None) as batch_op:
        batch_op.add_column(sa.Column("not_before_at", backoffice.db.UtcDateTime(timezone=True), nullable=True))
    with op.batch_alter_table("lead", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_lead_kind"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_lead_kind"), KINDS)
    op.create_table(
        "slip",
        sa.Column("id", _big(), nullable=False),
        sa.Column("order_id", _big(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("told_at", backoffice.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("choice", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("chosen_at", backoffice.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("chosen_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("lead_id", _big(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'accepted', 'parted', 'substituted', 'cancelled', 'replaced', 'over')",
            name=op.f("ck_slip_state"),
        ),
        sa.CheckConstraint(
            "(state IN ('accepted', 'parted', 'substituted', 'cancelled')) = (chosen_at IS NOT NULL)",
            name=op.f("ck_slip_chosen"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_slip_order_id")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_slip_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slip")),
    )
    with op.batch_alter_table("slip", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_slip_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_slip_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index("ix_slip_state_told_at", ["state", "told_at"], unique=False)
    op.create_index("uq_slip_open", "slip", ["order_id"], unique=True, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN)


def downgrade() -> None:
    """Take back. What sales was to do about a moved day becomes an order question, which the program of before knows."""
    op.drop_table("slip")
    op.execute("UPDATE lead SET kind = 'order_question' WHERE kind = 'late_order'")
    with op.batch_alter_table("lead", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_lead_kind"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_lead_kind"), KINDS_BEFORE)
    with op.batch_alter_table("production_order", schema=None) as batch_op:
        batch_op.drop_column("not_before_at")
    with op.batch_alter_table("company", schema=None) as batch_op:
        batch_op.drop_column("important_minor")
        batch_op.drop_column("choose_days")
    op.drop_table("item_substitute")
