"""Letters to a segment. Only adds: the program of before goes on working while this runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "7ad40c1be943"
down_revision = "b7e3d90c51fa"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
REASON = (
    "reason IN ('', 'no_consent', 'withdrawn', 'had_one', 'undeliverable', 'stopped') AND (state = 'left_out') = (reason <> '')"
)


def upgrade() -> None:
    """Apply."""
    op.add_column("company", sa.Column("campaign_days", BIG, nullable=False, server_default="7"))
    op.add_column("consent", sa.Column("withdrawal", sa.JSON(), nullable=False, server_default="{}"))
    op.create_table(
        "campaign",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("segment_id", BIG, nullable=True),
        sa.Column("texts", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("starts_at", TIME, nullable=True),
        sa.Column("state", sa.Text(), nullable=False, server_default="draft"),
        sa.Column("matching", sa.Text(), nullable=False, server_default="all"),
        sa.Column("conditions", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("addresses", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("expected", BIG, nullable=False, server_default="0"),
        sa.Column("reached_id", BIG, nullable=False, server_default="0"),
        sa.Column("version", BIG, nullable=False, server_default="1"),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("confirmed_at", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.CheckConstraint("state IN ('draft', 'sending', 'sent', 'stopped')", name=op.f("ck_campaign_state")),
        sa.CheckConstraint("(state = 'draft') = (confirmed_at IS NULL)", name=op.f("ck_campaign_confirmed")),
        sa.CheckConstraint("(state IN ('sent', 'stopped')) = (ended_at IS NOT NULL)", name=op.f("ck_campaign_ended")),
        sa.ForeignKeyConstraint(["segment_id"], ["segment.id"], name=op.f("fk_campaign_segment_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("code", name=op.f("uq_campaign_code")),
    )
    op.create_index(op.f("ix_campaign_segment_id"), "campaign", ["segment_id"])
    op.create_index("ix_campaign_state_id", "campaign", ["state", "id"])
    op.create_table(
        "campaign_recipient",
        sa.Column("id", BIG, nullable=False),
        sa.Column("campaign_id", BIG, nullable=False),
        sa.Column("party_id", BIG, nullable=False),
        sa.Column("consent_id", BIG, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("unsubscribed_at", TIME, nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'left_out')", name=op.f("ck_campaign_recipient_state")),
        sa.CheckConstraint(REASON, name=op.f("ck_campaign_recipient_reason")),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_campaign_recipient_sent")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_recipient_campaign_id")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_campaign_recipient_party_id")),
        sa.ForeignKeyConstraint(
            ["consent_id"], ["consent.id"], name=op.f("fk_campaign_recipient_consent_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_recipient")),
        sa.UniqueConstraint("campaign_id", "party_id", name=op.f("uq_campaign_recipient_campaign_id_party_id")),
    )
    op.create_index("ix_campaign_recipient_campaign_id_state", "campaign_recipient", ["campaign_id", "state"])
    for column in ("party_id", "consent_id", "sent_at"):
        op.create_index(op.f(f"ix_campaign_recipient_{column}"), "campaign_recipient", [column])


def downgrade() -> None:
    """Undo: who got which letter is forgotten; what was taken back stays taken back."""
    op.drop_table("campaign_recipient")
    op.drop_table("campaign")
    op.drop_column("consent", "withdrawal")
    op.drop_column("company", "campaign_days")
