"""Invoices and credit notes, numbered without a gap and written once; withdrawals and goods that come back; disputes; coupons.

Only adds. Orders and refunds from before get no paper here: whoever kept these books so far has issued it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import backoffice.db

revision = "b1f04c7e62d9"
down_revision = "f0e3a7c1b254"
branch_labels = None
depends_on = None

ONCE = ("invoice", "invoice_line")
DISCOUNTED = {"cart": ["coupon_code"], "checkout": ["coupon_code", "discount_minor"], "orders": ["discount_minor"]}


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _refuse_changes(table: str) -> None:
    said = f"rows of {table} are written once"
    if op.get_context().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            name = f"{table}_no_{verb.lower()}"
            op.execute(f"CREATE TRIGGER {name} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{said}'); END")
        return
    op.execute(
        f"CREATE FUNCTION {table}_is_written_once() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{said}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_is_written_once()"
    )


def _invoices() -> None:
    op.create_table(
        "number_series",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", _big(), nullable=False),
        sa.Column("last", _big(), nullable=False),
        sa.CheckConstraint("last > 0", name=op.f("ck_number_series_last")),
        sa.PrimaryKeyConstraint("kind", "year", name=op.f("pk_number_series")),
    )
    op.create_table(
        "invoice",
        sa.Column("id", _big(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", _big(), nullable=False),
        sa.Column("serial", _big(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("order_ref", sa.Text(), nullable=False),
        sa.Column("corrects_id", _big(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("net_minor", _big(), nullable=False),
        sa.Column("tax_minor", _big(), nullable=False),
        sa.Column("gross_minor", _big(), nullable=False),
        sa.Column("seller", sa.JSON(), nullable=False),
        sa.Column("buyer", sa.JSON(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_at", backoffice.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.CheckConstraint("kind IN ('invoice', 'credit_note')", name=op.f("ck_invoice_kind")),
        sa.CheckConstraint("serial > 0", name=op.f("ck_invoice_serial")),
        sa.CheckConstraint("gross_minor >= 0 AND net_minor + tax_minor = gross_minor", name=op.f("ck_invoice_sums")),
        sa.CheckConstraint("kind = 'invoice' OR corrects_id IS NOT NULL", name=op.f("ck_invoice_corrects")),
        sa.ForeignKeyConstraint(["corrects_id"], ["invoice.id"], name=op.f("fk_invoice_corrects_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("cause", name=op.f("uq_invoice_cause")),
        sa.UniqueConstraint("kind", "year", "serial", name=op.f("uq_invoice_kind_year_serial")),
        sa.UniqueConstraint("number", name=op.f("uq_invoice_number")),
    )
    op.create_index("ix_invoice_issued_on_id", "invoice", ["issued_on", "id"], unique=False)
    op.create_index(op.f("ix_invoice_order_ref"), "invoice", ["order_ref"], unique=False)
    op.create_table(
        "invoice_line",
        sa.Column("id", _big(), nullable=False),
        sa.Column("invoice_id", _big(), nullable=False),
        sa.Column("position", _big(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("quantity", _big(), nullable=False),
        sa.Column("rate_bp", _big(), nullable=False),
        sa.Column("net_minor", _big(), nullable=False),
        sa.Column("tax_minor", _big(), nullable=False),
        sa.Column("gross_minor", _big(), nullable=False),
        sa.CheckConstraint("kind IN ('goods', 'delivery', 'discount', 'refund')", name=op.f("ck_invoice_line_kind")),
        sa.CheckConstraint("net_minor + tax_minor = gross_minor", name=op.f("ck_invoice_line_sums")),
        sa.CheckConstraint("rate_bp BETWEEN 0 AND 10000", name=op.f("ck_invoice_line_rate")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_invoice_line_invoice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_line")),
        sa.UniqueConstraint("invoice_id", "position", name=op.f("uq_invoice_line_invoice_id_position")),
    )
    for table in ONCE:
        _refuse_changes(table)


def _withdrawals() -> None:
    op.create_table(
        "goods_return",
        sa.Column("id", _big(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("order_ref", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("announced_at", backoffice.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("received_at", backoffice.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("version", _big(), nullable=False),
        sa.CheckConstraint("state IN ('expected', 'received')", name=op.f("ck_goods_return_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goods_return")),
        sa.UniqueConstraint("number", name=op.f("uq_goods_return_number")),
    )
    op.create_index(op.f("ix_goods_return_order_ref"), "goods_return", ["order_ref"], unique=False)
    op.create_index("ix_goods_return_state_id", "goods_return", ["state", "id"], unique=False)
    op.create_table(
        "goods_return_line",
        sa.Column("id", _big(), nullable=False),
        sa.Column("return_id", _big(), nullable=False),
        sa.Column("reservation_id", _big(), nullable=False),
        sa.Column("item_id", _big(), nullable=False),
        sa.Column("quantity", _big(), nullable=False),
        sa.Column("received", _big(), nullable=False),
        sa.Column("restocked", _big(), nullable=False),
        sa.CheckConstraint("quantity > 0 AND received >= 0 AND received <= quantity", name=op.f("ck_goods_return_line_received")),
        sa.CheckConstraint("restocked >= 0 AND restocked <= received", name=op.f("ck_goods_return_line_restocked")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_goods_return_line_item_id")),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.id"], name=op.f("fk_goods_return_line_reservation_id")),
        sa.ForeignKeyConstraint(["return_id"], ["goods_return.id"], name=op.f("fk_goods_return_line_return_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goods_return_line")),
        sa.UniqueConstraint("return_id", "reservation_id", name=op.f("uq_goods_return_line_return_id_reservation_id")),
    )
    op.create_index(op.f("ix_goods_return_line_reservation_id"), "goods_return_line", ["reservation_id"], unique=False)
    op.create_table(
        "withdrawal",
        sa.Column("id", _big(), nullable=False),
        sa.Column("order_id", _big(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("return_number", sa.Text(), nullable=False),
        sa.Column("refund_minor", _big(), nullable=False),
        sa.Column("declared_at", backoffice.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_withdrawal_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal")),
        sa.UniqueConstraint("key", name=op.f("uq_withdrawal_key")),
    )
    op.create_index(op.f("ix_withdrawal_order_id"), "withdrawal", ["order_id"], unique=False)
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("withdrawn", _big(), server_default="0", nullable=False))
        batch_op.create_check_constraint(batch_op.f("ck_order_line_withdrawn"), "withdrawn >= 0 AND withdrawn <= quantity")
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.add_column(sa.Column("no_withdrawal", sa.Text(), server_default=sa.text("''"), nullable=False))
        batch_op.create_check_constraint(
            batch_op.f("ck_item_no_withdrawal"), "no_withdrawal IN ('', 'made_for_you', 'perishable', 'sealed')"
        )


KINDS = ("contact", "question", "tell_me", "order_question", "quote_request", "phone", "late_order")


def _lead_kinds(*kinds: str) -> None:
    with op.batch_alter_table("lead", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_lead_kind"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_lead_kind"), f"kind IN ({', '.join(map(repr, kinds))})")


def _disputes() -> None:
    op.create_table(
        "dispute",
        sa.Column("id", _big(), nullable=False),
        sa.Column("payment_id", _big(), nullable=False),
        sa.Column("provider_ref", sa.Text(), nullable=False),
        sa.Column("amount_minor", _big(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("evidence_due_at", backoffice.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("lead_id", _big(), nullable=True),
        sa.Column("opened_at", backoffice.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("closed_at", backoffice.db.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('open', 'won', 'lost')", name=op.f("ck_dispute_state")),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_dispute_amount")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_dispute_lead_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_dispute_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
        sa.UniqueConstraint("provider_ref", name=op.f("uq_dispute_provider_ref")),
    )
    op.create_index(op.f("ix_dispute_payment_id"), "dispute", ["payment_id"], unique=False)
    op.create_table(
        "provider_cursor",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("heard_until_at", backoffice.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_provider_cursor")),
    )
    op.create_table(
        "held_order",
        sa.Column("order_ref", sa.Text(), nullable=False),
        sa.Column("since_at", backoffice.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("order_ref", name=op.f("pk_held_order")),
    )
    _lead_kinds(*KINDS, "dispute")


def _coupons() -> None:
    op.create_table(
        "coupon",
        sa.Column("id", _big(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", _big(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("from_quantity", _big(), nullable=False),
        sa.Column("minimum_minor", _big(), nullable=False),
        sa.Column("starts_at", backoffice.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ends_at", backoffice.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("use_limit", _big(), nullable=True),
        sa.Column("per_customer", _big(), nullable=True),
        sa.Column("used", _big(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", backoffice.db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('percent', 'amount', 'volume')", name=op.f("ck_coupon_kind")),
        sa.CheckConstraint("value > 0 AND (kind = 'amount' OR value <= 100)", name=op.f("ck_coupon_value")),
        sa.CheckConstraint("used >= 0 AND (use_limit IS NULL OR used <= use_limit)", name=op.f("ck_coupon_used")),
        sa.CheckConstraint("per_customer IS NULL OR per_customer > 0", name=op.f("ck_coupon_per_customer")),
        sa.CheckConstraint("from_quantity > 0 AND minimum_minor >= 0", name=op.f("ck_coupon_from")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon")),
        sa.UniqueConstraint("code", name=op.f("uq_coupon_code")),
    )
    op.create_table(
        "coupon_use",
        sa.Column("coupon_id", _big(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("used", _big(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_coupon_use_used")),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupon.id"], name=op.f("fk_coupon_use_coupon_id")),
        sa.PrimaryKeyConstraint("coupon_id", "customer", name=op.f("pk_coupon_use")),
    )
    op.create_table(
        "coupon_redemption",
        sa.Column("id", _big(), nullable=False),
        sa.Column("coupon_id", _big(), nullable=False),
        sa.Column("checkout_id", _big(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", backoffice.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("released_at", backoffice.db.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('live', 'released')", name=op.f("ck_coupon_redemption_state")),
        sa.ForeignKeyConstraint(["checkout_id"], ["checkout.id"], name=op.f("fk_coupon_redemption_checkout_id")),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupon.id"], name=op.f("fk_coupon_redemption_coupon_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon_redemption")),
        sa.UniqueConstraint("checkout_id", name=op.f("uq_coupon_redemption_checkout_id")),
    )
    op.create_index(op.f("ix_coupon_redemption_coupon_id"), "coupon_redemption", ["coupon_id"], unique=False)
    for table, columns in DISCOUNTED.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                kind, default = (sa.Text(), sa.text("''")) if column == "coupon_code" else (_big(), "0")
                batch_op.add_column(sa.Column(column, kind, server_default=default, nullable=False))


def upgrade() -> None:
    """Apply. The index is made last, on PostgreSQL while others go on writing."""
    _invoices()
    _withdrawals()
    _disputes()
    _coupons()
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("to_invoice", sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.add_column(sa.Column("credited", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE refund SET credited = true WHERE state = 'succeeded'")


def downgrade() -> None:
    """Take back. Papers are gone then: whoever goes back keeps a copy of the database."""
    for table, columns in DISCOUNTED.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                batch_op.drop_column(column)
    for table in ("coupon_redemption", "coupon_use", "coupon"):
        op.drop_table(table)
    for table in ("held_order", "provider_cursor", "dispute"):
        op.drop_table(table)
    op.execute("UPDATE lead SET kind = 'contact' WHERE kind = 'dispute'")
    _lead_kinds(*KINDS)
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_item_no_withdrawal"), type_="check")
        batch_op.drop_column("no_withdrawal")
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_order_line_withdrawn"), type_="check")
        batch_op.drop_column("withdrawn")
    for table in ("withdrawal", "goods_return_line", "goods_return"):
        op.drop_table(table)
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.drop_column("credited")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_column("to_invoice")
    for table in reversed(ONCE):
        op.drop_table(table)
        if op.get_context().dialect.name != "sqlite":
            op.execute(f"DROP FUNCTION {table}_is_written_once()")
    op.drop_table("number_series")
