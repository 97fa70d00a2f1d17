"""Quotations, with how long and how far below the list price sales may go without a second person.

Only adds, so that the program of before goes on working while this runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import backoffice.db

revision = "c40b7d1e92f6"
down_revision = "c4d81f60a9e2"
branch_labels = None
depends_on = None

STATES = ("waiting", "sent", "accepted", "expired", "replaced", "withdrawn", "declined")


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _at(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, backoffice.db.UtcDateTime(timezone=True), nullable=nullable)


def _text(name: str, *, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''") if empty else None)


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("company", schema=None) as batch_op:
        batch_op.add_column(sa.Column("quotation_percent", _big(), server_default="10", nullable=False))
        batch_op.add_column(sa.Column("quotation_days", _big(), server_default="14", nullable=False))
        batch_op.create_check_constraint(
            batch_op.f("ck_company_quotations"), "quotation_percent BETWEEN 0 AND 90 AND quotation_days BETWEEN 1 AND 60"
        )
    op.create_table(
        "quotation",
        sa.Column("id", _big(), nullable=False),
        _text("number"),
        sa.Column("version", _big(), nullable=False),
        sa.Column("lead_id", _big(), nullable=False),
        sa.Column("party_id", _big(), nullable=False),
        sa.Column("staff_id", _big(), nullable=False),
        sa.Column("decided_by_id", _big(), nullable=True),
        _text("state"),
        _text("key"),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("buyer", sa.JSON(), nullable=False),
        _text("note", empty=True),
        _text("reason", empty=True),
        _text("language"),
        sa.Column("discount_percent", _big(), nullable=False),
        sa.Column("valid_days", _big(), nullable=False),
        _at("valid_until_at"),
        sa.Column("cart_id", _big(), nullable=True),
        sa.Column("lines", sa.JSON(), nullable=False),
        _text("currency"),
        sa.Column("shipping_minor", _big(), nullable=False),
        sa.Column("total_minor", _big(), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.Column("deliver_on", sa.Date(), nullable=True),
        sa.Column("order_ref", sa.Text(), nullable=True),
        _text("link_nonce"),
        _text("token_hash"),
        _text("base_url"),
        _at("created_at", nullable=False),
        _at("sent_at"),
        _at("reminded_at"),
        _at("ended_at"),
        sa.CheckConstraint(f"state IN ({', '.join(map(repr, STATES))})", name=op.f("ck_quotation_state")),
        sa.CheckConstraint("version > 0", name=op.f("ck_quotation_version")),
        sa.CheckConstraint("discount_percent BETWEEN 0 AND 90", name=op.f("ck_quotation_discount")),
        sa.CheckConstraint("valid_days > 0", name=op.f("ck_quotation_valid_days")),
        sa.CheckConstraint("total_minor >= 0 AND shipping_minor >= 0", name=op.f("ck_quotation_total")),
        sa.CheckConstraint("decided_by_id IS NULL OR decided_by_id <> staff_id", name=op.f("ck_quotation_second_person")),
        sa.CheckConstraint("(state = 'accepted') = (order_ref IS NOT NULL)", name=op.f("ck_quotation_accepted")),
        sa.CheckConstraint(
            "state <> 'sent' OR (cart_id IS NOT NULL AND valid_until_at IS NOT NULL)", name=op.f("ck_quotation_sent")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_quotation_lead_id")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_quotation_party_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_quotation_staff_id")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["staff.id"], name=op.f("fk_quotation_decided_by_id")),
        sa.ForeignKeyConstraint(["cart_id"], ["cart.id"], name=op.f("fk_quotation_cart_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotation")),
        sa.UniqueConstraint("number", "version", name=op.f("uq_quotation_number_version")),
        sa.UniqueConstraint("key", name=op.f("uq_quotation_key")),
        sa.UniqueConstraint("cart_id", name=op.f("uq_quotation_cart_id")),
        sa.UniqueConstraint("order_ref", name=op.f("uq_quotation_order_ref")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_quotation_token_hash")),
    )
    for columns in (["lead_id"], ["party_id"], ["state", "valid_until_at"]):
        op.create_index(f"ix_quotation_{'_'.join(columns)}", "quotation", columns, unique=False)
    op.create_index(
        "uq_quotation_sent",
        "quotation",
        ["number"],
        unique=True,
        sqlite_where=sa.text("state = 'sent'"),
        postgresql_where=sa.text("state = 'sent'"),
    )


def downgrade() -> None:
    """Take back. What is held for a quotation is released by its own expiry."""
    op.drop_table("quotation")
    with op.batch_alter_table("company", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_company_quotations"), type_="check")
        batch_op.drop_column("quotation_days")
        batch_op.drop_column("quotation_percent")
