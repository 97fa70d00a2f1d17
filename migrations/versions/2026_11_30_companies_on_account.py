"""Companies that buy on account, with prices of their own. Only adds: the program of before goes on working while this runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "d8a3f61c0b57"
down_revision = "7ad40c1be943"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ROLES = "company_role IN ('', 'buyer', 'approver', 'accounting', 'other')"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "price_list",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("percent_off", BIG, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.CheckConstraint("percent_off BETWEEN 0 AND 100", name=op.f("ck_price_list_percent_off")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_list")),
        sa.UniqueConstraint("name", name=op.f("uq_price_list_name")),
    )
    op.create_table(
        "list_price",
        sa.Column("id", BIG, nullable=False),
        sa.Column("price_list_id", BIG, nullable=False),
        sa.Column("item_id", BIG, nullable=False),
        sa.Column("from_quantity", BIG, nullable=False),
        sa.Column("price_minor", BIG, nullable=False),
        sa.CheckConstraint("from_quantity > 0", name=op.f("ck_list_price_from_quantity")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_list_price_price")),
        sa.ForeignKeyConstraint(
            ["price_list_id"], ["price_list.id"], name=op.f("fk_list_price_price_list_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_list_price_item_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_price")),
        sa.UniqueConstraint(
            "price_list_id", "item_id", "from_quantity", name=op.f("uq_list_price_price_list_id_item_id_from_quantity")
        ),
    )
    op.create_index("ix_list_price_item_id", "list_price", ["item_id"], unique=False)
    op.create_table(
        "company_terms",
        sa.Column("party_id", BIG, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("limit_minor", BIG, nullable=False),
        sa.Column("used_minor", BIG, server_default="0", nullable=False),
        sa.Column("due_days", BIG, nullable=False),
        sa.Column("pause_overdue", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.CheckConstraint("limit_minor >= 0", name=op.f("ck_company_terms_limit")),
        sa.CheckConstraint("due_days BETWEEN 0 AND 365", name=op.f("ck_company_terms_due_days")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_company_terms_party_id")),
        sa.PrimaryKeyConstraint("party_id", name=op.f("pk_company_terms")),
    )
    op.create_table(
        "company_prices",
        sa.Column("id", BIG, nullable=False),
        sa.Column("party_id", BIG, nullable=False),
        sa.Column("price_list_id", BIG, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_company_prices_valid")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_company_prices_party_id")),
        sa.ForeignKeyConstraint(["price_list_id"], ["price_list.id"], name=op.f("fk_company_prices_price_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_prices")),
    )
    op.create_index("ix_company_prices_party_id", "company_prices", ["party_id"], unique=False)
    op.create_table(
        "receivable",
        sa.Column("payment_id", BIG, nullable=False),
        sa.Column("company_id", BIG, nullable=False),
        sa.Column("due_days", BIG, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("received_minor", BIG, server_default="0", nullable=False),
        sa.Column("reminded", BIG, server_default="0", nullable=False),
        sa.CheckConstraint("received_minor >= 0", name=op.f("ck_receivable_received")),
        sa.CheckConstraint("reminded >= 0", name=op.f("ck_receivable_reminded")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_receivable_payment_id")),
        sa.ForeignKeyConstraint(["company_id"], ["party.id"], name=op.f("fk_receivable_company_id")),
        sa.PrimaryKeyConstraint("payment_id", name=op.f("pk_receivable")),
    )
    op.create_index("ix_receivable_company_id", "receivable", ["company_id"], unique=False)
    op.create_index("ix_receivable_due_on", "receivable", ["due_on"], unique=False)
    op.create_table(
        "receipt",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("payment_id", BIG, nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("recorded_by_id", BIG, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_receipt_amount")),
        sa.ForeignKeyConstraint(["payment_id"], ["receivable.payment_id"], name=op.f("fk_receipt_payment_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["staff.id"], name=op.f("fk_receipt_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("key", name=op.f("uq_receipt_key")),
    )
    op.create_index("ix_receipt_payment_id", "receipt", ["payment_id"], unique=False)
    op.add_column("invoice", sa.Column("due_on", sa.Date(), nullable=True))
    with op.batch_alter_table("cart", schema=None) as batch_op:
        batch_op.add_column(sa.Column("party_id", BIG, nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_cart_party_id"), "party", ["party_id"], ["id"])
    with op.batch_alter_table("checkout", schema=None) as batch_op:
        batch_op.add_column(sa.Column("price_list_id", BIG, nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_checkout_price_list_id"), "price_list", ["price_list_id"], ["id"])
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.add_column(sa.Column("company_role", sa.Text(), server_default=sa.text("''"), nullable=False))
        batch_op.create_check_constraint(batch_op.f("ck_party_company_role"), ROLES)
        batch_op.create_check_constraint(batch_op.f("ck_party_role_of_a_company"), "company_role = '' OR company_id IS NOT NULL")


def downgrade() -> None:
    """Undo: what was agreed with companies, and what they owe, is gone."""
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_party_role_of_a_company"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_party_company_role"), type_="check")
        batch_op.drop_column("company_role")
    with op.batch_alter_table("checkout", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_checkout_price_list_id"), type_="foreignkey")
        batch_op.drop_column("price_list_id")
    with op.batch_alter_table("cart", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_cart_party_id"), type_="foreignkey")
        batch_op.drop_column("party_id")
    op.drop_column("invoice", "due_on")
    for table in ("receipt", "receivable", "company_prices", "company_terms", "list_price", "price_list"):
        op.drop_table(table)
