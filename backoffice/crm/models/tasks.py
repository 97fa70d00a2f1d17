"""Table of tasks: what somebody of ours shall do by a day."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId

OPEN_DAY = sa.text("kind = 'earlier_day' AND state = 'open'")
OPEN = sa.text("state = 'open'")


class Task(Base):
    """Something to do. state: open | done | dropped (nobody needs it any more).

    kind: to_do (title says what) | earlier_day (planning is asked for an earlier day; what is wanted stands in its lead).
    desk: whose, sales | warehouse | planning; owner_id: who of them, None: whoever comes first. outcome: "" | possible |
    impossible, of an earlier day that was answered. answer: in words. plan_version: the plan that was last asked for the day.
    """

    __tablename__ = "task"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('to_do', 'earlier_day')", name="kind"),
        sa.CheckConstraint("state IN ('open', 'done', 'dropped')", name="state"),
        sa.CheckConstraint("desk IN ('sales', 'warehouse', 'planning')", name="desk"),
        sa.CheckConstraint("outcome IN ('', 'possible', 'impossible')", name="outcome"),
        sa.CheckConstraint("kind = 'to_do' OR lead_id IS NOT NULL", name="earlier_day_of_lead"),
        sa.CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended"),
        sa.Index("uq_task_open_day", "lead_id", unique=True, postgresql_where=OPEN_DAY, sqlite_where=OPEN_DAY),
        sa.Index("ix_task_open_desk", "desk", "due_on", "id", postgresql_where=OPEN, sqlite_where=OPEN),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="open")
    desk: Mapped[str]
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    lead_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lead.id"), index=True)
    title: Mapped[str] = mapped_column(default="")
    due_on: Mapped[date]
    outcome: Mapped[str] = mapped_column(default="")
    answer: Mapped[str] = mapped_column(default="")
    plan_version: Mapped[int | None]
    asked_by: Mapped[str] = mapped_column(default="")  # empty: the shop itself
    ended_by: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
