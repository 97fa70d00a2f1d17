"""Service cases, their place in the timeline, and the deadlines of their priorities. Only adds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c5a41d70e2b8"
down_revision = "d7b3e91f5a04"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
PRIORITIES = "priority IN ('low', 'normal', 'high', 'urgent')"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _cases() -> None:
    op.create_table(
        "service_case",
        sa.Column("id", ID, nullable=False),
        _text("number"),
        sa.Column("party_id", ID, nullable=False),
        sa.Column("order_ref", sa.Text(), nullable=True),
        sa.Column("parcel", ID, nullable=True),
        sa.Column("order_line_id", ID, nullable=True),
        *(_text(name) for name in ("kind", "message", "language", "source", "priority", "state")),
        sa.Column("owner_id", ID, nullable=True),
        sa.Column("due_from_at", AT, nullable=False),
        sa.Column("answer_due_at", AT, nullable=True),
        sa.Column("solve_due_at", AT, nullable=False),
        sa.Column("answered_in", ID, nullable=True),
        sa.Column("escalation", ID, server_default=sa.text("0"), nullable=False),
        *(sa.Column(name, AT, nullable=True) for name in ("escalated_for", "solved_at", "asked_at")),
        sa.Column("score", ID, nullable=True),
        _text("comment"),
        sa.Column("rated_at", AT, nullable=True),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("version", ID, nullable=False),
        sa.CheckConstraint("state IN ('open', 'waiting', 'solved', 'closed')", name=op.f("ck_service_case_state")),
        sa.CheckConstraint(
            "kind IN ('where', 'damaged', 'wrong', 'return', 'invoice', 'other')", name=op.f("ck_service_case_kind")
        ),
        sa.CheckConstraint(PRIORITIES, name=op.f("ck_service_case_priority")),
        sa.CheckConstraint("source IN ('page', 'mail', 'phone')", name=op.f("ck_service_case_source")),
        sa.CheckConstraint("escalation BETWEEN 0 AND 2", name=op.f("ck_service_case_escalation")),
        sa.CheckConstraint("score IS NULL OR score BETWEEN 1 AND 5", name=op.f("ck_service_case_score")),
        sa.CheckConstraint("(score IS NULL) = (rated_at IS NULL)", name=op.f("ck_service_case_rated")),
        sa.CheckConstraint("state NOT IN ('open', 'waiting') OR solved_at IS NULL", name=op.f("ck_service_case_solved")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_service_case_party_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_service_case_order_line_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name=op.f("fk_service_case_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_case")),
        sa.UniqueConstraint("number", name=op.f("uq_service_case_number")),
    )
    for columns in (["party_id"], ["order_ref"], ["owner_id"], ["created_at"], ["state", "solve_due_at"]):
        op.create_index(f"ix_service_case_{'_'.join(columns)}", "service_case", columns, unique=False)
    op.create_table(
        "case_deadline",
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("answer_minutes", ID, nullable=False),
        sa.Column("solve_minutes", ID, nullable=False),
        sa.CheckConstraint(PRIORITIES, name=op.f("ck_case_deadline_priority")),
        sa.CheckConstraint("0 < answer_minutes AND answer_minutes <= solve_minutes", name=op.f("ck_case_deadline_minutes")),
        sa.PrimaryKeyConstraint("priority", name=op.f("pk_case_deadline")),
    )


def upgrade() -> None:
    """Apply."""
    _cases()
    for table in ("mail_taken", "activity"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("case_id", ID, nullable=True))
            batch_op.create_foreign_key(op.f(f"fk_{table}_case_id"), "service_case", ["case_id"], ["id"])


def downgrade() -> None:
    """Undo: what was said stays in the timeline of its customer, the cases are forgotten."""
    for table in ("activity", "mail_taken"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(op.f(f"fk_{table}_case_id"), type_="foreignkey")
            batch_op.drop_column("case_id")
    op.drop_table("case_deadline")
    op.drop_table("service_case")
