"""Tasks for a desk or one of its people. Only adds: the program of before goes on working while this runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c43a1e7d5b08"
down_revision = "c4d17e0b92a6"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN_DAY = sa.text("kind = 'earlier_day' AND state = 'open'")
OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "task",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("owner_id", BIG, nullable=True),
        sa.Column("lead_id", BIG, nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("plan_version", BIG, nullable=True),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('to_do', 'earlier_day')", name=op.f("ck_task_kind")),
        sa.CheckConstraint("state IN ('open', 'done', 'dropped')", name=op.f("ck_task_state")),
        sa.CheckConstraint("desk IN ('sales', 'warehouse', 'planning')", name=op.f("ck_task_desk")),
        sa.CheckConstraint("outcome IN ('', 'possible', 'impossible')", name=op.f("ck_task_outcome")),
        sa.CheckConstraint("kind = 'to_do' OR lead_id IS NOT NULL", name=op.f("ck_task_earlier_day_of_lead")),
        sa.CheckConstraint("(state = 'open') = (ended_at IS NULL)", name=op.f("ck_task_ended")),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name=op.f("fk_task_owner_id")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_task_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index("uq_task_open_day", "task", ["lead_id"], unique=True, postgresql_where=OPEN_DAY, sqlite_where=OPEN_DAY)
    op.create_index("ix_task_open_desk", "task", ["desk", "due_on", "id"], postgresql_where=OPEN, sqlite_where=OPEN)
    op.create_index(op.f("ix_task_owner_id"), "task", ["owner_id"])
    op.create_index(op.f("ix_task_lead_id"), "task", ["lead_id"])


def downgrade() -> None:
    """Undo: the tasks are forgotten."""
    op.drop_table("task")
