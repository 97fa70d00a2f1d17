"""The pipeline: stages of enquiries, why they were lost, what is overdue, kept lists, mails read from our mailbox. Only adds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c4d81f60a9e2"
down_revision = "c93d5a7e1b60"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "stage_probability",
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("percent", ID, nullable=False),
        sa.CheckConstraint("stage IN ('lead', 'qualified', 'opportunity')", name=op.f("ck_stage_probability_stage")),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name=op.f("ck_stage_probability_percent")),
        sa.PrimaryKeyConstraint("stage", name=op.f("pk_stage_probability")),
    )
    op.create_table(
        "lost_reason",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", ID, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lost_reason")),
        sa.UniqueConstraint("name", name=op.f("uq_lost_reason_name")),
    )
    op.create_table(
        "escalation_rule",
        sa.Column("id", ID, nullable=False),
        sa.Column("after_minutes", ID, nullable=False),
        sa.Column("to_id", ID, nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_escalation_rule_one_row")),
        sa.CheckConstraint("after_minutes > 0", name=op.f("ck_escalation_rule_after_minutes")),
        sa.ForeignKeyConstraint(["to_id"], ["staff.id"], name=op.f("fk_escalation_rule_to_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation_rule")),
    )
    op.create_table(
        "saved_view",
        sa.Column("id", ID, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name=op.f("fk_saved_view_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_saved_view_owner_id_name")),
    )
    op.create_table(
        "mail_taken",
        sa.Column("id", ID, nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("message_hash", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("lead_id", ID, nullable=True),
        sa.Column("at", AT, nullable=False),
        sa.CheckConstraint(
            "outcome IN ('threaded', 'new', 'doubtful', 'repeated', 'set_aside')", name=op.f("ck_mail_taken_outcome")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_mail_taken_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_taken")),
        sa.UniqueConstraint("mailbox", "uid_validity", "uid", name=op.f("uq_mail_taken_mailbox_uid_validity_uid")),
    )
    op.create_index("uq_mail_taken_message_hash", "mail_taken", ["message_hash"], unique=True)
    op.create_index("ix_mail_taken_lead_id", "mail_taken", ["lead_id"], unique=False)
    with op.batch_alter_table("lead") as lead:
        lead.add_column(sa.Column("stage", sa.Text(), server_default=sa.text("'lead'"), nullable=False))
        lead.add_column(sa.Column("value_minor", sa.BigInteger(), nullable=True))
        lead.add_column(sa.Column("currency", sa.Text(), server_default=sa.text("''"), nullable=False))
        lead.add_column(sa.Column("expected_on", sa.Date(), nullable=True))
        lead.add_column(sa.Column("lost_reason_id", ID, nullable=True))
        lead.add_column(sa.Column("escalation", ID, server_default=sa.text("0"), nullable=False))
        lead.add_column(sa.Column("escalated_for", AT, nullable=True))
        lead.create_check_constraint(op.f("ck_lead_stage"), "stage IN ('lead', 'qualified', 'opportunity')")
        lead.create_check_constraint(op.f("ck_lead_value"), "value_minor IS NULL OR (value_minor >= 0 AND currency <> '')")
        lead.create_check_constraint(op.f("ck_lead_escalation"), "escalation BETWEEN 0 AND 2")
        lead.create_foreign_key(op.f("fk_lead_lost_reason_id"), "lost_reason", ["lost_reason_id"], ["id"])


def downgrade() -> None:
    """Undo: stages, values and kept lists are forgotten; mails stay in their mailbox."""
    with op.batch_alter_table("lead") as lead:
        lead.drop_constraint(op.f("fk_lead_lost_reason_id"), type_="foreignkey")
        for check in ("escalation", "value", "stage"):
            lead.drop_constraint(op.f(f"ck_lead_{check}"), type_="check")
        for column in ("escalated_for", "escalation", "lost_reason_id", "expected_on", "currency", "value_minor", "stage"):
            lead.drop_column(column)
    for table in ("mail_taken", "saved_view", "escalation_rule", "lost_reason", "stage_probability"):
        op.drop_table(table)
