"""What was asked for in vain, and what is expected. Only adds: the program of before goes on working while this runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c4d17e0b92a6"
down_revision = "c41d7e0a92b6"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = "kind IN ('viewed', 'quantity', 'day', 'search')"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "demand_mark",
        sa.Column("week_on", sa.Date(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("quantity", BIG, nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_demand_mark_kind")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_demand_mark_quantity")),
        sa.PrimaryKeyConstraint("week_on", "sku", "words", "mark", name=op.f("pk_demand_mark")),
    )
    op.create_table(
        "lost_demand",
        sa.Column("week_on", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("people", BIG, nullable=False),
        sa.Column("quantity", BIG, nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_lost_demand_kind")),
        sa.CheckConstraint("people > 0 AND quantity > 0", name=op.f("ck_lost_demand_counted")),
        sa.PrimaryKeyConstraint("week_on", "kind", "sku", "words", name=op.f("pk_lost_demand")),
    )
    op.create_table(
        "demand_forecast",
        sa.Column("item_id", BIG, nullable=False),
        sa.Column("month_on", sa.Date(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("months", BIG, nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("until", BIG, nullable=False),
        sa.Column("deliverable", BIG, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("method IN ('short', 'intermittent', 'smooth', 'seasonal')", name=op.f("ck_demand_forecast_method")),
        sa.CheckConstraint("mean >= 0 AND 0 <= deliverable AND deliverable <= until", name=op.f("ck_demand_forecast_pieces")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_demand_forecast_item_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item_id", "month_on", name=op.f("pk_demand_forecast")),
    )
    op.create_table(
        "report_mail",
        sa.Column("staff_id", BIG, nullable=False),
        sa.Column("every", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("sent_for", sa.Date(), nullable=False),
        sa.CheckConstraint("every IN ('week', 'month')", name=op.f("ck_report_mail_every")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_report_mail_staff_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_report_mail")),
    )


def downgrade() -> None:
    """Undo: what was counted is forgotten."""
    op.drop_table("report_mail")
    op.drop_table("demand_forecast")
    op.drop_table("lost_demand")
    op.drop_table("demand_mark")
