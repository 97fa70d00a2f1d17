"""Money that is only set aside first; tax by kind of goods; prices that fall by quantity; a right of withdrawal frozen with its line.

Only adds, so that the program of before goes on working while this runs. A line from before keeps what its item says today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import backoffice.db
from backoffice.migrate import lock_together

revision = "e5a1c09d74b3"
down_revision = "d0075b1e4a2c"
branch_labels = None
depends_on = None

STATES = ("opened", "processing", "succeeded", "failed", "expired", "partly_refunded", "refunded", "disputed")
NOW_STATES = (
    "opened",
    "processing",
    "authorised",
    "succeeded",
    "failed",
    "expired",
    "voided",
    "partly_refunded",
    "refunded",
    "disputed",
)
KINDS = ("contact", "question", "tell_me", "order_question", "quote_request", "phone", "late_order", "dispute")
KEPT = ("", "made_for_you", "perishable", "sealed")
TAXED = ("standard", "books", "food")
CHANGED = ("company", "lead", "order_line", "payment", "product", "refund", "sandbox_session")


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _flag() -> sa.Column[bool]:
    return sa.Column("capture_later", sa.Boolean(), server_default=sa.false(), nullable=False)


def _until() -> sa.Column[object]:
    return sa.Column("capture_by_at", backoffice.db.UtcDateTime(timezone=True), nullable=True)


def _one_of(table: str, column: str, values: tuple[str, ...]) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f(f"ck_{table}_{column}"), type_="check")
        batch_op.create_check_constraint(batch_op.f(f"ck_{table}_{column}"), f"{column} IN ({', '.join(map(repr, values))})")


def upgrade() -> None:
    """Apply."""
    lock_together(op.get_bind(), *CHANGED)
    _one_of("payment", "state", NOW_STATES)
    _one_of("lead", "kind", (*KINDS, "authorisation"))
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.add_column(_flag())
        batch_op.add_column(_until())
        batch_op.add_column(sa.Column("ending", sa.Text(), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("lead_id", _big(), nullable=True))
        batch_op.create_check_constraint(batch_op.f("ck_payment_ending"), "ending IN ('', 'capture', 'void')")
        batch_op.create_foreign_key(batch_op.f("fk_payment_lead_id"), "lead", ["lead_id"], ["id"])
    with op.batch_alter_table("sandbox_session", schema=None) as batch_op:
        batch_op.add_column(_flag())
        batch_op.add_column(_until())
    op.create_table(
        "sandbox_dispute",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("evidence_due_at", backoffice.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sandbox_session.id"], name=op.f("fk_sandbox_dispute_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_dispute")),
    )
    op.create_index(op.f("ix_sandbox_dispute_session_id"), "sandbox_dispute", ["session_id"], unique=False)
    with op.batch_alter_table("company", schema=None) as batch_op:
        batch_op.add_column(sa.Column("capture_on_shipment", sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tax_kind", sa.Text(), server_default="standard", nullable=False))
        batch_op.create_check_constraint(batch_op.f("ck_product_tax_kind"), f"tax_kind IN ({', '.join(map(repr, TAXED))})")
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.add_column(sa.Column("parts", sa.JSON(), server_default="{}", nullable=False))
    op.create_table(
        "price_tier",
        sa.Column("id", _big(), nullable=False),
        sa.Column("item_id", _big(), nullable=False),
        sa.Column("from_quantity", _big(), nullable=False),
        sa.Column("price_minor", _big(), nullable=False),
        sa.CheckConstraint("from_quantity > 1", name=op.f("ck_price_tier_from_quantity")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_price_tier_price")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_price_tier_item_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_tier")),
        sa.UniqueConstraint("item_id", "from_quantity", name=op.f("uq_price_tier_item_id_from_quantity")),
    )
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("no_withdrawal", sa.Text(), server_default=sa.text("''"), nullable=False))
        batch_op.create_check_constraint(
            batch_op.f("ck_order_line_no_withdrawal"), f"no_withdrawal IN ({', '.join(map(repr, KEPT))})"
        )
    op.execute(
        "UPDATE order_line SET no_withdrawal = (SELECT item.no_withdrawal FROM item WHERE item.id = order_line.item_id)"
        " WHERE item_id IN (SELECT id FROM item WHERE no_withdrawal <> '')"
    )


def downgrade() -> None:
    """Take back. What is only set aside reads as not paid then: end it before."""
    lock_together(op.get_bind(), *CHANGED, "item", "price_tier", "sandbox_dispute")
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_order_line_no_withdrawal"), type_="check")
        batch_op.drop_column("no_withdrawal")
    op.drop_table("price_tier")
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.drop_column("parts")
    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_product_tax_kind"), type_="check")
        batch_op.drop_column("tax_kind")
    with op.batch_alter_table("company", schema=None) as batch_op:
        batch_op.drop_column("capture_on_shipment")
    op.drop_table("sandbox_dispute")
    with op.batch_alter_table("sandbox_session", schema=None) as batch_op:
        batch_op.drop_column("capture_by_at")
        batch_op.drop_column("capture_later")
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_payment_lead_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("ck_payment_ending"), type_="check")
        for column in ("lead_id", "ending", "capture_by_at", "capture_later"):
            batch_op.drop_column(column)
    op.execute("UPDATE lead SET kind = 'contact' WHERE kind = 'authorisation'")
    _one_of("lead", "kind", KINDS)
    op.execute("UPDATE payment SET state = 'processing' WHERE state = 'authorised'")
    op.execute("UPDATE payment SET state = 'failed' WHERE state = 'voided'")
    _one_of("payment", "state", STATES)
